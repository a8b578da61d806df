//! How the waits in one line went, and what is told of those that starved.

use fleetsim_engine::Time;

use super::KIND;
use super::wait_line::Wait;
use crate::finding::{Class, Evidence, Finding, Numbers, Severity};
use crate::histogram::Histogram;
use crate::monitor::Moment;
use crate::number_map::{Number, NumberMap};
use crate::ratio::Ratio;
use crate::text::{counted, duration, shown};

/// Starved waits that are kept in full, by line and role: the longest.
const KEPT_MAX: usize = 3;

/// How the waits in one line went.
#[derive(Clone, Debug)]
pub(super) struct Waits<K> {
    lengths: Histogram,
    /// How old the oldest is that still waits.
    oldest_ns: u64,
    pub(super) starved: u64,
    pub(super) longest: Vec<Starved<K>>,
    /// How often each of them was served.
    pub(super) served: NumberMap<K, u64>,
}

impl<K> Default for Waits<K> {
    fn default() -> Self {
        Waits {
            lengths: Histogram::default(),
            oldest_ns: 0,
            starved: 0,
            longest: Vec::new(),
            served: NumberMap::default(),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Starved<K> {
    pub(super) who: K,
    wait: Wait,
    /// When it was served; `None` when it never was.
    served: Option<Moment>,
    waited_ns: u64,
}

impl<K: Number> Waits<K> {
    /// How many there were.
    #[cfg(test)]
    pub(super) fn count(&self) -> u64 {
        self.lengths.count()
    }

    /// One more wait, of `who` up to `end`, where it was served or not.
    pub(super) fn add(&mut self, who: K, wait: Wait, served: Option<Moment>, end: Time, bound_ns: u64) {
        let waited_ns = end.since(wait.since.at);
        self.lengths.add(waited_ns);
        if served.is_none() {
            self.oldest_ns = self.oldest_ns.max(waited_ns);
        }
        if waited_ns <= bound_ns || wait.overtaken_by == 0 {
            return;
        }
        self.starved += 1;
        // Among equals the one that was found first stays first.
        let place = self.longest.partition_point(|known| known.waited_ns >= waited_ns);
        if place < KEPT_MAX {
            self.longest.insert(place, Starved { who, wait, served, waited_ns });
            self.longest.truncate(KEPT_MAX);
        }
    }
}

/// The finding about the starved of one line, as far as it is the same for agents, tasks and items.
pub(super) fn finding<K: Copy>(
    resource: &str,
    group: &str,
    waits: &Waits<K>,
    bound_ns: u64,
    name: impl Fn(K) -> String,
) -> Finding {
    let worst = &waits.longest[0];
    let others = worst.wait.overtaken_by;
    let still = if worst.served.is_none() { " and still waits" } else { "" };
    let text = format!(
        "{} waited {}{still}, past its bound of {}, while {} that came later {} served; {} of {} so far",
        name(worst.who),
        duration(worst.waited_ns),
        duration(bound_ns),
        others,
        if others == 1 { "was" } else { "were" },
        counted(waits.starved, "starved wait"),
        shown(group),
    );
    // A wait that is still open has only the event at which it began.
    let first = worst.served.unwrap_or(worst.wait.since);
    let mut evidence = Vec::with_capacity(2 * KEPT_MAX);
    for starved in &waits.longest {
        let who = name(starved.who);
        evidence.push(Evidence::new(starved.wait.since, format!("{who} began to wait")));
        if let Some(served) = starved.served {
            let waited = duration(starved.waited_ns);
            evidence.push(Evidence::new(served, format!("{who} was served after {waited}")));
        }
    }
    let (p50_ns, p99_ns) = (waits.lengths.quantile_ns(50, 100), waits.lengths.quantile_ns(99, 100));
    let passed = worst.wait.since.at.checked_add(bound_ns).unwrap_or(Time::MAX);
    let signal = Moment { event: worst.wait.since.event, at: passed };
    Finding {
        count: waits.starved,
        evidence,
        numbers: Numbers(vec![
            ("starved_waits", waits.starved),
            ("waits", waits.lengths.count()),
            ("bound_ns", bound_ns),
            ("wait_longest_ns", worst.waited_ns),
            ("wait_p50_ns", p50_ns),
            ("wait_p99_ns", p99_ns),
            ("wait_p99_to_p50_thousandths", Ratio::new(p99_ns, p50_ns).thousandths()),
            ("oldest_waiting_ns", waits.oldest_ns),
            ("overtaken_by", others),
        ]),
        earliest_signal: Some(Evidence::new(signal, format!("{} passed its bound", name(worst.who)))),
        lead_time_ns: Some(worst.waited_ns - bound_ns),
        remedy: Some("serve in the order of arrival, or let priority grow with age".to_owned()),
        ..Finding::new(KIND, Class::Liveness, Severity::High, KIND, first, resource, &text)
    }
}
