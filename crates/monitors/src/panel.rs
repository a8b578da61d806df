//! All monitors together: shown the batches of a run, live or from a trace, they give one report.

use std::collections::BTreeMap;

use fleetsim_engine::batch::{Batch, Step};
use fleetsim_engine::{Fact, Manifest, Names, Sink};
use serde::Serialize;

use crate::architecture::Architecture;
use crate::config::MonitorConfig;
use crate::conflict::Conflict;
use crate::duplicate_hand_over::DuplicateHandOver;
use crate::feedback_loop::FeedbackLoop;
use crate::finding::Finding;
use crate::lost_update::LostUpdate;
use crate::monitor::{Monitor, RunEnd};
use crate::panicked_agent::PanickedAgent;
use crate::semantic_conflict::SemanticConflict;
use crate::starvation::Starvation;
use crate::tally::{Tally, TallyReport};
use crate::topology::Topology;
use crate::ungated_action::UngatedAction;
use crate::zombie_write::ZombieWrite;

/// The built-in monitors, those that a user added, and the tally.
///
/// As a [`Sink`] it leaves every batch as it found it, so that it can stand before any other.
pub struct Panel {
    names: Names,
    lost_update: LostUpdate,
    conflict: Conflict,
    zombie_write: ZombieWrite,
    semantic_conflict: SemanticConflict,
    starvation: Starvation,
    feedback_loop: FeedbackLoop,
    duplicate_hand_over: DuplicateHandOver,
    ungated_action: UngatedAction,
    panicked_agent: PanickedAgent,
    topology: Topology,
    tally: Tally,
    added: Vec<Box<dyn Monitor>>,
}

/// What a panel found and measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The findings, by class, first event and kind.
    pub findings: Vec<Finding>,
    /// What the fleet is.
    pub architecture: Architecture,
    /// What it did.
    pub tally: TallyReport,
}

impl Panel {
    /// A panel of the built-in monitors for the fleet that `manifest` names.
    #[must_use]
    pub fn new(config: &MonitorConfig, manifest: &Manifest) -> Panel {
        Panel {
            names: Names::new(manifest),
            lost_update: LostUpdate::default(),
            conflict: Conflict::default(),
            zombie_write: ZombieWrite::default(),
            semantic_conflict: SemanticConflict::default(),
            starvation: Starvation::new(config),
            feedback_loop: FeedbackLoop::new(config),
            duplicate_hand_over: DuplicateHandOver::default(),
            ungated_action: UngatedAction::default(),
            panicked_agent: PanickedAgent::default(),
            topology: Topology::new(config),
            tally: Tally::new(config),
            added: Vec::new(),
        }
    }

    /// Adds a user's own monitor, which is shown the steps that follow.
    pub fn add(&mut self, monitor: Box<dyn Monitor>) {
        self.added.push(monitor);
    }

    /// Shows the next batch of the run to all monitors.
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
        self.tally.observe(step, facts);
        for monitor in self.built_in_mut() {
            monitor.observe(step, facts);
        }
        for monitor in &mut self.added {
            monitor.observe(step, facts);
        }
    }

    /// Judges what was seen so far. It may be asked at any time and again later.
    #[must_use]
    pub fn report(&self, end: &RunEnd) -> Report {
        let added = self.added.iter().map(|monitor| &**monitor);
        let mut findings: Vec<Finding> = self
            .built_in()
            .into_iter()
            .chain(added)
            .flat_map(|monitor| monitor.findings(end, &self.names))
            .collect();
        findings.sort_by(Finding::order);
        let duplicated: BTreeMap<&str, u64> = self.duplicate_hand_over.by_seam();
        Report {
            findings,
            architecture: self.topology.architecture(&self.names),
            tally: self.tally.report(&duplicated, &self.names),
        }
    }

    /// The names of the run, with those of the agents that were spawned so far.
    #[must_use]
    pub fn names(&self) -> &Names {
        &self.names
    }

    fn built_in(&self) -> [&dyn Monitor; 10] {
        [
            &self.lost_update,
            &self.conflict,
            &self.zombie_write,
            &self.semantic_conflict,
            &self.starvation,
            &self.feedback_loop,
            &self.duplicate_hand_over,
            &self.ungated_action,
            &self.panicked_agent,
            &self.topology,
        ]
    }

    fn built_in_mut(&mut self) -> [&mut dyn Monitor; 10] {
        [
            &mut self.lost_update,
            &mut self.conflict,
            &mut self.zombie_write,
            &mut self.semantic_conflict,
            &mut self.starvation,
            &mut self.feedback_loop,
            &mut self.duplicate_hand_over,
            &mut self.ungated_action,
            &mut self.panicked_agent,
            &mut self.topology,
        ]
    }
}

impl Sink for Panel {
    fn accept(&mut self, batch: &mut Batch) {
        self.observe_batch(batch);
    }
}
