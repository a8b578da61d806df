//! The deterministic core of fleetsim: a seeded world in which typed agents exchange messages.
//!
//! A run is a pure function of its fleet and its seed. Nothing here reads a file, a wall clock, the environment
//! or the state of a thread, and floats appear only in [`sample`], where they go through one portable library.
//!
//! Read [`Simulation::advance`] first: it is the core loop. Around it, in the order of a message's life:
//! [`Context`] collects what a handler asks for, `link` decides when it arrives, `queue` puts arrivals in their
//! total order, `pool` hands them to agents, [`batch`] records each as a [`Step`](batch::Step), and [`digest`]
//! hashes the record.
//!
//! ```
//! use fleetsim_engine::{Agent, AgentId, Address, Context, Fleet, Limits, Message, SECOND};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! enum Ping { Ask { from: Address<Ping> }, Answer }
//! impl Message for Ping { const PROTOCOL: &'static str = "ping"; }
//!
//! struct Player { opponent: Address<Ping>, serves: bool }
//!
//! impl Agent for Player {
//!     type Inbox = Ping;
//!     type Timer = ();
//!     fn on_start(&mut self, ctx: &mut Context<'_, Self>) {
//!         if self.serves {
//!             let from = ctx.own_address();
//!             ctx.send(self.opponent, Ping::Ask { from });
//!         }
//!     }
//!     fn on_message(&mut self, ctx: &mut Context<'_, Self>, _from: AgentId, message: Ping) {
//!         if let Ping::Ask { from } = message {
//!             ctx.send(from, Ping::Answer);
//!         }
//!     }
//! }
//!
//! let mut fleet = Fleet::new(7);
//! fleet.add("player", 2, |birth| Player {
//!     opponent: Address::new(AgentId::named("player", 3 - birth.ordinal)),
//!     serves: birth.ordinal == 1,
//! })?;
//! let mut simulation = fleet.build()?;
//! let outcome = simulation.run(&Limits::default(), &mut fleetsim_engine::DigestSink::default());
//! assert_eq!(outcome.events, 4, "two starts, a question and an answer");
//! # Ok::<(), fleetsim_engine::Error>(())
//! ```

mod agent;
pub mod batch;
mod chacha;
mod clock;
pub mod codec;
mod context;
mod control;
mod deviation;
pub mod digest;
mod disk;
mod draft;
mod error;
mod event;
mod fact;
mod fleet;
mod identity;
mod inject;
mod link;
mod manifest;
mod message;
mod mix;
mod payload;
mod pool;
mod prefetch;
pub mod queue;
pub mod sample;
pub mod schema;
mod simulation;
mod slot;
mod stream;
mod time;

pub use agent::{Agent, Birth, Spawn};
pub use clock::ClockChange;
pub use context::{Context, TimerId};
pub use control::Control;
pub use deviation::{Deviation, Deviations, MessageId};
pub use digest::{Digest, DigestSink, RunDigest};
pub use disk::{Disk, Torn};
pub use error::Error;
pub use event::EventKey;
pub use fact::{Fact, FactKinds, Value, Waited};
pub use fleet::{Fleet, Group};
pub use identity::{Address, AgentId, Origin};
pub use inject::{
    Act, Attention, Corruption, GroupId, Hit, Injector, Order, Outgoing, SiteVisit, Verdict, Watched,
};
pub use link::Link;
pub use manifest::{GroupEntry, Manifest, Names, ProtocolEntry};
pub use message::{Accepts, Inbox, Message, ProtocolId, Protocols, Undecodable, Wire};
pub use mix::{Draw, hash_text, mix};
pub use simulation::{Ending, Heartbeat, Limits, Outcome, Simulation, Sink, Status};
pub use stream::Stream;
pub use time::{HOUR, MICROSECOND, MILLISECOND, MINUTE, SECOND, Time};

/// The version of the engine's behaviour: raised exactly when the digest of an unchanged scenario changes.
pub const SEMANTICS: u32 = 2;
