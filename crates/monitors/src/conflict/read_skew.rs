//! **Read skew**: a circle with exactly one anti-dependency (G-single). One operation saw the world partly as it was
//! before another and partly as it was after it: each of its reads was of the current version at some time since it
//! began, and there was no time at which all were.
//!
//! A stale read needs no second resource: it was behind the world already when its operation began. A lost update is
//! a circle of this sort on one resource, and is told as that.

use super::telling::Anomaly;
use crate::finding::Severity;

pub(super) const READ_SKEW: Anomaly = Anomaly {
    kind: "read-skew",
    severity: Severity::Medium,
    counted: "circles",
    conclusion: "there was no such state of both",
    remedy: "read from one snapshot, or check at the end that what was read is still current",
};
