//! Executes a recorded run again and compares it with its record: what `replay` and `run --twice` have in common.

use std::time::Duration;

use fleetsim_engine::{Limits, Simulation};
use fleetsim_monitors::Panel;
use fleetsim_trace_replay::{Compared, Comparison, Divergence, Error, Trace};
use serde_json::{Value, json};

use crate::drive::{Driven, Tap, Taps, drive};

/// What came of executing a run again.
pub(crate) struct Reexecution {
    pub(crate) driven: Driven,
    pub(crate) panel: Option<Panel>,
    /// The comparison, unless a chunk that it needed is damaged.
    pub(crate) compared: Result<Compared, Error>,
}

/// Executes `simulation` as far as `trace` goes.
pub(crate) fn reexecute(
    mut simulation: Simulation,
    limits: &Limits,
    trace: &Trace,
    panel: Option<Panel>,
    watchdog: Duration,
) -> Reexecution {
    let mut limits = *limits;
    if trace.is_partial() {
        limits.events_max = limits.events_max.min(trace.steps());
    }
    let mut taps = Taps { panel, end: Tap::Comparison(Box::new(Comparison::new(trace))) };
    let driven = drive(&mut simulation, &limits, &mut taps, watchdog);
    let Tap::Comparison(comparison) = taps.end else { unreachable!("the tap is not replaced") };
    Reexecution { driven, panel: taps.panel, compared: comparison.finish() }
}

/// A divergence as data.
pub(crate) fn divergence_json(divergence: &Divergence, left: &str, right: &str) -> Value {
    let mut value = json!({
        "event": divergence.ordinal,
        "event_end": divergence.ordinal_end,
        "at_ns": divergence.time.map(|time| time.as_ns()),
        "agent": divergence.agent.map(|_| &divergence.agent_name),
        "field": divergence.field,
        "before": divergence.before,
    });
    for (side, text, steps) in [
        (left, &divergence.left, &divergence.left_steps),
        (right, &divergence.right, &divergence.right_steps),
    ] {
        value[side] = json!(text);
        value[format!("{side}_steps")] = json!(steps);
    }
    value
}
