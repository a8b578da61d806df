//! All monitors together: shown the batches of a run, live or from a trace, they give one report.

use std::collections::BTreeMap;

use fleetsim_engine::batch::{Batch, Step};
use fleetsim_engine::{Fact, Manifest, Names, Sink};
use serde::Serialize;

use crate::architecture::Architecture;
use crate::config::MonitorConfig;
use crate::deadlock::Deadlock;
use crate::duplicate_hand_over::DuplicateHandOver;
use crate::duplicate_work::DuplicateWork;
use crate::feedback_loop::FeedbackLoop;
use crate::finding::Finding;
use crate::livelock::Livelock;
use crate::lost_update::LostUpdate;
use crate::message_loop::MessageLoop;
use crate::metastable::Metastable;
use crate::monitor::{Monitor, RunEnd};
use crate::not_converged::NotConverged;
use crate::orphaned_task::OrphanedTask;
use crate::panicked_agent::PanickedAgent;
use crate::retry_storm::RetryStorm;
use crate::starvation::Starvation;
use crate::tally::{Tally, TallyReport};
use crate::topology::Topology;
use crate::ungated_action::UngatedAction;

/// The built-in monitors, those that a user added, and the tally.
///
/// As a [`Sink`] it leaves every batch as it found it, so that it can stand before any other.
pub struct Panel {
    names: Names,
    lost_update: LostUpdate,
    starvation: Starvation,
    feedback_loop: FeedbackLoop,
    duplicate_hand_over: DuplicateHandOver,
    ungated_action: UngatedAction,
    panicked_agent: PanickedAgent,
    message_loop: MessageLoop,
    deadlock: Deadlock,
    livelock: Livelock,
    retry_storm: RetryStorm,
    metastable: Metastable,
    orphaned_task: OrphanedTask,
    not_converged: NotConverged,
    duplicate_work: DuplicateWork,
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
            starvation: Starvation::new(config),
            feedback_loop: FeedbackLoop::new(config),
            duplicate_hand_over: DuplicateHandOver::default(),
            ungated_action: UngatedAction::default(),
            panicked_agent: PanickedAgent::default(),
            message_loop: MessageLoop::new(config, manifest),
            deadlock: Deadlock::new(config, manifest),
            livelock: Livelock::new(config),
            retry_storm: RetryStorm::new(config),
            metastable: Metastable::new(config),
            orphaned_task: OrphanedTask::new(config),
            not_converged: NotConverged::new(config, manifest),
            duplicate_work: DuplicateWork::default(),
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

    fn built_in(&self) -> [&dyn Monitor; 15] {
        [
            &self.lost_update,
            &self.starvation,
            &self.feedback_loop,
            &self.duplicate_hand_over,
            &self.ungated_action,
            &self.panicked_agent,
            &self.message_loop,
            &self.deadlock,
            &self.livelock,
            &self.retry_storm,
            &self.metastable,
            &self.orphaned_task,
            &self.not_converged,
            &self.duplicate_work,
            &self.topology,
        ]
    }

    fn built_in_mut(&mut self) -> [&mut dyn Monitor; 15] {
        [
            &mut self.lost_update,
            &mut self.starvation,
            &mut self.feedback_loop,
            &mut self.duplicate_hand_over,
            &mut self.ungated_action,
            &mut self.panicked_agent,
            &mut self.message_loop,
            &mut self.deadlock,
            &mut self.livelock,
            &mut self.retry_storm,
            &mut self.metastable,
            &mut self.orphaned_task,
            &mut self.not_converged,
            &mut self.duplicate_work,
            &mut self.topology,
        ]
    }
}

impl Sink for Panel {
    fn accept(&mut self, batch: &mut Batch) {
        self.observe_batch(batch);
    }
}
