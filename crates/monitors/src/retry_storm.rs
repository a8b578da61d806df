//! Retry storms: more and more attempts for each success, and no more successes for it.
//!
//! Attempts and successes are counted in windows of `retry_window_ns` (default 1 minute), in three streams: requests
//! to each model against admitted ones, deliveries by each medium against first deliveries, and starts of tasks
//! against first attempts. The *amplification* of a window is its attempts for each success. A storm is
//! `retry_windows_min` (default 5) windows in a row in which it never falls and at least doubles from the first to
//! the last, reaches `retry_amplification_min` (default 5), while attempts never fall and the last window has no more
//! successes than the first.
//!
//! A limit that is only saturated is therefore no storm (attempts stay level), and neither is growing traffic that is
//! served. Windows with fewer than 20 attempts prove nothing.
//!
//! *Source.* Retries that multiply load are the commonest way into metastable failure (Bronson and others, HotOS 2021;
//! Huang and others, OSDI 2022).
//!
//! *Parameters.* [`MonitorConfig::retry_window_ns`], [`MonitorConfig::retry_windows_min`],
//! [`MonitorConfig::retry_amplification_min`].
//!
//! *Limits.* Retries that an agent hides from the provider are not seen; which request was a retry of which is not
//! stated, so that the amplification holds for a stream, not for one request.
//!
//! A fact costs one look-up. Memory: offers that have not been received, and one window a stream.

use std::collections::{BTreeMap, BTreeSet};

use fleetsim_engine::batch::Step;
use fleetsim_engine::{AgentId, Fact, Names, Time};

use crate::config::MonitorConfig;
use crate::finding::{Class, Evidence, Finding, Numbers, Severity};
use crate::fold::Fold;
use crate::interests::{FactKind, Interests};
use crate::intern::Interner;
use crate::monitor::{Moment, Monitor, RunEnd};
use crate::number_map::{Number, NumberMap};
use crate::ratio::Ratio;
use crate::text::duration;

const KIND: &str = "retry-storm";
/// Attempts that a window needs to prove anything.
const ATTEMPTS_MIN: u64 = 20;
const AGENTS_MAX: usize = 16;

/// Finds retry storms, folded by what was tried.
#[derive(Clone, Debug)]
pub struct RetryStorm {
    window_ns: u64,
    windows_min: usize,
    amplification_min: u64,
    models: Interner,
    media: Interner,
    offers: NumberMap<u64, ()>,
    streams: NumberMap<Tried, Stream>,
    storms: BTreeMap<Tried, Fold<Storm>>,
}

/// What is tried again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tried {
    Model(u32),
    Medium(u32),
    Tasks,
}

impl Number for Tried {
    #[inline]
    fn number(self) -> u64 {
        match self {
            Tried::Model(name) => u64::from(name) << 2,
            Tried::Medium(name) => u64::from(name) << 2 | 1,
            Tried::Tasks => 2,
        }
    }
}

#[derive(Clone, Debug, Default)]
struct Stream {
    /// The number of the current window, and when it ends.
    index: u64,
    ends_ns: u64,
    current: Window,
    /// The windows of the present rise, of which the first is the lowest.
    rise: Option<Rise>,
}

#[derive(Clone, Debug, Default)]
struct Window {
    attempts: u64,
    successes: u64,
    first: Option<Moment>,
    last: Option<Moment>,
    agents: BTreeSet<AgentId>,
}

#[derive(Clone, Debug)]
struct Rise {
    windows: usize,
    first: Window,
    last: Window,
    attempts: u64,
    successes: u64,
    /// Where the amplification had doubled.
    doubled: Option<Moment>,
    agents: BTreeSet<AgentId>,
}

#[derive(Clone, Debug)]
struct Storm {
    rise: Rise,
    began: Moment,
    end: Moment,
}

impl Window {
    fn add(&mut self, at: Moment, agent: AgentId, attempts: u64, successes: u64) {
        self.attempts += attempts;
        self.successes += successes;
        self.first.get_or_insert(at);
        self.last = Some(at);
        if attempts > 0 && self.agents.len() < AGENTS_MAX {
            self.agents.insert(agent);
        }
    }

    /// Attempts for each success, where none counts as one.
    fn amplification(&self) -> Ratio {
        Ratio::new(self.attempts, self.successes.max(1))
    }
}

/// Whether `a` is at least `times` `b`.
fn at_least(a: Ratio, times: u64, b: Ratio) -> bool {
    let product = |x: u64, y: u64| u128::from(x) * u128::from(y);
    product(a.part, b.whole) >= product(b.part, a.whole).saturating_mul(u128::from(times))
}

impl Rise {
    fn new(first: Window) -> Rise {
        Rise {
            windows: 1,
            attempts: first.attempts,
            successes: first.successes,
            doubled: None,
            agents: first.agents.clone(),
            last: first.clone(),
            first,
        }
    }

    /// Takes the next window in, if it goes on rising.
    fn takes(&mut self, next: &Window) -> bool {
        if next.attempts < self.last.attempts || !at_least(next.amplification(), 1, self.last.amplification())
        {
            return false;
        }
        self.windows += 1;
        self.attempts = self.attempts.saturating_add(next.attempts);
        self.successes = self.successes.saturating_add(next.successes);
        if self.doubled.is_none() && at_least(next.amplification(), 2, self.first.amplification()) {
            self.doubled = next.last;
        }
        let room = AGENTS_MAX - self.agents.len().min(AGENTS_MAX);
        self.agents.extend(next.agents.iter().take(room));
        self.last = next.clone();
        true
    }
}

impl RetryStorm {
    /// A monitor with the bounds of `config`.
    #[must_use]
    pub fn new(config: &MonitorConfig) -> RetryStorm {
        RetryStorm {
            window_ns: config.retry_window_ns.max(1),
            windows_min: config.retry_windows_min.max(2) as usize,
            amplification_min: config.retry_amplification_min.max(1),
            models: Interner::default(),
            media: Interner::default(),
            offers: NumberMap::default(),
            streams: NumberMap::default(),
            storms: BTreeMap::new(),
        }
    }

    fn count(&mut self, tried: Tried, at: Moment, agent: AgentId, attempts: u64, successes: u64) {
        let stream = self.streams.or_default(tried);
        if at.at.as_ns() < stream.ends_ns {
            stream.current.add(at, agent, attempts, successes);
            return;
        }
        let index = at.at.as_ns() / self.window_ns;
        let ended = core::mem::take(&mut stream.current);
        let skipped = index > stream.index + 1;
        stream.index = index;
        stream.ends_ns = (index + 1).saturating_mul(self.window_ns);
        stream.current.add(at, agent, attempts, successes);
        self.close(tried, ended);
        // A window in which nothing was tried ends every rise.
        if skipped {
            self.close(tried, Window::default());
        }
    }

    fn close(&mut self, tried: Tried, window: Window) {
        let stream = self.streams.get_mut(tried).expect("a stream is closed by its own facts");
        let proves = window.attempts >= ATTEMPTS_MIN;
        if let Some(rise) = &mut stream.rise {
            if proves && rise.takes(&window) {
                return;
            }
            if let Some(storm) = storm(rise, self.windows_min, self.amplification_min) {
                let agents = storm.rise.agents.clone();
                self.storms.entry(tried).or_default().add(storm, agents);
            }
        }
        stream.rise = proves.then(|| Rise::new(window));
    }

    fn finding(&self, tried: Tried, fold: &Fold<Storm>, names: &Names) -> Finding {
        let first = fold.first();
        let rise = &first.rise;
        let (subject, field, what, success) = match tried {
            Tried::Model(model) => (self.models.name(model), "resource", "requests", "admitted one"),
            Tried::Medium(medium) => (self.media.name(medium), "medium", "deliveries", "first one"),
            Tried::Tasks => ("tasks", "resource", "attempts", "first one"),
        };
        let (from, to) = (rise.first.amplification(), rise.last.amplification());
        let whole =
            |ratio: Ratio| format!("{}.{}", ratio.thousandths() / 1000, ratio.thousandths() % 1000 / 100);
        let text = format!(
            "{what} for each {success} rose from {} to {} in {}, and those did not: {} of {} in all",
            whole(from),
            whole(to),
            duration(first.end.at.since(first.began.at)),
            rise.successes,
            rise.attempts,
        );
        let mut evidence =
            vec![Evidence::new(first.began, "the first of the rising windows began".to_owned())];
        if let Some(doubled) = rise.doubled {
            evidence.push(Evidence::new(doubled, "attempts for each success had doubled".to_owned()));
        }
        evidence.push(Evidence::new(first.end, format!("the {} rising window ended", ordinal(rise.windows))));
        evidence.extend(
            fold.kept.iter().skip(1).map(|more| Evidence::new(more.began, "another storm began".to_owned())),
        );
        let agents = fold.agents(names);
        let signal = rise.doubled.unwrap_or(first.end);
        Finding {
            count: fold.count,
            evidence,
            numbers: Numbers(vec![
                ("storms", fold.count),
                ("windows", rise.windows as u64),
                ("window_ns", self.window_ns),
                ("attempts", rise.attempts),
                ("successes", rise.successes),
                ("amplification_first_thousandths", from.thousandths()),
                ("amplification_last_thousandths", to.thousandths()),
            ]),
            about: BTreeMap::from([(field, vec![subject.to_owned()]), ("agent", agents.clone())]),
            agents,
            earliest_signal: Some(Evidence::new(signal, "attempts for each success had doubled")),
            lead_time_ns: Some(first.end.at.since(signal.at)),
            remedy: Some(
                "retry with jitter and a shared budget, heed what a refusal says, and let a breaker open"
                    .to_owned(),
            ),
            ..Finding::new(KIND, Class::Cost, Severity::High, KIND, first.began, subject, &text)
        }
    }
}

/// The storm that a rise is, if it is one.
fn storm(rise: &Rise, windows_min: usize, amplification_min: u64) -> Option<Storm> {
    let is_one = rise.windows >= windows_min
        && rise.doubled.is_some()
        && rise.last.amplification().at_least(amplification_min, 1)
        && rise.last.successes <= rise.first.successes;
    let (began, end) = (rise.first.first?, rise.last.last?);
    is_one.then(|| Storm { rise: rise.clone(), began, end })
}

fn ordinal(number: usize) -> String {
    let suffix = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{suffix}")
}

impl Monitor for RetryStorm {
    fn name(&self) -> &'static str {
        KIND
    }

    fn interests(&self) -> Interests {
        Interests::facts(&[
            FactKind::TaskStarted,
            FactKind::Offered,
            FactKind::HandedOver,
            FactKind::Undelivered,
            FactKind::Requested,
        ])
    }

    fn observe(&mut self, step: &Step<'_>, facts: &[Fact<'_>]) {
        let at = Moment::of(step);
        for fact in facts {
            match *fact {
                Fact::Requested { model, by, admitted, .. } => {
                    let tried = Tried::Model(self.models.number(model));
                    self.count(tried, at, by, 1, u64::from(admitted));
                }
                Fact::Offered { offer, .. } => {
                    self.offers.insert(offer, ());
                }
                Fact::HandedOver { medium, offer, receiver, .. } => {
                    let tried = Tried::Medium(self.media.number(medium));
                    // When it is taken up is the receiver's pace and no matter here.
                    let is_first = self.offers.remove(offer).is_some();
                    self.count(tried, at, receiver, 1, u64::from(is_first));
                }
                Fact::Undelivered { offer, .. } => {
                    self.offers.remove(offer);
                }
                Fact::TaskStarted { attempt, .. } => {
                    self.count(Tried::Tasks, at, step.target, 1, u64::from(attempt <= 1));
                }
                _ => {}
            }
        }
    }

    fn findings(&self, end: &RunEnd, names: &Names) -> Vec<Finding> {
        let mut all = self.storms.clone();
        let last_whole = Time::as_ns(end.time) / self.window_ns;
        for (tried, stream) in self.streams.sorted() {
            let Some(mut rise) = stream.rise.clone() else { continue };
            // The window that the end cut short proves nothing.
            if stream.index < last_whole && stream.current.attempts >= ATTEMPTS_MIN {
                rise.takes(&stream.current);
            }
            if let Some(storm) = storm(&rise, self.windows_min, self.amplification_min) {
                let agents = storm.rise.agents.clone();
                all.entry(tried).or_default().add(storm, agents);
            }
        }
        all.iter().map(|(tried, fold)| self.finding(*tried, fold, names)).collect()
    }
}
