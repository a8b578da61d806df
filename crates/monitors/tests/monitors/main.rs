//! Every monitor against hand-made runs: one that fires it, near misses that must not, and twins that judge by
//! brute force.

mod architecture;
mod duplicate_hand_over;
mod feedback_loop;
mod json;
mod lost_update;
mod panel;
mod property;
mod starvation;
mod support;
mod tally;
mod ungated_and_panicked;
