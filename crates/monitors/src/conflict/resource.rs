//! One resource: its versions in their true order, as far as anybody may still depend on them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use fleetsim_engine::AgentId;

use crate::monitor::Moment;

/// A resource. One that nobody works on keeps nothing but the number of its newest settled version.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    /// The number of its name.
    pub(super) name: u32,
    /// The newest version that was committed before any operation began that is open.
    settled: u64,
    settled_at: Moment,
    live: Option<Box<Live>>,
}

#[derive(Clone, Debug, Default)]
struct Live {
    /// Later than the settled one, in their order; older ones only while their operation is kept.
    versions: VecDeque<Version>,
    /// Commits since then that made a newer version the newest committed one: (commit, version, when).
    committed: VecDeque<(u64, u64, Moment)>,
    /// Committed operations that read a version, by the number of their commit.
    readers: BTreeMap<u64, Vec<u64>>,
    /// Open operations whose read is of the newest version.
    up_to_date: BTreeSet<u64>,
}

/// A version and who made it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version {
    pub(super) version: u64,
    pub(super) agent: AgentId,
    pub(super) made: Moment,
    pub(super) state: State,
}

// What an aborted version leaves behind for as long as it may be read.
const _: () = assert!(core::mem::size_of::<Version>() <= 64);

/// What became of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The operation that made it has not ended.
    Open(u64),
    /// The last version that a committed operation made; the number is that of the commit.
    Installed(u64),
    /// A version of a committed operation that the operation itself replaced.
    Intermediate,
    /// Its operation took no effect.
    Aborted,
    /// Nobody knows whether its operation took effect.
    Unknown,
}

impl Resource {
    pub(super) fn new(name: u32) -> Resource {
        Resource { name, settled: 0, settled_at: Moment::ZERO, live: None }
    }

    /// The newest version that was made, whatever became of it; 0 before the first.
    pub(super) fn newest(&self) -> u64 {
        let last = self.live.as_ref().and_then(|live| live.versions.back());
        last.map_or(self.settled, |last| last.version.max(self.settled))
    }

    /// The newest version that had been committed when `commits` operations had, and when it was.
    pub(super) fn committed_by(&self, commits: u64) -> (u64, Moment) {
        let settled = (self.settled, self.settled_at);
        let Some(live) = &self.live else { return settled };
        let place = live.committed.partition_point(|(commit, ..)| *commit <= commits);
        place.checked_sub(1).map_or(settled, |last| {
            let (_, version, at) = live.committed[last];
            (version, at)
        })
    }

    pub(super) fn version(&self, version: u64) -> Option<Version> {
        let live = self.live.as_ref()?;
        let place = live.versions.binary_search_by_key(&version, |known| known.version).ok()?;
        Some(live.versions[place])
    }

    /// The versions later than `after` and up to `up_to`, in their order.
    pub(super) fn later(&self, after: u64, up_to: u64) -> impl Iterator<Item = Version> + '_ {
        self.live.iter().flat_map(move |live| {
            let first = live.versions.partition_point(|version| version.version <= after);
            live.versions.range(first..).take_while(move |version| version.version <= up_to).copied()
        })
    }

    /// Committed operations that read `version`, by the number of their commit.
    pub(super) fn readers(&self, version: u64) -> &[u64] {
        self.live.as_ref().and_then(|live| live.readers.get(&version)).map_or(&[], Vec::as_slice)
    }

    /// Adds a version later than all others.
    pub(super) fn add(&mut self, version: Version) {
        self.live_mut().versions.push_back(version);
    }

    /// Takes the newest version back, if it is `version` and took no effect: the store gives its number again.
    pub(super) fn takes_back(&mut self, version: u64) -> bool {
        let Some(live) = &mut self.live else { return false };
        let is_last = |last: &Version| last.version == version && last.state == State::Aborted;
        let taken = live.versions.back().is_some_and(is_last);
        if taken {
            live.versions.pop_back();
        }
        taken
    }

    /// What became of `version`, and when. Its readers are given back when it is none that can be depended on.
    pub(super) fn end(&mut self, at: Moment, version: u64, state: State) -> Vec<u64> {
        let Some(live) = &mut self.live else { return Vec::new() };
        let Ok(place) = live.versions.binary_search_by_key(&version, |known| known.version) else {
            return Vec::new();
        };
        live.versions[place].state = state;
        if let State::Installed(commit) = state {
            let newest = live.committed.back().map_or(self.settled, |(_, version, _)| *version);
            if version > newest {
                live.committed.push_back((commit, version, at));
            }
            return Vec::new();
        }
        live.readers.remove(&version).unwrap_or_default()
    }

    /// The operation that is commit number `reader` had read `version`.
    pub(super) fn add_reader(&mut self, version: u64, reader: u64) {
        self.live_mut().readers.entry(version).or_default().push(reader);
    }

    pub(super) fn add_up_to_date(&mut self, operation: u64) {
        self.live_mut().up_to_date.insert(operation);
    }

    pub(super) fn remove_up_to_date(&mut self, operation: u64) {
        if let Some(live) = &mut self.live {
            live.up_to_date.remove(&operation);
        }
    }

    /// The open operations whose reads a write has just made old.
    pub(super) fn take_up_to_date(&mut self) -> BTreeSet<u64> {
        self.live.as_mut().map(|live| core::mem::take(&mut live.up_to_date)).unwrap_or_default()
    }

    /// Settles what was committed up to `commits`, and forgets the versions up to there whose operations are over
    /// and not kept: whoever reads one of those now reads a stale version.
    pub(super) fn settle(&mut self, commits: u64, is_kept: impl Fn(u64) -> bool) {
        let Some(live) = &mut self.live else { return };
        while let Some((commit, version, at)) = live.committed.front().copied()
            && commit <= commits
        {
            (self.settled, self.settled_at) = (version, at);
            live.committed.pop_front();
        }
        let is_needed = |version: &Version| match version.state {
            State::Open(_) => true,
            State::Installed(commit) => is_kept(commit),
            State::Intermediate | State::Aborted | State::Unknown => false,
        };
        while let Some(version) = live.versions.front().copied()
            && version.version <= self.settled
            && !is_needed(&version)
        {
            live.versions.pop_front();
            live.readers.remove(&version.version);
        }
        if live.versions.is_empty() && live.committed.is_empty() && live.up_to_date.is_empty() {
            self.live = None;
        }
    }

    fn live_mut(&mut self) -> &mut Live {
        self.live.get_or_insert_default()
    }
}
