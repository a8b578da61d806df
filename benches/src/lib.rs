//! Workloads of the benches.

use fleetsim_engine::sample::Sampler;
use fleetsim_engine::{
    Address, Agent, AgentId, Context, Fleet, Limits, Link, MILLISECOND, Message, SECOND, Simulation,
};
use rand::Rng as _;
use serde::{Deserialize, Serialize};

/// The message of [`phold`].
#[derive(Serialize, Deserialize)]
pub enum Job {
    /// Eight random bytes.
    Token(u64),
}

impl Message for Job {
    const PROTOCOL: &'static str = "phold";
}

/// An agent of PHOLD: passes every token on to a random agent.
struct Process {
    agents: u32,
}

impl Process {
    fn pass_on(&self, ctx: &mut Context<'_, Self>) {
        let token = ctx.random().next_u64();
        let ordinal = ((u128::from(token) * u128::from(self.agents)) >> 64) as u32 + 1;
        ctx.send(Address::new(AgentId::named("process", ordinal)), Job::Token(token));
    }
}

impl Agent for Process {
    type Inbox = Job;
    type Timer = ();

    fn on_start(&mut self, ctx: &mut Context<'_, Self>) {
        self.pass_on(ctx);
    }

    fn on_message(&mut self, ctx: &mut Context<'_, Self>, _from: AgentId, _job: Job) {
        self.pass_on(ctx);
    }
}

/// PHOLD (Fujimoto, "Performance of Time Warp under synthetic workloads", 1990): each agent has one message under way,
/// to a uniformly random agent, with a latency of 0.1 s plus an exponential one of 0.9 s on average.
#[must_use]
pub fn phold(agents: u32, recording: bool) -> Simulation {
    let mut fleet = Fleet::new(7);
    let latency = Sampler::exponential(900 * MILLISECOND).expect("a mean above zero");
    fleet.default_link(Link::new(100 * MILLISECOND, latency).expect("a minimum above zero"));
    fleet.add("process", agents, move |_birth| Process { agents }).expect("one group");
    if !recording {
        fleet.without_record();
    }
    fleet.build().expect("a valid fleet")
}

/// A run of so many events.
#[must_use]
pub fn events(events_max: u64) -> Limits {
    Limits { events_max, until: fleetsim_engine::Time::from_ns(1_000_000 * SECOND) }
}
