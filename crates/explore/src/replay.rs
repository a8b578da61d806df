//! Replays the one run that a trace of a check holds.

use std::fmt::Write as _;
use std::path::Path;

use fleetsim_fault_injection::Plan;
use fleetsim_trace_replay::Trace;

use crate::case::Subject;
use crate::failed::witness;

/// Runs the case of a trace again and compares. `None` when the trace is another check's; an error is what the test has
/// to say.
pub(crate) fn replay(subject: &Subject<'_>, path: &Path) -> Option<Result<String, String>> {
    let trace = match Trace::open(path) {
        Ok(trace) => trace,
        Err(error) => return Some(Err(format!("cannot replay {}: {error}", path.display()))),
    };
    let header = trace.header();
    if header.scenario.name != subject.name {
        return None;
    }
    let plan: Plan = match serde_json::from_value(header.faults.clone()) {
        Ok(plan) => plan,
        Err(error) => return Some(Err(format!("the trace's faults cannot be read: {error}"))),
    };
    let (case, parts) = subject.compare(header.seed, &plan, &trace);
    let mut report = match parts {
        Err(error) => format!("the trace is damaged: {error}\n"),
        Ok(Some(parts)) => format!(
            "not the run that was recorded (the code has changed, or is not deterministic):\n{parts}\n"
        ),
        Ok(None) => format!("identical: {} events of seed {}\n", case.events, header.seed),
    };
    Some(match &case.failure {
        None => Ok(report + "it holds"),
        Some((what, finding)) => {
            let _ = writeln!(report, "{}: `{what}` fails with seed {}", subject.name, header.seed);
            let _ = witness(&mut report, finding);
            let _ = write!(report, "{plan}");
            Err(report)
        }
    })
}
