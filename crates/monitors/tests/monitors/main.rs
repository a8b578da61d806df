//! Every monitor against hand-made runs: one that fires it, near misses that must not, and twins that judge by
//! brute force.

mod architecture;
mod audit;
mod duplicate_hand_over;
mod feedback_loop;
mod json;
mod lost_update;
mod naming;
mod panel;
mod starvation;
mod support;
mod tally;
mod ungated_and_panicked;
