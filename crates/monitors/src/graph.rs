//! Undirected graphs and what their shape says: whose removal separates others, how central the centre is.
//!
//! A carrier in the middle of a way is more than a node: the whole way is gone with it, which [`cut`] knows.

use std::collections::{BTreeSet, VecDeque};

/// Nodes times edges up to which betweenness is computed; beyond, it would take minutes.
const BETWEENNESS_WORK_MAX: usize = 50_000_000;
/// Nodes times stops up to which cuts are looked for one by one.
const CUT_WORK_MAX: usize = 50_000_000;
/// One, in the fixed-point numbers of betweenness.
const ONE: u128 = 1_000_000_000;

/// An undirected graph without loops and parallel edges. Nodes are numbered from 0.
#[derive(Clone, Debug)]
pub(crate) struct Graph {
    neighbours: Vec<Vec<usize>>,
    edges: usize,
}

impl Graph {
    /// The graph of `nodes` nodes with `edges`, of which loops and repetitions are ignored.
    pub(crate) fn new(nodes: usize, edges: impl IntoIterator<Item = (usize, usize)>) -> Graph {
        let edges: BTreeSet<(usize, usize)> =
            edges.into_iter().filter(|(a, b)| a != b).map(|(a, b)| (a.min(b), a.max(b))).collect();
        let mut neighbours = vec![Vec::new(); nodes];
        for (a, b) in &edges {
            neighbours[*a].push(*b);
            neighbours[*b].push(*a);
        }
        Graph { neighbours, edges: edges.len() }
    }

    /// How many neighbours `node` has.
    pub(crate) fn degree(&self, node: usize) -> usize {
        self.neighbours[node].len()
    }

    /// Freeman's degree centralisation in thousandths: 1000 for a star, 0 for a ring or a complete graph.
    pub(crate) fn centralisation_thousandths(&self) -> u64 {
        let nodes = self.neighbours.len() as u128;
        if nodes < 3 {
            return 0;
        }
        let most = self.neighbours.iter().map(Vec::len).max().unwrap_or(0) as u128;
        let sum: u128 = self.neighbours.iter().map(|neighbours| most - neighbours.len() as u128).sum();
        (sum * 1000 / ((nodes - 1) * (nodes - 2))) as u64
    }

    /// For each node whether removing it leaves workers that could reach each other apart (Tarjan's articulation
    /// points, but only those that separate workers: a broker that hangs on one agent is no loss to the others).
    pub(crate) fn separators(&self, is_worker: &[bool]) -> Vec<bool> {
        let mut search = Search::new(self.neighbours.len());
        for root in 0..self.neighbours.len() {
            if search.order[root].is_none() {
                search.component(self, is_worker, root);
            }
        }
        search.separates
    }

    /// For each node the share of shortest paths between the others that go through it, in thousandths; `None`
    /// when the graph is too large or has too many shortest paths to count.
    pub(crate) fn betweenness_thousandths(&self) -> Option<Vec<u64>> {
        let nodes = self.neighbours.len();
        if nodes.saturating_mul(self.edges.max(1)) > BETWEENNESS_WORK_MAX {
            return None;
        }
        let mut sums = vec![0_u128; nodes];
        for source in 0..nodes {
            self.add_dependencies(source, &mut sums)?;
        }
        let pairs = (nodes.saturating_sub(1) * nodes.saturating_sub(2)) as u128;
        // Each pair was counted from both ends, and `pairs` counts both as well.
        Some(
            sums.iter().map(|sum| if pairs == 0 { 0 } else { (sum * 1000 / (pairs * ONE)) as u64 }).collect(),
        )
    }

    /// Brandes: adds, for every node, its share of the shortest paths that start at `source`.
    fn add_dependencies(&self, source: usize, sums: &mut [u128]) -> Option<()> {
        let nodes = self.neighbours.len();
        let (mut distance, mut paths) = (vec![usize::MAX; nodes], vec![0_u128; nodes]);
        (distance[source], paths[source]) = (0, 1);
        let (mut reached, mut queue) = (Vec::new(), VecDeque::from([source]));
        while let Some(node) = queue.pop_front() {
            reached.push(node);
            for next in &self.neighbours[node] {
                if distance[*next] == usize::MAX {
                    distance[*next] = distance[node] + 1;
                    queue.push_back(*next);
                }
                if distance[*next] == distance[node] + 1 {
                    paths[*next] = paths[*next].checked_add(paths[node])?;
                }
            }
        }
        let mut dependency = vec![0_u128; nodes];
        for node in reached.into_iter().rev() {
            for before in &self.neighbours[node] {
                if distance[*before] != usize::MAX && distance[*before] + 1 == distance[node] {
                    dependency[*before] += paths[*before].checked_mul(ONE + dependency[node])? / paths[node];
                }
            }
            if node != source {
                sums[node] += dependency[node];
            }
        }
        Some(())
    }
}

/// For each of `nodes` whether workers that `paths` connect are apart once all paths through it are gone. `None`
/// when there is too much to look at; [`Graph::separators`] then finds what a plain graph tells.
pub(crate) fn cut(nodes: &BTreeSet<usize>, paths: &[Vec<usize>], is_worker: &[bool]) -> Option<Vec<usize>> {
    let stops: usize = paths.iter().map(Vec::len).sum();
    if nodes.len().saturating_mul(stops + is_worker.len()) > CUT_WORK_MAX {
        return None;
    }
    let pieces = |node: usize, all: bool| {
        let mut components = Components::new(is_worker.len());
        for path in paths.iter().filter(|path| all || !path.contains(&node)) {
            path.windows(2).for_each(|pair| components.join(pair[0], pair[1]));
        }
        let workers = (0..is_worker.len()).filter(|other| *other != node && is_worker[*other]);
        workers.map(|worker| components.root(worker)).collect::<BTreeSet<usize>>().len()
    };
    Some(nodes.iter().copied().filter(|node| pieces(*node, false) > pieces(*node, true)).collect())
}

/// Sets of nodes that are joined pair by pair.
struct Components {
    parents: Vec<usize>,
}

impl Components {
    fn new(nodes: usize) -> Components {
        Components { parents: (0..nodes).collect() }
    }

    fn root(&mut self, mut node: usize) -> usize {
        while self.parents[node] != node {
            // Halving the way for those who come after keeps it short.
            self.parents[node] = self.parents[self.parents[node]];
            node = self.parents[node];
        }
        node
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents[a.max(b)] = a.min(b);
    }
}

/// A depth-first search without recursion: a chain of a million agents must not overflow the stack.
struct Search {
    /// When each node was found.
    order: Vec<Option<usize>>,
    /// The earliest node that a node's subtree has an edge to.
    low: Vec<usize>,
    /// Workers in each node's subtree.
    workers: Vec<usize>,
    /// Subtrees with workers that only this node connects to the rest.
    cut_off: Vec<usize>,
    /// Workers in those subtrees.
    cut_off_workers: Vec<usize>,
    separates: Vec<bool>,
    found: usize,
}

impl Search {
    fn new(nodes: usize) -> Search {
        Search {
            order: vec![None; nodes],
            low: vec![0; nodes],
            workers: vec![0; nodes],
            cut_off: vec![0; nodes],
            cut_off_workers: vec![0; nodes],
            separates: vec![false; nodes],
            found: 0,
        }
    }

    fn component(&mut self, graph: &Graph, is_worker: &[bool], root: usize) {
        let mut members = Vec::new();
        // A node, the one it was found from, and how many of its neighbours have been looked at.
        let mut stack = vec![(root, root, 0)];
        self.find(root, is_worker, &mut members);
        while let Some((node, parent, looked_at)) = stack.last_mut() {
            let (node, parent) = (*node, *parent);
            if let Some(next) = graph.neighbours[node].get(*looked_at).copied() {
                *looked_at += 1;
                match self.order[next] {
                    None => {
                        self.find(next, is_worker, &mut members);
                        stack.push((next, node, 0));
                    }
                    // The way back to the parent counts as well: it reaches no further than the parent.
                    Some(order) => self.low[node] = self.low[node].min(order),
                }
            } else {
                stack.pop();
                if node != root {
                    self.leave(node, parent);
                }
            }
        }
        let total = self.workers[root];
        for node in members {
            let rest = total - self.cut_off_workers[node] - usize::from(is_worker[node]);
            self.separates[node] = self.cut_off[node] + usize::from(rest > 0) >= 2;
        }
    }

    fn find(&mut self, node: usize, is_worker: &[bool], members: &mut Vec<usize>) {
        self.order[node] = Some(self.found);
        self.low[node] = self.found;
        self.workers[node] = usize::from(is_worker[node]);
        self.found += 1;
        members.push(node);
    }

    /// All of `node`'s subtree is known: tells its parent.
    fn leave(&mut self, node: usize, parent: usize) {
        self.low[parent] = self.low[parent].min(self.low[node]);
        self.workers[parent] += self.workers[node];
        let parent_order = self.order[parent].expect("a parent was found before its child");
        if self.low[node] >= parent_order && self.workers[node] > 0 {
            self.cut_off[parent] += 1;
            self.cut_off_workers[parent] += self.workers[node];
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Counts the pieces that hold workers, with `removed` taken out.
    fn pieces(graph: &Graph, is_worker: &[bool], removed: Option<usize>) -> usize {
        let mut seen = vec![false; graph.neighbours.len()];
        let mut pieces = 0;
        for start in 0..seen.len() {
            let (mut stack, mut has_worker) = (vec![start], false);
            while let Some(node) = stack.pop() {
                if Some(node) != removed && !core::mem::replace(&mut seen[node], true) {
                    has_worker |= is_worker[node];
                    stack.extend(&graph.neighbours[node]);
                }
            }
            pieces += usize::from(has_worker);
        }
        pieces
    }

    fn separators_by_removal(graph: &Graph, is_worker: &[bool]) -> Vec<bool> {
        let separates = |node: usize| {
            // A worker that stands alone is one piece less when it is removed itself.
            let alone = is_worker[node] && {
                let mut others = vec![false; is_worker.len()];
                others[node] = true;
                let reached = reachable(graph, node);
                reached.iter().all(|other| *other == node || !is_worker[*other])
            };
            pieces(graph, is_worker, Some(node)) > pieces(graph, is_worker, None) - usize::from(alone)
        };
        (0..is_worker.len()).map(separates).collect()
    }

    /// Of every pair of others, the share of shortest ways through a node: Floyd and Warshall's lengths, and numbers of
    /// ways by going over them in order of length.
    fn betweenness_by_pairs(graph: &Graph) -> Vec<u64> {
        const FAR: usize = 1_000;
        let nodes = graph.neighbours.len();
        let mut length = vec![vec![FAR; nodes]; nodes];
        for (node, row) in length.iter_mut().enumerate() {
            row[node] = 0;
            graph.neighbours[node].iter().for_each(|next| row[*next] = 1);
        }
        for middle in 0..nodes {
            for from in 0..nodes {
                for to in 0..nodes {
                    length[from][to] = length[from][to].min(length[from][middle] + length[middle][to]);
                }
            }
        }
        let ways = |from: usize| {
            let mut ways = vec![0_u64; nodes];
            ways[from] = 1;
            for far in 1..nodes {
                for to in (0..nodes).filter(|to| length[from][*to] == far) {
                    let before = graph.neighbours[to].iter().filter(|near| length[from][**near] + 1 == far);
                    ways[to] = before.map(|near| ways[*near]).sum();
                }
            }
            ways
        };
        let ways: Vec<Vec<u64>> = (0..nodes).map(ways).collect();
        let pairs = (nodes.saturating_sub(1) * nodes.saturating_sub(2)) as u64;
        let share = |node: usize| {
            let mut sum = 0;
            for from in (0..nodes).filter(|from| *from != node) {
                for to in (0..nodes).filter(|to| *to != node && *to != from && length[from][*to] < FAR) {
                    if length[from][node] + length[node][to] == length[from][to] {
                        sum += ways[from][node] * ways[node][to] * 1_000_000 / ways[from][to];
                    }
                }
            }
            sum.checked_div(pairs * 1_000).unwrap_or(0)
        };
        (0..nodes).map(share).collect()
    }

    fn reachable(graph: &Graph, from: usize) -> BTreeSet<usize> {
        let (mut seen, mut stack) = (BTreeSet::new(), vec![from]);
        while let Some(node) = stack.pop() {
            if seen.insert(node) {
                stack.extend(&graph.neighbours[node]);
            }
        }
        seen
    }

    fn graphs() -> impl Strategy<Value = (Graph, Vec<bool>)> {
        (1_usize..9).prop_flat_map(|nodes| {
            let edges = prop::collection::vec((0..nodes, 0..nodes), 0..14);
            let workers = prop::collection::vec(any::<bool>(), nodes);
            (edges, workers).prop_map(move |(edges, workers)| (Graph::new(nodes, edges), workers))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn separators_equal_those_found_by_removal((graph, is_worker) in graphs()) {
            prop_assert_eq!(graph.separators(&is_worker), separators_by_removal(&graph, &is_worker));
        }

        #[test]
        fn betweenness_equals_that_of_all_pairs((graph, _) in graphs()) {
            let found = graph.betweenness_thousandths().expect("the graph is small");
            for (node, (found, expected)) in found.iter().zip(betweenness_by_pairs(&graph)).enumerate() {
                prop_assert!(found.abs_diff(expected) <= 1, "node {}: {} for {}", node, found, expected);
            }
        }

        #[test]
        fn on_plain_edges_cuts_are_separators((graph, is_worker) in graphs()) {
            let all = 0..is_worker.len();
            let edge = |node: usize| graph.neighbours[node].iter().map(move |next| vec![node, *next]);
            let paths: Vec<Vec<usize>> = all.clone().flat_map(edge).collect();
            let separators = graph.separators(&is_worker);
            let expected = all.clone().filter(|node| separators[*node]).collect();
            prop_assert_eq!(cut(&all.collect(), &paths, &is_worker), Some(expected));
        }
    }

    fn star(leaves: usize) -> Graph {
        Graph::new(leaves + 1, (1..=leaves).map(|leaf| (0, leaf)))
    }

    fn ring(nodes: usize) -> Graph {
        Graph::new(nodes, (0..nodes).map(|node| (node, (node + 1) % nodes)))
    }

    #[test]
    fn centralisation_is_one_for_a_star_and_zero_for_a_ring() {
        assert_eq!(star(5).centralisation_thousandths(), 1000);
        assert_eq!(ring(6).centralisation_thousandths(), 0);
        assert_eq!(Graph::new(2, [(0, 1)]).centralisation_thousandths(), 0);
    }

    #[test]
    fn betweenness_is_the_share_of_paths_through_a_node() {
        assert_eq!(star(4).betweenness_thousandths(), Some(vec![1000, 0, 0, 0, 0]));
        // In a ring of five, each node lies on the only shortest path of one pair out of six.
        assert_eq!(ring(5).betweenness_thousandths(), Some(vec![166; 5]));
        let chain = Graph::new(4, [(0, 1), (1, 2), (2, 3)]);
        assert_eq!(chain.betweenness_thousandths(), Some(vec![0, 666, 666, 0]));
    }

    #[test]
    fn only_workers_are_separated() {
        let star = star(3);
        assert_eq!(star.separators(&[true; 4]), [true, false, false, false]);
        assert_eq!(star.separators(&[true, true, false, false]), [false; 4]);
        assert_eq!(star.separators(&[false, true, true, false]), [true, false, false, false]);
        assert_eq!(ring(5).separators(&[true; 5]), [false; 5]);
    }

    #[test]
    fn a_long_chain_does_not_overflow_the_stack() {
        let nodes = 200_000;
        let chain = Graph::new(nodes, (1..nodes).map(|node| (node - 1, node)));
        let separators = chain.separators(&vec![true; nodes]);
        assert_eq!(separators.iter().filter(|separates| **separates).count(), nodes - 2);
        assert_eq!(chain.betweenness_thousandths(), None);
    }
}
