//! Every monitor against hand-made runs: one that fires it, near misses that must not, and twins that judge by
//! brute force.

mod architecture;
mod audit;
mod conflict;
mod conflict_twin;
mod cost_overrun;
mod deadlock;
mod duplicate_hand_over;
mod duplicate_work;
mod error_propagation;
mod feedback_loop;
mod json;
mod livelock;
mod lost_update;
mod message_loop;
mod metastable;
mod mutations;
mod naming;
mod not_converged;
mod orphaned_task;
mod panel;
mod permission_breach;
mod property;
mod retry_storm;
mod semantic_conflict;
mod starvation;
mod support;
mod table;
mod tally;
mod trust_breach;
mod ungated_and_panicked;
mod zombie_write;
