//! PHOLD: the classic benchmark of discrete-event engines. One message an agent, passed on at random for ever.

use fleetsim_engine::sample::Sampler;
use fleetsim_engine::{Address, Agent, AgentId, Context, Fleet, Link, MILLISECOND, Message};
use rand::Rng as _;
use serde::{Deserialize, Serialize};

use super::any_ordinal;

const GROUP: &str = "process";
/// The shortest latency.
const LATENCY_MINIMUM_NS: u64 = 100 * MILLISECOND;
/// What is added to it on average, exponentially.
const LATENCY_EXTRA_MEAN_NS: u64 = 900 * MILLISECOND;

#[derive(Serialize, Deserialize)]
enum Job {
    /// Eight random bytes.
    Token(u64),
}

impl Message for Job {
    const PROTOCOL: &'static str = "phold";
}

/// Passes every token on to a random agent.
struct Process {
    agents: u32,
}

impl Process {
    fn pass_on(&self, ctx: &mut Context<'_, Self>) {
        let token = ctx.random().next_u64();
        let to = AgentId::named(GROUP, any_ordinal(token, self.agents));
        ctx.send(Address::new(to), Job::Token(token));
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

pub(super) fn fleet(agents: u32, seed: u64) -> Fleet {
    let mut fleet = Fleet::new(seed);
    let extra = Sampler::exponential(LATENCY_EXTRA_MEAN_NS).expect("a mean above zero");
    fleet.default_link(Link::new(LATENCY_MINIMUM_NS, extra).expect("a minimum above zero"));
    fleet.add(GROUP, agents, move |_birth| Process { agents }).expect("the only group");
    fleet
}
