//! Steps of a run to disk and back: write, read, verify, compare, explain.
//!
//! A [`Recorder`] is a sink of the engine that writes a run into one file; [`Trace`] reads it, whole, cut off or
//! damaged, one chunk at a time. [`Comparison`] finds where a replay parts from its trace, [`diff`] where two traces
//! part, [`why`] the causes of an event. The bytes are described in [`format`](mod@format).
//!
//! ```
//! use fleetsim_trace_replay::{Closing, Header, Recorder, Trace};
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("run.fleet");
//! let mut recorder = Recorder::create(&path, &Header { seed: 7, ..Header::default() })?;
//! // simulation.run(&limits, &mut recorder);
//! let finished = recorder.finish(&Closing { ending: "nothing left to do".to_owned(), ..Closing::default() });
//! assert_eq!(finished.error, None);
//!
//! let trace = Trace::open(&path)?;
//! assert_eq!(trace.header().seed, 7);
//! assert_eq!(trace.verify().digest, Some(finished.digest));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

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
mod import;
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
pub use import::{Edges, Figure, Import, Share};
pub use recorder::{Finished, Recorder};
pub use render::{Payloads, Renderer};
pub use trace::Trace;
pub use verify::Verification;
pub use why::{DEPTH_MAX, Tree, why};
