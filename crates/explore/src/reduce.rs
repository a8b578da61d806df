//! Makes a failing case small: drops fault rules one by one while the same property still fails.

use std::path::Path;

use fleetsim_engine::DigestSink;
use fleetsim_fault_injection::Plan;
use fleetsim_monitors::Finding;
use fleetsim_trace_replay::Trace;

use crate::case::{Case, Subject, Tap};
use crate::check::Checked;
use crate::failed::Failed;
use crate::place;

/// Reduces the plan of a failing case, records what is left, and runs it twice.
pub(crate) fn reduce(
    subject: &Subject<'_>,
    seed: u64,
    plan: Plan,
    what: &str,
    case: &Case,
    checked: &Checked,
    folder: &Path,
) -> Failed {
    let rules_before = plan.rules().count();
    let again = subject.run(seed, &plan, &mut Tap::Digest(DigestSink::default()));
    let first_finding = case.failure.as_ref().map(|(_, finding)| finding.clone());
    // A run that is not the same run again cannot be made smaller: whatever is dropped may not be what matters.
    let smallest = match again.digest == case.digest {
        true => {
            drop_rules(subject, seed, Smallest { plan, finding: first_finding, events: case.events }, what)
        }
        false => Smallest { plan, finding: first_finding, events: case.events },
    };
    let path = place::trace_path(folder, &subject.name, seed);
    let saved = subject.record(seed, &smallest.plan, &path);
    let parts = match (&saved, Trace::open(&path)) {
        (Ok(()), Ok(trace)) => subject.compare(seed, &smallest.plan, &trace).1.ok().flatten(),
        _ => None,
    };
    let is_other = again.digest != case.digest;
    Failed {
        check: subject.name.clone(),
        property: what.to_owned(),
        seed,
        runs: checked.runs,
        rules_before,
        events: smallest.events,
        plan: smallest.plan,
        finding: smallest.finding,
        saved: saved.map(|()| path),
        nondeterminism: parts.or(is_other.then(|| "two runs of one seed have different digests".to_owned())),
    }
}

struct Smallest {
    plan: Plan,
    finding: Option<Finding>,
    events: u64,
}

/// Tries all rules at once, then each by itself, until none can go.
fn drop_rules(subject: &Subject<'_>, seed: u64, mut smallest: Smallest, what: &str) -> Smallest {
    let attempt = |plan: &Plan| {
        let case = subject.run(seed, plan, &mut Tap::Digest(DigestSink::default()));
        let events = case.events;
        case.failure.filter(|(failed, _)| failed == what).map(|(_, finding)| (finding, events))
    };
    let keep = |smallest: &mut Smallest, plan: Plan| match attempt(&plan) {
        Some((finding, events)) => {
            *smallest = Smallest { plan, finding: Some(finding), events };
            true
        }
        None => false,
    };
    if keep(&mut smallest, Plan::default()) {
        return smallest;
    }
    let mut dropped = true;
    while dropped {
        dropped = false;
        let names: Vec<String> = smallest.plan.rules().map(|(name, _)| name.to_owned()).collect();
        for name in names {
            let mut without = smallest.plan.clone();
            without.remove(&name);
            dropped |= keep(&mut smallest, without);
        }
    }
    smallest
}
