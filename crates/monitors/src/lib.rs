//! Judges of emergent failures, and the honest name of an architecture.
//!
//! A [`Panel`] is shown the steps of a run, live or from a trace, and gives a [`Report`]: the findings of every
//! [`Monitor`], the measured [`Architecture`], and the tally of tasks, money, seams and waits. Monitors know the
//! facts that agents state and nothing else; they change nothing, draw no random number and keep no clock, so
//! that the same steps give the same report, whatever the size of the batches they come in.
//!
//! ```
//! use fleetsim_engine::{Manifest, Time, batch::Batch};
//! use fleetsim_monitors::{MonitorConfig, Panel, RunEnd};
//!
//! let mut panel = Panel::new(&MonitorConfig::default(), &Manifest::default());
//! panel.observe_batch(&Batch::default());
//! let report = panel.report(&RunEnd { time: Time::ZERO, complete: true, quiescent: true });
//! assert!(report.findings.is_empty());
//! ```

#![forbid(unsafe_code)]

mod architecture;
mod audit;
mod branching;
mod config;
mod conflict;
mod cost_overrun;
mod deadlock;
mod duplicate_hand_over;
mod duplicate_work;
mod ending;
mod error_propagation;
mod feedback_loop;
mod finding;
mod fold;
mod graph;
mod histogram;
mod holdings;
mod id_set;
mod injected;
mod interests;
mod intern;
mod ledger;
mod lineage;
mod livelock;
mod lost_update;
mod message_loop;
mod metastable;
mod monitor;
mod not_converged;
mod number_map;
mod open_work;
mod orphaned_task;
mod panel;
mod panicked_agent;
mod permission_breach;
mod property;
mod ratio;
mod recurrence;
mod retry_storm;
mod role;
mod semantic_conflict;
mod starvation;
mod tally;
mod text;
mod topology;
mod trust_breach;
mod unfinished;
mod ungated_action;
mod wait_graph;
mod zombie_write;

pub use architecture::{
    Architecture, ArchitectureClass, Centralisation, Edge, Edges, Graphs, NodeKind, NodeMeasures,
    SeamMeasures, Share, Shares,
};
pub use audit::{
    Audit, AuditConfig, AuditReport, Bottleneck, BottleneckKind, Check, CriticalPath, Part, Permissions,
    SinglePoint, SinglePointKind, Times, Verdict,
};
pub use config::{May, Medium, MonitorConfig};
pub use conflict::Conflict;
pub use cost_overrun::CostOverrun;
pub use duplicate_hand_over::DuplicateHandOver;
pub use duplicate_work::DuplicateWork;
pub use error_propagation::ErrorPropagation;
pub use feedback_loop::FeedbackLoop;
pub use finding::{Class, Evidence, Finding, KINDS, Numbers, Severity};
pub use histogram::{Bucket, Histogram};
pub use interests::{FactKind, Interests};
pub use lost_update::LostUpdate;
pub use message_loop::MessageLoop;
pub use monitor::{Moment, Monitor, RunEnd};
pub use panel::{Panel, Report};
pub use panicked_agent::PanickedAgent;
pub use permission_breach::PermissionBreach;
pub use property::{ExpressionError, Key, Pattern, Promised, Property, PropertyRule};
pub use ratio::Ratio;
pub use retry_storm::RetryStorm;
pub use semantic_conflict::SemanticConflict;
pub use starvation::Starvation;
pub use tally::{
    CheckTally, CostTally, Fairness, FaultTally, RequestTally, RoleTally, SeamTally, Tally, TallyReport,
    TaskTally,
};
pub use topology::Topology;
pub use trust_breach::TrustBreach;
pub use unfinished::Unfinished;
pub use ungated_action::UngatedAction;
pub use zombie_write::ZombieWrite;
