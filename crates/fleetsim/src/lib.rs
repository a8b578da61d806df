//! A deterministic simulator of fleets of software agents, as a library and as a program.
//!
//! A user's crate depends on this crate alone. It writes [`Agent`]s, registers them in a [`Registry`] under a name
//! and a version, and hands that to [`cli::main`], which is the whole program: every command works with the
//! registered behaviours as with the built-in ones.
//!
//! ```no_run
//! use fleetsim::{Agent, AgentId, Context, Message, Registry, SECOND};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! enum Gossip { Rumour { age: u32 } }
//! impl Message for Gossip { const PROTOCOL: &'static str = "gossip"; }
//!
//! struct Neighbour { next: fleetsim::Address<Gossip> }
//!
//! impl Agent for Neighbour {
//!     type Inbox = Gossip;
//!     type Timer = ();
//!     fn on_start(&mut self, ctx: &mut Context<'_, Self>) {
//!         ctx.set_timer(SECOND, ());
//!     }
//!     fn on_message(&mut self, ctx: &mut Context<'_, Self>, _from: AgentId, message: Gossip) {
//!         let Gossip::Rumour { age } = message;
//!         ctx.send(self.next, Gossip::Rumour { age: age + 1 });
//!     }
//!     fn on_timer(&mut self, ctx: &mut Context<'_, Self>, (): ()) {
//!         ctx.send(self.next, Gossip::Rumour { age: 0 });
//!     }
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     fleetsim::cli::main(Registry::default().behaviour("gossip", 1, |fleet, role| {
//!         let (name, count) = (role.name().to_owned(), role.count());
//!         let next = move |ordinal| AgentId::named(&name, ordinal % count + 1);
//!         let group = fleet.add(role.name(), count, move |birth| Neighbour {
//!             next: fleetsim::Address::new(next(birth.ordinal)),
//!         });
//!         group.map(drop).map_err(|error| error.to_string())
//!     }))
//! }
//! ```

#![forbid(unsafe_code)]

pub mod cli;
mod command;
mod drive;
mod exit;
mod expectation;
mod fault_choice;
mod guards;
mod output;
mod panics;
mod progress;
mod recording;
mod reexecution;
mod registry;
mod scratch;
mod structure;
mod wall;
pub mod workload;

pub use fleetsim_agents as agents;
pub use fleetsim_engine as engine;
pub use fleetsim_explore as explore;
pub use fleetsim_fault_injection as faults;
pub use fleetsim_monitors as monitors;
pub use fleetsim_scenario as scenario;
pub use fleetsim_trace_replay as trace;

pub use fleetsim_engine::{
    Accepts, Address, Agent, AgentId, Birth, Context, Disk, Fact, Fleet, HOUR, Inbox, Limits, Link,
    MICROSECOND, MILLISECOND, MINUTE, Message, SECOND, Simulation, Spawn, Time, TimerId, Undecodable, Value,
    Waited, inbox,
};
pub use fleetsim_scenario::RolePlan;
pub use registry::Registry;
