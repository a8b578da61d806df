//! The engine through its public interface: what a run must be, topic by topic, and a brute-force twin of it.
//! Everything is in one binary, so that the shared stage is compiled once.

mod batch;
mod conservation;
mod deviations;
mod digest;
mod faults;
mod identity;
mod lifecycle;
mod limits;
mod links;
mod messages;
mod order;
mod panics;
mod program;
mod queue;
mod spawn;
mod stage;
mod timers;
mod twin;
mod work;
