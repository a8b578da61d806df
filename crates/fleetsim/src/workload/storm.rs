//! A fan-out storm: one agent tells all the others, all answer, and it begins again.

use fleetsim_engine::sample::Sampler;
use fleetsim_engine::{Address, Agent, AgentId, Context, Fleet, Link, MILLISECOND, Message};
use rand::Rng as _;
use serde::{Deserialize, Serialize};

const HERALD: &str = "herald";
const LISTENER: &str = "listener";
/// The shortest latency.
const LATENCY_MINIMUM_NS: u64 = MILLISECOND;
/// What is added to it on average, exponentially.
const LATENCY_EXTRA_MEAN_NS: u64 = 9 * MILLISECOND;

/// What the herald cries: 100 bytes.
#[derive(Clone, Copy, Serialize, Deserialize)]
enum Cry {
    News { wave: u32, text: [u64; 12] },
}

impl Message for Cry {
    const PROTOCOL: &'static str = "storm";
}

#[derive(Serialize, Deserialize)]
enum Answer {
    Heard { wave: u32 },
}

impl Message for Answer {
    const PROTOCOL: &'static str = "storm-answer";
}

struct Herald {
    listeners: u32,
    wave: u32,
    /// Listeners that have not answered yet.
    awaited: u32,
}

impl Herald {
    fn cry(&mut self, ctx: &mut Context<'_, Self>) {
        self.wave = self.wave.wrapping_add(1);
        self.awaited = self.listeners;
        let mut random = ctx.random();
        let text = std::array::from_fn(|_| random.next_u64());
        let cry = Cry::News { wave: self.wave, text };
        for ordinal in 1..=self.listeners {
            ctx.send(Address::new(AgentId::named(LISTENER, ordinal)), cry);
        }
    }
}

impl Agent for Herald {
    type Inbox = Answer;
    type Timer = ();

    fn on_start(&mut self, ctx: &mut Context<'_, Self>) {
        self.cry(ctx);
    }

    fn on_message(&mut self, ctx: &mut Context<'_, Self>, _from: AgentId, answer: Answer) {
        let Answer::Heard { wave } = answer;
        if wave == self.wave {
            self.awaited -= 1;
        }
        if self.awaited == 0 {
            self.cry(ctx);
        }
    }
}

struct Listener;

impl Agent for Listener {
    type Inbox = Cry;
    type Timer = ();

    fn on_message(&mut self, ctx: &mut Context<'_, Self>, from: AgentId, cry: Cry) {
        let Cry::News { wave, .. } = cry;
        ctx.send(Address::new(from), Answer::Heard { wave });
    }
}

pub(super) fn fleet(agents: u32, seed: u64) -> Fleet {
    let mut fleet = Fleet::new(seed);
    let extra = Sampler::exponential(LATENCY_EXTRA_MEAN_NS).expect("a mean above zero");
    fleet.default_link(Link::new(LATENCY_MINIMUM_NS, extra).expect("a minimum above zero"));
    let herald = move |_: &_| Herald { listeners: agents, wave: 0, awaited: 0 };
    fleet.add(HERALD, 1, herald).expect("another name");
    fleet.add(LISTENER, agents, |_birth| Listener).expect("another name");
    fleet
}
