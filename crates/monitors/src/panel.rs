//! All monitors together: shown the batches of a run, live or from a trace, they give one report.
//!
//! Each monitor says what it is interested in, once. A step is then decoded as far as anybody wants to see of it and
//! shown to those who do; a step that concerns nobody costs a look at its kinds.

use std::collections::BTreeMap;

use fleetsim_engine::batch::{Batch, Step};
use fleetsim_engine::{Fact, Manifest, Names, Sink, Time};
use serde::Serialize;

use crate::architecture::{Architecture, misnamed};
use crate::config::MonitorConfig;
use crate::conflict::Conflict;
use crate::cost_overrun::CostOverrun;
use crate::duplicate_hand_over::DuplicateHandOver;
use crate::duplicate_work::DuplicateWork;
use crate::error_propagation::ErrorPropagation;
use crate::feedback_loop::FeedbackLoop;
use crate::finding::Finding;
use crate::injected::{self, Injections};
use crate::interests::Interests;
use crate::lost_update::LostUpdate;
use crate::message_loop::MessageLoop;
use crate::monitor::{Moment, Monitor, RunEnd};
use crate::number_map::NumberMap;
use crate::panicked_agent::PanickedAgent;
use crate::permission_breach::PermissionBreach;
use crate::property::Property;
use crate::retry_storm::RetryStorm;
use crate::semantic_conflict::SemanticConflict;
use crate::starvation::Starvation;
use crate::tally::{Tally, TallyReport};
use crate::topology::Topology;
use crate::trust_breach::TrustBreach;
use crate::unfinished::Unfinished;
use crate::ungated_action::UngatedAction;
use crate::zombie_write::ZombieWrite;

/// The built-in monitors, apart from those three whose measures the report shows as well. A new one is one line here.
fn built_in(config: &MonitorConfig, manifest: &Manifest) -> Vec<Box<dyn Monitor>> {
    vec![
        Box::new(LostUpdate::default()),
        Box::new(Conflict::default()),
        Box::new(ZombieWrite::default()),
        Box::new(SemanticConflict::default()),
        Box::new(FeedbackLoop::new(config)),
        Box::new(MessageLoop::new(config, manifest)),
        Box::new(Unfinished::new(config, manifest)),
        Box::new(RetryStorm::new(config)),
        Box::new(DuplicateWork::default()),
        Box::new(UngatedAction::default()),
        Box::new(PanickedAgent::default()),
        Box::new(CostOverrun::new(config)),
        Box::new(PermissionBreach::new(config)),
        Box::new(TrustBreach::new(config)),
        Box::new(ErrorPropagation::new(config)),
    ]
}

/// The built-in monitors, those that a user added, and the tally.
///
/// As a [`Sink`] it leaves every batch as it found it, so that it can stand before any other.
pub struct Panel {
    names: Names,
    tally: Tally,
    topology: Topology,
    duplicate_hand_over: DuplicateHandOver,
    starvation: Starvation,
    injections: Injections,
    monitors: Vec<Box<dyn Monitor>>,
    routes: Routes,
}

/// Who wants to see what.
struct Routes {
    topology: Interests,
    duplicate_hand_over: Interests,
    starvation: Interests,
    /// In the order of the monitors.
    monitors: Vec<Interests>,
    /// What anybody wants.
    any: Interests,
    /// The places of the monitors that want to see a step, by what it offers.
    wanting: NumberMap<u64, Vec<u16>>,
}

/// Steps of real runs offer a few dozen different things.
const OFFERS_MAX: usize = 1000;

impl Routes {
    /// The places of the monitors that want to see what is `offered`.
    #[inline]
    fn wanting(&mut self, offered: Interests) -> &[u16] {
        let monitors = &self.monitors;
        self.wanting.or_insert_with(offered.bits(), || {
            let wants =
                |(place, interests): (usize, &Interests)| interests.meets(offered).then_some(place as u16);
            monitors.iter().enumerate().filter_map(wants).collect()
        })
    }

    fn add(&mut self, interests: Interests) {
        self.any = self.any | interests;
        self.monitors.push(interests);
        assert!(self.monitors.len() <= usize::from(u16::MAX), "there are thousands of monitors");
        self.wanting = NumberMap::default();
    }
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
        let (topology, duplicate_hand_over) = (Topology::new(config), DuplicateHandOver::default());
        let starvation = Starvation::new(config);
        let routes = Routes {
            topology: topology.interests(),
            duplicate_hand_over: duplicate_hand_over.interests(),
            starvation: starvation.interests(),
            monitors: Vec::new(),
            any: Tally::INTERESTS
                | injected::INTERESTS
                | topology.interests()
                | duplicate_hand_over.interests()
                | starvation.interests(),
            wanting: NumberMap::default(),
        };
        let mut panel = Panel {
            names: Names::new(manifest),
            tally: Tally::new(config),
            topology,
            duplicate_hand_over,
            starvation,
            injections: Injections::default(),
            monitors: Vec::new(),
            routes,
        };
        built_in(config, manifest).into_iter().for_each(|monitor| panel.add(monitor));
        for rule in &config.properties {
            panel.add(Box::new(Property::from(rule)));
        }
        panel
    }

    /// Adds a user's own monitor, which is shown the steps that follow.
    pub fn add(&mut self, monitor: Box<dyn Monitor>) {
        self.routes.add(monitor.interests());
        self.monitors.push(monitor);
    }

    /// From now on shows every monitor every step with all its facts, whatever it says that it wants. The report is the
    /// same, if they say it rightly: what tests compare.
    pub fn show_everything(&mut self) {
        let Routes { topology, duplicate_hand_over, starvation, monitors, any, wanting } = &mut self.routes;
        *wanting = NumberMap::default();
        for interests in [topology, duplicate_hand_over, starvation, any].into_iter().chain(monitors) {
            *interests = Interests::EVERYTHING;
        }
    }

    /// Shows the next batch of the run to all monitors.
    pub fn observe_batch(&mut self, batch: &Batch) {
        self.names.learn(batch);
        if self.routes.wanting.len() > OFFERS_MAX {
            self.routes.wanting = NumberMap::default();
        }
        let any = self.routes.any;
        let mut facts: Vec<Fact<'_>> = Vec::new();
        for step in batch {
            let offered = Interests::of(&step);
            if !offered.meets(any) {
                continue;
            }
            facts.clear();
            if offered.meets(Interests::ALL_FACTS) {
                facts.extend(step.facts_of(|kind| Interests::fact(kind).meets(any)));
            }
            self.observe(offered, &step, &facts);
        }
        if let (Some(time_ns), steps) = (batch.step_columns().time_ns.last(), batch.len() as u64) {
            let event = batch.first_ordinal() + steps - 1;
            self.topology.reach(Moment { event, at: Time::from_ns(*time_ns) });
        }
    }

    fn observe(&mut self, offered: Interests, step: &Step<'_>, facts: &[Fact<'_>]) {
        if offered.meets(Tally::INTERESTS) {
            self.tally.observe(step, facts);
        }
        if offered.meets(injected::INTERESTS) {
            self.injections.observe(step, facts);
        }
        if offered.meets(self.routes.topology) {
            self.topology.observe(step, facts);
        }
        if offered.meets(self.routes.duplicate_hand_over) {
            self.duplicate_hand_over.observe(step, facts);
        }
        if offered.meets(self.routes.starvation) {
            self.starvation.observe(step, facts);
        }
        for place in self.routes.wanting(offered) {
            self.monitors[usize::from(*place)].observe(step, facts);
        }
    }

    /// Judges what was seen so far. It may be asked at any time and again later.
    #[must_use]
    pub fn report(&self, end: &RunEnd) -> Report {
        let architecture = self.topology.architecture(&self.names);
        let mut findings: Vec<Finding> =
            misnamed(&self.topology, &architecture, &self.names).into_iter().collect();
        findings.extend(self.duplicate_hand_over.findings(end, &self.names));
        findings.extend(self.starvation.findings(end, &self.names));
        findings.extend(self.monitors.iter().flat_map(|monitor| monitor.findings(end, &self.names)));
        findings.iter_mut().for_each(|finding| self.injections.label(finding));
        findings.sort_by(Finding::order);
        let duplicated: BTreeMap<&str, u64> = self.duplicate_hand_over.by_seam();
        let tally = self.tally.report(&duplicated, self.starvation.fairness(), &self.names);
        Report { findings, architecture, tally }
    }

    /// The names of the run, with those of the agents that were spawned so far.
    #[must_use]
    pub fn names(&self) -> &Names {
        &self.names
    }
}

impl Sink for Panel {
    fn accept(&mut self, batch: &mut Batch) {
        self.observe_batch(batch);
    }
}
