//! From a scenario to a fleet that is ready to run, and to what its monitors must know.

mod actions;
mod media;
mod models;
mod monitors;
mod roles;
mod sampler;
mod seams;
mod work;

use fleetsim_agents::helper::Helper;
use fleetsim_agents::sites;
use fleetsim_engine::{Fleet, Limits, Link, Simulation, Time};
use fleetsim_fault_injection as injection;
use fleetsim_monitors::MonitorConfig;

use crate::behaviour::Behaviours;
use crate::error::Error;
use crate::load::Loaded;
use crate::mistake::Mistakes;
use crate::path::Path;
use crate::vocabulary::{Document, MediumKind, Nature, ReadAt};

/// Why a scenario without mistakes still cannot be run by this program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildError {
    /// What stands in the way, each with the path of what the scenario says.
    pub reasons: Vec<String>,
    /// Behaviours that the scenario needs and the program does not have.
    pub missing_behaviours: Vec<String>,
}

impl std::fmt::Display for BuildError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.reasons.join("\n"))
    }
}

impl std::error::Error for BuildError {}

impl BuildError {
    pub(crate) fn because(reason: impl Into<String>) -> BuildError {
        BuildError { reasons: vec![reason.into()], missing_behaviours: Vec::new() }
    }
}

impl From<fleetsim_engine::Error> for BuildError {
    fn from(error: fleetsim_engine::Error) -> BuildError {
        BuildError::because(error.to_string())
    }
}

/// A scenario that can be run any number of times: nothing is read or checked again per seed.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    loaded: &'a Loaded,
    behaviours: &'a Behaviours,
}

impl<'a> Plan<'a> {
    /// Checks that this program can run the scenario.
    ///
    /// # Errors
    /// All words of the scenario that it cannot simulate, and all behaviours that it lacks.
    pub fn new(loaded: &'a Loaded, behaviours: &'a Behaviours) -> Result<Plan<'a>, BuildError> {
        let mut reasons = Vec::new();
        let mut missing_behaviours = Vec::new();
        let document = loaded.scenario.document();
        for (name, medium) in document.medium.iter() {
            if matches!(medium.kind, MediumKind::MergeQueue | MediumKind::BranchPerAgent) {
                let kind = medium.kind.as_str();
                reasons
                    .push(format!("medium.{name}: this version can check kind `{kind}` but not run it yet"));
            }
        }
        for (name, medium) in document.medium.iter() {
            if medium.read_at == Some(ReadAt::AtOnce) {
                reasons.push(format!("medium.{name}.read-at: this version can run \"turn-end\" only"));
            }
        }
        for (name, work) in document.work.iter() {
            for (word, used) in [("touches", work.touches.is_some()), ("waits-for", work.waits_for.is_some())]
            {
                if used {
                    reasons.push(format!("work.{name}.{word}: this version can check it but not run it yet"));
                }
            }
        }
        for (name, role) in document.role.iter() {
            if let Some(Nature::Behaviour(behaviour)) = role.nature()
                && behaviours.version(behaviour).is_none()
            {
                reasons.push(format!("role.{name}: this program has no behaviour `{behaviour}`"));
                missing_behaviours.push(behaviour.to_owned());
            }
        }
        if reasons.is_empty() {
            return Ok(Plan { loaded, behaviours });
        }
        Err(BuildError { reasons, missing_behaviours })
    }

    /// The seed that the scenario names.
    #[must_use]
    pub fn own_seed(&self) -> u64 {
        self.loaded.scenario.document().fleet.seed.unsigned_abs()
    }

    /// How long the scenario lasts.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let lasts_ns = self.loaded.scenario.document().fleet.lasts.nanoseconds();
        Limits { until: Time::from_ns(lasts_ns), ..Limits::default() }
    }

    /// The behaviours that the scenario uses, with their versions.
    #[must_use]
    pub fn required_behaviours(&self) -> Vec<(String, u32)> {
        let mut required: Vec<(String, u32)> = Vec::new();
        for (_, role) in self.loaded.scenario.document().role.iter() {
            if let Some(Nature::Behaviour(name)) = role.nature()
                && let Some(version) = self.behaviours.version(name)
                && !required.iter().any(|(known, _)| known == name)
            {
                required.push((name.to_owned(), version));
            }
        }
        required
    }

    /// What goes wrong in the scenario, by its own word.
    #[must_use]
    pub fn faults(&self) -> injection::Plan {
        crate::faults::plan(self.loaded.scenario.document()).0
    }

    /// What the scenario says that its protocols bear; `None` when it says nothing.
    #[must_use]
    pub fn tolerance(&self) -> Option<injection::Tolerance> {
        crate::faults::tolerance(self.loaded.scenario.document())
    }

    /// The swarm of faults of a seed, within what the scenario says that its protocols bear; `None` when it says
    /// nothing.
    #[must_use]
    pub fn swarm(&self, seed: u64) -> Option<injection::Plan> {
        let world = crate::faults::world(self.loaded.scenario.document());
        self.tolerance().map(|tolerance| injection::swarm(seed, &tolerance, &world))
    }

    /// What in the scenario's own faults and tolerances this fleet cannot have, such as a protocol that nobody
    /// understands, with its place.
    ///
    /// # Errors
    /// The first thing that is wrong with the faults, or why the fleet cannot be built at all.
    pub fn check_faults(&self) -> Result<(), Error> {
        // What else stands in the way of the fleet is not the faults' matter.
        let Ok(mut fleet) = self.healthy(self.own_seed()) else { return Ok(()) };
        if let Err(error) = self.faults().install(&mut fleet) {
            return Err(self.fault_mistakes(&error).into());
        }
        let (Some(tolerance), Ok(mut fleet)) = (self.tolerance(), self.healthy(self.own_seed())) else {
            return Ok(());
        };
        let all = injection::Fault::Loss { messages: tolerance.messages, share: injection::Share::ALL };
        let mut hit = injection::Plan::default();
        let rule = injection::Rule::new(all, injection::When::Always);
        hit.add("tolerates", rule).expect("losing everything is a rule");
        hit.install(&mut fleet).map_err(|error| {
            let path = Path::top().key("tolerates").key("messages");
            Error::from(self.loaded.scenario.mistakes_at(&path, error.message()))
        })
    }

    fn fault_mistakes(&self, error: &injection::Error) -> Mistakes {
        self.loaded.scenario.fault_mistakes(error.rule(), error.message())
    }

    /// The fleet with a seed, at the beginning of time, with the scenario's own faults.
    ///
    /// # Errors
    /// When names collide, or a behaviour refuses its parameters, or a fault names what the fleet does not have.
    pub fn simulation(&self, seed: u64) -> Result<Simulation, BuildError> {
        self.simulation_with(seed, &self.faults())
    }

    /// The fleet with a seed, at the beginning of time, with these faults instead of the scenario's own.
    ///
    /// # Errors
    /// As [`Plan::simulation`].
    pub fn simulation_with(&self, seed: u64, faults: &injection::Plan) -> Result<Simulation, BuildError> {
        Ok(self.fleet_with(seed, faults)?.build()?)
    }

    /// The fleet with a seed, still to be built, with the scenario's own faults.
    ///
    /// # Errors
    /// As [`Plan::simulation`].
    pub fn fleet(&self, seed: u64) -> Result<Fleet, BuildError> {
        self.fleet_with(seed, &self.faults())
    }

    fn fleet_with(&self, seed: u64, faults: &injection::Plan) -> Result<Fleet, BuildError> {
        let mut fleet = self.healthy(seed)?;
        if faults.rules().any(|(_, rule)| rule.fault.is_at_site(sites::AGENT_RUNAWAY_SPAWN)) {
            Helper::declare(&mut fleet)?;
        }
        faults.install(&mut fleet).map_err(|error| {
            let is_own = *faults == self.faults();
            let text = if is_own { self.fault_mistakes(&error).render(false) } else { error.to_string() };
            BuildError::because(text)
        })?;
        Ok(fleet)
    }

    /// The fleet without faults.
    fn healthy(&self, seed: u64) -> Result<Fleet, BuildError> {
        let document = self.loaded.scenario.document();
        let mut fleet = Fleet::new(seed);
        fleet.default_link(Link::sampled(sampler::of_durations(&document.fleet.latency)?));
        let seams = seams::seams(document);
        work::add(&mut fleet, self.loaded, &seams)?;
        models::add(&mut fleet, document)?;
        media::add(&mut fleet, document, &seams)?;
        roles::add(&mut fleet, document, &seams, self.behaviours)?;
        Ok(fleet)
    }

    /// What the monitors must know of the fleet.
    #[must_use]
    pub fn monitors(&self) -> MonitorConfig {
        monitors::config(self.loaded.scenario.document())
    }
}

/// The least that a message between two agents takes, in nanoseconds.
pub(crate) fn link_minimum_ns(document: &Document) -> Result<u64, BuildError> {
    Ok(Link::sampled(sampler::of_durations(&document.fleet.latency)?).minimum_ns())
}
