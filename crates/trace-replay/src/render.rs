//! Steps as lines of text: `#e123 00:00:12.5 broker -> coder-2 queue.Delivery { item: 7 } (waited 3s)`.
//!
//! A step does not hold the message that arrived, which stands at the effect that sent it; [`Payloads`] remembers
//! those while a trace is read forwards. Every line is safe to print.

use std::collections::{BTreeMap, VecDeque};

use fleetsim_engine::batch::{Batch, Effect, EffectKind, Event, Fate, Step};
use fleetsim_engine::schema::Shape;
use fleetsim_engine::{AgentId, Fact, Manifest, Names, Origin, ProtocolId, Time};

use crate::text::{duration, escape};

/// How the timer of an agent is shown that has only one.
const UNNAMED: &str = "()";

/// Shows steps with the names of their trace.
#[derive(Clone, Debug)]
pub struct Renderer {
    names: Names,
    protocols: BTreeMap<u32, (String, Shape)>,
    timers: BTreeMap<String, Shape>,
    facts: Shape,
}

impl Renderer {
    /// Shows the names of `manifest`.
    #[must_use]
    pub fn new(manifest: &Manifest) -> Renderer {
        let protocols = manifest.protocols.iter();
        let timers = manifest.groups.iter();
        Renderer {
            names: Names::new(manifest),
            protocols: protocols
                .map(|entry| (entry.id, (entry.name.clone(), entry.messages.clone())))
                .collect(),
            timers: timers.map(|group| (group.name.clone(), group.timers.clone())).collect(),
            facts: manifest.facts.clone(),
        }
    }

    /// Learns the names of the agents that are spawned in `batch`.
    pub fn learn(&mut self, batch: &Batch) {
        self.names.learn(batch);
    }

    /// The names that are known.
    #[must_use]
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// A step on one line, without its effects. `payload` is that of the message or timer, when it is known.
    #[must_use]
    pub fn step(&self, step: &Step<'_>, payload: Option<&[u8]>) -> String {
        let mut line = format!("#e{} {} {}", step.ordinal, step.time, self.happening(step, payload));
        if step.waited_ns > 0 {
            line += &format!(" (waited {})", duration(step.waited_ns));
        }
        if let Some(fate) = fate_text(step.fate) {
            line += &format!(" [{fate}]");
        }
        escape(&line)
    }

    /// An effect on one line, as its agent would say it.
    #[must_use]
    pub fn effect(&self, effect: &Effect<'_>, agent: AgentId) -> String {
        let object = || self.names.of(AgentId::from_u64(effect.object));
        let delay = duration(effect.delay_ns);
        escape(&match effect.effect {
            EffectKind::Send => {
                let message = self.message(effect.protocol, effect.kind, effect.payload);
                let after = if effect.delay_ns > 0 { format!(" after {delay}") } else { String::new() };
                format!("sends to {}: {message}{after}", object())
            }
            EffectKind::SetTimer => {
                format!("sets timer {} for {delay}", self.timer(agent, effect.kind, effect.payload))
            }
            EffectKind::CancelTimer => {
                format!("cancels timer {}, due at {}", effect.object, Time::from_ns(effect.delay_ns))
            }
            EffectKind::Spawn => format!("spawns {}", object()),
            EffectKind::Fact => format!("states {}", self.fact(effect)),
            EffectKind::Work => {
                format!("works for {delay}{}", self.then(agent, effect.kind, effect.payload))
            }
            EffectKind::Halt => "halts".to_owned(),
            EffectKind::StopRun => match effect.payload {
                Some(reason) => format!("stops the run: {}", Shape::Text.render(reason, &self.names)),
                None => "stops the run".to_owned(),
            },
        })
    }

    /// An effect of a step on one line: as [`effect`](Renderer::effect), and what a fault rule did says to what.
    #[must_use]
    pub fn effect_of(&self, step: &Step<'_>, effect: &Effect<'_>) -> String {
        match effect.fact() {
            Some(Fact::Injected { source, sequence, .. })
                if source == step.target && step.source.origin() != Origin::Rule =>
            {
                let is_hit =
                    |other: &Effect<'_>| other.effect == EffectKind::Send && other.sequence == Some(sequence);
                let message = step.effects.clone().find(is_hit).map_or_else(
                    || format!("its message {sequence}"),
                    |send| {
                        let to = self.names.of(AgentId::from_u64(send.object));
                        format!("{} to {to}", self.message(send.protocol, send.kind, None))
                    },
                );
                match self.hit(effect) {
                    Some(injected) => escape(&format!("{message}: ")) + &injected,
                    None => self.effect(effect, step.target),
                }
            }
            Some(Fact::Injected { rule, fault, since_ns, .. }) => because(rule, fault, since_ns),
            _ => self.effect(effect, step.target),
        }
    }

    /// What a fault rule did to a message, and which: `lost, because of the partition "switch-2" since 00:00:12.4`.
    #[must_use]
    pub fn hit(&self, effect: &Effect<'_>) -> Option<String> {
        let Some(Fact::Injected { rule, fault, amount, since_ns, .. }) = effect.fact() else { return None };
        let what = match fault {
            "loss" | "partition" | "isolate" | "zombie" => "lost".to_owned(),
            "hold" => format!("held back for {}", duration(amount)),
            "latency" => format!("takes {}", duration(amount)),
            "delay" => format!("{} late", duration(amount)),
            "reorder" => format!("{} late, so that others overtake it", duration(amount)),
            "duplicate" => format!("comes again {} later", duration(amount)),
            "corrupt" => "its content is damaged".to_owned(),
            _ => "hit".to_owned(),
        };
        Some(format!("{what}, {}", because(rule, fault, since_ns)))
    }

    /// A step and its effects, one a line, the effects indented.
    #[must_use]
    pub fn step_lines(&self, step: &Step<'_>, payload: Option<&[u8]>) -> Vec<String> {
        let effects = step.effects.clone().map(|effect| format!("    {}", self.effect_of(step, &effect)));
        core::iter::once(self.step(step, payload)).chain(effects).collect()
    }

    /// The name of what a step is about: `queue.Delivery` for a message, `Tick` for a timer, else the event's.
    #[must_use]
    pub fn kind_name(&self, step: &Step<'_>) -> String {
        match step.event {
            Event::Message | Event::Timer => self.subject(step, None),
            event => event.name().to_owned(),
        }
    }

    /// The name of the kind of fact that an effect states, if it states one.
    #[must_use]
    pub fn fact_name(&self, effect: &Effect<'_>) -> Option<&str> {
        (effect.effect == EffectKind::Fact).then(|| self.facts.kind_name(effect.kind)).flatten()
    }

    /// What happened, to whom and because of whom.
    fn happening(&self, step: &Step<'_>, payload: Option<&[u8]>) -> String {
        let (source, target) = (self.names.of(step.source), self.names.of(step.target));
        let by = match step.source.origin() {
            Origin::World => String::new(),
            Origin::Rule => format!(" by fault rule {source}"),
            _ if step.source == step.target => String::new(),
            _ => format!(" by {source}"),
        };
        match step.event {
            Event::Message => format!("{source} -> {target} {}", self.subject(step, payload)),
            Event::Timer => format!("{target} timer {}", self.subject(step, payload)),
            Event::Start => format!("{target} starts{by}"),
            Event::WorkEnd => {
                format!("{target} ends its work{}", self.then(step.target, step.kind, payload))
            }
            Event::Crash => format!("{target} crashes{by}"),
            Event::Restart => format!("{target} restarts{by}"),
            Event::Pause => format!("{target} is paused{by}"),
            Event::Resume => format!("{target} is resumed{by}"),
            Event::Clock => format!("{target} has its clock set{by}"),
            Event::Fault => format!("{target} is told of a fault{by}"),
            Event::Slow => format!("{target} changes its pace{by}"),
            Event::Announce => format!("a condition begins or ends{by}"),
            Event::Heal => format!("the world heals{by}"),
        }
    }

    fn subject(&self, step: &Step<'_>, payload: Option<&[u8]>) -> String {
        match step.event {
            Event::Timer => self.timer(step.target, step.kind, payload),
            _ => self.message(step.protocol, step.kind, payload),
        }
    }

    fn message(&self, protocol: ProtocolId, kind: u16, payload: Option<&[u8]>) -> String {
        match self.protocols.get(&protocol.0) {
            Some((name, shape)) => format!("{name}.{}", self.kind(shape, kind, payload)),
            None => format!("protocol {:08x} kind {kind}", protocol.0),
        }
    }

    fn timer(&self, agent: AgentId, kind: u16, payload: Option<&[u8]>) -> String {
        let shape = self.names.group(agent).and_then(|group| self.timers.get(group));
        self.kind(shape.unwrap_or(&Shape::Unknown), kind, payload)
    }

    /// The timer that is handled when work ends.
    fn then(&self, agent: AgentId, kind: u16, payload: Option<&[u8]>) -> String {
        match self.timer(agent, kind, payload).as_str() {
            UNNAMED => String::new(),
            timer => format!(", then timer {timer}"),
        }
    }

    fn kind(&self, shape: &Shape, kind: u16, payload: Option<&[u8]>) -> String {
        match (payload, shape) {
            // The only timer of an agent without a choice of timers has no name worth showing.
            (_, Shape::Unit) if kind == 0 => UNNAMED.to_owned(),
            (Some(payload), Shape::Enum { .. }) => shape.render_kind(kind, payload, &self.names),
            _ => shape.kind_name(kind).map_or_else(|| format!("kind {kind}"), str::to_owned),
        }
    }

    fn fact(&self, effect: &Effect<'_>) -> String {
        match effect.payload {
            Some(bytes) => self.facts.render(bytes, &self.names),
            None => format!("a fact of kind {}", effect.kind),
        }
    }
}

/// Which fault rule did something, and since when it is in force, where that is a while.
fn because(rule: &str, fault: &str, since_ns: Option<u64>) -> String {
    let since = since_ns.map(|since_ns| format!(" since {}", Time::from_ns(since_ns))).unwrap_or_default();
    // A site may be called like anything.
    escape(&format!("because of the {fault} `{rule}`{since}"))
}

/// What became of an event that was not simply handled.
fn fate_text(fate: Fate) -> Option<&'static str> {
    Some(match fate {
        Fate::Handled => return None,
        Fate::Undecodable => "it could not be decoded",
        Fate::Panicked => "the handler panicked",
        Fate::Down => "dropped: the agent is down",
        Fate::Halted => "dropped: the agent has halted",
        Fate::Unknown => "dropped: there is no such agent",
        Fate::Deviated => "dropped by a deviation",
        Fate::Lost => "lost by a fault rule",
        Fate::Forgotten => "forgotten in a crash",
        Fate::Void => "without effect",
    })
}

/// Bytes that are remembered before the oldest are forgotten.
const HELD_BYTES_MAX: usize = 64 << 20;
/// What an entry takes beside its bytes, about.
const ENTRY_BYTES: usize = 96;

/// The messages and timers that were sent and set lately, up to 64 MiB of them.
#[derive(Clone, Debug, Default)]
pub struct Payloads {
    by_effect: BTreeMap<(AgentId, u32), Box<[u8]>>,
    order: VecDeque<(AgentId, u32)>,
    held_bytes: usize,
}

impl Payloads {
    /// What arrived in `step`, if it was sent in a step that was learnt and not too long ago.
    #[must_use]
    pub fn of(&self, step: &Step<'_>) -> Option<&[u8]> {
        self.by_effect.get(&(step.source, step.sequence)).map(AsRef::as_ref)
    }

    /// Remembers what was sent and set in `step`.
    pub fn learn(&mut self, step: &Step<'_>) {
        for effect in step.effects.clone() {
            let (Some(sequence), Some(payload)) = (effect.sequence, effect.payload) else { continue };
            if self.by_effect.insert((step.target, sequence), payload.into()).is_none() {
                self.order.push_back((step.target, sequence));
                self.held_bytes += ENTRY_BYTES + payload.len();
            }
        }
        while self.held_bytes > HELD_BYTES_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            let forgotten = self.by_effect.remove(&oldest).map_or(0, |payload| payload.len());
            self.held_bytes = self.held_bytes.saturating_sub(ENTRY_BYTES + forgotten);
        }
    }
}
