//! What the facts say about operations: which are open, what each read and made, and which committed ones are kept.

use std::collections::{BTreeMap, BTreeSet};

use fleetsim_engine::AgentId;

use super::resource::{Resource, State, Version};
use crate::intern::Interner;
use crate::monitor::Moment;
use crate::number_map::NumberMap;

/// The operations of a run, as far as they can still matter.
#[derive(Clone, Debug)]
pub(super) struct History {
    names: Interner,
    /// The resource behind each name. A store that counts versions from the start again has a new one.
    current: Vec<u32>,
    pub(super) resources: Vec<Resource>,
    pub(super) open: BTreeMap<u64, Open>,
    /// Open operations in the order in which they were first heard of.
    pub(super) begun: BTreeMap<u64, u64>,
    heard_of: u64,
    /// Operations that have committed.
    pub(super) commits: u64,
    /// Committed operations that may still be part of a new cycle, by the number of their commit.
    pub(super) kept: BTreeMap<u64, Committed>,
    pub(super) sweep_at: usize,
    /// Open operations that were forgotten: what is said about them later is not judged.
    pub(super) given_up: BTreeSet<u64>,
    /// Commits up to this one were forgotten although they might have mattered.
    pub(super) forgotten_up_to: u64,
    /// Operations that were forgotten although they might have mattered.
    pub(super) forgotten: u64,
    pub(super) horizon: usize,
    spent: NumberMap<AgentId, u64>,
}

/// An operation that has not ended.
#[derive(Clone, Debug)]
pub(super) struct Open {
    /// Who began it or read in it; the world as long as neither was stated.
    agent: AgentId,
    begin_is_stated: bool,
    heard_of: u64,
    /// Operations that had committed when it was first heard of.
    pub(super) begun_after: u64,
    /// The newest version of each resource that it read, by resource.
    reads: Vec<Read>,
    /// The last version of each resource that it made, by resource.
    writes: Vec<Write>,
    /// The versions before those, of the same operation.
    replaced: Vec<(u32, u64)>,
    /// What its agent had spent when it read a stale version, by resource.
    stale: Vec<(u32, u64)>,
}

/// A committed operation, as the graph of dependencies knows it.
#[derive(Clone, Debug)]
pub(super) struct Committed {
    pub(super) agent: AgentId,
    pub(super) at: Moment,
    /// What its agent had spent by then, in billionths of a dollar.
    pub(super) spent: u64,
    /// The newest version of each resource that it read, by resource.
    pub(super) reads: Box<[Read]>,
    /// The last version of each resource that it made, by resource.
    pub(super) writes: Box<[Write]>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Read {
    pub(super) resource: u32,
    pub(super) version: u64,
    pub(super) at: Moment,
    /// What the reader had spent by then, in billionths of a dollar.
    spent: u64,
    /// When a newer version came while the reader still worked, and what the reader had spent by then.
    pub(super) outdated: Option<(Moment, u64)>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Write {
    pub(super) resource: u32,
    pub(super) version: u64,
    pub(super) at: Moment,
}

/// A version that was read although its operation never stood by it.
#[derive(Clone, Copy, Debug)]
pub(super) struct DirtyRead {
    /// The number of the resource's name.
    pub(super) name: u32,
    pub(super) version: Version,
    pub(super) reader: AgentId,
    pub(super) read: Read,
    /// What the reader spent from the read to its commit, in billionths of a dollar.
    pub(super) spent_since: u64,
    /// When the second of the two operations ended.
    pub(super) at: Moment,
}

/// A read of a version that was old when the operation began.
#[derive(Clone, Copy, Debug)]
pub(super) struct StaleRead {
    /// The number of the resource's name.
    pub(super) name: u32,
    pub(super) version: u64,
    pub(super) reader: AgentId,
    pub(super) at: Moment,
    /// The newest version that had been committed when the reader began, and when it was.
    pub(super) current: (u64, Moment),
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Committed,
    Aborted,
    Unknown,
}

/// What the end of an operation showed.
#[derive(Clone, Debug, Default)]
pub(super) struct Ended {
    /// The number of its commit, if it committed.
    pub(super) commit: Option<u64>,
    pub(super) dirty_reads: Vec<DirtyRead>,
    /// What its agent spent after a stale read: (number of the resource's name, billionths of a dollar).
    pub(super) spent_on_stale: Vec<(u32, u64)>,
}

impl History {
    pub(super) fn new(horizon: usize) -> History {
        History {
            names: Interner::default(),
            current: Vec::new(),
            resources: Vec::new(),
            open: BTreeMap::new(),
            begun: BTreeMap::new(),
            heard_of: 0,
            commits: 0,
            kept: BTreeMap::new(),
            sweep_at: 0,
            given_up: BTreeSet::new(),
            forgotten_up_to: 0,
            forgotten: 0,
            horizon: horizon.max(1),
            spent: NumberMap::default(),
        }
    }

    pub(super) fn name(&self, number: u32) -> &str {
        self.names.name(number)
    }

    pub(super) fn spend(&mut self, agent: AgentId, nano_dollars: u64) {
        let spent = self.spent.or_default(agent);
        *spent = spent.saturating_add(nano_dollars);
    }

    fn spent_by(&self, agent: AgentId) -> u64 {
        self.spent.get(agent).copied().unwrap_or(0)
    }

    pub(super) fn begin(&mut self, agent: AgentId, operation: u64) {
        let is_new = !self.open.contains_key(&operation);
        if let Some(open) = self.open_mut(operation) {
            open.begin_is_stated |= is_new;
            open.agent = known(open.agent, agent);
        }
    }

    pub(super) fn read(
        &mut self,
        at: Moment,
        agent: AgentId,
        operation: u64,
        name: &str,
        version: u64,
    ) -> Option<StaleRead> {
        let resource = self.resource(name);
        let open = self.open_mut(operation)?;
        open.agent = known(open.agent, agent);
        let current = self.add_read(at, operation, resource, version)?;
        let spent = self.spent_by(agent);
        let open = self.open.get_mut(&operation).filter(|open| {
            // Whether it is stale is known only if it is known when the operation began and what was committed then.
            open.begin_is_stated && open.begun_after >= self.forgotten_up_to
        })?;
        let name = self.resources[resource as usize].name;
        if !open.stale.iter().any(|(known, _)| *known == name) {
            open.stale.push((name, spent));
        }
        Some(StaleRead { name, version, reader: open.agent, at, current })
    }

    pub(super) fn write(&mut self, at: Moment, operation: u64, name: &str, based_on: u64, version: u64) {
        if version == 0 {
            return;
        }
        let is_judged = self.open_mut(operation).is_some();
        let mut resource = self.resource(name);
        let entry = &mut self.resources[resource as usize];
        if version <= entry.newest() && !entry.takes_back(version) {
            resource = self.starts_again(resource);
        }
        if based_on > 0 && is_judged {
            // What the writer says it had read is a read, of which nobody knows when it was.
            let _ = self.add_read(at, operation, resource, based_on);
        }
        self.outdate_reads(at, operation, resource);
        if !is_judged {
            // It is not judged, but others may see what it made.
            let made = Version { version, agent: AgentId::WORLD, made: at, state: State::Unknown };
            self.resources[resource as usize].add(made);
            return;
        }
        let open = self.open.get_mut(&operation).expect("it was looked up above");
        let made = Version { version, agent: open.agent, made: at, state: State::Open(operation) };
        self.resources[resource as usize].add(made);
        let write = Write { resource, version, at };
        match open.writes.binary_search_by_key(&resource, |known| known.resource) {
            Ok(place) => {
                let before = core::mem::replace(&mut open.writes[place], write);
                open.replaced.push((resource, before.version));
            }
            Err(place) => open.writes.insert(place, write),
        }
    }

    pub(super) fn end(&mut self, at: Moment, operation: u64, ending: Ending) -> Ended {
        if self.given_up.remove(&operation) {
            return Ended::default();
        }
        let Some(open) = self.close(operation) else { return Ended::default() };
        let spent = self.spent_by(open.agent);
        let mut ended = Ended {
            spent_on_stale: open
                .stale
                .iter()
                .map(|(name, then)| (*name, spent.saturating_sub(*then)))
                .collect(),
            ..Ended::default()
        };
        let replaced = open.replaced.iter().copied();
        let last = open.writes.iter().map(|write| (write.resource, write.version));
        if ending == Ending::Committed {
            self.commits += 1;
            let commit = self.commits;
            ended.commit = Some(commit);
            self.note_what_was_read(at, commit, &open, spent, &mut ended.dirty_reads);
            for (resource, version) in replaced {
                self.end_version(at, resource, version, State::Intermediate, &mut ended.dirty_reads);
            }
            for (resource, version) in last {
                self.resources[resource as usize].end(at, version, State::Installed(commit));
            }
            let (reads, writes) = (open.reads.into(), open.writes.into());
            self.kept.insert(commit, Committed { agent: open.agent, at, spent, reads, writes });
        } else {
            let state = if ending == Ending::Aborted { State::Aborted } else { State::Unknown };
            for (resource, version) in replaced.chain(last) {
                self.end_version(at, resource, version, state, &mut ended.dirty_reads);
                self.settle(resource);
            }
            for read in &open.reads {
                self.settle(read.resource);
            }
        }
        ended
    }

    /// Takes an operation out of those that are open.
    pub(super) fn close(&mut self, operation: u64) -> Option<Open> {
        let open = self.open.remove(&operation)?;
        self.begun.remove(&open.heard_of);
        for read in &open.reads {
            self.resources[read.resource as usize].remove_up_to_date(operation);
        }
        Some(open)
    }

    /// What an operation that was open left behind counts as unknown.
    pub(super) fn give_up(&mut self, operation: u64) {
        let Some(open) = self.close(operation) else { return };
        let last = open.writes.iter().map(|write| (write.resource, write.version));
        for (resource, version) in last.chain(open.replaced) {
            // Nothing is told of it, so that it does not matter when it was.
            self.resources[resource as usize].end(Moment::ZERO, version, State::Unknown);
            self.settle(resource);
        }
        self.given_up.insert(operation);
        self.forgotten += 1;
    }

    /// Commits up to this one were over before any operation began that is open, or are forgotten.
    pub(super) fn settled_up_to(&self) -> u64 {
        let oldest = self.begun.first_key_value().map(|(_, operation)| &self.open[operation]);
        oldest.map_or(self.commits, |open| open.begun_after).max(self.forgotten_up_to)
    }

    pub(super) fn settle(&mut self, resource: u32) {
        let up_to = self.settled_up_to();
        let kept = &self.kept;
        self.resources[resource as usize].settle(up_to, |commit| kept.contains_key(&commit));
    }

    fn open_mut(&mut self, operation: u64) -> Option<&mut Open> {
        if self.given_up.contains(&operation) {
            return None;
        }
        let (heard_of, begun_after) = (self.heard_of, self.commits);
        Some(self.open.entry(operation).or_insert_with(|| {
            self.heard_of += 1;
            self.begun.insert(heard_of, operation);
            Open {
                agent: AgentId::WORLD,
                begin_is_stated: false,
                heard_of,
                begun_after,
                reads: Vec::new(),
                writes: Vec::new(),
                replaced: Vec::new(),
                stale: Vec::new(),
            }
        }))
    }

    fn resource(&mut self, name: &str) -> u32 {
        let number = self.names.number(name);
        if let Some(resource) = self.current.get(number as usize) {
            return *resource;
        }
        let resource = self.new_resource(number);
        self.current.push(resource);
        resource
    }

    /// The store lost its versions and counts anew: what comes now has nothing to do with what was before.
    fn starts_again(&mut self, resource: u32) -> u32 {
        let name = self.resources[resource as usize].name;
        self.current[name as usize] = self.new_resource(name);
        self.current[name as usize]
    }

    fn new_resource(&mut self, name: u32) -> u32 {
        let resource =
            u32::try_from(self.resources.len()).expect("a run has fewer than four billion resources");
        self.resources.push(Resource::new(name));
        resource
    }

    /// Takes a read into the operation, if it is the newest of its resource there. A stale one is left out, and the
    /// version that was committed when the operation began is given back.
    fn add_read(&mut self, at: Moment, operation: u64, resource: u32, version: u64) -> Option<(u64, Moment)> {
        let open = &self.open[&operation];
        let entry = &self.resources[resource as usize];
        let state = entry.version(version).map(|version| version.state);
        // Nobody can have read what was not made yet; and one's own version depends on nobody.
        if version > entry.newest() || state == Some(State::Open(operation)) {
            return None;
        }
        let current = entry.committed_by(open.begun_after);
        if version < current.0 {
            self.drop_older_read(operation, resource, version);
            return Some(current);
        }
        let newest = entry.version(entry.newest());
        let is_outdated = newest.is_some_and(|newest| {
            newest.version > version
                && newest.state != State::Open(operation)
                && newest.state != State::Aborted
        });
        let spent = self.spent_by(open.agent);
        let outdated = is_outdated.then_some((at, spent));
        let read = Read { resource, version, at, spent, outdated };
        let open = self.open.get_mut(&operation).expect("it was just seen");
        match open.reads.binary_search_by_key(&resource, |known| known.resource) {
            Ok(place) if open.reads[place].version >= version => return None,
            Ok(place) => open.reads[place] = read,
            Err(place) => open.reads.insert(place, read),
        }
        if !is_outdated {
            self.resources[resource as usize].add_up_to_date(operation);
        }
        None
    }

    /// A read that counts as stale only because too much was forgotten still shows that its reader looked again.
    fn drop_older_read(&mut self, operation: u64, resource: u32, version: u64) {
        let open = self.open.get_mut(&operation).expect("its reads are looked at");
        if let Ok(place) = open.reads.binary_search_by_key(&resource, |known| known.resource)
            && open.reads[place].version < version
        {
            open.reads.remove(place);
            self.resources[resource as usize].remove_up_to_date(operation);
        }
    }

    /// Marks the reads of other open operations which a write of `operation` makes old. Each is marked once.
    fn outdate_reads(&mut self, at: Moment, operation: u64, resource: u32) {
        for reader in self.resources[resource as usize].take_up_to_date() {
            if reader == operation {
                continue;
            }
            let Some(open) = self.open.get_mut(&reader) else { continue };
            if let Ok(place) = open.reads.binary_search_by_key(&resource, |read| read.resource) {
                let spent = self.spent.get(open.agent).copied().unwrap_or(0);
                open.reads[place].outdated = Some((at, spent));
            }
        }
    }

    /// Registers what a committing operation read: as a dependency where its maker may have committed, as a dirty
    /// read where it is known that it did not stand by it.
    fn note_what_was_read(
        &mut self,
        at: Moment,
        commit: u64,
        open: &Open,
        reader_spent: u64,
        dirty: &mut Vec<DirtyRead>,
    ) {
        for read in &open.reads {
            let resource = &mut self.resources[read.resource as usize];
            let Some(version) = resource.version(read.version) else { continue };
            match version.state {
                State::Open(_) | State::Installed(_) => resource.add_reader(read.version, commit),
                State::Aborted | State::Intermediate => {
                    let (name, reader, read) = (resource.name, open.agent, *read);
                    let spent_since = reader_spent.saturating_sub(read.spent);
                    dirty.push(DirtyRead { name, version, reader, read, spent_since, at });
                }
                State::Unknown => {}
            }
        }
    }

    /// Ends a version that nobody can depend on. Those that read it and committed made dirty reads, unless it is
    /// unknown what became of it.
    fn end_version(
        &mut self,
        at: Moment,
        resource: u32,
        version: u64,
        state: State,
        dirty: &mut Vec<DirtyRead>,
    ) {
        let entry = &mut self.resources[resource as usize];
        let readers = entry.end(at, version, state);
        let Some(version) = entry.version(version).filter(|_| state != State::Unknown) else { return };
        for reader in readers.iter().filter_map(|reader| self.kept.get(reader)) {
            let Some(read) = reader.read_of(resource) else { continue };
            let (name, spent_since) = (entry.name, reader.spent.saturating_sub(read.spent));
            dirty.push(DirtyRead { name, version, reader: reader.agent, read, spent_since, at });
        }
    }
}

impl Committed {
    /// Its read of a resource.
    pub(super) fn read_of(&self, resource: u32) -> Option<Read> {
        let place = self.reads.binary_search_by_key(&resource, |read| read.resource).ok()?;
        Some(self.reads[place])
    }

    /// Its last write of a resource.
    pub(super) fn write_of(&self, resource: u32) -> Option<Write> {
        let place = self.writes.binary_search_by_key(&resource, |write| write.resource).ok()?;
        Some(self.writes[place])
    }

    /// The reads by which it depends on not being overtaken. Whoever made a version later than the one it read has
    /// told what it did to those in between: that is a lost update or none.
    pub(super) fn overtakable_reads(&self) -> impl Iterator<Item = Read> + '_ {
        self.reads
            .iter()
            .filter(|read| self.write_of(read.resource).is_none_or(|write| write.version < read.version))
            .copied()
    }
}

fn known(agent: AgentId, or: AgentId) -> AgentId {
    if agent == AgentId::WORLD { or } else { agent }
}
