//! What `audit` asks of a run beyond its architecture: where the time goes, what everything depends on, and what the
//! record shows of the usual checklist for reproducible runs.
//!
//! An [`Audit`] is shown the steps of a whole run, as a [`Panel`](crate::Panel) is, but it is no monitor: it keeps some
//! hundred bytes for each hand-over, where monitors keep only what is live. It needs facts alone; a scenario adds what
//! was declared and permitted.

mod bottleneck;
mod checklist;
mod critical_path;
mod dependence;
mod journal;

use std::collections::{BTreeMap, BTreeSet};

use fleetsim_engine::batch::{Batch, Event, Step};
use fleetsim_engine::{AgentId, Fact, Manifest, Names, Sink};
use serde::Serialize;

use crate::config::MonitorConfig;
use crate::monitor::Moment;

pub use bottleneck::{Bottleneck, BottleneckKind, CriticalPath, Part, Times};
pub use checklist::{Check, Permissions, Verdict};
pub use dependence::{SinglePoint, SinglePointKind};

use checklist::Checklist;
use dependence::Dependence;
use journal::Journal;

/// What an audit is told about a fleet.
#[derive(Clone, Debug, Default)]
pub struct AuditConfig {
    /// What the monitors are told.
    pub monitors: MonitorConfig,
    /// The shared things that the scenario names: media, artifacts. `None` when nobody knows.
    pub declared: Option<BTreeSet<String>>,
    /// What the roles may read and write, of those roles that the scenario says it of.
    pub may: BTreeMap<String, Permissions>,
}

/// Looks at a whole run.
#[derive(Clone, Debug)]
pub struct Audit {
    names: Names,
    config: MonitorConfig,
    journal: Journal,
    dependence: Dependence,
    checklist: Checklist,
    first_input: Option<Moment>,
}

/// What an audit came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditReport {
    /// What keeps the fleet from being faster.
    pub bottleneck: Bottleneck,
    /// Whatever every finished item needed, so that its loss stops everything; by kind and name.
    pub single_points_of_failure: Vec<SinglePoint>,
    /// The checks that facts can answer.
    pub checklist: Vec<Check>,
    /// The first message that came from outside the fleet.
    #[serde(skip)]
    pub first_input: Option<Moment>,
}

impl Audit {
    /// An audit of the fleet that `manifest` names.
    #[must_use]
    pub fn new(config: &AuditConfig, manifest: &Manifest) -> Audit {
        Audit {
            names: Names::new(manifest),
            config: config.monitors.clone(),
            journal: Journal::default(),
            dependence: Dependence::new(&config.monitors),
            checklist: Checklist::new(config),
            first_input: None,
        }
    }

    /// Shows the next batch of the run.
    pub fn observe_batch(&mut self, batch: &Batch) {
        self.names.learn(batch);
        let mut facts: Vec<Fact<'_>> = Vec::new();
        for step in batch {
            facts.clear();
            facts.extend(step.facts());
            self.observe(&step, &facts);
        }
    }

    fn observe(&mut self, step: &Step<'_>, facts: &[Fact<'_>]) {
        if self.first_input.is_none() && step.event == Event::Message && step.source == AgentId::WORLD {
            self.first_input = Some(Moment::of(step));
        }
        self.journal.observe(step, facts);
        self.dependence.observe(step, facts);
        self.checklist.observe(step, facts);
    }

    /// What was seen so far comes to this. Walking the critical path takes time proportional to its length times the
    /// logarithm of the run's.
    #[must_use]
    pub fn report(&self) -> AuditReport {
        AuditReport {
            bottleneck: bottleneck::find(&self.journal, &self.config, &self.names),
            single_points_of_failure: self.dependence.single_points(&self.config, &self.names),
            checklist: self.checklist.checks(&self.names),
            first_input: self.first_input,
        }
    }
}

impl Sink for Audit {
    fn accept(&mut self, batch: &mut Batch) {
        self.observe_batch(batch);
    }
}
