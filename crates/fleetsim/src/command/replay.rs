//! `replay`: executes a recorded run again and compares, or judges its record without executing anything.
//!
//! It judges the record, not the fleet: findings are told, but an identical replay is as expected whatever it shows.

use std::path::PathBuf;
use std::time::Duration;

use fleetsim_engine::Digest;
use fleetsim_monitors::{Finding, Panel, Report};
use fleetsim_scenario::{Loaded, Plan};
use fleetsim_trace_replay::text::escape;
use fleetsim_trace_replay::{Compared, Divergence, Error, Header, Trace};
use serde_json::json;

use super::{Program, exit_of, open, parse_wall};
use crate::exit::{Exit, Failure};
use crate::expectation::{Judgement, judge};
use crate::fault_choice;
use crate::output::{Format, Paint, figures, json, report, show, show_json, tell};
use crate::recording::{self, Told};
use crate::reexecution::{divergence_json, reexecute};
use crate::wall;

/// Findings that are listed.
const FINDINGS_MAX: usize = 10;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The trace
    trace: PathBuf,
    /// Judge the recorded steps without executing anything
    #[arg(long, conflicts_with = "attempt")]
    detached: bool,
    /// Be content with a trace that ends early
    #[arg(long)]
    partial: bool,
    /// Replay even if the versions do not fit
    #[arg(long)]
    attempt: bool,
    /// Give up when one event takes longer than this on the clock on the wall; 0 for never
    #[arg(long, value_name = "T", default_value = "60s", value_parser = parse_wall)]
    watchdog: Duration,
    /// How to show the result
    #[arg(long, value_name = "FORMAT", default_value = "text", value_enum)]
    format: Format,
}

/// What a replay came to.
struct Replayed {
    digest: Option<Digest>,
    events: u64,
    /// Whether both runs are the same; `None` when nothing was executed.
    is_identical: Option<bool>,
    divergence: Option<Divergence>,
    damage: Vec<Error>,
    report: Option<(Report, Option<Judgement>)>,
}

pub(crate) fn execute(arguments: &Arguments, program: &Program) -> Result<Exit, Failure> {
    let trace = open(&arguments.trace)?;
    let replayed = if arguments.detached {
        detached(arguments, program, &trace)?
    } else {
        again(arguments, program, &trace)?
    };
    match arguments.format {
        Format::Json => show_as_json(arguments, &trace, &replayed)?,
        Format::Text => show_as_text(&trace, &replayed)?,
    }
    Ok(if !replayed.damage.is_empty() {
        Exit::Damaged
    } else if replayed.divergence.is_some() {
        Exit::Diverged
    } else if trace.is_partial() && !arguments.partial {
        Exit::Damaged
    } else {
        exit_of(&trace)
    })
}

/// The findings of the recorded steps of a trace, and how they compare with what its scenario expects, if this
/// program can read that.
pub(crate) fn judge_record(
    trace: &Trace,
    program: &Program,
    path: &std::path::Path,
) -> Result<(Report, Option<Judgement>), Failure> {
    let (report, judgement, ()) = judge_fed(trace, program, path, |panel| trace.feed(panel))?;
    Ok((report, judgement))
}

/// Judges the steps that `feed` hands to a panel, and gives what that gave.
fn judge_fed<T>(
    trace: &Trace,
    program: &Program,
    path: &std::path::Path,
    feed: impl FnOnce(&mut Panel) -> Result<T, Error>,
) -> Result<(Report, Option<Judgement>, T), Failure> {
    let header = trace.header();
    check_steps(trace)?;
    let mut panel = program.registry.panel(&recording::monitors(header)?, &header.manifest);
    let fed = feed(&mut panel).map_err(|error| Failure::of_trace(path, &error))?;
    let end = recording::recorded_end(trace);
    let report = panel.report(&end);
    let judgement = recording::scenario(header)
        .ok()
        .map(|loaded| judge(&loaded.scenario.document().expect, &report, end.complete));
    Ok((report, judgement, fed))
}

/// Refuses a trace without steps.
pub(crate) fn check_steps(trace: &Trace) -> Result<(), Failure> {
    if trace.header().level == fleetsim_trace_replay::Level::Digest {
        let message = "the trace was recorded at level `digest` and holds no steps to judge; replay it without \
                       --detached, or record the run again in full";
        return Err(Failure::usage(message));
    }
    Ok(())
}

fn detached(arguments: &Arguments, program: &Program, trace: &Trace) -> Result<Replayed, Failure> {
    let (report, judgement, verified) =
        judge_fed(trace, program, &arguments.trace, |panel| trace.feed_verified(panel))?;
    Ok(Replayed {
        digest: verified.digest.or_else(|| trace.digest().ok()),
        events: trace.steps(),
        is_identical: None,
        divergence: None,
        damage: verified.damage,
        report: Some((report, judgement)),
    })
}

fn again(arguments: &Arguments, program: &Program, trace: &Trace) -> Result<Replayed, Failure> {
    let header = trace.header();
    check_versions(header, program, arguments)?;
    let loaded = recording::scenario(header).map_err(|error| Failure::of_recorded_scenario(&error))?;
    let plan = Plan::new(&loaded, &program.registry.behaviours)?;
    let faults = fault_choice::of_record(header)?.unwrap_or_else(|| plan.faults());
    let told = Told { seed: header.seed, limits: header.limits, faults };
    let limits = told.limits(&plan);
    let simulation = told.simulation(&plan)?;
    let panel = program.registry.panel(&told.monitors(&plan), simulation.manifest());
    let again = reexecute(simulation, &limits, trace, Some(panel), arguments.watchdog);
    if wall::is_interrupted() {
        return Err(Failure::new(Exit::Damaged, "interrupted before the replay was over"));
    }
    let end = recording::run_end(&again.driven.outcome, &limits, &plan);
    let report = again.panel.map(|panel| judged(panel.report(&end), &loaded, end.complete));
    Ok(match again.compared {
        Ok(compared) => {
            let damage = damage_beside(trace, &compared);
            Replayed {
                digest: Some(compared.digest),
                events: compared.same,
                is_identical: Some(compared.divergence.is_none()),
                divergence: compared.divergence,
                damage,
                report,
            }
        }
        Err(error) => {
            let mut damage = trace.verify().damage;
            if !damage.contains(&error) {
                damage.push(error);
            }
            Replayed {
                digest: None,
                events: 0,
                is_identical: Some(false),
                divergence: None,
                damage,
                report: None,
            }
        }
    })
}

fn judged(report: Report, loaded: &Loaded, complete: bool) -> (Report, Option<Judgement>) {
    let judgement = judge(&loaded.scenario.document().expect, &report, complete);
    (report, Some(judgement))
}

/// Damage that was noticed although it did not stand in the way: outside the chunks, or in what the trace says of
/// its own end.
fn damage_beside(trace: &Trace, compared: &Compared) -> Vec<Error> {
    let is_whole = compared.divergence.is_none() && !trace.is_partial();
    if is_whole && trace.digest().is_ok_and(|digest| digest != compared.digest) {
        return trace.verify().damage;
    }
    trace.damage().to_vec()
}

/// Whether this program can give the same run.
fn check_versions(header: &Header, program: &Program, arguments: &Arguments) -> Result<(), Failure> {
    if let Some(import) = &header.import {
        let message = format!(
            "there is nothing to execute again: the trace was imported from a log ({}); `--detached` judges its record",
            import.kind
        );
        return Err(Failure::usage(&message));
    }
    if header.external_inputs {
        return Err(Failure::usage(
            "the run took inputs from outside and cannot be executed again; `--detached` judges its record",
        ));
    }
    if !header.deviations.is_null() {
        let message = "the run was recorded with deviations, which this program cannot repeat; `--detached` judges its record";
        return Err(Failure::new(Exit::Incompatible, message));
    }
    let (mut missing, mut other) = (Vec::new(), Vec::new());
    for behaviour in &header.behaviours {
        match program.registry.behaviours.version(&behaviour.name) {
            None => missing.push(format!("`{}` version {}", behaviour.name, behaviour.version)),
            Some(version) if version.to_string() != behaviour.version => {
                other.push(format!(
                    "`{}` version {} (this program has {version})",
                    behaviour.name, behaviour.version
                ));
            }
            Some(_) => {}
        }
    }
    if !missing.is_empty() {
        let message = format!(
            "this program lacks what the run needs: behaviour {}; replay it with the program that has it, or judge \
             its record with `--detached`",
            missing.join(", ")
        );
        return Err(Failure::new(Exit::Incompatible, &message));
    }
    if arguments.attempt {
        return Ok(());
    }
    if let Err(error) = header.check_semantics() {
        let message = format!("{error}\n`--attempt` replays it nevertheless and shows where the runs part");
        return Err(Failure::new(Exit::Incompatible, &message));
    }
    if !other.is_empty() {
        let message =
            format!("the run needs behaviour {}; `--attempt` replays it nevertheless", other.join(", "));
        return Err(Failure::new(Exit::Incompatible, &message));
    }
    Ok(())
}

fn show_as_text(trace: &Trace, replayed: &Replayed) -> Result<(), Failure> {
    let paint = Paint::stdout();
    let events = figures::counted(replayed.events, "event");
    let digest = replayed.digest.map(|digest| format!(", digest {digest}")).unwrap_or_default();
    let mut lines = Vec::new();
    match (replayed.is_identical, &replayed.divergence) {
        (_, Some(divergence)) => {
            lines.push(paint.bad("the replay is not the same run"));
            lines.extend(divergence.lines("recorded", "replayed"));
        }
        (Some(true), None) if trace.is_partial() => {
            lines.push(format!("partial, identical as far as it goes: {events}{digest}"));
        }
        (Some(true), None) => lines.push(paint.good(&format!("identical: {events}{digest}"))),
        (Some(false), None) => {}
        (None, None) => {
            let partial = if trace.is_partial() { "partial, " } else { "" };
            lines.push(format!("{partial}judged from the record alone: {events}{digest}"));
        }
    }
    if let Some((report, judgement)) = &replayed.report {
        lines.push(match report.findings.len() as u64 {
            0 => "no findings".to_owned(),
            count => figures::counted(count, "finding"),
        });
        let is_unexpected =
            |number| judgement.as_ref().is_some_and(|judgement| judgement.unexpected.contains(&number));
        for (number, finding) in report.findings.iter().enumerate().take(FINDINGS_MAX) {
            lines.extend(brief(number, finding, is_unexpected(number), paint));
        }
        if report.findings.len() > FINDINGS_MAX {
            lines.push(format!(" … and {} more", report.findings.len() - FINDINGS_MAX));
        }
    }
    if !lines.is_empty() {
        show(&(lines.join("\n") + "\n"))?;
    }
    replayed.damage.iter().for_each(|damage| tell(&format!("error: {}\n", escape(&damage.to_string()))));
    Ok(())
}

/// The first line of a finding.
fn brief(number: usize, finding: &Finding, is_unexpected: bool, paint: Paint) -> Option<String> {
    report::finding(number, finding, is_unexpected, paint).into_iter().next()
}

fn show_as_json(arguments: &Arguments, trace: &Trace, replayed: &Replayed) -> Result<(), Failure> {
    let header = trace.header();
    let findings = replayed.report.as_ref().map(|(report, judgement)| match judgement {
        Some(judgement) => json::findings(&report.findings, judgement),
        None => report.findings.iter().map(|finding| json!(finding)).collect(),
    });
    let judgement = replayed.report.as_ref().and_then(|(_, judgement)| judgement.as_ref());
    let own_seed = recording::scenario(header)
        .is_ok_and(|loaded| loaded.scenario.document().fleet.seed.unsigned_abs() == header.seed);
    let expectations = judgement.map(|judgement| {
        let shown = judgement.judged.iter().map(|judged| json::expectation(judged, own_seed));
        shown.collect::<Vec<_>>()
    });
    let divergence = replayed.divergence.as_ref();
    show_json(&json!({
        "trace": arguments.trace.to_string_lossy(),
        "scenario": header.scenario.name,
        "seed": header.seed,
        "version": json::versions(),
        "digest": replayed.digest.map(|digest| digest.to_string()),
        "events": replayed.events,
        "identical": replayed.is_identical,
        "partial": trace.is_partial(),
        "detached": arguments.detached,
        "first_divergence": divergence.map(|divergence| divergence_json(divergence, "recorded", "replayed")),
        "damage": replayed.damage.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "architecture": replayed.report.as_ref().and_then(|(report, _)| report.architecture.class).map(|class| class.name()),
        "findings": findings,
        "expectations": expectations,
        "expected_met": judgement.map(|judgement| judgement.is_met(own_seed)),
    }))
}
