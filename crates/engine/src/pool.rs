//! Agents of one kind, stored side by side, behind one virtual call per event.

use std::collections::BTreeMap;

use crate::agent::{Agent, Birth};
use crate::batch::Fate;
use crate::codec;
use crate::context::{Context, Frame};
use crate::identity::AgentId;
use crate::message::{Inbox, Undecodable, Wire};
use crate::prefetch::prefetch_address;

/// What an agent is to handle, other than a message.
#[derive(Clone, Copy)]
pub(crate) enum Delivery<'a> {
    Start,
    Restart,
    Timer { kind: u16, bytes: &'a [u8] },
    Fault { name: &'a str },
}

/// All agents of one kind, of whatever type.
pub(crate) trait AnyPool {
    /// Makes an agent and returns its place. `config` is what the parent said about it, for spawned agents.
    fn add(&mut self, birth: &Birth, config: &[u8]) -> u32;
    /// Makes the agent at `index` anew.
    fn rebuild(&mut self, index: u32, birth: &Birth);
    /// Drops the agent's state.
    fn discard(&mut self, index: u32, crashed: bool);
    fn dispatch_message(&mut self, index: u32, from: AgentId, wire: Wire<'_>, frame: Frame<'_>) -> Fate;
    fn dispatch(&mut self, index: u32, delivery: Delivery<'_>, frame: Frame<'_>);
    /// Where the agents lie.
    fn layout(&self) -> Layout;
}

/// Where the agents of a pool lie, as numbers: to ask for their memory without a call. It may be out of date, which
/// makes the asking useless and nothing worse.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    first: usize,
    bytes: usize,
}

impl Layout {
    /// Asks for the memory of the agent at `index`.
    #[inline]
    pub(crate) fn prefetch(self, index: u32) {
        prefetch_address(self.first.wrapping_add(self.bytes.wrapping_mul(index as usize)));
    }
}

const ONLY_THE_LIVING: &str = "only agents that are up handle events";

/// Makes agents: for groups the configuration is empty.
pub(crate) type Factory<A> = Box<dyn Fn(&Birth, &[u8]) -> A>;

pub(crate) struct Pool<A: Agent> {
    agents: Vec<Option<A>>,
    factory: Factory<A>,
    /// What parents said about the agents that they spawned, for restarts.
    configs: BTreeMap<u32, Box<[u8]>>,
}

impl<A: Agent> Pool<A> {
    pub(crate) fn new(factory: Factory<A>) -> Pool<A> {
        Pool { agents: Vec::new(), factory, configs: BTreeMap::new() }
    }
}

impl<A: Agent> AnyPool for Pool<A> {
    fn add(&mut self, birth: &Birth, config: &[u8]) -> u32 {
        let index = u32::try_from(self.agents.len()).expect("at most 4,294,967,295 agents of a kind");
        if !config.is_empty() {
            self.configs.insert(index, config.into());
        }
        self.agents.push(Some((self.factory)(birth, config)));
        index
    }

    fn rebuild(&mut self, index: u32, birth: &Birth) {
        let config = self.configs.get(&index).map_or(&[][..], |config| config);
        self.agents[index as usize] = Some((self.factory)(birth, config));
    }

    fn discard(&mut self, index: u32, crashed: bool) {
        let agent = self.agents[index as usize].take();
        if let (true, Some(mut agent)) = (crashed, agent) {
            agent.on_crash();
        }
    }

    fn dispatch_message(&mut self, index: u32, from: AgentId, wire: Wire<'_>, frame: Frame<'_>) -> Fate {
        let agent = self.agents[index as usize].as_mut().expect(ONLY_THE_LIVING);
        let ctx = &mut Context::new(frame);
        match A::Inbox::decode(wire) {
            Some(message) => {
                agent.on_message(ctx, from, message);
                Fate::Handled
            }
            None => {
                let what = Undecodable { protocol: wire.protocol, kind: wire.kind, from };
                agent.on_undecodable(ctx, what);
                Fate::Undecodable
            }
        }
    }

    fn dispatch(&mut self, index: u32, delivery: Delivery<'_>, frame: Frame<'_>) {
        let agent = self.agents[index as usize].as_mut().expect(ONLY_THE_LIVING);
        let ctx = &mut Context::new(frame);
        match delivery {
            Delivery::Timer { kind, bytes } => {
                let timer = codec::decode_kind(kind, bytes).expect("timers are encoded by the engine itself");
                agent.on_timer(ctx, timer);
            }
            Delivery::Start => agent.on_start(ctx),
            Delivery::Restart => agent.on_restart(ctx),
            Delivery::Fault { name } => agent.on_fault(ctx, name),
        }
    }

    fn layout(&self) -> Layout {
        Layout { first: self.agents.as_ptr().addr(), bytes: size_of::<Option<A>>() }
    }
}
