//! Scenario files: from TOML to a validated, typed [`Scenario`]. Mistakes come all at once, each with its
//! place and what to write instead.
//!
//! ```
//! use fleetsim_scenario::{Overrides, Scenario};
//!
//! let text = r#"
//!     [fleet]
//!     lasts = "8h"
//!
//!     [work.note]
//!     count = 10
//!     arrives = { poisson = "6/h" }
//!     enters = "notes"
//!     done-at = "writer"
//!
//!     [role]
//!     writer = { count = 2, process = { handles-one-in = "90s" } }
//!
//!     [medium]
//!     queue = { kind = "queue" }
//!
//!     [seam]
//!     notes = { from = "outside", to = "wrtier", via = "queue" }
//! "#;
//! let mistakes = Scenario::parse("notes.toml", text, &Overrides::none()).unwrap_err();
//! let mistake = mistakes.iter().next().unwrap();
//! assert_eq!(mistake.message, "no role `wrtier`");
//! assert_eq!(mistake.help.as_deref(), Some("did you mean `writer`?"));
//!
//! let mut overrides = Overrides::none();
//! overrides.push("seam.notes.to=writer").unwrap();
//! let scenario = Scenario::parse("notes.toml", text, &overrides).unwrap();
//! assert_eq!(scenario.document().agents(), 2);
//! ```
//!
//! The parts, in the order in which a text passes through them: `tree` (TOML with places),
//! overrides, `validate` (against the generated [`schema()`]), `deserialize` (into [`vocabulary`] types),
//! `meaning` (names that must exist, values that must fit together).

#![forbid(unsafe_code)]

mod arrivals;
mod behaviour;
mod build;
mod deserialize;
mod distribution;
mod either;
mod error;
mod faults;
mod grammar;
mod load;
mod meaning;
mod mistake;
mod named;
mod nearest;
mod overrides;
mod path;
mod render;
mod repair;
mod scalar;
mod scenario;
mod schema;
mod source;
mod tree;
mod validate;
pub mod vocabulary;

pub use arrivals::{Arrivals, RecordedArrival};
pub use behaviour::{Behaviours, RolePlan};
pub use build::{BuildError, Plan};
pub use distribution::{CountDistribution, Distribution, DurationDistribution, Shape};
pub use either::Either;
pub use error::Error;
pub use load::{DataFile, Loaded};
pub use mistake::{Code, Mistake, Mistakes};
pub use named::Named;
pub use overrides::Overrides;
pub use scalar::{Count, Decimal, Drift, Duration, Gap, Hours, Jump, Money, Rate, ScalarError, Share};
pub use scenario::{Scenario, TEXT_BYTES_MAX};
pub use schema::schema;
