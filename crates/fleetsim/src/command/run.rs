//! `run`: executes a scenario, records it if asked, and reports what emerged.

use std::path::{Path, PathBuf};
use std::time::Duration;

use fleetsim_engine::{Digest, DigestSink, Ending, Manifest, Time};
use fleetsim_monitors::{Report, RunEnd};
use fleetsim_scenario::{Loaded, Overrides, Plan, Scenario};
use fleetsim_trace_replay::text::escape;
use fleetsim_trace_replay::{Finished, Level, Program as Recorded, Recorder, RunLimits, Trace};
use serde_json::{Value, json};

use super::{Program, parse_time, parse_wall, shell_word};
use crate::drive::{Driven, Tap, Taps, drive};
use crate::exit::{Exit, Failure};
use crate::expectation::{Judgement, judge};
use crate::fault_choice::{self, Chosen};
use crate::output::report::RunView;
use crate::output::{Format, Paint, figures, json, report, show, show_json, tell};
use crate::recording::{self, Told};
use crate::reexecution::{divergence_json, reexecute};
use crate::scratch::Scratch;
use crate::wall;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The scenario file
    scenario: PathBuf,
    /// Run with this seed instead of the scenario's own
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Record the run into this file
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// End at this instant of the run, such as 90m or 00:14:07
    #[arg(long, value_name = "T", value_parser = parse_time)]
    until: Option<Time>,
    /// Replace a value of the scenario, such as role.coder.count=3; may be given again
    #[arg(long = "set", value_name = "PATH=VALUE")]
    sets: Vec<String>,
    /// Let this go wrong: `swarm` (drawn from the seed), `none`, or the file of a plan
    #[arg(long, value_name = "WHAT", value_parser = fault_choice::parse)]
    faults: Option<Chosen>,
    /// How much of each step to record; the digest is the same at every level
    #[arg(long, value_name = "LEVEL", requires = "trace", default_value = "full", value_enum)]
    record: RecordLevel,
    /// End after this many events
    #[arg(long, value_name = "N")]
    events_max: Option<u64>,
    /// Judge nothing: no findings, no expectations
    #[arg(long)]
    no_monitors: bool,
    /// Execute again, compare, and name the first difference if an agent is not deterministic
    #[arg(long)]
    twice: bool,
    /// Overwrite the trace file even if it is something else
    #[arg(long, requires = "trace")]
    force: bool,
    /// Give up when one event takes longer than this on the clock on the wall; 0 for never
    #[arg(long, value_name = "T", default_value = "60s", value_parser = parse_wall)]
    watchdog: Duration,
    /// How to show the report
    #[arg(long, value_name = "FORMAT", default_value = "text", value_enum)]
    format: Format,
}

/// How much of each step is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum RecordLevel {
    /// Everything.
    Full,
    /// All but the payloads.
    Headers,
    /// Only the hashes.
    Digest,
}

/// A run that is over.
struct Ran {
    driven: Driven,
    end: RunEnd,
    digest: Digest,
    judged: Option<(Report, Judgement)>,
    /// What was recorded, for the user or only to compare with.
    finished: Option<Finished>,
    initial_agents: u64,
}

pub(crate) fn execute(arguments: &Arguments, program: &Program) -> Result<Exit, Failure> {
    let loaded = Scenario::load(&arguments.scenario, &arguments.overrides()?)?;
    let plan = Plan::new(&loaded, &program.registry.behaviours)?;
    let seed = arguments.seed.unwrap_or_else(|| plan.own_seed());
    let told = &Told {
        seed,
        limits: RunLimits { until: arguments.until, events_max: arguments.events_max },
        faults: arguments.faults().plan(&plan, seed)?,
    };
    let scratch = match (&arguments.trace, arguments.twice) {
        (None, true) => Some(Scratch::new()?),
        _ => None,
    };
    let target =
        arguments.trace.clone().or_else(|| scratch.as_ref().map(|scratch| scratch.file("first.fleet")));
    let ran = run(arguments, program, &loaded, &plan, told, target.as_deref())?;
    let second = match &ran.finished {
        Some(finished) if arguments.twice && is_whole(&ran) => {
            Some(second(arguments, program, &plan, told, &finished.path)?)
        }
        _ => None,
    };
    present(arguments, program, &loaded, &plan, told, &ran, second.as_ref())?;
    Ok(exit(arguments, &plan, told, &ran, second.as_ref()))
}

impl Arguments {
    fn overrides(&self) -> Result<Overrides, Failure> {
        let mut overrides = Overrides::none();
        for set in &self.sets {
            overrides.push(set)?;
        }
        Ok(overrides)
    }

    fn faults(&self) -> Chosen {
        self.faults.clone().unwrap_or_default()
    }

    fn level(&self) -> Level {
        match self.record {
            RecordLevel::Full => Level::Full,
            RecordLevel::Headers => Level::Headers,
            RecordLevel::Digest => Level::Digest,
        }
    }

    /// The command that shows the run again.
    fn again(&self, program: &Program, told: &Told, ran: &Ran) -> String {
        let name = shell_word(&program.name);
        if let (Some(_), Some(finished)) = (&self.trace, &ran.finished) {
            let partial = if is_whole(ran) { "" } else { " --partial" };
            return format!(
                "replay: {name} replay {}{partial}",
                shell_word(&finished.path.to_string_lossy())
            );
        }
        let scenario = shell_word(&self.scenario.to_string_lossy());
        let with = self.faults().again();
        let mut command = format!("again: {name} run {scenario}{with} --seed {}", told.seed);
        for set in &self.sets {
            command += &format!(" --set {}", shell_word(set));
        }
        if let Some(until) = self.until {
            command += &format!(" --until {until}");
        }
        if let Some(events_max) = self.events_max {
            command += &format!(" --events-max {events_max}");
        }
        command
    }
}

/// Executes the scenario once.
fn run(
    arguments: &Arguments,
    program: &Program,
    loaded: &Loaded,
    plan: &Plan<'_>,
    told: &Told,
    target: Option<&Path>,
) -> Result<Ran, Failure> {
    let limits = told.limits(plan);
    let mut simulation = told.simulation(plan)?;
    let manifest = simulation.manifest().clone();
    let end = match target {
        Some(path) => {
            Tap::Recorder(Box::new(recorder(arguments, program, loaded, plan, told, &manifest, path)?))
        }
        None => Tap::Digest(DigestSink::default()),
    };
    let panel = (!arguments.no_monitors).then(|| program.registry.panel(&told.monitors(plan), &manifest));
    let mut taps = Taps { panel, end };
    let driven = drive(&mut simulation, &limits, &mut taps, arguments.watchdog);
    let end = recording::run_end(&driven.outcome, &limits, plan);
    let judged = taps.panel.map(|panel| {
        let report = panel.report(&end);
        let judgement = judge(&loaded.scenario.document().expect, &report, end.complete);
        (report, judgement)
    });
    let (digest, finished) = match taps.end {
        Tap::Recorder(recorder) => {
            let closing =
                recording::closing(&driven.outcome, &end, judged.as_ref().map(|(report, _)| report));
            let is_interrupted = driven.outcome.ending == Ending::Interrupted;
            let finished = if is_interrupted { recorder.interrupt() } else { recorder.finish(&closing) };
            (finished.digest, Some(finished))
        }
        Tap::Digest(digest) => (digest.value(), None),
        Tap::Nothing | Tap::Comparison(_) => unreachable!("a run is recorded or digested"),
    };
    let initial_agents = manifest.groups.iter().map(|group| u64::from(group.count)).sum();
    Ok(Ran { driven, end, digest, judged, finished, initial_agents })
}

fn recorder(
    arguments: &Arguments,
    program: &Program,
    loaded: &Loaded,
    plan: &Plan<'_>,
    told: &Told,
    manifest: &Manifest,
    path: &Path,
) -> Result<Recorder, Failure> {
    if !arguments.force {
        recording::check_target(path)?;
    }
    if recording::is_same_file(path, &arguments.scenario) {
        return Err(Failure::new(Exit::Usage, "the trace would replace the scenario; name another file"));
    }
    let recorded = Recorded { name: program.name.clone(), version: env!("CARGO_PKG_VERSION").to_owned() };
    let header = recording::header(recorded, loaded, plan, manifest, told, arguments.level());
    Recorder::create(path, &header).map_err(|error| Failure::of_trace(path, &error))
}

/// Whether the run was left to end and its record, if any, is whole.
fn is_whole(ran: &Ran) -> bool {
    let is_recorded = ran.finished.as_ref().is_none_or(|finished| finished.error.is_none());
    is_recorded && ran.driven.outcome.ending != Ending::Interrupted
}

/// How a second execution compares with the record of the first.
struct Second {
    is_identical: bool,
    lines: Vec<String>,
    json: Value,
}

fn second(
    arguments: &Arguments,
    program: &Program,
    plan: &Plan<'_>,
    told: &Told,
    path: &Path,
) -> Result<Second, Failure> {
    let trace = Trace::open(path).map_err(|error| Failure::of_trace(path, &error))?;
    // A registered monitor may hold state that agents see; the second run is to be like the first in all things.
    let simulation = told.simulation(plan)?;
    let panel =
        (!arguments.no_monitors).then(|| program.registry.panel(&told.monitors(plan), simulation.manifest()));
    let again = reexecute(simulation, &told.limits(plan), &trace, panel, arguments.watchdog);
    if wall::is_interrupted() {
        return Err(Failure::new(Exit::Damaged, "interrupted in the second execution"));
    }
    let compared = again.compared.map_err(|error| Failure::of_trace(path, &error))?;
    let Some(divergence) = compared.divergence else {
        let events = figures::counted(compared.same, "event");
        let lines = vec![format!("twice: identical, {events}")];
        return Ok(Second {
            is_identical: true,
            lines,
            json: json!({ "identical": true, "first_divergence": null }),
        });
    };
    let mut lines = vec![
        "twice: NOT THE SAME: an agent does not depend on its inputs alone (a clock, a hash map, a global?)"
            .to_owned(),
    ];
    lines.extend(divergence.lines("first", "second"));
    let json =
        json!({ "identical": false, "first_divergence": divergence_json(&divergence, "first", "second") });
    Ok(Second { is_identical: false, lines, json })
}

/// Shows what there is to show.
fn present(
    arguments: &Arguments,
    program: &Program,
    loaded: &Loaded,
    plan: &Plan<'_>,
    told: &Told,
    ran: &Ran,
    second: Option<&Second>,
) -> Result<(), Failure> {
    let outcome = &ran.driven.outcome;
    let spawned = outcome.agents.saturating_sub(ran.initial_agents);
    let trace = ran.finished.as_ref().filter(|_| arguments.trace.is_some());
    let view = RunView {
        scenario: &arguments.scenario.to_string_lossy(),
        seed: told.seed,
        own_seed: told.is_own(plan),
        outcome,
        complete: ran.end.complete,
        agents: loaded.scenario.document().agents().saturating_add(spawned),
        digest: ran.digest,
        wall: ran.driven.wall,
        claims_to_be: plan.monitors().claims_to_be,
        faults: &told.faults,
        judged: ran.judged.as_ref().map(|(report, judgement)| (report, judgement)),
        trace: trace.map(|finished| finished.path.as_path()),
        again: &arguments.again(program, told, ran),
    };
    match arguments.format {
        Format::Json => {
            let mut value = json::run(&view);
            if let Some(second) = second {
                value["twice"] = second.json.clone();
            }
            show_json(&value)?;
        }
        Format::Text => {
            let mut text = report::run(&view, Paint::stdout());
            second.into_iter().flat_map(|second| &second.lines).for_each(|line| text += &format!("{line}\n"));
            show(&text)?;
        }
    }
    if let Ending::Failed(error) = &outcome.ending {
        tell(&format!("error: the run cannot go on: {}\n", escape(&error.to_string())));
    }
    if let Some(finished) = trace {
        let path = escape(&finished.path.display().to_string());
        if let Some(error) = &finished.error {
            tell(&format!("error: the trace is not whole: {error}; what was written is in {path}\n"));
        } else if outcome.ending == Ending::Interrupted {
            tell(&format!("interrupted: the trace so far is in {path}\n"));
        }
    } else if outcome.ending == Ending::Interrupted {
        tell("interrupted\n");
    }
    Ok(())
}

fn exit(arguments: &Arguments, plan: &Plan<'_>, told: &Told, ran: &Ran, second: Option<&Second>) -> Exit {
    let is_met = |(_, judgement): &(Report, Judgement)| judgement.is_met(told.is_own(plan));
    if matches!(ran.driven.outcome.ending, Ending::Failed(_)) {
        Exit::Usage
    } else if !is_whole(ran)
        && (arguments.trace.is_some() || ran.driven.outcome.ending == Ending::Interrupted)
    {
        Exit::Damaged
    } else if second.is_some_and(|second| !second.is_identical) {
        Exit::Diverged
    } else if ran.judged.as_ref().is_none_or(is_met) {
        Exit::Expected
    } else {
        Exit::Unexpected
    }
}
