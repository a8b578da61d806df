//! Gathers who handed what to whom, who carried it and who chose: the three graphs behind an architecture's name.
//!
//! What is kept grows with the distinct routes between agents, not with the hand-overs on them.

use std::collections::BTreeMap;

use fleetsim_engine::batch::Step;
use fleetsim_engine::{AgentId, Fact, Names};

use crate::architecture::{self, Architecture};
use crate::config::{Medium, MonitorConfig};
use crate::finding::Finding;
use crate::id_set::IdSet;
use crate::interests::{FactKind, Interests};
use crate::intern::Interner;
use crate::monitor::{Moment, Monitor, RunEnd};
use crate::number_map::{Number, NumberMap};

/// Measures the architecture of a run, and finds it misnamed when it is not what it is claimed to be.
#[derive(Clone, Debug)]
pub struct Topology {
    pub(crate) config: MonitorConfig,
    pub(crate) texts: Interner,
    /// Whether a medium is nothing of its own, by its number.
    direct: NumberMap<u32, bool>,
    /// Offers that nobody has received yet, with what carries them as far as is known.
    offers: NumberMap<u64, Carriage>,
    /// How each seam carried last, for the receipts of what was passed on twice.
    usual: BTreeMap<u32, Carriage>,
    /// Receipts by seam and the way that they took.
    pub(crate) routes: NumberMap<(u32, Route), u64>,
    /// Who chose whom or judged whose result how often, with a store as the one that chose for those that claimed
    /// from it.
    pub(crate) chose: NumberMap<(AgentId, AgentId), u64>,
    /// Decisions by seam (none for claims of what nobody handed over, and for judgements of results) and who took them,
    /// with the first.
    pub(crate) decisions: BTreeMap<(Option<u32>, Decider), Decided>,
    /// Agents that claimed tasks.
    pub(crate) claimants: NumberMap<AgentId, ()>,
    /// Offers on their way whose receiver somebody chose.
    chosen: NumberMap<u64, ()>,
    /// Items that somebody chose a receiver for: a claim of one is no choice by a store.
    assigned: IdSet,
    /// What each agent received last.
    taken: NumberMap<AgentId, Taken>,
    /// Who said that a task is ready, of tasks that are not finished: whom it is claimed from, where no store hands it
    /// over.
    ready: NumberMap<u64, AgentId>,
    /// Who said so last, of any task: whom one is claimed from that is finished already.
    ready_at: Option<AgentId>,
    pub(crate) last: Moment,
}

#[derive(Clone, Copy, Debug)]
struct Carriage {
    medium: Option<u32>,
    /// Unknown as long as nobody said that it passed the item on.
    carrier: Option<AgentId>,
}

#[derive(Clone, Copy, Debug)]
struct Taken {
    seam: u32,
    item: u64,
    giver: AgentId,
    carrier: Option<AgentId>,
    was_chosen: bool,
}

/// A way that items took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Route {
    pub(crate) giver: AgentId,
    /// None when giver and receiver needed none.
    pub(crate) medium: Option<u32>,
    /// Who passed it on for others.
    pub(crate) relay: Option<AgentId>,
    pub(crate) receiver: AgentId,
}

impl Number for Route {
    fn number(self) -> u64 {
        let place = self.medium.map_or(0, u64::from) ^ self.relay.map_or(0, AgentId::as_u64);
        (self.giver, (self.receiver, place)).number()
    }
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
            direct: NumberMap::default(),
            offers: NumberMap::default(),
            usual: BTreeMap::new(),
            chose: NumberMap::default(),
            routes: NumberMap::default(),
            decisions: BTreeMap::new(),
            claimants: NumberMap::default(),
            chosen: NumberMap::default(),
            assigned: IdSet::default(),
            taken: NumberMap::default(),
            ready: NumberMap::default(),
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

    fn offered(&mut self, offer: u64, medium: &str) {
        let medium = self.medium(medium);
        self.offers.insert(offer, Carriage { medium, carrier: None });
    }

    fn handed_over(&mut self, seam: u32, offer: u64, medium: &str, carrier: AgentId) {
        let carriage = Carriage { medium: self.medium(medium), carrier: Some(carrier) };
        self.offers.insert(offer, carriage);
        self.usual.insert(seam, carriage);
    }

    /// The number of a medium, unless it is nothing of its own.
    fn medium(&mut self, name: &str) -> Option<u32> {
        let number = self.texts.number(name);
        let media = &self.config.media;
        let is_direct = self
            .direct
            .or_insert_with(number, || name.is_empty() || media.get(name) == Some(&Medium::Direct));
        (!*is_direct).then_some(number)
    }

    fn received(&mut self, seam: u32, item: u64, offer: u64, giver: AgentId, receiver: AgentId) {
        let carriage = self.offers.remove(offer).or_else(|| self.usual.get(&seam).copied());
        let was_chosen = self.chosen.remove(offer).is_some();
        let carrier = carriage.and_then(|carriage| carriage.carrier);
        self.taken.insert(receiver, Taken { seam, item, giver, carrier, was_chosen });
        // Without a carrier there is nobody to state that the item was handed over.
        let medium = carriage.and_then(|carriage| carriage.medium);
        let relay = carrier.filter(|carrier| ![giver, receiver].contains(carrier));
        *self.routes.or_default((seam, Route { giver, medium, relay, receiver })) += 1;
    }

    fn decide(&mut self, seam: Option<u32>, decider: Decider, moment: Moment) {
        self.decisions.entry((seam, decider)).or_insert(Decided { count: 0, first: moment }).count += 1;
    }

    /// A task that nobody was chosen for went to whoever claimed it first.
    fn claimed(&mut self, task: u64, worker: AgentId, moment: Moment) {
        self.claimants.insert(worker, ());
        let (seam, store, was_chosen) = match self.taken_by(worker, task) {
            Some(taken) => (Some(taken.seam), taken.carrier, taken.was_chosen),
            None => {
                let store = self.ready.get(task).copied().or(self.ready_at);
                (None, store, self.assigned.contains(task))
            }
        };
        if !was_chosen {
            if let Some(store) = store {
                self.chose(store, worker);
            }
            self.decide(seam, Decider::Store(store), moment);
        }
    }

    /// Somebody said whether a result is good, which is as much a decision as who gets it next, but not one about the
    /// seam that it came by.
    fn reviewed(&mut self, item: u64, reviewer: AgentId, moment: Moment) {
        if let Some(taken) = self.taken_by(reviewer, item) {
            self.chose(reviewer, taken.giver);
        }
        self.decide(None, Decider::Agent(reviewer), moment);
    }

    fn chose(&mut self, chooser: AgentId, chosen: AgentId) {
        *self.chose.or_default((chooser, chosen)) += 1;
    }

    /// What `agent` received last, if it was `item`.
    fn taken_by(&self, agent: AgentId, item: u64) -> Option<Taken> {
        self.taken.get(agent).filter(|taken| taken.item == item).copied()
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
            FactKind::TaskFinished,
            FactKind::Offered,
            FactKind::Decided,
            FactKind::HandedOver,
            FactKind::Received,
            FactKind::Undelivered,
            FactKind::Reviewed,
        ])
    }

    fn observe(&mut self, step: &Step<'_>, facts: &[Fact<'_>]) {
        let moment = Moment::of(step);
        for fact in facts {
            match *fact {
                Fact::Decided { seam, item, offer, receiver } => {
                    let seam = self.texts.number(seam);
                    self.assigned.insert(item);
                    self.chosen.insert(offer, ());
                    self.chose(step.target, receiver);
                    self.decide(Some(seam), Decider::Agent(step.target), moment);
                }
                Fact::Offered { offer, medium, .. } => self.offered(offer, medium),
                Fact::HandedOver { seam, offer, medium, .. } => {
                    let seam = self.texts.number(seam);
                    self.handed_over(seam, offer, medium, step.target);
                }
                Fact::Received { seam, item, offer, giver } => {
                    let seam = self.texts.number(seam);
                    self.received(seam, item, offer, giver, step.target);
                }
                Fact::Undelivered { offer, .. } => {
                    self.offers.remove(offer);
                    self.chosen.remove(offer);
                }
                Fact::TaskReady { task } => {
                    self.ready.insert(task, step.target);
                    self.ready_at = Some(step.target);
                }
                Fact::TaskClaimed { task, .. } => self.claimed(task, step.target, moment),
                Fact::TaskFinished { task, .. } => {
                    self.ready.remove(task);
                }
                Fact::Reviewed { item, .. } => self.reviewed(item, step.target, moment),
                _ => {}
            }
        }
    }

    fn findings(&self, _end: &RunEnd, names: &Names) -> Vec<Finding> {
        architecture::misnamed(self, &self.architecture(names), names).into_iter().collect()
    }
}
