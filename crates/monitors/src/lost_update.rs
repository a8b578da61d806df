//! Lost updates, in Adya's sense and exactly: the stores state the true order of versions.
//!
//! A committed version is lost when another committed operation wrote a later version of the same resource, based
//! on an earlier one, without having read the version in between or one after it.
//!
//! *Source.* Adya, "Weak Consistency" (1999): phenomenon P4, with the true version order known.
//!
//! *Parameters.* none.

use std::collections::{BTreeMap, VecDeque};

use fleetsim_engine::batch::Step;
use fleetsim_engine::{AgentId, Fact, Names};

use crate::finding::{Class, Evidence, Finding, Numbers, Severity};
use crate::fold::Fold;
use crate::interests::{FactKind, Interests};
use crate::intern::Interner;
use crate::monitor::{Moment, Monitor, RunEnd};
use crate::number_map::NumberMap;
use crate::text::{dollars, shown};

const KIND: &str = "lost-update";

/// Versions of a resource that are kept. A write that overwrites more has lost one of these as well, so that the
/// finding is the same; only its count of lost versions ends there.
const VERSIONS_MAX: usize = 1024;

/// Finds lost updates, folded by resource.
#[derive(Clone, Debug, Default)]
pub struct LostUpdate {
    names: Interner,
    open: BTreeMap<u64, Operation>,
    versions: BTreeMap<u32, VecDeque<Version>>,
    readers: BTreeMap<(u32, u64), Readers>,
    spent: NumberMap<AgentId, u64>,
    lost: BTreeMap<u32, Fold<Loss>>,
}

/// A read-modify-write that has begun and not ended.
#[derive(Clone, Debug, Default)]
struct Operation {
    /// Who began it, or read first in it; the world when neither was stated.
    agent: Option<AgentId>,
    reads: Vec<Read>,
    writes: Vec<Write>,
    /// Committed writes over versions of this operation: losses if it commits as well.
    overwritten_by: Vec<(u32, u64, Write, Option<AgentId>)>,
    /// Given up by its writer, whose write may still arrive at the store.
    indeterminate: bool,
}

#[derive(Clone, Copy, Debug)]
struct Read {
    resource: u32,
    version: u64,
    moment: Moment,
    /// The first moment at which a conflict could be seen: this read, or that of another while this was open.
    signal: Moment,
    /// What the reader had spent by then, in billionths of a dollar.
    signal_spent: u64,
}

#[derive(Clone, Copy, Debug)]
struct Write {
    resource: u32,
    based_on: u64,
    version: u64,
    moment: Moment,
    /// The latest version of the resource that the operation had read by then.
    seen: Option<u64>,
    read: Option<Read>,
    /// What the writer had spent by then, in billionths of a dollar.
    spent: u64,
}

/// A version of a resource, whoever made it.
#[derive(Clone, Copy, Debug)]
struct Version {
    version: u64,
    agent: AgentId,
    made: Moment,
    /// When its writer read what it is based on; the moment of the write if that was not stated.
    read: Moment,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Open(u64),
    Committed,
    Lost,
}

const _: () = assert!(core::mem::size_of::<Version>() <= 64);

/// The open operations that have read one version of a resource.
#[derive(Clone, Copy, Debug)]
struct Readers {
    count: u32,
    first: u64,
}

#[derive(Clone, Copy, Debug)]
struct Loss {
    lost: Version,
    write: Write,
    writer: AgentId,
}

impl LostUpdate {
    fn read(&mut self, at: Moment, agent: AgentId, operation: u64, resource: &str, version: u64) {
        let resource = self.names.number(resource);
        let spent = self.spent.get(agent).copied().unwrap_or(0);
        let reader = self.open.entry(operation).or_default();
        reader.agent.get_or_insert(agent);
        if reader.reads.iter().any(|read| (read.resource, read.version) == (resource, version)) {
            return;
        }
        reader.reads.push(Read { resource, version, moment: at, signal: at, signal_spent: spent });
        let readers =
            self.readers.entry((resource, version)).or_insert(Readers { count: 0, first: operation });
        readers.count += 1;
        let first = readers.first;
        // Of more than two, the others were contended when they came.
        if readers.count == 2 {
            self.read_is_contended(at, first, resource, version);
        }
    }

    fn read_is_contended(&mut self, at: Moment, operation: u64, resource: u32, version: u64) {
        let LostUpdate { open, spent, .. } = self;
        let Some(Operation { agent: Some(agent), reads, .. }) = open.get_mut(&operation) else { return };
        let same = |read: &&mut Read| (read.resource, read.version) == (resource, version);
        if let Some(read) = reads.iter_mut().find(same).filter(|read| read.signal == read.moment) {
            read.signal = at;
            read.signal_spent = spent.get(*agent).copied().unwrap_or(0);
        }
    }

    fn write(&mut self, at: Moment, operation: u64, resource: &str, based_on: u64, version: u64) {
        let resource = self.names.number(resource);
        let writer = self.open.entry(operation).or_default();
        let of_resource = || writer.reads.iter().filter(|read| read.resource == resource);
        let read = of_resource().find(|read| read.version == based_on).copied();
        let seen = of_resource().map(|read| read.version).max();
        let agent = writer.agent.unwrap_or(AgentId::WORLD);
        let spent = self.spent.get(agent).copied().unwrap_or(0);
        writer.writes.push(Write { resource, based_on, version, moment: at, seen, read, spent });
        let made = Version {
            version,
            agent,
            made: at,
            read: read.map_or(at, |read| read.moment),
            state: State::Open(operation),
        };
        let versions = self.versions.entry(resource).or_default();
        let place = versions.partition_point(|known| known.version < version);
        match versions.get_mut(place) {
            Some(known) if known.version == version => *known = made,
            _ => versions.insert(place, made),
        }
        if versions.len() > VERSIONS_MAX {
            versions.pop_front();
        }
        if self.open[&operation].indeterminate {
            self.commit(operation);
        }
    }

    /// What was written has taken effect, whether or not the writer ever learns so; what was not may still be.
    fn give_up(&mut self, operation: u64) {
        let Some(given_up) = self.open.get_mut(&operation) else { return };
        given_up.indeterminate = true;
        if !given_up.writes.is_empty() {
            self.commit(operation);
        }
    }

    /// The operation took effect: it lost what it overwrote, and what others wrote over it was lost.
    fn commit(&mut self, operation: u64) {
        let Some(committed) = self.close(operation) else { return };
        for write in &committed.writes {
            self.commit_write(operation, write, committed.agent);
        }
        for write in &committed.writes {
            if let Some(version) = self.version_mut(write.resource, write.version)
                && version.state == State::Open(operation)
            {
                version.state = State::Committed;
            }
        }
        for (resource, version, write, writer) in committed.overwritten_by {
            self.lose(resource, version, write, writer);
        }
    }

    fn commit_write(&mut self, operation: u64, write: &Write, writer: Option<AgentId>) {
        // What was read is not overwritten blindly, whatever the write says it is based on.
        let known = write.based_on.max(write.seen.unwrap_or(0));
        let versions = self.versions.entry(write.resource).or_default();
        let overwritten: Vec<(u64, State)> = versions
            .range(versions.partition_point(|version| version.version <= known)..)
            .take_while(|version| version.version < write.version)
            .map(|version| (version.version, version.state))
            .collect();
        for (version, state) in overwritten {
            match state {
                State::Open(own) if own == operation => {}
                State::Open(other) => {
                    let other =
                        self.open.get_mut(&other).expect("an open version belongs to an open operation");
                    other.overwritten_by.push((write.resource, version, *write, writer));
                }
                State::Committed => self.lose(write.resource, version, *write, writer),
                State::Lost => {}
            }
        }
    }

    /// The operation took no effect: neither did it overwrite anything, nor can it be overwritten.
    fn abort(&mut self, operation: u64) {
        let Some(aborted) = self.close(operation) else { return };
        for write in &aborted.writes {
            if let Some(versions) = self.versions.get_mut(&write.resource) {
                versions.retain(|version| version.state != State::Open(operation));
            }
        }
    }

    fn close(&mut self, operation: u64) -> Option<Operation> {
        let closed = self.open.remove(&operation)?;
        for read in &closed.reads {
            let key = (read.resource, read.version);
            let readers = self.readers.get_mut(&key).expect("an open read is counted");
            readers.count -= 1;
            if readers.count == 0 {
                self.readers.remove(&key);
            }
        }
        Some(closed)
    }

    fn version_mut(&mut self, resource: u32, version: u64) -> Option<&mut Version> {
        let versions = self.versions.get_mut(&resource)?;
        let place = versions.binary_search_by_key(&version, |known| known.version).ok()?;
        versions.get_mut(place)
    }

    /// Counts a version as lost, once, to the first committed operation that overwrote it.
    fn lose(&mut self, resource: u32, version: u64, write: Write, writer: Option<AgentId>) {
        let Some(lost) =
            self.version_mut(resource, version).filter(|version| version.state == State::Committed)
        else {
            return;
        };
        lost.state = State::Lost;
        let loss = Loss { lost: *lost, write, writer: writer.unwrap_or(AgentId::WORLD) };
        let agents = [loss.lost.agent, loss.writer];
        self.lost
            .entry(resource)
            .or_default()
            .add(loss, agents.into_iter().filter(|agent| *agent != AgentId::WORLD));
    }

    fn finding(&self, resource: &str, losses: &Fold<Loss>, names: &Names) -> Finding {
        let Loss { lost, write, .. } = losses.first();
        let (winner, loser) = losses.first().who(names);
        let more =
            if losses.count > 1 { format!("; {} versions were lost", losses.count) } else { String::new() };
        let text = format!(
            "{winner} overwrote {loser}'s version {} after reading version {}{more}",
            lost.version, write.based_on
        );
        let mut evidence = losses.first().witnesses(names);
        let mut agents = losses.agents(names);
        agents.dedup();
        evidence.extend(losses.kept.iter().skip(1).map(|loss| loss.overwriting(names)));
        let signal = write.read.map(|read| {
            let seen = if read.signal == read.moment {
                format!("{winner} read version {}", read.version)
            } else {
                format!("version {} was read again while {winner} still worked on it", read.version)
            };
            Evidence::new(read.signal, seen)
        });
        let saved = write.read.map(|read| write.spent.saturating_sub(read.signal_spent));
        let wasted = saved.filter(|saved| *saved > 0).map_or(String::new(), |saved| {
            format!("; {winner} spent {} after the conflict could be seen", dollars(saved))
        });
        Finding {
            count: losses.count,
            numbers: Numbers(vec![
                ("versions_lost", losses.count),
                ("version_lost", lost.version),
                ("version_read", write.based_on),
                ("version_written", write.version),
            ]),
            about: BTreeMap::from([("resource", vec![resource.to_owned()]), ("agent", agents.clone())]),
            agents,
            evidence,
            lead_time_ns: write.read.map(|read| write.moment.at.since(read.signal.at)),
            earliest_signal: signal,
            saved_nano_dollars: saved,
            remedy: Some(
                "check the version at the write (compare-and-swap), or turn read-before-write on".to_owned(),
            ),
            ..Finding::new(
                KIND,
                Class::Safety,
                Severity::High,
                KIND,
                write.moment,
                resource,
                &(text + &wasted),
            )
        }
    }
}

impl Loss {
    /// Who overwrote, and who was overwritten.
    fn who(&self, names: &Names) -> (String, String) {
        (writer_name(self.writer, names), writer_name(self.lost.agent, names))
    }

    /// Both reads and both writes, in the order in which they happened.
    fn witnesses(&self, names: &Names) -> Vec<Evidence> {
        let (winner, loser) = self.who(names);
        let mut witnesses = Vec::with_capacity(4);
        if self.lost.read != self.lost.made {
            witnesses.push(Evidence::new(
                self.lost.read,
                format!("{loser} read what version {} is based on", self.lost.version),
            ));
        }
        if let Some(read) = self.write.read {
            witnesses.push(Evidence::new(read.moment, format!("{winner} read version {}", read.version)));
        }
        witnesses.push(Evidence::new(self.lost.made, format!("{loser} wrote version {}", self.lost.version)));
        witnesses.push(self.overwriting(names));
        witnesses.sort_by_key(|evidence| evidence.event);
        witnesses
    }

    fn overwriting(&self, names: &Names) -> Evidence {
        let (winner, loser) = self.who(names);
        let Write { version, based_on, moment, .. } = self.write;
        let lost = self.lost.version;
        Evidence::new(
            moment,
            format!(
                "{winner} wrote version {version}, based on {based_on}: {loser}'s version {lost} is lost"
            ),
        )
    }
}

fn writer_name(agent: AgentId, names: &Names) -> String {
    if agent == AgentId::WORLD { "an unknown writer".to_owned() } else { shown(&names.of(agent)) }
}

impl Monitor for LostUpdate {
    fn name(&self) -> &'static str {
        KIND
    }

    fn interests(&self) -> Interests {
        Interests::facts(&[
            FactKind::OperationBegin,
            FactKind::OperationCommit,
            FactKind::OperationAbort,
            FactKind::OperationIndeterminate,
            FactKind::Read,
            FactKind::Write,
            FactKind::Spent,
        ])
    }

    fn observe(&mut self, step: &Step<'_>, facts: &[Fact<'_>]) {
        let at = Moment::of(step);
        for fact in facts {
            match *fact {
                Fact::OperationBegin { operation } => {
                    self.open.entry(operation).or_default().agent.get_or_insert(step.target);
                }
                Fact::Read { operation, resource, version } => {
                    self.read(at, step.target, operation, resource, version);
                }
                Fact::Write { operation, resource, based_on, version, .. } => {
                    self.write(at, operation, resource, based_on, version);
                }
                Fact::OperationCommit { operation } => self.commit(operation),
                Fact::OperationIndeterminate { operation } => self.give_up(operation),
                Fact::OperationAbort { operation } => self.abort(operation),
                Fact::Spent { nano_dollars, .. } => {
                    let spent = self.spent.or_default(step.target);
                    *spent = spent.saturating_add(nano_dollars);
                }
                _ => {}
            }
        }
    }

    fn findings(&self, _end: &RunEnd, names: &Names) -> Vec<Finding> {
        self.lost
            .iter()
            .map(|(resource, losses)| self.finding(self.names.name(*resource), losses, names))
            .collect()
    }
}
