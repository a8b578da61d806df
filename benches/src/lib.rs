//! What the benches measure, and how: workloads through the public API, bare loops beside them, and a harness that
//! interleaves whoever is compared.
//!
//! Machines are noisy and get slower and faster while one measures, so a figure alone says little: what counts is the
//! ratio of two contestants that ran one after the other, over many rounds ([`paired`]).

// The engine's cipher is not public; the loop on equal terms is to pay exactly what the engine pays.
#[path = "../../crates/engine/src/chacha.rs"]
mod chacha;
pub mod equal;
pub mod fleet_run;
pub mod floor;
pub mod paired;
pub mod ring;

/// The shortest delay of PHOLD, in nanoseconds.
const DELAY_NS_MIN: u64 = 100_000_000;
/// The mean of the exponential part of a delay, in nanoseconds.
const DELAY_NS_MEAN: u64 = 900_000_000;
/// No delay is longer: an exponential draw reaches at most 37 means.
const DELAY_NS_MAX: u64 = DELAY_NS_MIN + 37 * DELAY_NS_MEAN;
/// The name of the agents of the workload `phold`.
const GROUP: &str = "process";
/// Processes whose state the bare loops touch at once before they handle the events.
const PROCESSES_AHEAD: usize = 32;
