//! What goes into a trace beside the steps, and what comes back from it: a header from which the whole run can be
//! rebuilt.

use std::fs;
use std::path::Path;

use fleetsim_engine::{Ending, Limits, Manifest, Outcome, Simulation};
use fleetsim_fault_injection as injection;
use fleetsim_monitors::{MonitorConfig, Report, RunEnd};
use fleetsim_scenario::{BuildError, Loaded, Overrides, Plan};
use fleetsim_trace_replay::{
    Behaviour, Closing, DataFile, Header, Level, Program, RunLimits, ScenarioText, Trace,
};
use serde_json::json;

use crate::exit::{Exit, Failure};
use crate::fault_choice;

/// What a run was told beside its scenario.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) seed: u64,
    pub(crate) limits: RunLimits,
    /// What goes wrong in it.
    pub(crate) faults: injection::Plan,
}

impl Told {
    /// The limits of the run: the scenario's, unless it was told others.
    pub(crate) fn limits(&self, plan: &Plan<'_>) -> Limits {
        let own = plan.limits();
        Limits {
            // Beyond its own end a scenario says nothing.
            until: self.limits.until.map_or(own.until, |until| until.min(own.until)),
            events_max: self.limits.events_max.unwrap_or(own.events_max),
        }
    }

    /// Whether it is the run that the scenario itself describes, of which it may expect what one seed shows.
    pub(crate) fn is_own(&self, plan: &Plan<'_>) -> bool {
        self.seed == plan.own_seed() && self.faults == plan.faults()
    }

    /// The run at the beginning of time.
    pub(crate) fn simulation(&self, plan: &Plan<'_>) -> Result<Simulation, BuildError> {
        plan.simulation_with(self.seed, &self.faults)
    }

    /// What the monitors of the run must know: the scenario's, and when its faults are over. A world in which nothing
    /// goes wrong does not heal either.
    pub(crate) fn monitors(&self, plan: &Plan<'_>) -> MonitorConfig {
        let heal = self.faults.healing().filter(|_| !self.faults.is_empty());
        MonitorConfig {
            heals_at: heal.map(|heal| heal.at),
            converges_within_ns: heal.map(|heal| heal.converges_within_ns),
            ..plan.monitors()
        }
    }
}

/// The header of the trace of a run.
pub(crate) fn header(
    program: Program,
    loaded: &Loaded,
    plan: &Plan<'_>,
    manifest: &Manifest,
    told: &Told,
    level: Level,
) -> Header {
    let scenario = &loaded.scenario;
    let name = Path::new(scenario.name()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let file =
        |file: &fleetsim_scenario::DataFile| DataFile { name: file.path.clone(), text: file.text.clone() };
    let behaviour = |(name, version): (String, u32)| Behaviour { name, version: version.to_string() };
    Header {
        program,
        seed: told.seed,
        scenario: ScenarioText {
            name,
            text: scenario.text().to_owned(),
            files: loaded.data.iter().map(file).collect(),
        },
        overrides: scenario.overrides().pairs().to_vec(),
        settings: json!({ "scenario": scenario.resolved(), "monitors": told.monitors(plan) }),
        behaviours: plan.required_behaviours().into_iter().map(behaviour).collect(),
        manifest: manifest.clone(),
        faults: fault_choice::recorded(&told.faults, &plan.faults()),
        level,
        limits: told.limits,
        ..Header::default()
    }
}

/// The scenario that a trace holds.
pub(crate) fn scenario(header: &Header) -> Result<Loaded, fleetsim_scenario::Error> {
    let files = header.scenario.files.iter().map(|file| (file.name.clone(), file.text.clone()));
    let files: Vec<(String, String)> = files.collect();
    let overrides = Overrides::from(header.overrides.clone());
    Loaded::from_texts(&header.scenario.name, &header.scenario.text, &overrides, &files)
}

/// What the monitors of a recorded run were told. Where there is no scenario, as in a trace of a foreign log, there may be
/// nothing to tell: facts alone are judged then.
pub(crate) fn monitors(header: &Header) -> Result<MonitorConfig, Failure> {
    let config = header.settings.get("monitors");
    if config.is_none() && header.scenario.text.is_empty() {
        return Ok(MonitorConfig::default());
    }
    serde_json::from_value(config.cloned().unwrap_or_default()).map_err(|error| {
        Failure::new(
            Exit::Damaged,
            &format!("the trace's header does not say what its monitors were told: {error}"),
        )
    })
}

/// How a trace ends.
pub(crate) fn closing(outcome: &Outcome, end: &RunEnd, report: Option<&Report>) -> Closing {
    Closing {
        ending: ending(&outcome.ending),
        messages: outcome.messages,
        virtual_time: outcome.time,
        summary: json!({
            "complete": end.complete,
            "quiescent": end.quiescent,
            "agents": outcome.agents,
            "findings": report.map(|report| report.findings.len()),
        }),
    }
}

/// Where a run ended, and whether that was its own end: nothing left to do, an agent's word, or all the time that
/// the scenario gives.
pub(crate) fn run_end(outcome: &Outcome, limits: &Limits, plan: &Plan<'_>) -> RunEnd {
    let complete = match outcome.ending {
        Ending::Quiescent | Ending::Stopped { .. } => true,
        Ending::TimeLimit => limits.until >= plan.limits().until,
        Ending::EventLimit | Ending::Failed(_) | Ending::Interrupted => false,
    };
    RunEnd { time: outcome.time, complete, quiescent: outcome.ending == Ending::Quiescent }
}

/// Where a recorded run ended. Of a partial one only its beginning is known.
pub(crate) fn recorded_end(trace: &Trace) -> RunEnd {
    match trace.closing() {
        Some(closing) => {
            let says = |word| closing.summary.get(word).and_then(serde_json::Value::as_bool).unwrap_or(false);
            RunEnd { time: closing.virtual_time, complete: says("complete"), quiescent: says("quiescent") }
        }
        None => {
            let last = trace.chunks().checked_sub(1).map(|chunk| trace.span(chunk).last_time);
            RunEnd { time: last.unwrap_or_default(), complete: false, quiescent: false }
        }
    }
}

/// Why a run ended, in a few words.
pub(crate) fn ending(ending: &Ending) -> String {
    match ending {
        Ending::Quiescent => "nothing left to happen".to_owned(),
        Ending::TimeLimit => "time limit".to_owned(),
        Ending::EventLimit => "event limit".to_owned(),
        Ending::Stopped { reason, .. } => format!("stopped: {reason}"),
        Ending::Failed(error) => format!("failed: {error}"),
        Ending::Interrupted => "interrupted".to_owned(),
    }
}

/// Refuses to write a trace over anything but a trace or an empty file, at the name itself and at the one that it
/// has while it grows.
pub(crate) fn check_target(path: &Path) -> Result<(), Failure> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    for path in [path, Path::new(&partial)] {
        let Ok(found) = fs::metadata(path) else { continue };
        if !found.is_file() || found.len() == 0 {
            continue;
        }
        if Trace::open(path).is_err_and(|error| error.is_not_a_trace() || error.is_io()) {
            let name = path.display();
            return Err(Failure::usage(&format!("{name} exists and is no trace; `--force` overwrites it")));
        }
    }
    Ok(())
}

/// Whether both paths lead to one file that exists.
pub(crate) fn is_same_file(one: &Path, other: &Path) -> bool {
    one.canonicalize().is_ok_and(|one| other.canonicalize().is_ok_and(|other| one == other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_traces_and_empty_files_are_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("thesis.txt"), "years of work").unwrap();
        fs::write(path("empty"), "").unwrap();
        fs::write(path("new.partial"), "somebody else's").unwrap();
        drop(fleetsim_trace_replay::Recorder::create(path("run"), &Header::default()).unwrap());
        for (name, allowed) in [
            ("thesis.txt", false),
            ("empty", true),
            ("absent", true),
            ("run", true),
            ("run.partial", true),
            ("new", false),
        ] {
            assert_eq!(check_target(&path(name)).is_ok(), allowed, "{name}");
        }
    }
}
