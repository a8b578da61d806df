//! Gathers who handed what to whom, who carried it and who chose: the three graphs behind an architecture's name.
//!
//! What is kept grows with the distinct routes between agents, not with the hand-overs on them.

use std::collections::{BTreeMap, BTreeSet};

use fleetsim_engine::batch::Step;
use fleetsim_engine::{AgentId, Fact, Names};

use crate::architecture::{self, Architecture};
use crate::config::{Medium, MonitorConfig};
use crate::finding::Finding;
use crate::interests::{FactKind, Interests};
use crate::intern::Interner;
use crate::monitor::{Moment, Monitor, RunEnd};

/// Measures the architecture of a run, and finds it misnamed when it is not what it is claimed to be.
#[derive(Clone, Debug)]
pub struct Topology {
    pub(crate) config: MonitorConfig,
    pub(crate) texts: Interner,
    /// Offers that a carrier has passed on and nobody has received yet.
    offers: BTreeMap<u64, Carriage>,
    /// How each seam carried last, for the receipts of what was passed on twice.
    usual: BTreeMap<u32, Carriage>,
    pub(crate) routes: BTreeSet<Route>,
    /// Receipts by seam, giver and receiver.
    pub(crate) received: BTreeMap<(u32, AgentId, AgentId), u64>,
    /// Who chose whom, with a store as the one that chose for those that claimed from it.
    pub(crate) chose: BTreeSet<(AgentId, AgentId)>,
    /// Receipts by seam and medium; no medium when giver and receiver needed none.
    pub(crate) carried: BTreeMap<(u32, Option<u32>), u64>,
    /// Receipts by seam and the agent that passed them on for others.
    pub(crate) relayed: BTreeMap<(u32, AgentId), u64>,
    /// Decisions by seam (none for claims of what nobody handed over) and who took them, with the first.
    pub(crate) decisions: BTreeMap<(Option<u32>, Decider), Decided>,
    /// Agents that claimed tasks.
    pub(crate) claimants: BTreeSet<AgentId>,
    /// Offers on their way whose receiver somebody chose.
    chosen: BTreeSet<u64>,
    /// Items that somebody chose a receiver for: a claim of one is no choice by a store.
    assigned: BTreeSet<u64>,
    /// What each agent received last.
    taken: BTreeMap<AgentId, Taken>,
    /// Who said last that a task is ready: whom it was claimed from, where no store hands it over.
    ready_at: Option<AgentId>,
    pub(crate) last: Moment,
}

#[derive(Clone, Copy, Debug)]
struct Carriage {
    medium: Option<u32>,
    carrier: AgentId,
}

#[derive(Clone, Copy, Debug)]
struct Taken {
    seam: u32,
    item: u64,
    carrier: Option<AgentId>,
    was_chosen: bool,
}

/// A way that items took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Route {
    pub(crate) giver: AgentId,
    pub(crate) medium: Option<u32>,
    pub(crate) relay: Option<AgentId>,
    pub(crate) receiver: AgentId,
}

/// Who took a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Decider {
    /// An agent that chose.
    Agent(AgentId),
    /// A store where whoever claims first has the task; unknown when no agent offered it.
    Store(Option<AgentId>),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Decided {
    pub(crate) count: u64,
    pub(crate) first: Moment,
}

impl Topology {
    /// A monitor that knows media, stores and claim of `config`.
    #[must_use]
    pub fn new(config: &MonitorConfig) -> Topology {
        Topology {
            config: config.clone(),
            texts: Interner::default(),
            offers: BTreeMap::new(),
            usual: BTreeMap::new(),
            chose: BTreeSet::new(),
            routes: BTreeSet::new(),
            received: BTreeMap::new(),
            carried: BTreeMap::new(),
            relayed: BTreeMap::new(),
            decisions: BTreeMap::new(),
            claimants: BTreeSet::new(),
            chosen: BTreeSet::new(),
            assigned: BTreeSet::new(),
            taken: BTreeMap::new(),
            ready_at: None,
            last: Moment::ZERO,
        }
    }

    /// The architecture as measured so far.
    #[must_use]
    pub fn architecture(&self, names: &Names) -> Architecture {
        architecture::measure(self, names)
    }

    /// Takes note of how far the run is known.
    pub(crate) fn reach(&mut self, moment: Moment) {
        self.last = moment;
    }

    fn handed_over(&mut self, seam: u32, offer: u64, medium: &str, carrier: AgentId) {
        let is_direct = medium.is_empty() || self.config.media.get(medium) == Some(&Medium::Direct);
        let carriage = Carriage { medium: (!is_direct).then(|| self.texts.number(medium)), carrier };
        self.offers.insert(offer, carriage);
        self.usual.insert(seam, carriage);
    }

    fn received(&mut self, seam: u32, item: u64, offer: u64, giver: AgentId, receiver: AgentId) {
        let carriage = self.offers.remove(&offer).or_else(|| self.usual.get(&seam).copied());
        let was_chosen = self.chosen.remove(&offer);
        let carrier = carriage.map(|carriage| carriage.carrier);
        self.taken.insert(receiver, Taken { seam, item, carrier, was_chosen });
        // Without a carrier there is nobody to state that the item was handed over.
        let medium = carriage.and_then(|carriage| carriage.medium);
        let relay = carrier.filter(|carrier| ![giver, receiver].contains(carrier));
        self.routes.insert(Route { giver, medium, relay, receiver });
        *self.received.entry((seam, giver, receiver)).or_default() += 1;
        *self.carried.entry((seam, medium)).or_default() += 1;
        if let Some(relay) = relay {
            *self.relayed.entry((seam, relay)).or_default() += 1;
        }
    }

    fn decide(&mut self, seam: Option<u32>, decider: Decider, moment: Moment) {
        self.decisions.entry((seam, decider)).or_insert(Decided { count: 0, first: moment }).count += 1;
    }

    /// A task that nobody was chosen for went to whoever claimed it first.
    fn claimed(&mut self, task: u64, worker: AgentId, moment: Moment) {
        self.claimants.insert(worker);
        let handed_over = self.taken.get(&worker).filter(|taken| taken.item == task).copied();
        let (seam, store, was_chosen) = match handed_over {
            Some(taken) => (Some(taken.seam), taken.carrier, taken.was_chosen),
            None => (None, self.ready_at, self.assigned.contains(&task)),
        };
        if !was_chosen {
            self.chose.extend(store.map(|store| (store, worker)));
            self.decide(seam, Decider::Store(store), moment);
        }
    }
}

impl Monitor for Topology {
    fn name(&self) -> &'static str {
        "architecture"
    }

    fn interests(&self) -> Interests {
        Interests::facts(&[
            FactKind::TaskReady,
            FactKind::TaskClaimed,
            FactKind::Decided,
            FactKind::HandedOver,
            FactKind::Received,
            FactKind::Undelivered,
        ])
    }

    fn observe(&mut self, step: &Step<'_>, facts: &[Fact<'_>]) {
        let moment = Moment::of(step);
        for fact in facts {
            match *fact {
                Fact::Decided { seam, item, offer, receiver } => {
                    let seam = self.texts.number(seam);
                    self.assigned.insert(item);
                    self.chosen.insert(offer);
                    self.chose.insert((step.target, receiver));
                    self.decide(Some(seam), Decider::Agent(step.target), moment);
                }
                Fact::HandedOver { seam, offer, medium, .. } => {
                    let seam = self.texts.number(seam);
                    self.handed_over(seam, offer, medium, step.target);
                }
                Fact::Received { seam, item, offer, giver } => {
                    let seam = self.texts.number(seam);
                    self.received(seam, item, offer, giver, step.target);
                }
                Fact::Undelivered { offer, .. } => {
                    self.offers.remove(&offer);
                    self.chosen.remove(&offer);
                }
                Fact::TaskReady { .. } => self.ready_at = Some(step.target),
                Fact::TaskClaimed { task, .. } => self.claimed(task, step.target, moment),
                _ => {}
            }
        }
    }

    fn findings(&self, _end: &RunEnd, names: &Names) -> Vec<Finding> {
        architecture::misnamed(self, names).into_iter().collect()
    }
}
