//! Steps of a run to disk and back: write, read, verify, compare, explain.

pub mod address;
mod bits;
mod body;
mod column;
mod comparison;
mod diff;
mod divergence;
mod error;
pub mod format;
mod header;
pub mod inspect;
mod recorder;
mod render;
mod scan;
mod source;
pub mod text;
mod trace;
mod verify;
mod why;
mod writer;

pub use address::Address;
pub use comparison::{Compared, Comparison};
pub use diff::{Diff, diff};
pub use divergence::Divergence;
pub use error::Error;
pub use format::{Closing, FORMAT, Span};
pub use header::{Behaviour, DataFile, Header, Level, Program, RunLimits, ScenarioText};
pub use recorder::{Finished, Recorder};
pub use render::{Payloads, Renderer};
pub use trace::Trace;
pub use verify::Verification;
pub use why::{Tree, why};
