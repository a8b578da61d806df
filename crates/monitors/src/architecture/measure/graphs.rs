//! The three graphs as weighted edges between names.

use std::collections::BTreeMap;

use fleetsim_engine::AgentId;

use super::{Node, View};
use crate::architecture::{Edge, Edges, Graphs};

/// Edges of a graph that are listed.
const EDGES_MAX: usize = 10_000;

/// How often something went from one node to another.
type Counts = BTreeMap<(Node, Node), u64>;

impl View<'_> {
    /// The graphs. What comes in from outside has no node at its other end, and no edge.
    pub(super) fn graphs(&self) -> Graphs {
        Graphs {
            transport: self.edges(&self.transported()),
            logical: self.edges(&self.between(self.received.iter().map(|(_, ends, count)| (*ends, *count)))),
            decision: self.edges(&self.between(self.chose.iter().copied())),
        }
    }

    /// From node to node on the way, media and relays among them.
    fn transported(&self) -> Counts {
        let mut counts = Counts::new();
        for (route, count) in &self.routes {
            let stops = self.stops(route);
            for pair in stops.windows(2).filter(|pair| pair[0] != pair[1]) {
                *counts.entry((pair[0], pair[1])).or_default() += count;
            }
        }
        // Who claims what nobody handed over takes it from the store.
        for ((store, worker), count) in &self.chose {
            if self.stores.contains(store) && !self.is_outside(*store) {
                let edge = (self.node(*store), self.node(*worker));
                // A store that hands over is on the route already.
                counts.entry(edge).or_insert(*count);
            }
        }
        counts
    }

    fn between(&self, pairs: impl Iterator<Item = ((AgentId, AgentId), u64)>) -> Counts {
        let mut counts = Counts::new();
        for ((from, to), count) in pairs {
            if !self.is_outside(from) && !self.is_outside(to) {
                *counts.entry((self.node(from), self.node(to))).or_default() += count;
            }
        }
        counts
    }

    fn edges(&self, counts: &Counts) -> Edges {
        let edge = |((from, to), count): (&(Node, Node), &u64)| Edge {
            from: self.name(*from),
            to: self.name(*to),
            count: *count,
        };
        let mut edges: Vec<Edge> = counts.iter().map(edge).collect();
        edges.sort_by(|a, b| (&a.from, &a.to).cmp(&(&b.from, &b.to)));
        let left_out = edges.len().saturating_sub(EDGES_MAX) as u64;
        edges.truncate(EDGES_MAX);
        Edges { edges, left_out }
    }
}
