//! Every monitor against hand-made runs: one that fires it, near misses that must not, and twins that judge by
//! brute force.

mod architecture;
mod deadlock;
mod duplicate_hand_over;
mod duplicate_work;
mod feedback_loop;
mod json;
mod livelock;
mod lost_update;
mod message_loop;
mod metastable;
mod mutations;
mod not_converged;
mod orphaned_task;
mod panel;
mod retry_storm;
mod starvation;
mod support;
mod tally;
mod ungated_and_panicked;
