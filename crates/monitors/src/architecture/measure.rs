//! Turns what the topology monitor gathered into graphs, shares and names.

mod graphs;

use std::collections::{BTreeMap, BTreeSet};

use fleetsim_engine::{AgentId, Names};

use super::{Architecture, Centralisation, NodeKind, NodeMeasures, SeamMeasures, Share, Shares, classify};
use crate::config::Medium;
use crate::graph::{self, Graph};
use crate::monitor::Moment;
use crate::ratio::Ratio;
use crate::role::Role;
use crate::text::counted;
use crate::topology::{Decider, Route, Topology};

/// Nodes that are listed.
const NODES_MAX: usize = 1000;

/// A node of the transport graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Node {
    Agent(AgentId),
    /// By its number among the texts of the topology.
    Medium(u32),
    /// A task store that no agent is.
    UnnamedStore,
}

/// Counts by node, from which the largest is picked.
type Counts = BTreeMap<Node, u64>;

/// The architecture of a run.
pub(crate) fn measure(topology: &Topology, names: &Names) -> Architecture {
    let view = View::new(topology, names);
    let (decisions, touches, carriers) = (view.decisions(), view.touches(), view.carriers());
    let decided: u64 = topology.decisions.values().map(|decided| decided.count).sum();
    let hand_overs: u64 = topology.routes.values().sum();
    let decider = view.largest(&decisions);
    let toucher = view.largest(&touches);
    let carrier = view.largest(&carriers);
    let part = |largest: Option<(Node, u64)>, whole| Ratio::new(largest.map_or(0, |(_, count)| count), whole);
    let shares = Shares {
        decision: part(decider, decided),
        logical: part(toucher, hand_overs),
        carrier: part(carrier, hand_overs),
    };
    let workers = view.workers();
    let transport = view.transport(&workers, &decisions);
    let separates = transport.separators();
    let one_hub = decider.is_some_and(|(node, _)| {
        Ratio::new(touches.get(&node).copied().unwrap_or(0), hand_overs).at_least(4, 5)
    });
    let agents = workers.len() as u64;
    let class =
        (hand_overs + decided > 0).then(|| classify(&shares, one_hub, agents, separates.contains(&true)));
    let hub = [(shares.decision, decider), (shares.logical, toucher), (shares.carrier, carrier)]
        .into_iter()
        .find(|(share, _)| share.at_least(1, 2))
        .and_then(|(_, largest)| largest)
        .map(|(node, _)| node);
    let named = |share, largest: Option<(Node, u64)>, ratio: Ratio| Share {
        share,
        by: largest.map(|(node, _)| view.name(node)).unwrap_or_default(),
        part: ratio.part,
        whole: ratio.whole,
    };
    let mut nodes = view.nodes(&transport, &separates, &decisions, &touches, &carriers);
    let nodes_left_out = nodes.len().saturating_sub(NODES_MAX) as u64;
    let mut separators: Vec<String> =
        nodes.iter().filter(|node| node.separates).map(|node| node.name.clone()).collect();
    separators.sort();
    nodes.truncate(NODES_MAX);
    Architecture {
        class,
        decides: view.who_decides(decider.filter(|_| shares.decision.at_least(1, 2))),
        carries: carrier
            .filter(|_| shares.carrier.at_least(1, 2))
            .map_or_else(|| "nobody".to_owned(), |(node, _)| view.name(node)),
        hub: hub.map(|node| view.name(node)),
        hub_role: hub.and_then(|node| match node {
            Node::Agent(agent) => Some(Role::of(agent).name(names)),
            Node::Medium(_) | Node::UnnamedStore => None,
        }),
        shares,
        largest: vec![
            named("decision", decider, shares.decision),
            named("logical", toucher, shares.logical),
            named("carrier", carrier, shares.carrier),
        ],
        agents,
        hand_overs,
        decisions: decided,
        centralisation_thousandths: Centralisation {
            transport: transport.graph.centralisation_thousandths(),
            logical: view.centralisation(view.received.iter().map(|(_, ends, _)| *ends)),
            decision: view.centralisation(view.chose.iter().map(|(pair, _)| *pair)),
        },
        separators,
        nodes,
        nodes_left_out,
        seams: view.seams(),
        caution: caution(&shares, touches.values().sum(), agents, hand_overs, decided),
        graphs: view.graphs(),
    }
}

/// Hand-overs and decisions below which one more moves a share by more than a tenth.
const SAMPLE_MIN: u64 = 10;

/// Why the name says little, if so. The cuts are the same for all fleets, but a small one may have no way to stay below
/// them: of two agents that hand over to each other, each touches everything.
fn caution(shares: &Shares, touches: u64, agents: u64, hand_overs: u64, decisions: u64) -> Option<String> {
    if hand_overs + decisions == 0 {
        return None;
    }
    // The least that the busiest agent can have, however evenly they share.
    let least = |count: u64, whole| Ratio::new(count.div_ceil(agents.max(1)), whole);
    let half = |share: Ratio| share.at_least(1, 2);
    let is_avoidable = half(shares.carrier)
        || shares.decision.at_least(4, 5)
        || (half(shares.logical) && !half(least(touches, hand_overs)))
        || (half(shares.decision) && !half(least(decisions, decisions)));
    if !is_avoidable && (half(shares.logical) || half(shares.decision)) {
        return Some(format!(
            "too few hand-overs to tell: among {} with {}, one has half of them however they share",
            counted(agents, "agent"),
            counted(hand_overs, "hand-over"),
        ));
    }
    (hand_overs + decisions < SAMPLE_MIN).then(|| {
        format!(
            "too few hand-overs to tell: {} and {}, where one more can change the name",
            counted(hand_overs, "hand-over"),
            counted(decisions, "decision"),
        )
    })
}

/// When whoever decides most took its first decision.
pub(crate) fn first_decision(topology: &Topology, names: &Names) -> Option<Moment> {
    let view = View::new(topology, names);
    let (decider, _) = view.largest(&view.decisions())?;
    let of_decider = topology.decisions.iter().filter(|((_, who), _)| view.decider(*who) == decider);
    of_decider.map(|(_, decided)| decided.first).min()
}

/// What was gathered, with the names that tell media, stores, people and the outside apart.
struct View<'a> {
    topology: &'a Topology,
    names: &'a Names,
    /// Receipts: by the way that they took, by seam and medium, by seam and both ends.
    routes: BTreeMap<Route, u64>,
    carried: BTreeMap<(u32, Option<u32>), u64>,
    received: Vec<(u32, (AgentId, AgentId), u64)>,
    /// Who chose whom how often.
    chose: Vec<((AgentId, AgentId), u64)>,
    /// Media that are things of their own, by name.
    media: BTreeMap<&'a str, u32>,
    /// Media that are an agent's inbox.
    inboxes: BTreeMap<u32, AgentId>,
    /// Agents that decided nothing but what others claimed from them: they only hold what others choose from.
    stores: BTreeSet<AgentId>,
}

/// The transport graph, with the ways that items take through it.
struct Transport {
    nodes: Vec<Node>,
    graph: Graph,
    paths: Vec<Vec<usize>>,
    /// The nodes through which others hand over.
    carriers: BTreeSet<usize>,
    is_worker: Vec<bool>,
}

impl Transport {
    /// For each node whether workers are apart without it.
    fn separators(&self) -> Vec<bool> {
        let mut separators = self.graph.separators(&self.is_worker);
        for carrier in graph::cut(&self.carriers, &self.paths, &self.is_worker).unwrap_or_default() {
            separators[carrier] = true;
        }
        separators
    }
}

impl<'a> View<'a> {
    fn new(topology: &'a Topology, names: &'a Names) -> View<'a> {
        let deciders = || topology.decisions.keys().map(|(_, decider)| *decider);
        let active: BTreeSet<AgentId> = deciders()
            .filter_map(|decider| if let Decider::Agent(agent) = decider { Some(agent) } else { None })
            .collect();
        let stores = deciders()
            .filter_map(|decider| if let Decider::Store(store) = decider { store } else { None })
            .filter(|store| !active.contains(store))
            .collect();
        let (mut routes, mut carried, mut received) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for ((seam, route), count) in topology.routes.sorted() {
            *routes.entry(route).or_default() += count;
            *carried.entry((seam, route.medium)).or_default() += count;
            *received.entry((seam, (route.giver, route.receiver))).or_default() += count;
        }
        let mut view = View {
            topology,
            names,
            routes,
            carried,
            received: received.into_iter().map(|((seam, ends), count)| (seam, ends, count)).collect(),
            chose: topology.chose.sorted().map(|(pair, count)| (pair, *count)).collect(),
            media: BTreeMap::new(),
            inboxes: BTreeMap::new(),
            stores,
        };
        for medium in view.carried.keys().filter_map(|(_, medium)| *medium) {
            let name = topology.texts.name(medium);
            match topology.config.media.get(name) {
                Some(Medium::Inbox(owner)) => {
                    // A role of several members has several inboxes, and none of them is a centre.
                    if let Some(owner) = names.find(owner) {
                        view.inboxes.insert(medium, owner);
                    }
                }
                Some(Medium::Direct) => {}
                Some(Medium::Carrier) | None => {
                    view.media.insert(name, medium);
                }
            }
        }
        view
    }

    fn is_outside(&self, agent: AgentId) -> bool {
        self.topology.config.is_outside(agent, self.names)
    }

    /// The node that an agent is: the agent behind a medium is the medium.
    fn node(&self, agent: AgentId) -> Node {
        let medium = self.names.group(agent).and_then(|group| self.media.get(group));
        medium.map_or(Node::Agent(agent), |medium| Node::Medium(*medium))
    }

    /// The node that a medium is, if it is one at all.
    fn medium(&self, medium: u32) -> Option<Node> {
        let inbox = self.inboxes.get(&medium).map(|owner| Node::Agent(*owner));
        let is_carrier = || self.media.contains_key(self.topology.texts.name(medium));
        inbox.or_else(|| is_carrier().then_some(Node::Medium(medium)))
    }

    fn decider(&self, decider: Decider) -> Node {
        match decider {
            Decider::Agent(agent) => self.node(agent),
            // Where work comes from outside and is claimed, nothing in the fleet is the store.
            Decider::Store(Some(agent)) if !self.is_outside(agent) => self.node(agent),
            Decider::Store(_) => Node::UnnamedStore,
        }
    }

    fn kind(&self, node: Node) -> NodeKind {
        let Node::Agent(agent) = node else {
            return if node == Node::UnnamedStore { NodeKind::Store } else { NodeKind::Medium };
        };
        let group = self.names.group(agent).unwrap_or_default();
        if self.topology.config.people.contains(group) {
            NodeKind::Person
        } else if self.topology.config.stores.contains(group) || self.stores.contains(&agent) {
            NodeKind::Store
        } else {
            NodeKind::Agent
        }
    }

    fn name(&self, node: Node) -> String {
        match node {
            Node::Agent(agent) => self.names.of(agent),
            Node::Medium(medium) => self.topology.texts.name(medium).to_owned(),
            Node::UnnamedStore => "the task store".to_owned(),
        }
    }

    /// The node with the largest count; among equals a medium before an agent, then the one whose name comes first.
    fn largest(&self, counts: &Counts) -> Option<(Node, u64)> {
        let most = counts.values().copied().max().filter(|most| *most > 0)?;
        let tied = counts.iter().filter(|(_, count)| **count == most).map(|(node, _)| *node);
        tied.min_by_key(|node| (matches!(node, Node::Agent(_)), self.name(*node))).map(|node| (node, most))
    }

    fn who_decides(&self, decider: Option<(Node, u64)>) -> String {
        let Some((node, _)) = decider else { return "nobody".to_owned() };
        let name = self.name(node);
        match self.kind(node) {
            NodeKind::Agent => format!("an active hub: {name}"),
            NodeKind::Person => format!("a human hub: {name}"),
            NodeKind::Medium | NodeKind::Store => format!("a passive store: {name}"),
        }
    }

    fn decisions(&self) -> Counts {
        let mut counts = Counts::new();
        for ((_, decider), decided) in &self.topology.decisions {
            if !matches!(decider, Decider::Agent(agent) if self.is_outside(*agent)) {
                *counts.entry(self.decider(*decider)).or_default() += decided.count;
            }
        }
        counts
    }

    /// Hand-overs by the agents that gave or received them, or through whose inbox they went.
    fn touches(&self) -> Counts {
        let mut counts = Counts::new();
        for (_, (giver, receiver), count) in &self.received {
            for agent in BTreeSet::from([*giver, *receiver]) {
                if !self.is_outside(agent) {
                    *counts.entry(self.node(agent)).or_default() += count;
                }
            }
        }
        for ((seam, medium), carried) in &self.carried {
            if let Some(owner) = medium.and_then(|medium| self.inboxes.get(&medium)) {
                let own =
                    self.of_seam(*seam).filter(|((giver, receiver), _)| [giver, receiver].contains(&owner));
                let own: u64 = own.map(|(_, count)| count).sum();
                *counts.entry(Node::Agent(*owner)).or_default() += carried.saturating_sub(own);
            }
        }
        counts
    }

    fn carriers(&self) -> Counts {
        let (mut media, mut relays) = (Counts::new(), Counts::new());
        for ((_, medium), carried) in &self.carried {
            if let Some(node) = medium.and_then(|medium| self.medium(medium)) {
                *media.entry(node).or_default() += carried;
            }
        }
        for (route, carried) in &self.routes {
            if let Some(relay) = route.relay {
                *relays.entry(self.node(relay)).or_default() += carried;
            }
        }
        // The agent behind a medium, or the owner of an inbox, carries what the medium carries, not that as well.
        for (node, carried) in relays {
            let known = media.entry(node).or_default();
            *known = carried.max(*known);
        }
        media
    }

    fn workers(&self) -> BTreeSet<AgentId> {
        let ends = self.received.iter().flat_map(|(_, (giver, receiver), _)| [*giver, *receiver]);
        let all = ends.chain(self.topology.claimants.sorted().map(|(claimant, ())| claimant));
        all.filter(|agent| !self.is_outside(*agent) && matches!(self.node(*agent), Node::Agent(_))).collect()
    }

    /// What stands between giver and receiver.
    fn between_ends(&self, route: &Route) -> [Option<Node>; 2] {
        let medium = route.medium.and_then(|medium| self.medium(medium));
        [medium, route.relay.map(|relay| self.node(relay))]
    }

    /// All nodes of a way, in order.
    fn stops(&self, route: &Route) -> Vec<Node> {
        let inside = |agent: AgentId| (!self.is_outside(agent)).then(|| self.node(agent));
        let [medium, relay] = self.between_ends(route);
        [inside(route.giver), medium, relay, inside(route.receiver)].into_iter().flatten().collect()
    }

    fn transport(&self, workers: &BTreeSet<AgentId>, decisions: &Counts) -> Transport {
        let (mut paths, mut carriers) = (Vec::new(), BTreeSet::new());
        for route in self.routes.keys() {
            carriers.extend(self.between_ends(route).into_iter().flatten());
            paths.push(self.stops(route));
        }
        // Whoever claims from a store is connected through it to all others that do.
        let is_store = |store: AgentId| self.stores.contains(&store) && !self.is_outside(store);
        let from_stores = self.chose.iter().map(|(pair, _)| pair).filter(|(store, _)| is_store(*store));
        paths.extend(from_stores.map(|(store, worker)| vec![self.node(*store), self.node(*worker)]));
        let mut nodes: BTreeSet<Node> = paths.iter().flatten().copied().collect();
        nodes.extend(workers.iter().map(|worker| self.node(*worker)));
        nodes.extend(decisions.keys());
        let nodes: Vec<Node> = nodes.into_iter().collect();
        let index = |node: &Node| nodes.binary_search(node).expect("the nodes are those of the paths");
        let paths: Vec<Vec<usize>> = paths.iter().map(|path| path.iter().map(index).collect()).collect();
        let edges = paths.iter().flat_map(|path| path.windows(2).map(|pair| (pair[0], pair[1])));
        let graph = Graph::new(nodes.len(), edges);
        let carriers = carriers.iter().map(index).collect();
        let is_worker =
            nodes.iter().map(|node| matches!(node, Node::Agent(agent) if workers.contains(agent))).collect();
        Transport { nodes, graph, paths, carriers, is_worker }
    }

    fn nodes(
        &self,
        transport: &Transport,
        separates: &[bool],
        decisions: &Counts,
        touches: &Counts,
        carriers: &Counts,
    ) -> Vec<NodeMeasures> {
        let betweenness = transport.graph.betweenness_thousandths();
        let count = |counts: &Counts, node: Node| counts.get(&node).copied().unwrap_or(0);
        let measures = |(index, node): (usize, &Node)| NodeMeasures {
            name: self.name(*node),
            kind: self.kind(*node),
            decisions: count(decisions, *node),
            hand_overs: count(touches, *node),
            carried: count(carriers, *node),
            neighbours: transport.graph.degree(index) as u64,
            betweenness_thousandths: betweenness.as_ref().map(|all| all[index]),
            separates: separates[index],
        };
        let mut nodes: Vec<NodeMeasures> = transport.nodes.iter().enumerate().map(measures).collect();
        nodes.sort_by(|a, b| {
            let weight = |node: &NodeMeasures| (node.decisions, node.hand_overs, node.carried);
            weight(b).cmp(&weight(a)).then_with(|| a.name.cmp(&b.name))
        });
        nodes
    }

    fn centralisation(&self, pairs: impl Iterator<Item = (AgentId, AgentId)>) -> u64 {
        let inside = |(a, b): &(AgentId, AgentId)| !self.is_outside(*a) && !self.is_outside(*b);
        let pairs: Vec<(Node, Node)> =
            pairs.filter(inside).map(|(a, b)| (self.node(a), self.node(b))).collect();
        let nodes: BTreeSet<Node> = pairs.iter().flat_map(|(a, b)| [*a, *b]).collect();
        let nodes: Vec<Node> = nodes.into_iter().collect();
        let index = |node: Node| nodes.binary_search(&node).expect("the nodes are those of the pairs");
        Graph::new(nodes.len(), pairs.iter().map(|(a, b)| (index(*a), index(*b))))
            .centralisation_thousandths()
    }

    /// Receipts of one seam, by giver and receiver.
    fn of_seam(&self, seam: u32) -> impl Iterator<Item = (&(AgentId, AgentId), &u64)> {
        let first = self.received.partition_point(|(known, ..)| *known < seam);
        let of_seam = self.received[first..].iter().take_while(move |(known, ..)| *known == seam);
        of_seam.map(|(_, ends, count)| (ends, count))
    }

    fn seams(&self) -> Vec<SeamMeasures> {
        let numbers: BTreeSet<u32> = self.received.iter().map(|(seam, ..)| *seam).collect();
        let mut seams: Vec<SeamMeasures> = numbers.into_iter().map(|seam| self.seam(seam)).collect();
        seams.sort_by(|a, b| a.name.cmp(&b.name));
        seams
    }

    fn seam(&self, seam: u32) -> SeamMeasures {
        let topology = self.topology;
        let (mut hand_overs, mut agents) = (0, BTreeSet::new());
        for ((giver, receiver), count) in self.of_seam(seam) {
            hand_overs += count;
            agents.extend([*giver, *receiver].into_iter().filter(|agent| !self.is_outside(*agent)));
        }
        let carried = self.carried.range((seam, None)..).take_while(|((known, _), _)| *known == seam);
        let media = carried.filter_map(|((_, medium), _)| *medium);
        let mut media: Vec<String> = media.map(|medium| topology.texts.name(medium).to_owned()).collect();
        media.sort();
        let mut counts = Counts::new();
        let least = (Some(seam), Decider::Agent(AgentId::from_u64(0)));
        let decided = topology.decisions.range(least..).take_while(|((known, _), _)| *known == Some(seam));
        for ((_, decider), decided) in decided {
            *counts.entry(self.decider(*decider)).or_default() += decided.count;
        }
        let largest = self.largest(&counts);
        SeamMeasures {
            name: topology.texts.name(seam).to_owned(),
            media,
            hand_overs,
            decides: largest.map_or_else(|| "nobody".to_owned(), |(node, _)| self.name(node)),
            decisions: Ratio::new(largest.map_or(0, |(_, count)| count), counts.values().sum()),
            agents: agents.len() as u64,
        }
    }
}
