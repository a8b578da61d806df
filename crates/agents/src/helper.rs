//! Helpers: what a worker that runs away spawns. Each asks the model for one turn and spawns helpers of its own.

use fleetsim_engine::{Address, Agent, AgentId, Birth, Context, Error, Fact, Fleet, Spawn, mix};
use serde::{Deserialize, Serialize};

use crate::provider::{self, Turn};

/// The most helpers that come of one hit.
pub(crate) const HELPERS_MAX: u64 = 10_000;

/// What a helper is to do.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Errand {
    /// How many helpers come of this one, itself not counted.
    pub below: u64,
    /// The turn that it asks for, and where.
    pub turn: Option<(Address<provider::Request>, Turn)>,
}

impl Errand {
    /// Shares what is to come among two children, or fewer.
    fn children(self) -> impl Iterator<Item = Errand> {
        let rest = self.below.saturating_sub(2);
        let belows = [rest.div_ceil(2), rest / 2];
        belows.into_iter().take(self.below.min(2) as usize).map(move |below| Errand { below, ..self })
    }
}

/// A short-lived agent that was spawned without need.
pub struct Helper {
    errand: Errand,
}

impl Helper {
    /// The name of the kind in a fleet.
    pub const NAME: &str = "runaway-helper";

    /// Lets a fleet's workers spawn helpers, which the fault site `agent.runaway-spawn` needs: a worker that is hit in a
    /// fleet without this panics.
    ///
    /// # Errors
    /// When a group of the fleet has this [`NAME`](Helper::NAME), or the kind is declared already.
    pub fn declare(fleet: &mut Fleet) -> Result<(), Error> {
        fleet.spawnable::<Helper>(Helper::NAME)
    }
}

impl Spawn for Helper {
    type Config = Errand;

    fn spawn(_birth: &Birth, errand: Errand) -> Helper {
        Helper { errand }
    }
}

impl Agent for Helper {
    type Inbox = provider::Reply;
    type Timer = ();

    fn on_start(&mut self, ctx: &mut Context<'_, Self>) {
        for errand in self.errand.children() {
            ctx.spawn::<Helper>(errand);
        }
        match self.errand.turn {
            Some((provider, turn)) => {
                // Each has luck of its own.
                let step = mix([turn.step, ctx.id().as_u64()]);
                ctx.send(provider, provider::Request::Complete(Turn { step, ..turn }));
            }
            None => ctx.halt(),
        }
    }

    fn on_message(&mut self, ctx: &mut Context<'_, Self>, _from: AgentId, reply: provider::Reply) {
        if let provider::Reply::Completed { tokens_in, cached, tokens_out, nano_dollars, .. }
        | provider::Reply::Truncated { tokens_in, cached, tokens_out, nano_dollars, .. } = reply
        {
            ctx.fact(Fact::Spent { tokens_in, cached, tokens_out, nano_dollars });
        }
        // Whatever it was told, nobody waits for it.
        ctx.halt();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_come_as_were_asked_for() {
        fn count(errand: Errand) -> u64 {
            1 + errand.children().map(count).sum::<u64>()
        }
        for below in 0..200 {
            assert_eq!(count(Errand { below, turn: None }), 1 + below);
        }
    }
}
