//! **Dirty read**: a committed operation read what its maker did not stand by.
//!
//! - A version of an operation that took no effect (G1a, aborted read).
//! - A version that its own operation replaced and committed without (G1b, intermediate read).
//! - A circle of write and read dependencies: each rests on what another had not committed (G1c).

use super::telling::Anomaly;
use crate::finding::Severity;

pub(super) const DIRTY_READ: Anomaly = Anomaly {
    kind: "dirty-read",
    severity: Severity::High,
    counted: "dirty_reads",
    conclusion: "none of them can have come first",
    remedy: "show a version to others only when its operation has committed",
};
