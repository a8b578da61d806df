//! What every finished item needed: the things whose loss stops everything, whoever else is still there.

use std::collections::{BTreeMap, BTreeSet};

use fleetsim_engine::batch::Step;
use fleetsim_engine::{AgentId, Fact, Names, Waited};
use serde::Serialize;

use crate::config::{Medium, MonitorConfig};
use crate::intern::Interner;

/// Finished items from which something in common is more than chance.
const FINISHED_MIN: u64 = 2;

/// What kind of thing everything depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SinglePointKind {
    /// A medium or store.
    Medium,
    /// A model's provider.
    Model,
    /// Something that agents read, hold or wait for.
    Resource,
    /// A gate where somebody is asked.
    Gate,
    /// A person.
    Person,
    /// An agent that is alone in its role.
    Agent,
}

impl SinglePointKind {
    /// The name in text.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            SinglePointKind::Medium => "medium",
            SinglePointKind::Model => "model",
            SinglePointKind::Resource => "resource",
            SinglePointKind::Gate => "gate",
            SinglePointKind::Person => "person",
            SinglePointKind::Agent => "agent",
        }
    }
}

/// Something that every finished item needed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SinglePoint {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: SinglePointKind,
    /// How many items that is.
    pub finished_items: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Medium(u32),
    Model(u32),
    Resource(u32),
    Gate(u32),
    Agent(AgentId),
}

/// Gathers what items needed; keeps it only of those that are not finished.
#[derive(Clone, Debug)]
pub(super) struct Dependence {
    /// Media that are nothing of their own.
    no_things: BTreeSet<String>,
    texts: Interner,
    /// What each agent works on.
    current: BTreeMap<AgentId, u64>,
    needed: BTreeMap<u64, BTreeSet<Part>>,
    finished: BTreeSet<u64>,
    common: Option<BTreeSet<Part>>,
}

impl Dependence {
    pub(super) fn new(config: &MonitorConfig) -> Dependence {
        let is_thing = |medium: &Medium| *medium == Medium::Carrier;
        let no_things = config.media.iter().filter(|(_, medium)| !is_thing(medium));
        Dependence {
            no_things: no_things.map(|(name, _)| name.clone()).collect(),
            texts: Interner::default(),
            current: BTreeMap::new(),
            needed: BTreeMap::new(),
            finished: BTreeSet::new(),
            common: None,
        }
    }

    pub(super) fn observe(&mut self, step: &Step<'_>, facts: &[Fact<'_>]) {
        let agent = step.target;
        for fact in facts {
            match *fact {
                Fact::Offered { item, medium, .. } | Fact::HandedOver { item, medium, .. } => {
                    self.need(item, Part::Agent(agent));
                    if !medium.is_empty() && !self.no_things.contains(medium) {
                        let medium = Part::Medium(self.texts.number(medium));
                        self.need(item, medium);
                    }
                }
                Fact::Decided { item, .. } => self.need(item, Part::Agent(agent)),
                Fact::TaskReady { task } => self.need(task, Part::Agent(agent)),
                Fact::Received { item, .. }
                | Fact::TaskClaimed { task: item, .. }
                | Fact::TaskStarted { task: item, .. } => {
                    self.current.insert(agent, item);
                    self.need(item, Part::Agent(agent));
                }
                Fact::Requested { model, by, admitted: true, .. } => {
                    let model = Part::Model(self.texts.number(model));
                    self.need_at_work(by, model);
                }
                Fact::Read { resource, .. }
                | Fact::Acquired { resource, .. }
                | Fact::WaitOn { on: Waited::Resource(resource) } => {
                    let resource = Part::Resource(self.texts.number(resource));
                    self.need_at_work(agent, resource);
                }
                Fact::WaitOn { on: Waited::Gate(gate) } => {
                    let gate = Part::Gate(self.texts.number(gate));
                    self.need_at_work(agent, gate);
                }
                Fact::Acted { gate, item, .. } if !gate.is_empty() => {
                    let gate = Part::Gate(self.texts.number(gate));
                    self.need(item, gate);
                }
                Fact::TaskFinished { task, reported: true, .. } => self.finish(task),
                _ => {}
            }
        }
    }

    fn need(&mut self, item: u64, part: Part) {
        if !self.finished.contains(&item) {
            self.needed.entry(item).or_default().insert(part);
        }
    }

    fn need_at_work(&mut self, agent: AgentId, part: Part) {
        if let Some(item) = self.current.get(&agent).copied() {
            self.need(item, part);
        }
    }

    fn finish(&mut self, item: u64) {
        if !self.finished.insert(item) {
            return;
        }
        let needed = self.needed.remove(&item).unwrap_or_default();
        match &mut self.common {
            Some(common) => common.retain(|part| needed.contains(part)),
            None => self.common = Some(needed),
        }
    }

    /// What all finished items needed, by kind and name. One thing may show under several names of one spelling (the
    /// agent that is a medium, the quota of a model): it is listed once, as what comes first among the kinds.
    pub(super) fn single_points(&self, config: &MonitorConfig, names: &Names) -> Vec<SinglePoint> {
        let finished_items = self.finished.len() as u64;
        if finished_items < FINISHED_MIN {
            return Vec::new();
        }
        let mut kinds: BTreeMap<String, SinglePointKind> = BTreeMap::new();
        for part in self.common.iter().flatten() {
            let text = |number: u32| self.texts.name(number).to_owned();
            let (name, kind) = match *part {
                Part::Medium(medium) => (text(medium), SinglePointKind::Medium),
                Part::Model(model) => (text(model), SinglePointKind::Model),
                Part::Resource(resource) => (text(resource), SinglePointKind::Resource),
                Part::Gate(gate) => (text(gate), SinglePointKind::Gate),
                Part::Agent(agent) => {
                    // Others of its role could have done the same.
                    let name = names.of(agent);
                    if config.is_outside(agent, names) || names.group(agent) != Some(name.as_str()) {
                        continue;
                    }
                    let is_person = config.people.contains(&name);
                    let is_store = config.stores.contains(&name);
                    let kind = match (is_person, is_store) {
                        (true, _) => SinglePointKind::Person,
                        (_, true) => SinglePointKind::Medium,
                        _ => SinglePointKind::Agent,
                    };
                    (name, kind)
                }
            };
            let known = kinds.entry(name).or_insert(kind);
            *known = kind.min(*known);
        }
        let mut points: Vec<SinglePoint> =
            kinds.into_iter().map(|(name, kind)| SinglePoint { name, kind, finished_items }).collect();
        points.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
        points
    }
}
