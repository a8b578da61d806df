//! The fleet-wide cost breaker: ends the run when the money is spent.

use fleetsim_engine::{Agent, AgentId, Context, Fact, Message};
use serde::{Deserialize, Serialize};

/// What the budget hears.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Report {
    /// A provider billed this much, in billionths of a dollar.
    Spent {
        /// The amount.
        nano_dollars: u64,
    },
}

impl Message for Report {
    const PROTOCOL: &'static str = "budget";
}

/// Adds up what providers bill and stops the fleet at the limit.
pub struct Budget {
    left_nano_dollars: u64,
}

impl Budget {
    /// A budget of so many billionths of a dollar.
    #[must_use]
    pub fn new(limit_nano_dollars: u64) -> Budget {
        Budget { left_nano_dollars: limit_nano_dollars }
    }
}

impl Agent for Budget {
    type Inbox = Report;
    type Timer = ();

    fn on_message(&mut self, ctx: &mut Context<'_, Self>, _from: AgentId, report: Report) {
        let Report::Spent { nano_dollars } = report;
        self.left_nano_dollars = self.left_nano_dollars.saturating_sub(nano_dollars);
        if self.left_nano_dollars == 0 {
            ctx.fact(Fact::GuardTripped { guard: "fleet-cost-breaker", item: 0 });
            ctx.stop_run("the budget is spent (guard fleet-cost-breaker)");
        }
    }
}
