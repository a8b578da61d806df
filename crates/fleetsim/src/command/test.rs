//! `test`: runs scenarios with many seeds and holds them against their expectations.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fleetsim_engine::Ending;
use fleetsim_scenario::{Overrides, Plan, Scenario};
use fleetsim_trace_replay::RunLimits;
use fleetsim_trace_replay::text::escape;
use serde_json::{Value, json};

use super::{Program, parse_wall, scenario_files, shell_word};
use crate::drive::{Tap, Taps, drive};
use crate::exit::{Exit, Failure};
use crate::expectation::{Judgement, Verdict, judge};
use crate::fault_choice::{self, Chosen};
use crate::output::{Format, Lines, Paint, figures, show_json};
use crate::recording::{self, Told};
use crate::wall;

/// Seeds that are listed for one failure.
const SEEDS_LISTED_MAX: usize = 5;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Scenario files, or folders of them
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// How many seeds to run, counted from the scenario's own
    #[arg(long, value_name = "N", default_value = "10", value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// Let this go wrong: `swarm` (drawn from each seed), `none`, or the file of a plan
    #[arg(long, value_name = "WHAT", value_parser = fault_choice::parse)]
    faults: Option<Chosen>,
    /// Give up when one event takes longer than this on the clock on the wall; 0 for never
    #[arg(long, value_name = "T", default_value = "60s", value_parser = parse_wall)]
    watchdog: Duration,
    /// How to show the result
    #[arg(long, value_name = "FORMAT", default_value = "text", value_enum)]
    format: Format,
}

impl Arguments {
    fn faults(&self) -> Chosen {
        self.faults.clone().unwrap_or_default()
    }
}

/// What the runs of one scenario showed.
#[derive(Debug, Default)]
struct Tested {
    seeds: u64,
    events: u64,
    /// Expectations in the order of the file.
    expectations: Vec<Expected>,
    /// Findings that no entry expects, by kind: one summary and all the seeds.
    unexpected: BTreeMap<String, (String, Vec<u64>)>,
    /// A run that could not go on: the seed and the reason.
    failed: Option<(u64, String)>,
}

#[derive(Debug, Default)]
struct Expected {
    text: String,
    always: bool,
    met: u64,
    unmet: Vec<u64>,
}

/// Something that a scenario fails by.
struct Fault {
    text: String,
    seeds: Vec<u64>,
    again: String,
}

pub(crate) fn execute(arguments: &Arguments, program: &Program) -> Result<Exit, Failure> {
    let mut exit = Exit::Expected;
    let mut results = Vec::new();
    let paint = Paint::stdout();
    let mut lines = Lines::stdout();
    for file in scenario_files(&arguments.paths)? {
        let result = test(&file, arguments, program);
        let (verdict, text, value) = match &result {
            Ok(tested) => {
                let faults = tested.faults(&file, arguments, program);
                let verdict = if faults.is_empty() { Exit::Expected } else { Exit::Unexpected };
                (verdict, tested.lines(&file, &faults, paint), tested.as_json(&file, &faults))
            }
            Err(failure) => {
                let text = failure.text.trim_end().to_owned();
                let value = json!({ "scenario": file.to_string_lossy(), "met": false, "error": text });
                (failure.exit, vec![text], value)
            }
        };
        exit = exit.max(verdict);
        match arguments.format {
            Format::Text => text.iter().for_each(|line| lines.line(line)),
            Format::Json => results.push(value),
        }
        if wall::is_interrupted() {
            break;
        }
    }
    lines.finish()?;
    if arguments.format == Format::Json {
        show_json(&json!({ "met": exit == Exit::Expected, "scenarios": results }))?;
    }
    Ok(exit)
}

fn test(file: &Path, arguments: &Arguments, program: &Program) -> Result<Tested, Failure> {
    let loaded = Scenario::load(file, &Overrides::none())?;
    let plan = Plan::new(&loaded, &program.registry.behaviours)?;
    let mut tested = Tested::default();
    let own_seed = plan.own_seed();
    for seed in own_seed..=own_seed.saturating_add(arguments.seeds - 1) {
        let faults = arguments.faults().plan(&plan, seed)?;
        let told = Told { seed, limits: RunLimits::default(), faults };
        let limits = told.limits(&plan);
        let mut simulation = told.simulation(&plan)?;
        let panel = program.registry.panel(&told.monitors(&plan), simulation.manifest());
        let mut taps = Taps { panel: Some(panel), end: Tap::Nothing };
        let driven = drive(&mut simulation, &limits, &mut taps, arguments.watchdog);
        if wall::is_interrupted() {
            let message = format!("{}: interrupted with seed {seed}", file.display());
            return Err(Failure::new(Exit::Damaged, &message));
        }
        let end = recording::run_end(&driven.outcome, &limits, &plan);
        let Some(panel) = taps.panel else { unreachable!("the monitors are not taken away") };
        let report = panel.report(&end);
        let judgement = judge(&loaded.scenario.document().expect, &report, end.complete);
        tested.add(seed, driven.outcome.events, &report, &judgement);
        if let Ending::Failed(error) = &driven.outcome.ending {
            tested.failed = Some((seed, error.to_string()));
            break;
        }
    }
    Ok(tested)
}

impl Tested {
    fn add(&mut self, seed: u64, events: u64, report: &fleetsim_monitors::Report, judgement: &Judgement) {
        self.seeds += 1;
        self.events += events;
        for (at, judged) in judgement.judged.iter().enumerate() {
            if self.expectations.len() == at {
                let (text, always) = (judged.text.clone(), judged.always);
                self.expectations.push(Expected { text, always, ..Expected::default() });
            }
            match judged.verdict {
                Verdict::Met => self.expectations[at].met += 1,
                Verdict::Unmet => self.expectations[at].unmet.push(seed),
                Verdict::Undecided => {}
            }
        }
        for position in &judgement.unexpected {
            let finding = &report.findings[*position];
            let first = || (finding.summary.clone(), Vec::new());
            let (_, seeds) = self.unexpected.entry(finding.kind.to_owned()).or_insert_with(first);
            if seeds.last() != Some(&seed) {
                seeds.push(seed);
            }
        }
    }

    /// Everything that the scenario fails by. What it expects of some seed, it expects with its own faults.
    fn faults(&self, file: &Path, arguments: &Arguments, program: &Program) -> Vec<Fault> {
        let (name, path) = (shell_word(&program.name), shell_word(&file.to_string_lossy()));
        let with = arguments.faults().again();
        let run = |seed: u64| format!("{name} run {path}{with} --seed {seed}");
        let mut faults = Vec::new();
        for (kind, (summary, seeds)) in &self.unexpected {
            let text = format!("unexpected {kind}: {summary}");
            faults.push(Fault { text, seeds: seeds.clone(), again: run(seeds[0]) });
        }
        for expected in &self.expectations {
            if expected.always && !expected.unmet.is_empty() {
                let (text, seeds) = (format!("not met: {}", expected.text), expected.unmet.clone());
                faults.push(Fault { text, again: run(seeds[0]), seeds });
            } else if !expected.always && expected.met == 0 && arguments.faults() == Chosen::Own {
                let text = format!("met with none of {} seeds: {}", self.seeds, expected.text);
                let again = format!("{name} test {path}{with} --seeds {}", arguments.seeds);
                faults.push(Fault { text, seeds: Vec::new(), again });
            }
        }
        if let Some((seed, reason)) = &self.failed {
            let text = format!("the run cannot go on: {reason}");
            faults.push(Fault { text, seeds: vec![*seed], again: run(*seed) });
        }
        faults
    }

    fn lines(&self, file: &Path, faults: &[Fault], paint: Paint) -> Vec<String> {
        let word = if faults.is_empty() { paint.good("ok  ") } else { paint.bad("FAIL") };
        let mut lines = vec![format!(
            "{word} {}: {}, {}, {}",
            escape(&file.display().to_string()),
            figures::counted(self.seeds, "seed"),
            figures::counted(self.events, "event"),
            figures::counted(self.expectations.len() as u64, "expectation"),
        )];
        for fault in faults {
            let seeds =
                if fault.seeds.is_empty() { String::new() } else { format!(" ({})", seeds(&fault.seeds)) };
            lines.push(format!("     {}{seeds}", escape(&fault.text)));
            lines.push(format!("       again: {}", fault.again));
        }
        lines
    }

    fn as_json(&self, file: &Path, faults: &[Fault]) -> Value {
        let expectation = |expected: &Expected| {
            json!({
                "text": expected.text,
                "seeds": if expected.always { "all" } else { "any" },
                "met": expected.met,
                "unmet": expected.unmet,
            })
        };
        let fault = |fault: &Fault| json!({ "text": fault.text, "seeds": fault.seeds, "again": fault.again });
        json!({
            "scenario": file.to_string_lossy(),
            "met": faults.is_empty(),
            "seeds": self.seeds,
            "events": self.events,
            "expectations": self.expectations.iter().map(expectation).collect::<Vec<_>>(),
            "failures": faults.iter().map(fault).collect::<Vec<_>>(),
        })
    }
}

fn seeds(seeds: &[u64]) -> String {
    let listed: Vec<String> = seeds.iter().take(SEEDS_LISTED_MAX).map(u64::to_string).collect();
    let more = match seeds.len().saturating_sub(SEEDS_LISTED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let noun = if seeds.len() == 1 { "seed" } else { "seeds" };
    format!("{noun} {}{more}", listed.join(", "))
}
