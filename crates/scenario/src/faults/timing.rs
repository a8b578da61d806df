//! When a fault happens: the words beside its kind, and which of them go together.

use std::collections::BTreeMap;

use fleetsim_engine::Time;
use fleetsim_fault_injection::{Trigger, When};

use super::parties::party;
use crate::either::Either;
use crate::mistake::Code;
use crate::scalar::Duration;
use crate::vocabulary::{Document, Fault, FaultKind, Stated};

/// What is wrong with the words about when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistimed {
    pub(crate) code: Code,
    /// Which word; empty for the fault as a whole.
    pub(crate) field: &'static str,
    /// Whether that word stands in the table of the fault's kind.
    pub(crate) in_kind: bool,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

const SAY_WHEN: &str = "add `at`, `from` and `until`, `every`, `randomly` or `when`";

/// When a fault happens, or what is wrong with how that is said.
pub(crate) fn when(document: &Document, fault: &Fault, kind: FaultKind<'_>) -> Result<When, Vec<Mistimed>> {
    let timing = Timing::of(document, fault, kind);
    let mistimed = timing.mistimed();
    if mistimed.is_empty() { timing.meant().ok_or_else(Vec::new) } else { Err(mistimed) }
}

/// The words about when, whichever table they stand in.
struct Timing<'a> {
    document: &'a Document,
    fault: &'a Fault,
    kind: FaultKind<'a>,
    at: Option<Duration>,
    lasts: Option<Duration>,
}

impl<'a> Timing<'a> {
    fn of(document: &'a Document, fault: &'a Fault, kind: FaultKind<'a>) -> Timing<'a> {
        let (own_at, own_lasts) = kind.own_time();
        Timing { document, fault, kind, at: own_at.or(fault.at), lasts: own_lasts.or(fault.lasts) }
    }

    /// Whether it is over the moment it happens.
    fn is_momentary(&self) -> bool {
        matches!(self.kind, FaultKind::Restart(_) | FaultKind::Tell(_))
    }

    /// Whether it happens to agents at an instant, so that "all the time" means nothing.
    fn needs_time(&self) -> bool {
        self.is_momentary()
            || matches!(self.kind, FaultKind::Crash(_) | FaultKind::Pause(_) | FaultKind::Zombie(_))
    }

    /// The words that are there, of those of which there can be one.
    fn ways(&self) -> Vec<&'static str> {
        let fault = self.fault;
        [
            ("at", self.at.is_some()),
            ("every", fault.every.is_some()),
            ("randomly", fault.randomly.is_some()),
            ("when", fault.when.is_some()),
        ]
        .into_iter()
        .filter_map(|(word, is_there)| is_there.then_some(word))
        .collect()
    }

    fn mistimed(&self) -> Vec<Mistimed> {
        let mut found = Vec::new();
        let conflict = |field, in_kind, message: String, help: Option<String>| Mistimed {
            code: Code::Conflict,
            field,
            in_kind,
            message,
            help,
        };
        let (own_at, own_lasts) = self.kind.own_time();
        for (field, is_twice) in [
            ("at", own_at.is_some() && self.fault.at.is_some()),
            ("for", own_lasts.is_some() && self.fault.lasts.is_some()),
        ] {
            if is_twice {
                found.push(conflict(field, false, format!("`{field}` is said twice"), None));
            }
        }
        let ways = self.ways();
        if let [first, second, ..] = ways[..] {
            let message = format!("`{second}` does not go with `{first}`");
            let help = "a fault has one of `at`, `every`, `randomly` and `when`".to_owned();
            found.push(conflict(second, false, message, Some(help)));
            return found;
        }
        let way = ways.first().copied();
        let fault = self.fault;
        for (field, is_there) in [("from", fault.from.is_some()), ("until", fault.until.is_some())] {
            if let (true, Some(way @ ("at" | "when"))) = (is_there, way) {
                let help =
                    (way == "at").then(|| "for a while: `from` and `until`, or `at` and `for`".to_owned());
                found.push(conflict(field, false, format!("`{field}` does not go with `{way}`"), help));
            }
        }
        for (field, is_there) in [
            ("after", fault.after.is_some()),
            ("until-stated", fault.until_stated.is_some()),
            ("share", fault.share.is_some()),
            ("at-most", fault.at_most.is_some()),
        ] {
            if is_there && way != Some("when") {
                found.push(conflict(field, false, format!("`{field}` goes with `when`"), None));
            }
        }
        self.mistimed_length(way, &mut found);
        self.mistimed_values(way, &mut found);
        found
    }

    /// Whether it is said how long it lasts where that must be said, and not where it cannot be.
    fn mistimed_length(&self, way: Option<&'static str>, found: &mut Vec<Mistimed>) {
        let (fault, word) = (self.fault, self.kind.word());
        let in_kind = self.kind.own_time().1.is_some();
        let missing = |field: &'static str, message: String, help: &str| Mistimed {
            code: Code::MissingField,
            field,
            in_kind: false,
            message,
            help: Some(help.to_owned()),
        };
        let superfluous = |message: String, help: Option<&str>| Mistimed {
            code: Code::Conflict,
            field: "for",
            in_kind,
            message,
            help: help.map(str::to_owned),
        };
        let is_window = way.is_none() && (fault.from.is_some() || fault.until.is_some());
        if way.is_none() && !is_window && (self.needs_time() || self.lasts.is_some()) {
            found.push(missing(
                "",
                format!("the fault does not say when: `{word}` happens at a time"),
                SAY_WHEN,
            ));
            return;
        }
        if self.is_momentary() {
            if self.lasts.is_some() {
                let help = (word == "restart").then_some("a `crash` with `for` restarts by itself");
                found.push(superfluous(format!("a `{word}` is over at once and has no `for`"), help));
            } else if is_window {
                let field = if fault.from.is_some() { "from" } else { "until" };
                found.push(Mistimed {
                    code: Code::Conflict,
                    field,
                    in_kind: false,
                    message: format!("a `{word}` happens at an instant"),
                    help: Some("say when with `at`".to_owned()),
                });
            }
            return;
        }
        match (way, self.lasts) {
            (Some(way @ ("every" | "randomly")), None) => {
                let message = format!("`{way}` does not say for how long");
                found.push(missing(way, message, "add `for`: a duration such as \"90s\""));
            }
            (None, Some(_)) if fault.from.is_some() && fault.until.is_some() => {
                found.push(superfluous("`for` does not go with `until`".to_owned(), None));
            }
            (None, Some(_)) if fault.from.is_none() => {
                found.push(superfluous("`for` needs to know from when".to_owned(), Some(SAY_WHEN)));
            }
            _ => {}
        }
        let ends = self.lasts.is_some() || fault.until.is_some();
        if matches!(self.kind, FaultKind::Hold(_)) && !ends {
            let message = "messages are held until a time that is known when they are sent".to_owned();
            found.push(missing("", message, "add `for` or `until`"));
        }
    }

    fn mistimed_values(&self, way: Option<&'static str>, found: &mut Vec<Mistimed>) {
        let fault = self.fault;
        let mut out_of_range = |field, message: String, help: Option<&str>| {
            found.push(Mistimed {
                code: Code::OutOfRange,
                field,
                in_kind: false,
                message,
                help: help.map(str::to_owned),
            });
        };
        if let (Some(from), Some(until)) = (fault.from, fault.until)
            && until <= from
        {
            let message = format!("it is over at {until}, before it begins at {from}");
            out_of_range("until", message, Some("`until` is later than `from`"));
        }
        if let (Some("every"), Some(every), Some(lasts)) = (way, fault.every, self.lasts)
            && lasts >= every
        {
            let message = format!("it lasts {lasts}, and begins again every {every}");
            out_of_range("for", message, Some("each time must end before the next begins"));
        }
        if fault.at_most.is_some_and(|count| count.get() == 0) {
            out_of_range("at-most", "`at-most` is at least 1".to_owned(), None);
        }
        if let Some(begins) = self.begins()
            && let Some(heal) = &self.document.heal
            && heal.core.is_empty()
            && begins >= heal.at
        {
            let field = if self.at.is_some() { "at" } else { "from" };
            let message = format!("it begins at {begins}, when the world has healed at {}", heal.at);
            let in_kind = field == "at" && self.kind.own_time().0.is_some();
            found.push(Mistimed { code: Code::OutOfRange, field, in_kind, message, help: None });
        }
    }

    /// The first instant at which it may happen, where that is said.
    fn begins(&self) -> Option<Duration> {
        self.at.or(self.fault.from)
    }

    /// What the words mean; `None` when they name somebody who is not there.
    fn meant(&self) -> Option<When> {
        let fault = self.fault;
        let instant = |duration: Duration| Time::from_ns(duration.nanoseconds());
        let lasts_ns = self.lasts.map(Duration::nanoseconds);
        let end = fault.until.unwrap_or(self.document.fleet.lasts);
        let window = |from: Duration| match (lasts_ns, fault.until) {
            (Some(lasts_ns), _) => {
                let until = instant(from).checked_add(lasts_ns).unwrap_or(Time::MAX);
                When::Window { from: instant(from), until }
            }
            (None, Some(until)) => When::Window { from: instant(from), until: instant(until) },
            (None, None) => When::At { at: instant(from) },
        };
        if let Some(stated) = &fault.when {
            let released = match &fault.until_stated {
                Some(stated) => Some(self.trigger(stated)?),
                None => None,
            };
            return Some(When::Triggered {
                by: self.trigger(stated)?,
                after_ns: fault.after.map_or(0, Duration::nanoseconds),
                lasts_ns,
                released,
                share: super::all_or(fault.share),
                times_max: fault
                    .at_most
                    .map_or(u32::MAX, |count| u32::try_from(count.get()).unwrap_or(u32::MAX)),
            });
        }
        Some(match (self.at.or(fault.from), fault.every, fault.randomly) {
            (from, Some(every), _) => When::Periodic {
                first: instant(from.unwrap_or(every)),
                every_ns: every.nanoseconds(),
                lasts_ns: lasts_ns.unwrap_or(0),
                until: instant(end),
            },
            (from, None, Some(gap)) => When::Random {
                mean_gap_ns: gap.mean_ns(),
                lasts_ns: lasts_ns.unwrap_or(0),
                from: from.map_or(Time::ZERO, instant),
                until: instant(end),
            },
            (Some(from), None, None) => window(from),
            (None, None, None) => match fault.until {
                Some(until) => When::Window { from: Time::ZERO, until: instant(until) },
                None => When::Always,
            },
        })
    }

    fn trigger(&self, stated: &Either<String, Stated>) -> Option<Trigger> {
        match stated {
            Either::Short(fact) => Some(Trigger::on(fact)),
            Either::Table(stated) => {
                let by = match &stated.by {
                    Some(name) => Some(party(self.document, name)?),
                    None => None,
                };
                let with: BTreeMap<String, String> =
                    stated.texts().map(|(field, text)| (field.to_owned(), text.to_owned())).collect();
                Some(Trigger { fact: stated.stated.clone(), by, with })
            }
        }
    }
}
