//! What an agent is: a state machine that reacts to messages and timers.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::context::Context;
use crate::identity::AgentId;
use crate::message::{Inbox, Undecodable};

/// A state machine with an identity. It sees the world through its [`Context`] alone.
///
/// Handlers only collect effects; the engine applies them when the handler returns, strictly later than its cause.
/// A handler that panics has no effects, and its agent counts as crashed.
pub trait Agent: Sized + 'static {
    /// What the agent understands.
    type Inbox: Inbox;
    /// A tag that says what a timer was for: an enum, or `()` for agents without timers.
    type Timer: Serialize + DeserializeOwned + 'static;

    /// The agent begins to exist.
    fn on_start(&mut self, ctx: &mut Context<'_, Self>) {
        let _ = ctx;
    }

    /// A message arrived.
    fn on_message(&mut self, ctx: &mut Context<'_, Self>, from: AgentId, message: Self::Inbox);

    /// A timer came due, or the work that the agent was deaf for ended.
    fn on_timer(&mut self, ctx: &mut Context<'_, Self>, timer: Self::Timer) {
        let _ = (ctx, timer);
    }

    /// The agent came back after a crash, built anew by its factory; what it synced to its disk is still there.
    fn on_restart(&mut self, ctx: &mut Context<'_, Self>) {
        self.on_start(ctx);
    }

    /// What arrived is not a message of the inbox.
    fn on_undecodable(&mut self, ctx: &mut Context<'_, Self>, what: Undecodable) {
        let _ = (ctx, what);
    }

    /// A fault rule told the agent to misbehave in a way that only the agent can.
    fn on_fault(&mut self, ctx: &mut Context<'_, Self>, fault: &str) {
        let _ = (ctx, fault);
    }

    /// The agent is about to lose its state. It can no longer act; this is for counting.
    fn on_crash(&mut self) {}
}

/// An agent that other agents can spawn from a configuration.
pub trait Spawn: Agent {
    /// What the parent says about the child; recorded, and used again when the child restarts.
    type Config: Serialize + DeserializeOwned;

    /// Makes the child.
    fn spawn(birth: &Birth, config: Self::Config) -> Self;
}

/// Who is being made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Birth {
    /// The identity.
    pub id: AgentId,
    /// The position in its group, or among its parent's children, from 1.
    pub ordinal: u32,
    /// 0 for the first life, one more after every restart.
    pub incarnation: u32,
}
