//! Every monitor against hand-made runs: one that fires it, near misses that must not, and twins that judge by
//! brute force.

mod architecture;
mod audit;
mod conflict;
mod conflict_twin;
mod cost_overrun;
mod duplicate_hand_over;
mod error_propagation;
mod feedback_loop;
mod json;
mod lost_update;
mod mutations;
mod naming;
mod panel;
mod permission_breach;
mod property;
mod semantic_conflict;
mod starvation;
mod support;
mod table;
mod tally;
mod trust_breach;
mod ungated_and_panicked;
mod zombie_write;
