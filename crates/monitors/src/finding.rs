//! What a monitor found, in the form in which it is shown, matched against expectations and written as JSON.

use std::collections::BTreeMap;

use fleetsim_engine::Time;
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::monitor::Moment;
use crate::text;

/// Every kind of finding, with its meaning in one line. An `expect` entry of a scenario names one of these.
pub const KINDS: &[(&str, &str)] = &[
    ("lost-update", "a write replaced another agent's committed write without having read it"),
    (
        "dirty-write",
        "operations overwrote each other in a circle, so that what is left is of no order of them",
    ),
    ("dirty-read", "a committed operation read what its maker aborted, replaced or had not committed"),
    ("read-skew", "an operation saw the world partly before and partly after another one's change"),
    ("write-skew", "operations each read what another changed, and none saw the other's change"),
    ("stale-read", "an operation read an older version than one committed before it began"),
    ("zombie-write", "somebody acted under a fencing token older than one already seen"),
    ("semantic-conflict", "results that each passed their own check failed together"),
    (
        "starvation",
        "somebody waited past a bound while others that came later were served, or a turn found no room in its context",
    ),
    (
        "feedback-loop",
        "an item or a message went round without progress, or bred more of its kind without end",
    ),
    ("deadlock", "agents wait for each other in a circle, or all is at rest while work is open"),
    ("livelock", "agents are busy, work is open, and nothing comes closer to done"),
    ("retry-storm", "more and more attempts for each success, and no more successes for it"),
    ("metastable", "suspected: the trigger is over, but load stays high and little gets done"),
    ("orphaned-task", "a task stayed with an agent that had crashed or halted"),
    ("not-converged", "work that was open when the faults ended was not over in time"),
    ("duplicate-work", "two agents worked on the same task, or finished it twice"),
    ("duplicate-hand-over", "one offer was taken up more than once"),
    ("ungated-irreversible-action", "something that cannot be undone was done without passing a gate"),
    ("misnamed-architecture", "the fleet is not the architecture that it claims to be"),
    ("cost-overrun", "the fleet spent all that it may spend, or more"),
    ("permission-breach", "an agent did what its role may not"),
    (
        "trust-breach",
        "untrusted content passed a seam that does not trust content, and nobody had checked it",
    ),
    ("error-propagation", "an error went from agent to agent before anybody noticed"),
    ("property-violated", "a property that the scenario or the user states did not hold"),
    ("property-never-happened", "what should happen sometimes never did: the scenario then tested nothing"),
    ("panicked-agent", "an agent's handler panicked, which counts as a crash"),
];

/// What sort of harm a finding is about. Findings are listed in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Something wrong was done.
    Safety,
    /// Something due was not done.
    Liveness,
    /// Money was spent for nothing.
    Cost,
    /// The fleet is not what it is said to be.
    Honesty,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Low,
    /// Worth repairing.
    Medium,
    /// Reason not to deploy.
    High,
}

/// One event that witnesses a finding.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Evidence {
    /// The event's ordinal.
    pub event: u64,
    /// When it happened.
    #[serde(rename = "at_ns")]
    pub at: Time,
    /// What it shows, in a few words.
    pub text: String,
}

impl Evidence {
    /// What `moment` shows.
    #[must_use]
    pub fn new(moment: Moment, text: impl Into<String>) -> Evidence {
        Evidence { event: moment.event, at: moment.at, text: text.into() }
    }
}

/// Named whole numbers, in the order in which they are worth reading. Names end in their unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers(pub Vec<(&'static str, u64)>);

impl Numbers {
    /// The number called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<u64> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
    }
}

impl Serialize for Numbers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, number) in &self.0 {
            map.serialize_entry(name, number)?;
        }
        map.end()
    }
}

/// What a monitor found. Repeats about the same subject are one finding with a count.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// One of [`KINDS`], or a kind of a user's own monitor.
    pub kind: &'static str,
    /// What sort of harm it is about.
    pub class: Class,
    /// How much it matters.
    pub severity: Severity,
    /// The monitor that found it.
    pub monitor: &'static str,
    /// When the first one happened.
    #[serde(rename = "at_ns")]
    pub at: Time,
    /// The ordinal of the event at which the first one happened.
    pub event: u64,
    /// The names of those involved, sorted; at most 16.
    pub agents: Vec<String>,
    /// One plain sentence.
    pub summary: String,
    /// The events that witness it: all of the first one, and the last of up to two more.
    pub evidence: Vec<Evidence>,
    /// How often it happened.
    pub count: u64,
    /// Its measures.
    pub numbers: Numbers,
    /// What it is about, by field (`medium`, `role`, `hub`, `action`, `seam`, `agent`, `resource`, …), for
    /// expectations to narrow by.
    pub about: BTreeMap<&'static str, Vec<String>>,
    /// What could have been noticed first.
    pub earliest_signal: Option<Evidence>,
    /// From the earliest signal to the damage, in nanoseconds.
    pub lead_time_ns: Option<u64>,
    /// What would not have been spent, had somebody acted on the earliest signal, in billionths of a dollar.
    pub saved_nano_dollars: Option<u64>,
    /// What to do about it.
    pub remedy: Option<String>,
    /// Whether a fault rule told the agent to do just this, so that it is no discovery. The panel decides it, by the
    /// event. In JSON only when true.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub injected: bool,
}

impl Finding {
    /// A finding without details. The summary reads `LOST UPDATE on plan.md at 00:14:07: TEXT`; an empty `subject`
    /// is left out.
    #[must_use]
    pub fn new(
        kind: &'static str,
        class: Class,
        severity: Severity,
        monitor: &'static str,
        first: Moment,
        subject: &str,
        text: &str,
    ) -> Finding {
        let label = kind.to_uppercase().replace('-', " ");
        let on = if subject.is_empty() { String::new() } else { format!(" on {}", text::shown(subject)) };
        Finding {
            kind,
            class,
            severity,
            monitor,
            at: first.at,
            event: first.event,
            agents: Vec::new(),
            summary: format!("{label}{on} at {}: {text}", text::clock(first.at)),
            evidence: Vec::new(),
            count: 1,
            numbers: Numbers::default(),
            about: BTreeMap::new(),
            earliest_signal: None,
            lead_time_ns: None,
            saved_nano_dollars: None,
            remedy: None,
            injected: false,
        }
    }

    /// Whether this is a finding of `kind` about all of `narrowing`, given as (field, value): what an entry of a
    /// scenario's `expect` asks for.
    #[must_use]
    pub fn matches(&self, kind: &str, narrowing: &[(&str, &str)]) -> bool {
        let is_about = |(field, value): &(&str, &str)| {
            self.about.get(field).is_some_and(|values| values.iter().any(|known| known == value))
        };
        self.kind == kind && narrowing.iter().all(is_about)
    }

    /// By class, then by first event, kind and sentence: the order of a report.
    pub(crate) fn order(&self, other: &Finding) -> core::cmp::Ordering {
        let key = |finding: &Finding| (finding.class, finding.event, finding.kind);
        key(self).cmp(&key(other)).then_with(|| self.summary.cmp(&other.summary))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(subject: &str) -> Finding {
        let first = Moment { event: 9, at: Time::from_ns(847_000_000_000) };
        Finding::new(
            "lost-update",
            Class::Safety,
            Severity::High,
            "lost-update",
            first,
            subject,
            "it happened",
        )
    }

    #[test]
    fn the_summary_names_what_where_and_when() {
        assert_eq!(sample("plan.md").summary, "LOST UPDATE on plan.md at 00:14:07: it happened");
        assert_eq!(sample("").summary, "LOST UPDATE at 00:14:07: it happened");
        assert_eq!(sample("a\u{1b}[2J").summary, "LOST UPDATE on a\\u{1b}[2J at 00:14:07: it happened");
    }

    #[test]
    fn expectations_match_kind_and_every_field() {
        let mut finding = sample("plan.md");
        finding.about.insert("seam", vec!["notes".to_owned(), "drafts".to_owned()]);
        for (kind, narrowing, matched) in [
            ("lost-update", &[][..], true),
            ("starvation", &[], false),
            ("lost-update", &[("seam", "drafts")], true),
            ("lost-update", &[("seam", "pages")], false),
            ("lost-update", &[("seam", "drafts"), ("medium", "redis")], false),
        ] {
            assert_eq!(finding.matches(kind, narrowing), matched, "{kind} {narrowing:?}");
        }
    }
}
