//! Dependencies between committed operations, and the smallest circle that one of them closes.
//!
//! Between two operations A and B there is
//!
//! - a *write dependency* (ww) if B installed a later version of a resource that A installed a version of;
//! - a *read dependency* (wr) if B read the version that A installed;
//! - an *anti-dependency* (rw) if B installed a later version of a resource than the one that A read.
//!
//! Whether there is one depends on nothing but what the two did. A version's *next* one is not singled out, so that
//! an operation in between that ends late, or never, changes nothing between two that have ended. An operation
//! closes a circle if it is the last in it to commit, so that every circle is closed once.

use std::collections::{BTreeMap, VecDeque};

use super::history::History;

/// The operation that is commit number `.0`, before (0) or after (1) an anti-dependency that is counted.
type Place = (u64, u8);

/// What a circle is made of, from the strongest to the weakest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Circle {
    /// Write dependencies alone (Adya's G0).
    Writes,
    /// Write and read dependencies (G1c).
    Flow,
    /// Exactly one anti-dependency (G-single).
    OneOvertaken,
    /// Several anti-dependencies (G2-item).
    Overtaken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Write,
    Read,
    Anti,
}

/// `to` depends on `from`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dependency {
    pub(super) kind: Kind,
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) resource: u32,
    /// The version that `from` made or read.
    pub(super) from_version: u64,
    /// The version that `to` made or read.
    pub(super) to_version: u64,
}

impl History {
    /// The strongest circle that commit number `closing` closes, and of those the smallest, from it back to it.
    ///
    /// One search for any circle, which is all that most commits need; then one for each class. The shortest closed
    /// walk of a class visits nothing twice: a part from an operation back to itself could be left out, unless the
    /// rest were a circle of a stronger class, of which there was none. Each search visits an operation at most
    /// twice and a version at most twice for each resource: O(n log n) in what `closing` leads to among what is kept.
    pub(super) fn circle(&self, closing: u64) -> Option<(Circle, Vec<Dependency>)> {
        let any = self.shortest(closing, Circle::Overtaken)?;
        let stronger = [Circle::Writes, Circle::Flow, Circle::OneOvertaken];
        let found = stronger.into_iter().find_map(|class| Some((class, self.shortest(closing, class)?)));
        Some(found.unwrap_or((Circle::Overtaken, any)))
    }

    /// The shortest closed walk through `closing` that has nothing but what `class` allows.
    fn shortest(&self, closing: u64, class: Circle) -> Option<Vec<Dependency>> {
        let start = (closing, 0);
        let goal = (closing, u8::from(class == Circle::OneOvertaken));
        let mut search = Search::new(self, class);
        let mut next = VecDeque::from([start]);
        let mut reached = Vec::new();
        while let Some(place) = next.pop_front() {
            search.step(place, &mut reached);
            for (place, dependency) in reached.drain(..) {
                if place == goal {
                    return Some(search.walk(start, dependency, goal.1));
                }
                if place.0 != closing && !search.came_by.contains_key(&place) {
                    search.came_by.insert(place, dependency);
                    next.push_back(place);
                }
            }
        }
        None
    }

    /// The kept operations that depend directly on commit `from`, those by way of a later version left out.
    pub(super) fn dependents(&self, from: u64, mut add: impl FnMut(u64)) {
        let Some(operation) = self.kept.get(&from) else { return };
        let overtaken = operation.overtakable_reads().map(|read| (read.resource, read.version));
        let overwritten = operation.writes.iter().map(|write| (write.resource, write.version));
        for (resource, version) in overtaken.chain(overwritten) {
            let mut later = self.resources[resource as usize].later(version, u64::MAX);
            if let Some(commit) = later.find_map(|version| self.installed(version.state)) {
                add(commit);
            }
        }
        for write in &operation.writes {
            self.resources[write.resource as usize].readers(write.version).iter().copied().for_each(&mut add);
        }
    }
}

/// A search by breadth.
struct Search<'a> {
    history: &'a History,
    class: Circle,
    /// The dependency by which a place was first reached, and so by the shortest way.
    came_by: BTreeMap<Place, Dependency>,
    /// All versions later than this one were reached, by resource and side of the anti-dependency.
    reached_after: BTreeMap<(u32, u8), u64>,
}

impl<'a> Search<'a> {
    fn new(history: &'a History, class: Circle) -> Search<'a> {
        Search { history, class, came_by: BTreeMap::new(), reached_after: BTreeMap::new() }
    }

    /// Whatever can be reached by one dependency.
    fn step(&mut self, (from, side): Place, reached: &mut Vec<(Place, Dependency)>) {
        let Some(operation) = self.history.kept.get(&from) else { return };
        for write in &operation.writes {
            self.later(Kind::Write, from, (write.resource, write.version), side, reached);
            if self.class == Circle::Writes {
                continue;
            }
            for reader in self.history.resources[write.resource as usize].readers(write.version) {
                let dependency = Dependency {
                    kind: Kind::Read,
                    from,
                    to: *reader,
                    resource: write.resource,
                    from_version: write.version,
                    to_version: write.version,
                };
                reached.push(((*reader, side), dependency));
            }
        }
        let to_side = match (self.class, side) {
            (Circle::Overtaken, _) => 0,
            (Circle::OneOvertaken, 0) => 1,
            _ => return,
        };
        for read in operation.overtakable_reads() {
            self.later(Kind::Anti, from, (read.resource, read.version), to_side, reached);
        }
    }

    fn later(
        &mut self,
        kind: Kind,
        from: u64,
        (resource, version): (u32, u64),
        side: u8,
        reached: &mut Vec<(Place, Dependency)>,
    ) {
        let reached_after = self.reached_after.entry((resource, side)).or_insert(u64::MAX);
        let up_to = core::mem::replace(reached_after, version.min(*reached_after));
        for later in self.history.resources[resource as usize].later(version, up_to) {
            if let Some(to) = self.history.installed(later.state) {
                let (from_version, to_version) = (version, later.version);
                let dependency = Dependency { kind, from, to, resource, from_version, to_version };
                reached.push(((to, side), dependency));
            }
        }
    }

    /// The way from `start` to where `last` begins, and `last`, which ends on `side`.
    fn walk(&self, start: Place, last: Dependency, side: u8) -> Vec<Dependency> {
        let side_before = |dependency: &Dependency, side: u8| match (self.class, dependency.kind) {
            (Circle::OneOvertaken, Kind::Anti) => 0,
            _ => side,
        };
        let mut place = (last.from, side_before(&last, side));
        let mut walk = vec![last];
        while place != start {
            let dependency = self.came_by[&place];
            walk.push(dependency);
            place = (dependency.from, side_before(&dependency, place.1));
        }
        walk.reverse();
        walk
    }
}
