//! From circles and dirty reads to findings: what is kept of each, and how it is said.

use std::collections::{BTreeMap, BTreeSet};

use fleetsim_engine::{AgentId, Names};

use super::cycle::{Dependency, Kind};
use super::history::{DirtyRead, History};
use super::resource::State;
use crate::finding::{Class, Evidence, Finding, Numbers, Severity};
use crate::fold::Fold;
use crate::monitor::Moment;
use crate::text::{dollars, shown, times};

/// Dependencies of a circle that are kept and shown.
const LINKS_MAX: usize = 6;
/// Dependencies that a sentence tells.
const LINKS_TOLD_MAX: usize = 3;
/// Names of resources in a subject.
const SUBJECT_NAMES_MAX: usize = 3;

/// What is fixed about a kind of conflict.
pub(super) struct Anomaly {
    pub(super) kind: &'static str,
    pub(super) severity: Severity,
    /// What its count counts.
    pub(super) counted: &'static str,
    /// What follows from a circle of this kind.
    pub(super) conclusion: &'static str,
    pub(super) remedy: &'static str,
}

/// Knows the names of agents and resources.
pub(super) struct Speaker<'a> {
    pub(super) history: &'a History,
    pub(super) names: &'a Names,
}

/// Conflicts of one kind about the same resources.
#[derive(Clone, Debug, Default)]
pub(super) struct Conflicts {
    told: Fold<Conflict>,
    aborted_reads: u64,
    intermediate_reads: u64,
    circles: u64,
    smallest_circle: u64,
}

/// One of them.
#[derive(Clone, Debug)]
enum Conflict {
    Circle(Circle),
    DirtyRead(DirtyRead),
}

/// A circle, with what is shown of it.
#[derive(Clone, Debug)]
pub(super) struct Circle {
    /// When its last operation committed.
    at: Moment,
    closing: AgentId,
    operations: u64,
    links: Vec<Link>,
    agents: Vec<AgentId>,
    signal: Option<Signal>,
}

/// A dependency by names and moments. Of `from`, it is the read for an anti-dependency and the write otherwise; of
/// `to`, it is the read for a read dependency and the write otherwise.
#[derive(Clone, Copy, Debug)]
struct Link {
    kind: Kind,
    name: u32,
    from: AgentId,
    from_version: u64,
    from_at: Moment,
    to: AgentId,
    to_version: u64,
    to_at: Moment,
}

/// The first moment at which a dependency of the circle went against an operation that was still at work.
#[derive(Clone, Copy, Debug)]
struct Signal {
    link: Link,
    at: Moment,
    /// What that operation's agent spent from then to its commit, in billionths of a dollar; not known of writers.
    saved: Option<u64>,
}

impl Speaker<'_> {
    pub(super) fn agent(&self, agent: AgentId) -> String {
        if agent == AgentId::WORLD { "somebody unknown".to_owned() } else { shown(&self.names.of(agent)) }
    }

    pub(super) fn full_name(&self, resource: u32) -> &str {
        self.history.name(resource)
    }

    pub(super) fn resource(&self, resource: u32) -> String {
        shown(self.full_name(resource))
    }

    fn subject(&self, resources: &[u32]) -> String {
        let mut named: Vec<String> =
            resources.iter().take(SUBJECT_NAMES_MAX).map(|resource| self.resource(*resource)).collect();
        match resources.len() {
            0 => return "other resources".to_owned(),
            1 => {}
            count if count <= SUBJECT_NAMES_MAX => {
                let last = named.pop().expect("there are several");
                return format!("{} and {last}", named.join(", "));
            }
            count => named.push(format!("{} more", count - SUBJECT_NAMES_MAX)),
        }
        named.join(", ")
    }
}

impl Circle {
    /// What is shown of the circle of `dependencies`, which an operation closed at `at`.
    pub(super) fn new(history: &History, at: Moment, dependencies: &[Dependency]) -> Circle {
        let link = |dependency: &Dependency| link(history, dependency);
        let signals = dependencies.iter().filter_map(|dependency| signal(history, dependency));
        // A circle with one anti-dependency is told from there on.
        let anti = |dependency: &Dependency| dependency.kind == Kind::Anti;
        let first = dependencies.iter().position(anti).unwrap_or(0);
        let in_order = || dependencies[first..].iter().chain(&dependencies[..first]);
        Circle {
            at,
            closing: history.kept[&dependencies[0].from].agent,
            operations: dependencies.len() as u64,
            links: in_order().take(LINKS_MAX).map(link).collect(),
            agents: in_order().take(LINKS_MAX).map(|known| history.kept[&known.from].agent).collect(),
            signal: signals.min_by_key(|signal| signal.at),
        }
    }

    /// The names of the resources that a circle of `dependencies` goes through.
    pub(super) fn resources(history: &History, dependencies: &[Dependency]) -> Vec<u32> {
        let name = |dependency: &Dependency| history.resources[dependency.resource as usize].name;
        dependencies.iter().map(name).collect::<BTreeSet<u32>>().into_iter().collect()
    }

    fn sentence(&self, conclusion: &str, speaker: &Speaker<'_>) -> String {
        let told: Vec<String> =
            self.links.iter().take(LINKS_TOLD_MAX).map(|link| link.phrase(speaker)).collect();
        let rest = match self.operations.saturating_sub(LINKS_TOLD_MAX as u64) {
            0 => String::new(),
            _ => format!(", and so on around {} operations", self.operations),
        };
        format!("{}{rest}: {conclusion}", told.join(", and "))
    }

    fn witnesses(&self, speaker: &Speaker<'_>) -> Vec<Evidence> {
        let mut witnesses: Vec<Evidence> =
            self.links.iter().flat_map(|link| link.evidence(speaker)).collect();
        witnesses.push(self.closed(speaker));
        witnesses.sort_by(|one, other| (one.event, &one.text).cmp(&(other.event, &other.text)));
        witnesses.dedup();
        witnesses
    }

    fn closed(&self, speaker: &Speaker<'_>) -> Evidence {
        let agent = speaker.agent(self.closing);
        Evidence::new(self.at, format!("{agent} committed, the last of {} operations", self.operations))
    }
}

fn link(history: &History, dependency: &Dependency) -> Link {
    let Dependency { kind, from, to, resource, from_version, to_version } = *dependency;
    let (from, to) = (&history.kept[&from], &history.kept[&to]);
    let read = |operation: &super::history::Committed| operation.read_of(resource).map(|read| read.at);
    let write = |operation: &super::history::Committed| operation.write_of(resource).map(|write| write.at);
    let (from_at, to_at) = match kind {
        Kind::Write => (write(from), write(to)),
        Kind::Read => (write(from), read(to)),
        Kind::Anti => (read(from), write(to)),
    };
    Link {
        kind,
        name: history.resources[resource as usize].name,
        from: from.agent,
        from_version,
        from_at: from_at.expect("a dependency is by what was read or written"),
        to: to.agent,
        to_version,
        to_at: to_at.expect("a dependency is by what was read or written"),
    }
}

fn signal(history: &History, dependency: &Dependency) -> Option<Signal> {
    let link = link(history, dependency);
    let from = &history.kept[&dependency.from];
    if dependency.kind == Kind::Anti {
        let (at, then) = from.read_of(dependency.resource)?.outdated?;
        return Some(Signal { link, at, saved: Some(from.spent.saturating_sub(then)) });
    }
    (link.to_at < from.at).then_some(Signal { link, at: link.to_at, saved: None })
}

impl Link {
    fn phrase(&self, speaker: &Speaker<'_>) -> String {
        let (from, to) = (speaker.agent(self.from), speaker.agent(self.to));
        let (resource, version) = (speaker.resource(self.name), self.from_version);
        match self.kind {
            Kind::Write => format!("{to} overwrote {from}'s version {version} of {resource}"),
            Kind::Read => format!("{to} read {from}'s version {version} of {resource}"),
            Kind::Anti => format!("{from} read version {version} of {resource}, which {to} replaced"),
        }
    }

    fn evidence(&self, speaker: &Speaker<'_>) -> [Evidence; 2] {
        let (from, to) = (speaker.agent(self.from), speaker.agent(self.to));
        let (resource, from_version, to_version) =
            (speaker.resource(self.name), self.from_version, self.to_version);
        let (made, took) = match self.kind {
            Kind::Write => ("wrote", "wrote"),
            Kind::Read => ("wrote", "read"),
            Kind::Anti => ("read", "wrote"),
        };
        [
            Evidence::new(self.from_at, format!("{from} {made} version {from_version} of {resource}")),
            Evidence::new(self.to_at, format!("{to} {took} version {to_version} of {resource}")),
        ]
    }
}

impl Signal {
    fn evidence(&self, speaker: &Speaker<'_>) -> Evidence {
        let (from, to) = (speaker.agent(self.link.from), speaker.agent(self.link.to));
        let (resource, version) = (speaker.resource(self.link.name), self.link.from_version);
        let text = match self.link.kind {
            Kind::Write => {
                format!("{to} overwrote version {version} of {resource} before {from} committed it")
            }
            Kind::Read => format!("{to} read version {version} of {resource} before {from} committed it"),
            Kind::Anti => format!("version {version} of {resource} was old and {from} still worked on it"),
        };
        Evidence::new(self.at, text)
    }
}

impl Conflicts {
    pub(super) fn add_circle(&mut self, circle: Circle) {
        self.circles += 1;
        self.smallest_circle = match self.smallest_circle {
            0 => circle.operations,
            smallest => smallest.min(circle.operations),
        };
        let agents: Vec<AgentId> = circle.agents.clone();
        self.add(Conflict::Circle(circle), &agents);
    }

    pub(super) fn add_dirty_read(&mut self, read: DirtyRead) {
        match read.version.state {
            State::Intermediate => self.intermediate_reads += 1,
            _ => self.aborted_reads += 1,
        }
        self.add(Conflict::DirtyRead(read), &[read.reader, read.version.agent]);
    }

    fn add(&mut self, conflict: Conflict, agents: &[AgentId]) {
        self.told.add(conflict, agents.iter().copied().filter(|agent| *agent != AgentId::WORLD));
    }

    /// The finding about `resources`, given by the numbers of their names.
    pub(super) fn finding(
        &self,
        anomaly: &Anomaly,
        monitor: &'static str,
        resources: &[u32],
        speaker: &Speaker<'_>,
    ) -> Finding {
        let first = self.told.first();
        let more = match self.told.count {
            1 => String::new(),
            count => format!("; it happened {}", times(count)),
        };
        let signal = first.signal(speaker);
        let spent = signal.as_ref().and_then(|(_, saved, who)| {
            let saved = saved.filter(|saved| *saved > 0)?;
            Some(format!("; {who} spent {} after the conflict could be seen", dollars(saved)))
        });
        let text = first.sentence(anomaly, speaker) + &more + &spent.unwrap_or_default();
        let mut numbers = vec![(anomaly.counted, self.told.count)];
        if anomaly.counted != "circles" {
            numbers.push(("aborted_reads", self.aborted_reads));
            numbers.push(("intermediate_reads", self.intermediate_reads));
            numbers.push(("circles", self.circles));
        }
        if self.circles > 0 {
            numbers.push(("smallest_circle_operations", self.smallest_circle));
        }
        let mut evidence = first.witnesses(speaker);
        evidence.extend(self.told.kept.iter().skip(1).map(|conflict| conflict.last(speaker)));
        let agents = self.told.agents(speaker.names);
        let named = resources.iter().map(|resource| speaker.full_name(*resource).to_owned());
        Finding {
            count: self.told.count,
            numbers: Numbers(numbers),
            about: BTreeMap::from([("resource", named.collect()), ("agent", agents.clone())]),
            agents,
            evidence,
            lead_time_ns: signal.as_ref().map(|(signal, ..)| first.at().at.since(signal.at)),
            saved_nano_dollars: signal.as_ref().and_then(|(_, saved, _)| *saved),
            earliest_signal: signal.map(|(signal, ..)| signal),
            remedy: Some(anomaly.remedy.to_owned()),
            ..Finding::new(
                anomaly.kind,
                Class::Safety,
                anomaly.severity,
                monitor,
                first.at(),
                &speaker.subject(resources),
                &text,
            )
        }
    }
}

impl Conflict {
    fn at(&self) -> Moment {
        match self {
            Conflict::Circle(circle) => circle.at,
            Conflict::DirtyRead(read) => read.at,
        }
    }

    fn sentence(&self, anomaly: &Anomaly, speaker: &Speaker<'_>) -> String {
        match self {
            Conflict::Circle(circle) => circle.sentence(anomaly.conclusion, speaker),
            Conflict::DirtyRead(read) => {
                let maker = speaker.agent(read.version.agent);
                let fate = match read.version.state {
                    State::Intermediate => format!("which {maker} replaced before it committed"),
                    _ => "which took no effect".to_owned(),
                };
                format!("{}, {fate}", dirty_read(read, speaker))
            }
        }
    }

    fn witnesses(&self, speaker: &Speaker<'_>) -> Vec<Evidence> {
        match self {
            Conflict::Circle(circle) => circle.witnesses(speaker),
            Conflict::DirtyRead(read) => {
                let maker = speaker.agent(read.version.agent);
                let wrote = format!("{maker} wrote version {}", read.version.version);
                vec![
                    Evidence::new(read.version.made, wrote),
                    Evidence::new(read.read.at, dirty_read(read, speaker)),
                    self.last(speaker),
                ]
            }
        }
    }

    /// What happened when it was complete.
    fn last(&self, speaker: &Speaker<'_>) -> Evidence {
        match self {
            Conflict::Circle(circle) => circle.closed(speaker),
            Conflict::DirtyRead(read) => {
                let reader = speaker.agent(read.reader);
                let maker = speaker.agent(read.version.agent);
                Evidence::new(read.at, format!("{reader} had committed, and {maker} did not stand by it"))
            }
        }
    }

    /// What could be seen first, what would have been saved, and by whom.
    fn signal(&self, speaker: &Speaker<'_>) -> Option<(Evidence, Option<u64>, String)> {
        match self {
            Conflict::Circle(circle) => circle
                .signal
                .map(|signal| (signal.evidence(speaker), signal.saved, speaker.agent(signal.link.from))),
            Conflict::DirtyRead(read) => {
                let signal = Evidence::new(read.read.at, dirty_read(read, speaker));
                Some((signal, Some(read.spent_since), speaker.agent(read.reader)))
            }
        }
    }
}

fn dirty_read(read: &DirtyRead, speaker: &Speaker<'_>) -> String {
    let (reader, maker) = (speaker.agent(read.reader), speaker.agent(read.version.agent));
    format!("{reader} read {maker}'s version {}", read.version.version)
}
