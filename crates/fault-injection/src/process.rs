//! What goes wrong with agents themselves, as the controls with which it begins and ends.

use fleetsim_engine::{ClockChange, Control};

use crate::fault::Fault;
use crate::when::Interval;

/// What begins a fault of an agent; `None` for faults of other sorts.
pub(crate) fn begins(fault: &Fault) -> Option<Control> {
    Some(match fault {
        Fault::Crash { .. } => Control::Crash,
        Fault::Restart { .. } => Control::Restart,
        Fault::Pause { .. } | Fault::Zombie { .. } => Control::Pause,
        Fault::Slow { permille, .. } => Control::Slow { permille: *permille },
        Fault::Clock { change, .. } => Control::Clock(*change),
        Fault::Tell { name, .. } => Control::Tell(name.clone()),
        _ => return None,
    })
}

/// What ends it after the time for which it lasted.
pub(crate) fn ends(fault: &Fault, lasted: Interval) -> Option<Control> {
    Some(match fault {
        Fault::Crash { .. } => Control::Restart,
        Fault::Pause { .. } | Fault::Zombie { .. } => Control::Resume,
        Fault::Slow { .. } => Control::Slow { permille: 1_000 },
        Fault::Clock { change, .. } => Control::Clock(undone(*change, lasted)),
        _ => return None,
    })
}

/// What sets a clock right that was changed for a while.
fn undone(change: ClockChange, lasted: Interval) -> ClockChange {
    let lasted_ns = i128::from(lasted.until.since(lasted.from));
    let gained_ns = lasted_ns * i128::from(change.drift_ppb) / 1_000_000_000 + i128::from(change.jump_ns);
    let jump_ns = (-gained_ns).clamp(i64::MIN.into(), i64::MAX.into()) as i64;
    ClockChange { drift_ppb: 0, jump_ns }
}

/// What the record says when a condition of the network begins and ends.
pub(crate) fn announced(fault: &Fault) -> Option<(&'static str, &'static str)> {
    Some(match fault {
        Fault::Partition { .. } => ("partition", "partition-ends"),
        Fault::Isolate { .. } => ("isolate", "isolate-ends"),
        Fault::Hold { .. } => ("hold", "hold-ends"),
        _ => return None,
    })
}
