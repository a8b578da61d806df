//! What is measured, a built-in workload or a scenario, and how it becomes a simulation of a certain size.

use std::path::{Path, PathBuf};

use fleetsim_engine::{Fleet, Limits, Simulation};
use fleetsim_scenario::{Loaded, Overrides, Plan, Scenario};
use fleetsim_trace_replay::{Header, Level, Program as Recorded, RunLimits, ScenarioText};

use super::super::Program;
use super::report::Record;
use super::scale::scale;
use crate::exit::{Exit, Failure};
use crate::output::figures::counted;
use crate::recording::{self, Told};
use crate::workload;

/// The sizes of a workload when none are asked for.
const AGENTS: [u32; 3] = [1_000, 10_000, 100_000];
/// Events of a run of a workload when nothing is said: so many, and so many for each agent.
const EVENTS_MIN: u64 = 1_000_000;
const EVENTS_PER_AGENT_MIN: u64 = 10;
/// The seed of workloads.
const SEED: u64 = 1;

/// What is measured.
#[derive(Debug)]
pub(super) enum Subject {
    /// One of [`workload::NAMES`].
    Workload(&'static str),
    /// A scenario file.
    Scenario(PathBuf),
}

/// One size of it.
#[derive(Debug)]
pub(super) struct Size {
    pub(super) agents: u64,
    /// What makes a scenario this large.
    overrides: Overrides,
}

/// A run that is about to begin.
pub(super) struct Prepared {
    pub(super) simulation: Simulation,
    pub(super) limits: Limits,
    /// What its trace begins with.
    pub(super) header: Header,
}

impl Subject {
    pub(super) fn new(text: &Path) -> Result<Subject, Failure> {
        let known = workload::NAMES.into_iter().find(|name| text == Path::new(name));
        if let Some(name) = known {
            return Ok(Subject::Workload(name));
        }
        if text.extension().is_none() && !text.exists() {
            return Err(Failure::usage(&format!(
                "no workload and no scenario file `{}`; the workloads are {}",
                text.display(),
                workload::NAMES.join(", ")
            )));
        }
        Ok(Subject::Scenario(text.to_owned()))
    }

    /// The name that a measurement goes by: of a scenario the file's, without folders.
    pub(super) fn name(&self) -> String {
        match self {
            Subject::Workload(name) => (*name).to_owned(),
            Subject::Scenario(path) => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        }
    }

    /// The sizes that can be had for those asked for, each once, and what there is to say about them.
    pub(super) fn sizes(&self, asked: &[u32]) -> Result<(Vec<Size>, Vec<String>), Failure> {
        let mut sizes: Vec<Size> = Vec::new();
        let mut notes: Vec<String> = Vec::new();
        let mut add = |size: Size| {
            if sizes.iter().all(|known| known.agents != size.agents) {
                sizes.push(size);
            }
        };
        match self {
            Subject::Workload(_) => {
                let asked = if asked.is_empty() { &AGENTS } else { asked };
                asked.iter().for_each(|agents| {
                    add(Size { agents: u64::from(*agents), overrides: Overrides::none() });
                });
            }
            Subject::Scenario(path) => {
                let loaded = Scenario::load(path, &Overrides::none())?;
                let own = loaded.scenario.document().agents();
                if asked.is_empty() {
                    add(Size { agents: own, overrides: Overrides::none() });
                }
                for agents in asked {
                    let (overrides, said) =
                        scale(&loaded, u64::from(*agents)).map_err(|reason| Failure::usage(&reason))?;
                    let scaled = Scenario::load(path, &overrides)?;
                    let size = Size { agents: scaled.scenario.document().agents(), overrides };
                    let other = (size.agents != u64::from(*agents)).then(|| {
                        format!(
                            "{} asked for, {} fit the scenario",
                            counted(u64::from(*agents), "agent"),
                            size.agents
                        )
                    });
                    for note in other.into_iter().chain(said) {
                        if !notes.contains(&note) {
                            notes.push(note);
                        }
                    }
                    add(size);
                }
            }
        }
        Ok((sizes, notes))
    }

    /// The seed when none is given. A scenario that this program cannot run is refused here.
    pub(super) fn own_seed(&self, sizes: &[Size], program: &Program) -> Result<u64, Failure> {
        match (self, sizes.first()) {
            (Subject::Scenario(path), Some(size)) => {
                let loaded = Scenario::load(path, &size.overrides)?;
                Ok(Plan::new(&loaded, &program.registry.behaviours)?.own_seed())
            }
            _ => Ok(SEED),
        }
    }

    /// Makes everything ready, from reading the scenario to the beginning of time.
    pub(super) fn prepare(
        &self,
        size: &Size,
        record: Record,
        seed: u64,
        events_max: Option<u64>,
        program: &Program,
    ) -> Result<Prepared, Failure> {
        let recorded = Recorded { name: program.name.clone(), version: env!("CARGO_PKG_VERSION").to_owned() };
        match self {
            Subject::Workload(name) => prepare_workload(name, size, record, seed, events_max, recorded),
            Subject::Scenario(path) => {
                let loaded = Scenario::load(path, &size.overrides)?;
                prepare_scenario(&loaded, record, seed, events_max, program, recorded)
            }
        }
    }
}

fn prepare_workload(
    name: &str,
    size: &Size,
    record: Record,
    seed: u64,
    events_max: Option<u64>,
    recorded: Recorded,
) -> Result<Prepared, Failure> {
    let agents = u32::try_from(size.agents).unwrap_or(u32::MAX);
    let Some(mut fleet) = workload::fleet(name, agents, seed) else {
        unreachable!("`{name}` is a name of a workload");
    };
    if record == Record::Off {
        fleet.without_record();
    }
    let simulation = build(fleet)?;
    let enough = EVENTS_MIN.max(size.agents.saturating_mul(EVENTS_PER_AGENT_MIN));
    let limits = Limits { events_max: events_max.unwrap_or(enough), ..Limits::default() };
    let header = Header {
        program: recorded,
        seed,
        scenario: ScenarioText { name: name.to_owned(), ..ScenarioText::default() },
        manifest: simulation.manifest().clone(),
        ..Header::default()
    };
    Ok(Prepared { simulation, limits, header })
}

fn prepare_scenario(
    loaded: &Loaded,
    record: Record,
    seed: u64,
    events_max: Option<u64>,
    program: &Program,
    recorded: Recorded,
) -> Result<Prepared, Failure> {
    let plan = Plan::new(loaded, &program.registry.behaviours)?;
    let mut fleet = plan.fleet(seed)?;
    if record == Record::Off {
        fleet.without_record();
    }
    let simulation = build(fleet)?;
    let told = Told { seed, limits: RunLimits { until: None, events_max }, faults: plan.faults() };
    let header = recording::header(recorded, loaded, &plan, simulation.manifest(), &told, Level::Full);
    Ok(Prepared { simulation, limits: told.limits(&plan), header })
}

fn build(fleet: Fleet) -> Result<Simulation, Failure> {
    fleet.build().map_err(|error| Failure::new(Exit::Usage, &error.to_string()))
}
