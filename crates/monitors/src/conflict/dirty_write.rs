//! **Dirty write**: operations overwrote each other in a circle of write dependencies (Adya's G0), so that what is
//! left is one's version of this and another's version of that. No order of the operations gives that result.

use super::telling::Anomaly;
use crate::finding::Severity;

pub(super) const DIRTY_WRITE: Anomaly = Anomaly {
    kind: "dirty-write",
    severity: Severity::High,
    counted: "circles",
    conclusion: "what is left is of neither order",
    remedy: "hold all that an operation writes until it ends (locks, or one store transaction)",
};
