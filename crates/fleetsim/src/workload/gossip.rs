//! Rumour gossip: who first hears a rumour pushes it to a few random others, who hears it again lets it die.
//!
//! This is "rumor mongering" of Demers et al., "Epidemic algorithms for replicated database maintenance" (1987),
//! with a fixed number of pushes.

use fleetsim_engine::sample::Sampler;
use fleetsim_engine::{Address, Agent, AgentId, Context, Fleet, Link, MILLISECOND, Message, SECOND};
use rand::Rng as _;
use serde::{Deserialize, Serialize};

use super::any_ordinal;

const GROUP: &str = "neighbour";
/// How many others are told. With three, a rumour reaches about 94 % of the agents.
const FANOUT: u32 = 3;
/// The first so many agents bring up rumours.
const SOURCES: usize = 4;
/// How often each of them does so.
const PERIOD_NS: u64 = 10 * SECOND;
/// The shortest latency.
const LATENCY_MINIMUM_NS: u64 = 5 * MILLISECOND;
/// What is added to it on average, exponentially.
const LATENCY_EXTRA_MEAN_NS: u64 = 45 * MILLISECOND;

#[derive(Serialize, Deserialize)]
enum Gossip {
    Rumour { source: u8, number: u32 },
}

impl Message for Gossip {
    const PROTOCOL: &'static str = "gossip";
}

#[derive(Serialize, Deserialize)]
enum Timer {
    NewRumour,
}

struct Neighbour {
    agents: u32,
    /// The number of the latest rumour heard from each source, from 1. An older one that comes later is old news, so
    /// that a memory of fixed size lets no rumour live twice.
    latest: [u32; SOURCES],
}

impl Neighbour {
    fn hear(&mut self, ctx: &mut Context<'_, Self>, source: u8, number: u32) {
        let latest = &mut self.latest[usize::from(source)];
        if number <= *latest {
            return;
        }
        *latest = number;
        for _ in 0..FANOUT {
            let to = AgentId::named(GROUP, any_ordinal(ctx.random().next_u64(), self.agents));
            ctx.send(Address::new(to), Gossip::Rumour { source, number });
        }
    }
}

impl Agent for Neighbour {
    type Inbox = Gossip;
    type Timer = Timer;

    fn on_start(&mut self, ctx: &mut Context<'_, Self>) {
        if ctx.ordinal() as usize <= SOURCES {
            let wait_ns = ctx.random().next_u64() % PERIOD_NS;
            ctx.set_timer(wait_ns, Timer::NewRumour);
        }
    }

    fn on_message(&mut self, ctx: &mut Context<'_, Self>, _from: AgentId, message: Gossip) {
        let Gossip::Rumour { source, number } = message;
        self.hear(ctx, source, number);
    }

    fn on_timer(&mut self, ctx: &mut Context<'_, Self>, Timer::NewRumour: Timer) {
        // Only the first few set this timer.
        let source = (ctx.ordinal() - 1) as u8;
        let number = self.latest[usize::from(source)] + 1;
        self.hear(ctx, source, number);
        ctx.set_timer(PERIOD_NS, Timer::NewRumour);
    }
}

pub(super) fn fleet(agents: u32, seed: u64) -> Fleet {
    let mut fleet = Fleet::new(seed);
    let extra = Sampler::exponential(LATENCY_EXTRA_MEAN_NS).expect("a mean above zero");
    fleet.default_link(Link::new(LATENCY_MINIMUM_NS, extra).expect("a minimum above zero"));
    let neighbour = move |_: &_| Neighbour { agents, latest: [0; SOURCES] };
    fleet.add(GROUP, agents, neighbour).expect("the only group");
    fleet
}
