//! What goes wrong in a simulated fleet, and when: a plan of named rules.
//!
//! A [`Plan`] is data: it can be printed, edited, written into a trace, and made smaller rule by rule. Each
//! [`Rule`] says what goes wrong ([`Fault`]) and when ([`When`]). A rule's luck is a stateless draw keyed by its name
//! and by who acts (the message, the agent's visit, the occurrence), and rules apply in a fixed order, by kind and
//! then by name. So a rule that never fires changes nothing, neither does the order in which rules are written down,
//! and adding an agent leaves the draws of all others as they were. What a rule does is recorded as a
//! [`Fact::Injected`](fleetsim_engine::Fact::Injected) with its name.
//!
//! ```
//! use fleetsim_engine::{Fleet, SECOND, Time};
//! use fleetsim_fault_injection::{Fault, Messages, Party, Plan, Rule, Share, When, Who};
//!
//! let mut plan = Plan::default();
//! let crash = Fault::Crash { who: Who::Each(Party::member("coder", 2)) };
//! plan.add("power cut", Rule::new(crash, When::At { at: Time::from_ns(90 * SECOND) }))?;
//! let loss = Fault::Loss { messages: Messages::default(), share: Share::new(1, 100) };
//! plan.add("bad cable", Rule::new(loss, When::Always))?;
//!
//! let written = serde_json::to_string(&plan)?;
//! assert_eq!(serde_json::from_str::<Plan>(&written)?, plan);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod atlas;
mod error;
mod fault;
mod heal;
mod install;
mod messages;
mod network;
mod party;
mod plan;
mod process;
mod rules;
mod share;
mod show;
mod sites;
mod spread;
mod swarm;
mod tolerance;
mod trigger;
mod when;
mod windows;

pub use atlas::unrecoverable;
pub use error::Error;
pub use fault::{Damage, Fault, Luck};
pub use heal::Heal;
pub use messages::Messages;
pub use party::{Party, Who};
pub use plan::{Plan, Rule};
pub use share::Share;
pub use spread::Spread;
pub use swarm::{World, swarm};
pub use tolerance::{SiteTolerance, Tolerance};
pub use trigger::Trigger;
pub use when::When;
