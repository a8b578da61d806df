//! The stage of these tests: an agent whose handler is a closure, and a record of steps that compares as text.

use std::rc::Rc;

use fleetsim_engine::batch::{Batch, Effect, EffectKind, Event, Fate};
use fleetsim_engine::{
    Address, Agent, AgentId, Birth, Context, Control, Digest, Fleet, Limits, Link, Message, Names, Outcome,
    RunDigest, Sink, Spawn, Time, TimerId, Undecodable,
};
use serde::{Deserialize, Serialize};

/// What the actors say to each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Talk {
    Note(u32),
    Blob(Vec<u8>),
    Quiet,
}

impl Message for Talk {
    const PROTOCOL: &'static str = "talk";
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Tag {
    First,
    Second,
    Done,
}

/// What an actor was called for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cue {
    Start,
    Restart,
    Message(AgentId, Talk),
    Timer(Tag),
    Undecodable(Undecodable),
    Fault(String),
}

type Handler = Rc<dyn Fn(&mut Actor, &mut Context<'_, Actor>, Cue)>;

/// An agent that does whatever its closure does.
pub(crate) struct Actor {
    pub(crate) birth: Birth,
    /// For closures that cancel what they set.
    pub(crate) timers: Vec<TimerId>,
    handler: Handler,
}

impl Actor {
    fn cue(&mut self, ctx: &mut Context<'_, Self>, cue: Cue) {
        let handler = Rc::clone(&self.handler);
        handler(self, ctx, cue);
    }
}

impl Agent for Actor {
    type Inbox = Talk;
    type Timer = Tag;

    fn on_start(&mut self, ctx: &mut Context<'_, Self>) {
        self.cue(ctx, Cue::Start);
    }

    fn on_message(&mut self, ctx: &mut Context<'_, Self>, from: AgentId, message: Talk) {
        self.cue(ctx, Cue::Message(from, message));
    }

    fn on_timer(&mut self, ctx: &mut Context<'_, Self>, timer: Tag) {
        self.cue(ctx, Cue::Timer(timer));
    }

    fn on_restart(&mut self, ctx: &mut Context<'_, Self>) {
        self.cue(ctx, Cue::Restart);
    }

    fn on_undecodable(&mut self, ctx: &mut Context<'_, Self>, what: Undecodable) {
        self.cue(ctx, Cue::Undecodable(what));
    }

    fn on_fault(&mut self, ctx: &mut Context<'_, Self>, fault: &str) {
        self.cue(ctx, Cue::Fault(fault.to_owned()));
    }
}

/// A child that tells its parent its ordinal and what it was configured with.
pub(crate) struct Child {
    birth: Birth,
    config: ChildConfig,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ChildConfig {
    pub(crate) parent: AgentId,
    pub(crate) number: u32,
    pub(crate) born_dead: bool,
}

impl Agent for Child {
    type Inbox = Talk;
    type Timer = Tag;

    fn on_start(&mut self, ctx: &mut Context<'_, Self>) {
        ctx.send(Address::new(self.config.parent), Talk::Note(self.birth.ordinal * 100 + self.config.number));
    }

    fn on_message(&mut self, _ctx: &mut Context<'_, Self>, _from: AgentId, _message: Talk) {}
}

impl Spawn for Child {
    type Config = ChildConfig;

    fn spawn(birth: &Birth, config: ChildConfig) -> Child {
        assert!(!config.born_dead, "this child cannot be made");
        Child { birth: *birth, config }
    }
}

pub(crate) const LATENCY_NS: u64 = 5;

/// A fleet whose messages take five nanoseconds.
pub(crate) fn fleet(seed: u64) -> Fleet {
    let mut fleet = Fleet::new(seed);
    fleet.default_link(Link::constant(LATENCY_NS).expect("above zero"));
    fleet
}

/// Adds a group of actors that share a closure.
pub(crate) fn actors(
    fleet: &mut Fleet,
    name: &str,
    count: u32,
    handler: impl Fn(&mut Actor, &mut Context<'_, Actor>, Cue) + 'static,
) {
    let handler: Handler = Rc::new(handler);
    let make = move |birth: &Birth| Actor { birth: *birth, timers: Vec::new(), handler: Rc::clone(&handler) };
    fleet.add(name, count, make).expect("the names of a test differ");
}

/// Adds a group of actors that do nothing.
pub(crate) fn idle(fleet: &mut Fleet, name: &str, count: u32) {
    actors(fleet, name, count, |_, _, _| {});
}

/// Member `ordinal` of a group of actors.
pub(crate) fn to(name: &str, ordinal: u32) -> Address<Talk> {
    Address::new(AgentId::named(name, ordinal))
}

/// Lets a rule called `rule` do things to the only member of group `a`.
pub(crate) fn controls(fleet: &mut Fleet, list: &[(u64, Control)]) {
    for (at_ns, control) in list {
        fleet.control("rule", Time::from_ns(*at_ns), AgentId::named("a", 1), control.clone());
    }
}

/// A step that outlives its batch.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) time_ns: u64,
    pub(crate) target: AgentId,
    pub(crate) source: AgentId,
    pub(crate) sequence: u32,
    pub(crate) event: Event,
    pub(crate) fate: Fate,
    pub(crate) waited_ns: u64,
    pub(crate) effects: Vec<Asked>,
}

/// An effect that outlives its batch.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    pub(crate) effect: EffectKind,
    pub(crate) sequence: Option<u32>,
    pub(crate) object: u64,
    pub(crate) kind: u16,
    pub(crate) delay_ns: u64,
    pub(crate) payload: Vec<u8>,
}

impl Asked {
    fn of(effect: Effect<'_>) -> Asked {
        Asked {
            effect: effect.effect,
            sequence: effect.sequence,
            object: effect.object,
            kind: effect.kind,
            delay_ns: effect.delay_ns,
            payload: effect.payload.expect("a live run has its payloads").to_vec(),
        }
    }
}

/// Keeps rows and digests the run.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) rows: Vec<Row>,
    pub(crate) digest: RunDigest,
    pub(crate) names: Names,
}

impl Sink for Log {
    fn accept(&mut self, batch: &mut Batch) {
        self.digest.absorb(batch);
        self.names.learn(batch);
        for step in &*batch {
            assert_eq!(step.ordinal, self.rows.len() as u64, "ordinals count steps");
            self.rows.push(Row {
                time_ns: step.time.as_ns(),
                target: step.target,
                source: step.source,
                sequence: step.sequence,
                event: step.event,
                fate: step.fate,
                waited_ns: step.waited_ns,
                effects: step.effects.map(Asked::of).collect(),
            });
        }
    }
}

/// A run that is over.
pub(crate) struct Run {
    pub(crate) rows: Vec<Row>,
    pub(crate) outcome: Outcome,
    pub(crate) digest: Digest,
    pub(crate) names: Names,
    pub(crate) pending: usize,
}

impl Run {
    /// One line for each step but the starts of the fleet: `time target event fate [+waited]`.
    pub(crate) fn lines(&self) -> Vec<String> {
        let born = |row: &&Row| row.event == Event::Start && row.source == AgentId::WORLD;
        let shown = |row: &Row| {
            let (event, fate) = (row.event.name(), row.fate.name());
            let waited = if row.waited_ns > 0 { format!(" +{}", row.waited_ns) } else { String::new() };
            format!("{} {} {event} {fate}{waited}", row.time_ns, self.names.of(row.target))
        };
        self.rows.iter().filter(|row| !born(row)).map(shown).collect()
    }
}

pub(crate) fn play(fleet: Fleet) -> Run {
    play_within(fleet, &Limits::default())
}

pub(crate) fn play_within(fleet: Fleet, limits: &Limits) -> Run {
    let mut simulation = fleet.build().expect("a valid fleet");
    let mut log = Log { names: Names::new(simulation.manifest()), ..Log::default() };
    let outcome = simulation.run(limits, &mut log);
    assert_eq!(outcome.events, log.rows.len() as u64, "every event is a recorded step");
    let Log { rows, digest, names } = log;
    Run { rows, outcome, digest: digest.value(), names, pending: simulation.pending() }
}

/// Runs a fleet and compares its steps, without the starts.
#[track_caller]
pub(crate) fn check(fleet: Fleet, expected: &[&str]) -> Run {
    let run = play(fleet);
    assert_eq!(run.lines(), expected);
    run
}
