//! The report of a run for programs: one object whose fields are contract; more may be added.

use fleetsim_engine::SEMANTICS;
use fleetsim_fault_injection as injection;
use fleetsim_monitors::{FaultTally, Finding, Report};
use fleetsim_trace_replay::FORMAT;
use serde_json::{Value, json};

use super::figures::per_second;
use super::report::RunView;
use crate::expectation::{Judged, Judgement, Verdict};
use crate::recording;

/// The three versions.
pub(crate) fn versions() -> Value {
    json!({ "format": FORMAT, "semantics": SEMANTICS, "program": env!("CARGO_PKG_VERSION") })
}

/// The report of a run.
pub(crate) fn run(view: &RunView<'_>) -> Value {
    let mut value = json!({
        "scenario": view.scenario,
        "seed": view.seed,
        "version": versions(),
        "digest": view.digest.to_string(),
        "events": view.outcome.events,
        "messages": view.outcome.messages,
        "virtual_time_ns": view.outcome.time.as_ns(),
        "wall_ms": u64::try_from(view.wall.as_millis()).unwrap_or(u64::MAX),
        "events_per_second": per_second(view.outcome.events, view.wall),
        "agents": view.agents,
        "entities": view.outcome.agents,
        "ending": recording::ending(&view.outcome.ending),
        "complete": view.complete,
        "trace": view.trace.map(|path| path.to_string_lossy()),
        "again": view.again.split_once(": ").map(|(_, command)| command),
        "expected_met": view.judged.map(|(_, judgement)| judgement.is_met(view.own_seed)),
    });
    let measured = match view.judged {
        Some((report, judgement)) => {
            let mut value = judged(report, judgement, view.own_seed);
            value["faults"] = faults(view.faults, &report.tally.faults);
            value
        }
        // Without monitors nothing is known, which is not the same as nothing found.
        None => json!({
            "tasks": null, "cost": null, "seams": null, "architecture": null, "findings": null,
            "expectations": null, "faults": null,
        }),
    };
    if let (Value::Object(all), Value::Object(more)) = (&mut value, measured) {
        all.extend(more);
    }
    value
}

fn judged(report: &Report, judgement: &Judgement, own_seed: bool) -> Value {
    let tally = &report.tally;
    let expectations = judgement.judged.iter().map(|judged| expectation(judged, own_seed));
    json!({
        "tasks": tally.tasks,
        "checks": tally.checks,
        "cost": tally.cost,
        "seams": tally.seams,
        "requests": tally.requests,
        "roles": tally.roles,
        "fairness": tally.fairness,
        "architecture": report.architecture.class.map(|class| class.name()),
        "architecture_details": report.architecture,
        "findings": findings(&report.findings, judgement),
        "expectations": expectations.collect::<Vec<_>>(),
    })
}

/// What fault rules did, by rule and kind; those that did nothing with a count of 0.
fn faults(plan: &injection::Plan, tally: &[FaultTally]) -> Value {
    let mut faults = tally.to_vec();
    for (name, rule) in plan.rules() {
        if !tally.iter().any(|tally| tally.rule == name) {
            faults.push(FaultTally { rule: name.to_owned(), fault: rule.fault.kind().to_owned(), count: 0 });
        }
    }
    faults.sort();
    json!(faults)
}

/// Findings, each with whether the scenario expects it.
pub(crate) fn findings(findings: &[Finding], judgement: &Judgement) -> Vec<Value> {
    let finding = |(position, finding): (usize, &Finding)| {
        let mut value = json!(finding);
        value["expected"] = json!(!judgement.unexpected.contains(&position));
        value
    };
    findings.iter().enumerate().map(finding).collect()
}

/// One expectation and what became of it.
pub(crate) fn expectation(judged: &Judged, own_seed: bool) -> Value {
    let verdict = match judged.verdict {
        Verdict::Met => "met",
        Verdict::Unmet => "unmet",
        Verdict::Undecided => "undecided",
    };
    let seeds = if judged.always { "all" } else { "any" };
    json!({
        "text": judged.text, "seeds": seeds, "verdict": verdict,
        "fails": Judgement::fails(judged, own_seed),
    })
}
