//! The honest name of an architecture: its class, who decides, who carries, and the numbers behind the name.
//!
//! The class follows from three exact shares: of decisions taken by one agent, of hand-overs touching one agent, of
//! hand-overs carried by one medium or relay. The definitions are tried in the order of [`ArchitectureClass`].
//!
//! *Source.* Shares and thresholds of our own, as [`ArchitectureClass`] says them.
//!
//! *Parameters.* [`MonitorConfig::claims_to_be`], media, stores and people.

mod measure;

use core::fmt;
use std::collections::BTreeMap;

use fleetsim_engine::Names;
use serde::{Deserialize, Serialize};

use crate::finding::{Class, Evidence, Finding, Numbers, Severity};
use crate::ratio::Ratio;
use crate::text::shown;
use crate::topology::Topology;

pub(crate) use measure::measure;

/// What a fleet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ArchitectureClass {
    /// One agent takes at least 0.8 of the decisions and touches at least 0.8 of the hand-overs.
    #[serde(rename = "hub-and-spoke")]
    HubAndSpoke,
    /// Not that, and one agent takes half of the decisions or touches half of the hand-overs, or one medium or
    /// relay carries half of them.
    #[serde(rename = "distributed hub-and-spoke")]
    DistributedHubAndSpoke,
    /// None of these shares exceeds the larger of 0.2 and 2/N for N working agents, and no agent or medium
    /// separates workers when it is removed.
    #[serde(rename = "peer-to-peer")]
    PeerToPeer,
    /// Everything else, told seam by seam.
    #[serde(rename = "hybrid")]
    Hybrid,
}

impl ArchitectureClass {
    /// All classes, in the order in which they are tried.
    pub const ALL: [ArchitectureClass; 4] = [
        ArchitectureClass::HubAndSpoke,
        ArchitectureClass::DistributedHubAndSpoke,
        ArchitectureClass::PeerToPeer,
        ArchitectureClass::Hybrid,
    ];

    /// The name in scenarios and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            ArchitectureClass::HubAndSpoke => "hub-and-spoke",
            ArchitectureClass::DistributedHubAndSpoke => "distributed hub-and-spoke",
            ArchitectureClass::PeerToPeer => "peer-to-peer",
            ArchitectureClass::Hybrid => "hybrid",
        }
    }

    /// The class called `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<ArchitectureClass> {
        ArchitectureClass::ALL.into_iter().find(|class| class.name() == name)
    }
}

impl fmt::Display for ArchitectureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The measured architecture of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Architecture {
    /// The class; `None` when nothing was handed over and nothing decided.
    #[serde(rename = "architecture")]
    pub class: Option<ArchitectureClass>,
    /// Who decides: `an active hub: NAME`, `a human hub: NAME`, `a passive store: NAME`, or `nobody`.
    pub decides: String,
    /// Which medium or relay carries at least half of the hand-overs, or `nobody`.
    pub carries: String,
    /// The agent, store or medium that makes it a hub-and-spoke, if it is one.
    pub hub: Option<String>,
    /// The role of the hub, if it is an agent.
    pub hub_role: Option<String>,
    /// The shares that the class follows from.
    pub shares: Shares,
    /// Whose shares these are, in the same order.
    pub largest: Vec<Share>,
    /// Agents that work: that gave, received or claimed something.
    pub agents: u64,
    /// Hand-overs that were received.
    pub hand_overs: u64,
    /// Decisions that were taken.
    pub decisions: u64,
    /// Freeman's degree centralisation of the three graphs, in thousandths.
    pub centralisation_thousandths: Centralisation,
    /// Agents and media whose removal separates workers from each other: single points of failure.
    pub separators: Vec<String>,
    /// The nodes, those that decide most first; at most 1,000.
    pub nodes: Vec<NodeMeasures>,
    /// Nodes beyond those listed.
    pub nodes_left_out: u64,
    /// The seams, by name.
    pub seams: Vec<SeamMeasures>,
    /// Why the name says little, if so: the fleet is too small, or has handed over too little.
    pub caution: Option<String>,
    /// The graphs that all this follows from.
    #[serde(skip)]
    pub graphs: Graphs,
}

/// The three graphs of a run, as directed and weighted edges between names. The outside is no node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Graphs {
    /// The ways that items took, with media, stores and relays as nodes.
    pub transport: Edges,
    /// Who handed over to whom, whatever lay between.
    pub logical: Edges,
    /// Who chose whom as a receiver, or judged whose result; a store chose those that claimed from it.
    pub decision: Edges,
}

/// The edges of one graph.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Edges {
    /// By name of both ends; at most 10,000.
    pub edges: Vec<Edge>,
    /// Edges beyond those.
    pub left_out: u64,
}

/// One edge of a graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Edge {
    /// Where it begins.
    pub from: String,
    /// Where it ends.
    pub to: String,
    /// How often it was taken.
    pub count: u64,
}

/// The three shares, each from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Shares {
    /// The largest share of decisions taken by one agent or store.
    pub decision: Ratio,
    /// The largest share of hand-overs touching one agent.
    pub logical: Ratio,
    /// The largest share of hand-overs carried by one medium or relay.
    pub carrier: Ratio,
}

/// The largest share of one sort.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Share {
    /// `decision`, `logical` or `carrier`.
    pub share: &'static str,
    /// Whose it is; empty when there was nothing to share.
    pub by: String,
    /// How many are its.
    pub part: u64,
    /// Of how many.
    pub whole: u64,
}

/// Degree centralisation: 1000 for a star, 0 for a ring or a complete graph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Centralisation {
    /// With media and relays as nodes.
    pub transport: u64,
    /// Who really hands work to whom.
    pub logical: u64,
    /// Who chose whom.
    pub decision: u64,
}

/// What kind of thing a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeKind {
    /// A program.
    Agent,
    /// A person.
    Person,
    /// A thing that carries.
    Medium,
    /// A thing that holds tasks until they are claimed.
    Store,
}

/// What was measured of one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodeMeasures {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: NodeKind,
    /// Decisions that it took.
    pub decisions: u64,
    /// Hand-overs that it gave, received or, through its inbox, passed on.
    pub hand_overs: u64,
    /// Hand-overs that it carried for others.
    pub carried: u64,
    /// Its neighbours in the transport graph.
    pub neighbours: u64,
    /// The share of shortest ways between others that lead through it, in thousandths; `None` in a graph too large.
    pub betweenness_thousandths: Option<u64>,
    /// Whether removing it separates workers from each other.
    pub separates: bool,
}

/// What was measured of one seam.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SeamMeasures {
    /// Its name.
    pub name: String,
    /// The media that carried it, by name; none when giver and receiver needed none.
    pub media: Vec<String>,
    /// Hand-overs that were received.
    pub hand_overs: u64,
    /// Who took most of its decisions; `nobody` when none was stated.
    pub decides: String,
    /// How many of its decisions that one took.
    pub decisions: Ratio,
    /// The givers and receivers that were seen on it.
    pub agents: u64,
}

impl Architecture {
    /// The largest share that a peer may have: the larger of 0.2 and 2/N for N working agents.
    #[must_use]
    pub fn peer_share_max(&self) -> Ratio {
        let fair = Ratio::new(2, self.agents.max(2));
        if fair.at_least(1, 5) { fair } else { Ratio::new(1, 5) }
    }

    /// Whether it is of `class` and, if that is asked, has the agent, store, medium or role `hub` as its hub.
    #[must_use]
    pub fn matches(&self, class: ArchitectureClass, hub: Option<&str>) -> bool {
        let is_hub =
            |name: &str| [&self.hub, &self.hub_role].into_iter().flatten().any(|known| known == name);
        self.class == Some(class) && hub.is_none_or(is_hub)
    }
}

/// The class that the shares make, `separates` telling whether some node separates workers.
fn classify(shares: &Shares, one_hub: bool, agents: u64, separates: bool) -> ArchitectureClass {
    let Shares { decision, logical, carrier } = *shares;
    let small = |share: Ratio| share.at_most(1, 5) || share.at_most(2, agents.max(1));
    if one_hub && decision.at_least(4, 5) {
        ArchitectureClass::HubAndSpoke
    } else if [decision, logical, carrier].into_iter().any(|share| share.at_least(1, 2)) {
        ArchitectureClass::DistributedHubAndSpoke
    } else if [decision, logical, carrier].into_iter().all(small) && !separates {
        ArchitectureClass::PeerToPeer
    } else {
        ArchitectureClass::Hybrid
    }
}

/// The finding that the fleet is not what it claims to be, if it is not, given its measured architecture.
pub(crate) fn misnamed(topology: &Topology, architecture: &Architecture, names: &Names) -> Option<Finding> {
    const KIND: &str = "misnamed-architecture";
    let claim = topology.config.claims_to_be?;
    let class = architecture.class.filter(|class| *class != claim)?;
    let verbs = [
        ("decision", "took", "decisions"),
        ("logical", "touched", "hand-overs"),
        ("carrier", "carried", "hand-overs"),
    ];
    let told = |(share, verb, noun): (&str, &str, &str)| {
        let largest = architecture.largest.iter().find(|known| known.share == share && known.part > 0)?;
        Some(format!("{} {verb} {} of {} {noun}", shown(&largest.by), largest.part, largest.whole))
    };
    let reasons: Vec<String> = verbs.into_iter().filter_map(told).collect();
    let mut text = format!("the fleet claims to be {claim} and is {class}: {}", reasons.join(", "));
    if let Some(caution) = &architecture.caution {
        text += &format!("; {caution}");
    }
    let severity = if architecture.caution.is_some() { Severity::Low } else { Severity::Medium };
    let decider = architecture.largest.first().filter(|largest| largest.part > 0);
    let first = measure::first_decision(topology, names);
    let evidence = decider.zip(first).map(|(decider, first)| {
        Evidence::new(first, format!("{} took its first decision of {}", shown(&decider.by), decider.part))
    });
    let mut about = BTreeMap::from([("architecture", vec![class.name().to_owned()])]);
    let mut hubs: Vec<String> =
        [&architecture.hub, &architecture.hub_role].into_iter().flatten().cloned().collect();
    // The only member of a role is called as the role is.
    hubs.dedup();
    if !hubs.is_empty() {
        about.insert("hub", hubs);
    }
    Some(Finding {
        agents: architecture.hub.iter().cloned().collect(),
        evidence: evidence.into_iter().collect(),
        numbers: Numbers(vec![
            ("decision_share_thousandths", architecture.shares.decision.thousandths()),
            ("logical_share_thousandths", architecture.shares.logical.thousandths()),
            ("carrier_share_thousandths", architecture.shares.carrier.thousandths()),
            ("agents", architecture.agents),
        ]),
        about,
        remedy: Some(format!(
            "call it {class}, and plan for the loss of its hub; or let the receivers be chosen elsewhere"
        )),
        ..Finding::new(KIND, Class::Honesty, severity, "architecture", topology.last, "", &text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_follow_from_exact_shares() {
        use ArchitectureClass::*;
        let ratio = |thousandths| Ratio::new(thousandths, 1000);
        for (decision, logical, carrier, one_hub, agents, separates, class) in [
            (800, 800, 0, true, 9, true, HubAndSpoke),
            (799, 800, 0, true, 9, true, DistributedHubAndSpoke),
            (800, 300, 0, false, 9, false, DistributedHubAndSpoke),
            (0, 500, 0, false, 9, false, DistributedHubAndSpoke),
            (0, 0, 500, false, 9, false, DistributedHubAndSpoke),
            (499, 499, 499, false, 9, false, Hybrid),
            (200, 200, 200, false, 100, false, PeerToPeer),
            (200, 201, 200, false, 100, false, Hybrid),
            (200, 200, 200, false, 100, true, Hybrid),
            (250, 250, 250, false, 8, false, PeerToPeer),
            (250, 251, 250, false, 8, false, Hybrid),
        ] {
            let shares =
                Shares { decision: ratio(decision), logical: ratio(logical), carrier: ratio(carrier) };
            assert_eq!(classify(&shares, one_hub, agents, separates), class, "{shares:?} of {agents}");
        }
    }

    #[test]
    fn names_round_trip() {
        for class in ArchitectureClass::ALL {
            assert_eq!(ArchitectureClass::from_name(class.name()), Some(class));
        }
        assert_eq!(ArchitectureClass::from_name("mesh"), None);
    }
}
