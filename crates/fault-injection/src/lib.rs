//! What goes wrong in a simulated fleet, and when: a plan of named rules.
//!
//! A plan is data. Each rule's luck is a stateless draw keyed by the rule's name and the message that it looks at,
//! and rules apply in a fixed order, by kind and then by name. So a rule that never fires changes nothing, and
//! neither does the order in which rules are written down.
//!
//! ```
//! use fleetsim_engine::{AgentId, Fleet, SECOND, Time};
//! use fleetsim_fault_injection::{Fault, Plan, Share};
//!
//! let mut plan = Plan::default();
//! plan.add("power cut", Fault::Crash { agent: AgentId::named("coder", 2), at: Time::from_ns(90 * SECOND) })?;
//! plan.add("bad cable", Fault::Loss { messages: Default::default(), share: Share { numerator: 1, denominator: 100 } })?;
//! plan.install(&mut Fleet::new(7));
//! # Ok::<(), fleetsim_fault_injection::Error>(())
//! ```

#![forbid(unsafe_code)]

mod network;
mod plan;

pub use network::Messages;
pub use plan::{Error, Fault, Plan, Share};
