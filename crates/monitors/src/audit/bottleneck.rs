//! What keeps a fleet from being faster: its throughput, a decision that only one node may take, or keeping shared state
//! in step. Measured along the critical path, not guessed from the architecture: a hub that is never waited for is no
//! bottleneck, and taking a hub away only moves one that is elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use fleetsim_engine::{AgentId, Names, Time};
use serde::Serialize;

use super::critical_path::{Lay, Segment, Spent, pieces, walk};
use super::journal::{Came, Journal, PauseKind};
use crate::config::MonitorConfig;
use crate::role::Role;
use crate::text::{counted, duration, shown};

/// Parts of the critical path that are listed.
const PARTS_MAX: usize = 100;

/// What sort of thing limits a fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BottleneckKind {
    /// Something can only do so much at a time: an agent, a role, a medium, a quota.
    ThroughputLimit,
    /// Something waits for a word that only one node may give: a chooser, a gate.
    Decision,
    /// Agents wait for each other's state: locks, joins, work that conflicts throw away.
    StateSynchronisation,
    /// Nothing on the way to the last finished item: for most of it, the work had yet to come in.
    None,
}

impl BottleneckKind {
    /// The name in text.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            BottleneckKind::ThroughputLimit => "throughput limit",
            BottleneckKind::Decision => "decision that only one node may take",
            BottleneckKind::StateSynchronisation => "state synchronisation",
            BottleneckKind::None => "none",
        }
    }
}

/// What keeps the fleet from being faster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bottleneck {
    /// What it is; `None` when the record does not show it.
    pub kind: Option<BottleneckKind>,
    /// The role, agent, medium, gate or resource that most of it is spent at; empty when there is none.
    pub at: String,
    /// One sentence.
    pub summary: String,
    /// The way to the last finished item; `None` when nothing was finished.
    pub critical_path: Option<CriticalPath>,
    /// The times of all work on items that were finished, whether on that way or not.
    pub finished_items: Times,
    /// How many items were finished.
    pub finished: u64,
    /// How many were not: they are on no way to an end, and what they wait for is not judged here.
    pub unfinished: u64,
}

/// The critical path, summed up. All of the time from `from` to `to` is in one of the parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CriticalPath {
    /// The item that it leads to.
    pub item: u64,
    /// The event that finished it.
    pub event: u64,
    /// When the first work came in.
    #[serde(rename = "from_ns")]
    pub from: Time,
    /// When the last item was finished.
    #[serde(rename = "to_ns")]
    pub to: Time,
    /// The sums.
    pub times: Times,
    /// What the time was spent on, most first; at most 100.
    pub parts: Vec<Part>,
}

/// Lengths of time by what they were spent on, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Times {
    /// Items lay in media and inboxes, or were on their way.
    pub queue_ns: u64,
    /// Agents worked.
    pub service_ns: u64,
    /// Choosers had to choose the receiver.
    pub choice_ns: u64,
    /// Agents waited for a person's word.
    pub gate_ns: u64,
    /// Agents waited for a quota or another resource that nobody holds to himself.
    pub resource_ns: u64,
    /// Agents waited for locks.
    pub lock_ns: u64,
    /// Agents waited for others' answers or for several parts.
    pub join_ns: u64,
    /// Agents worked on what conflicts threw away.
    pub conflict_ns: u64,
    /// The work had yet to come in.
    pub arrival_ns: u64,
    /// The record does not tell.
    pub unknown_ns: u64,
}

/// What some of the critical path was spent on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// `queue`, `service`, `choice`, `gate`, `resource`, `lock`, `join`, `conflict` `arrival` or `unknown`.
    pub spent_on: &'static str,
    /// The role, agent, medium, gate or resource.
    pub at: String,
    /// How long in all.
    pub time_ns: u64,
    /// In how many pieces.
    pub pieces: u64,
}

/// What time is spent on; see [`Times`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Sort {
    Queue,
    Service,
    Choice,
    Gate,
    Resource,
    Lock,
    Join,
    Conflict,
    Arrival,
    Unknown,
}

impl Sort {
    const fn name(self) -> &'static str {
        match self {
            Sort::Queue => "queue",
            Sort::Service => "service",
            Sort::Choice => "choice",
            Sort::Gate => "gate",
            Sort::Resource => "resource",
            Sort::Lock => "lock",
            Sort::Join => "join",
            Sort::Conflict => "conflict",
            Sort::Arrival => "arrival",
            Sort::Unknown => "unknown",
        }
    }

    const fn kind(self) -> Option<BottleneckKind> {
        Some(match self {
            Sort::Queue | Sort::Service | Sort::Resource => BottleneckKind::ThroughputLimit,
            Sort::Choice | Sort::Gate => BottleneckKind::Decision,
            Sort::Lock | Sort::Join | Sort::Conflict => BottleneckKind::StateSynchronisation,
            Sort::Arrival => BottleneckKind::None,
            Sort::Unknown => return None,
        })
    }
}

impl Times {
    fn add(&mut self, sort: Sort, time_ns: u64) {
        let sum = match sort {
            Sort::Queue => &mut self.queue_ns,
            Sort::Service => &mut self.service_ns,
            Sort::Choice => &mut self.choice_ns,
            Sort::Gate => &mut self.gate_ns,
            Sort::Resource => &mut self.resource_ns,
            Sort::Lock => &mut self.lock_ns,
            Sort::Join => &mut self.join_ns,
            Sort::Conflict => &mut self.conflict_ns,
            Sort::Arrival => &mut self.arrival_ns,
            Sort::Unknown => &mut self.unknown_ns,
        };
        *sum = sum.saturating_add(time_ns);
    }
}

/// Finds the bottleneck: of the kinds, the one that most of the critical path is spent on.
pub(super) fn find(journal: &Journal, config: &MonitorConfig, names: &Names) -> Bottleneck {
    let none = |summary: &str| Bottleneck {
        kind: None,
        at: String::new(),
        summary: summary.to_owned(),
        critical_path: None,
        finished_items: Times::default(),
        finished: journal.finished.len() as u64,
        unfinished: journal.unfinished.len() as u64,
    };
    if journal.is_full() {
        return none("not visible: the run has more hand-overs than are looked at");
    }
    let Some(finish) = journal.last_finish else {
        return none("not visible: no item was reported as finished");
    };
    let teller = Teller { journal, config, names };
    let path = walk(journal, finish);
    let reached = path.segments.last().map_or(finish.at, |segment| segment.from);
    let from = journal.first.map_or(reached, |first| first.min(reached));
    let (mut times, mut parts) = (Times::default(), BTreeMap::<(Sort, String), (u64, u64)>::new());
    let mut spend = |sort: Sort, at: String, time_ns: u64| {
        times.add(sort, time_ns);
        let (sum_ns, pieces) = parts.entry((sort, at)).or_default();
        (*sum_ns, *pieces) = (sum_ns.saturating_add(time_ns), *pieces + 1);
    };
    for segment in &path.segments {
        let (sort, at) = teller.told(segment.spent);
        spend(sort, at, segment.to.at.since(segment.from.at));
    }
    if from.at < reached.at {
        let before_ns = reached.at.since(from.at);
        match path.leaves_fleet {
            true => spend(Sort::Arrival, "outside".to_owned(), before_ns),
            false => spend(Sort::Unknown, "what is not recorded".to_owned(), before_ns),
        }
    }
    let whole_ns = finish.at.at.since(from.at);
    let (kind, at, summary) = teller.judged(&parts, whole_ns);
    let mut parts: Vec<Part> = parts
        .into_iter()
        .map(|((sort, at), (time_ns, pieces))| Part { spent_on: sort.name(), at, time_ns, pieces })
        .collect();
    // Equals stay in order of what they were spent on, and of their names.
    parts.sort_by_key(|part| core::cmp::Reverse(part.time_ns));
    parts.truncate(PARTS_MAX);
    Bottleneck {
        kind,
        at,
        summary,
        critical_path: Some(CriticalPath {
            item: finish.item,
            event: finish.at.event,
            from: from.at,
            to: finish.at.at,
            times,
            parts,
        }),
        finished_items: teller.finished_items(),
        finished: journal.finished.len() as u64,
        unfinished: journal.unfinished.len() as u64,
    }
}

/// Knows what to call things.
struct Teller<'a> {
    journal: &'a Journal,
    config: &'a MonitorConfig,
    names: &'a Names,
}

impl Teller<'_> {
    fn told(&self, spent: Spent) -> (Sort, String) {
        let text = |number: u32| self.journal.texts.name(number).to_owned();
        match spent {
            Spent::Service(agent) => (Sort::Service, Role::of(agent).name(self.names)),
            Spent::Queue(Lay::Medium(medium)) => (Sort::Queue, text(medium)),
            Spent::Queue(Lay::Agent(agent)) if self.config.is_outside(agent, self.names) => {
                (Sort::Queue, "the task store".to_owned())
            }
            Spent::Queue(Lay::Agent(agent)) => (Sort::Queue, self.names.of(agent)),
            Spent::Choice(agent) => (Sort::Choice, self.names.of(agent)),
            Spent::Pause(PauseKind::Gate(gate)) => (Sort::Gate, text(gate)),
            Spent::Pause(PauseKind::Join(join)) => (Sort::Join, text(join)),
            Spent::Pause(PauseKind::Agent(agent)) => (Sort::Join, self.names.of(agent)),
            Spent::Pause(PauseKind::Resource(resource)) => {
                let is_lock = self.journal.locks.contains(&resource);
                (if is_lock { Sort::Lock } else { Sort::Resource }, text(resource))
            }
            Spent::Pause(PauseKind::Conflict(resource)) => {
                (Sort::Conflict, resource.map_or_else(|| "shared state".to_owned(), text))
            }
        }
    }

    /// The kind that takes most of the time, what takes most of that, and the sentence.
    fn judged(
        &self,
        parts: &BTreeMap<(Sort, String), (u64, u64)>,
        whole_ns: u64,
    ) -> (Option<BottleneckKind>, String, String) {
        let mut sums: BTreeMap<Option<BottleneckKind>, u64> = BTreeMap::new();
        for ((sort, _), (time_ns, _)) in parts {
            let sum = sums.entry(sort.kind()).or_default();
            *sum = sum.saturating_add(*time_ns);
        }
        // Among equals the first kind: that it is a limit of throughput needs the least to be true.
        let Some((kind, sum_ns)) = sums.into_iter().rev().max_by_key(|(_, sum_ns)| *sum_ns) else {
            return (
                None,
                String::new(),
                "not visible: the record gives the way to the last item no length".to_owned(),
            );
        };
        let of_kind = parts.iter().filter(|((sort, _), _)| sort.kind() == kind);
        let largest = of_kind.rev().max_by_key(|(_, (time_ns, _))| *time_ns);
        let Some(((sort, at), (time_ns, _))) = largest else {
            return (None, String::new(), String::new());
        };
        let share = |part_ns: u64| {
            let percent = u128::from(part_ns) * 100 / u128::from(whole_ns.max(1));
            format!("{} ({percent} %)", duration(part_ns))
        };
        let whole = format!("of the {} to the last finished item", duration(whole_ns));
        let Some(kind) = kind else {
            let summary = format!("not visible: how {} {whole} went by is not recorded", share(sum_ns));
            return (None, String::new(), summary);
        };
        if kind == BottleneckKind::None {
            let unfinished = match self.journal.unfinished.len() as u64 {
                0 => String::new(),
                count => format!("; what {} wait for is not judged here", counted(count, "unfinished item")),
            };
            let waited = share(sum_ns);
            let summary = format!("none: for {waited} {whole} work had yet to come in{unfinished}");
            return (Some(kind), String::new(), summary);
        }
        let name = shown(at);
        let what = match sort {
            Sort::Service => format!("{} worked for {}", self.role(at), share(*time_ns)),
            Sort::Queue => format!("items lay in {name} for {}", share(*time_ns)),
            Sort::Resource => format!("agents waited for {name} for {}", share(*time_ns)),
            Sort::Choice => format!("{name} chose receivers for {}", share(*time_ns)),
            Sort::Gate => format!("agents waited at the gate {name} for {}", share(*time_ns)),
            Sort::Lock => format!("agents waited for the lock {name} for {}", share(*time_ns)),
            Sort::Join => format!("agents waited for {name} for {}", share(*time_ns)),
            Sort::Conflict => format!("conflicts on {name} threw away {}", share(*time_ns)),
            Sort::Arrival | Sort::Unknown => String::new(),
        };
        let rest = match sum_ns - time_ns {
            0 => String::new(),
            // Less than a hundredth is not worth the words.
            rest_ns if u128::from(rest_ns) * 100 < u128::from(whole_ns) => String::new(),
            _ => format!("; all of this kind together took {}", share(sum_ns)),
        };
        (Some(kind), at.clone(), format!("{}: {what} {whole}{rest}", kind.name()))
    }

    /// A role with how many of it worked.
    fn role(&self, name: &str) -> String {
        let role = |agent: &AgentId| Role::of(*agent).name(self.names);
        let members: BTreeSet<AgentId> =
            self.journal.jobs.keys().filter(|agent| role(agent) == name).copied().collect();
        match members.len() as u64 {
            1 => shown(name),
            count => format!("{} ({})", shown(name), counted(count, "agent")),
        }
    }

    /// The times of all jobs on items that were finished.
    fn finished_items(&self) -> Times {
        let mut times = Times::default();
        let mut add = |segment: &Segment| {
            times.add(self.told(segment.spent).0, segment.to.at.since(segment.from.at));
        };
        for (agent, jobs) in &self.journal.jobs {
            for job in jobs.iter().filter(|job| self.journal.finished.contains(&job.item)) {
                pieces(self.journal, *agent, job.begin, job.end).iter().for_each(&mut add);
                let queue = |from, to| Segment { from, to, spent: Spent::Queue(Lay::Agent(*agent)) };
                match job.came {
                    Came::Offered(offer) => {
                        let there = offer.chosen.map_or(offer.given, |(chosen, _)| chosen);
                        add(&Segment { from: offer.given, to: there, spent: Spent::Choice(*agent) });
                        add(&queue(there, job.begin));
                    }
                    Came::Claimed(ready) => add(&queue(ready.since, job.begin)),
                    Came::Unknown => {}
                }
            }
        }
        times
    }
}
