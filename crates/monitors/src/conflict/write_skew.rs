//! **Write skew**: a circle with several anti-dependencies (G2-item). Each operation read what another changed, and
//! did not see the change; each is right by itself, and together they break what both relied on.

use super::telling::Anomaly;
use crate::finding::Severity;

pub(super) const WRITE_SKEW: Anomaly = Anomaly {
    kind: "write-skew",
    severity: Severity::High,
    counted: "circles",
    conclusion: "neither saw the other's change",
    remedy: "check at the commit that what was read is still current, or let what must agree be one resource",
};
