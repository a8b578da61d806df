//! A small busy fleet, and what was seen of its run.

use std::collections::BTreeMap;

use fleetsim_engine::batch::{Batch, EffectKind, Event, Fate};
use fleetsim_engine::{
    Address, Agent, AgentId, Birth, Context, Digest, Fact, Fleet, Limits, MILLISECOND, Message, Names,
    RunDigest, SECOND, Sink, Time, Undecodable, Value,
};
use fleetsim_fault_injection::{Fault, Messages, Plan, Rule, Share, When};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(crate) enum Ping {
    Tick(u64),
    /// Of a hundred bytes.
    Big(Vec<u8>),
    Bare,
}

impl Message for Ping {
    const PROTOCOL: &'static str = "ping";
}

#[derive(Serialize, Deserialize)]
pub(crate) enum Timer {
    Tick,
    Worked,
}

/// Sends a message to its partner every millisecond; passes a fault site, claims a task and works every now and then.
pub(crate) struct Busy {
    partner: AgentId,
    ticks: u64,
}

impl Busy {
    pub(crate) fn new(partner: AgentId) -> Busy {
        Busy { partner, ticks: 0 }
    }
}

impl Agent for Busy {
    type Inbox = Ping;
    type Timer = Timer;

    fn on_start(&mut self, ctx: &mut Context<'_, Self>) {
        ctx.set_timer(MILLISECOND, Timer::Tick);
    }

    fn on_timer(&mut self, ctx: &mut Context<'_, Self>, timer: Timer) {
        if matches!(timer, Timer::Worked) {
            return;
        }
        self.ticks += 1;
        let ticks = self.ticks;
        ctx.set_timer(MILLISECOND, Timer::Tick);
        let to = Address::new(self.partner);
        match ticks % 3 {
            0 => ctx.send(to, Ping::Tick(ctx.now().as_ns())),
            1 => ctx.send(to, Ping::Big(vec![7; 100])),
            _ => ctx.send(to, Ping::Bare),
        }
        if let Some(strength) = ctx.fault_site("busy.slip") {
            ctx.fact(Fact::Custom { name: "slipped", fields: vec![("by", Value::Number(strength as i64))] });
        }
        if ticks % 100 == 50 {
            ctx.fact(Fact::TaskClaimed { task: ticks, fence: 0 });
        }
        if ticks % 100 == 60 {
            ctx.fact(Fact::TaskReleased { task: ticks, reason: "done" });
        }
        if ticks.is_multiple_of(10) {
            ctx.work_for(MILLISECOND / 2, Timer::Worked);
        }
    }

    fn on_message(&mut self, _ctx: &mut Context<'_, Self>, _from: AgentId, _message: Ping) {}

    fn on_undecodable(&mut self, _ctx: &mut Context<'_, Self>, _what: Undecodable) {}

    fn on_fault(&mut self, ctx: &mut Context<'_, Self>, fault: &str) {
        ctx.fact(Fact::Custom { name: "told", fields: vec![("what", Value::Text(fault))] });
    }
}

/// Members of each of the two groups.
pub(crate) const MEMBERS: u32 = 3;
pub(crate) const SECONDS: u64 = 10;

/// Two groups, `left` and `right`, whose members send to each other.
pub(crate) fn fleet(seed: u64) -> Fleet {
    let mut fleet = Fleet::new(seed);
    for (name, other) in [("left", "right"), ("right", "left")] {
        let busy = move |birth: &Birth| Busy::new(AgentId::named(other, birth.ordinal));
        fleet.add(name, MEMBERS, busy).expect("a new name");
    }
    fleet
}

/// What was seen of a run.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) digest: RunDigest,
    names: Names,
    /// By rule and kind of fault.
    pub(crate) injected: BTreeMap<(String, String), u64>,
    /// When each announced condition began or ended, and each control acted: (nanoseconds, rule, fault, whom).
    pub(crate) events: Vec<(u64, String, String, String)>,
    pub(crate) sent: u64,
    /// Of the kinds that have content.
    pub(crate) sent_with_content: u64,
    pub(crate) ticks: u64,
    pub(crate) fates: BTreeMap<(Event, Fate), u64>,
    pub(crate) customs: BTreeMap<String, u64>,
    /// Messages that arrived, as (sender, receiver, sent number, when).
    pub(crate) arrived: Vec<(AgentId, AgentId, u32, u64)>,
    pub(crate) waited: u64,
    pub(crate) work_ends: u64,
    pub(crate) strengths: BTreeMap<AgentId, Vec<u64>>,
}

impl Seen {
    /// How often a kind of fault was injected, by whatever rule.
    pub(crate) fn count(&self, fault: &str) -> u64 {
        self.injected.iter().filter(|((_, known), _)| known == fault).map(|(_, count)| count).sum()
    }

    pub(crate) fn fate(&self, event: Event, fate: Fate) -> u64 {
        self.fates.get(&(event, fate)).copied().unwrap_or(0)
    }

    pub(crate) fn digest(&self) -> Digest {
        self.digest.value()
    }
}

impl Sink for Seen {
    fn accept(&mut self, batch: &mut Batch) {
        self.digest.absorb(batch);
        for step in &*batch {
            *self.fates.entry((step.event, step.fate)).or_default() += 1;
            self.waited += u64::from(step.waited_ns > 0);
            self.ticks += u64::from(step.event == Event::Timer);
            self.work_ends += u64::from(step.event == Event::WorkEnd);
            if step.event == Event::Message && step.fate == Fate::Handled {
                self.arrived.push((step.source, step.target, step.sequence, step.time.as_ns()));
            }
            for effect in step.effects.clone().filter(|effect| effect.effect == EffectKind::Send) {
                self.sent += 1;
                self.sent_with_content += u64::from(effect.length > 0);
            }
            for fact in step.facts() {
                match fact {
                    Fact::Injected { rule, fault, amount, .. } => {
                        *self.injected.entry((rule.to_owned(), fault.to_owned())).or_default() += 1;
                        if step.source == AgentId::rule(rule) {
                            let whom = self.names.of(step.target);
                            let at_ns = step.time.as_ns();
                            self.events.push((at_ns, rule.to_owned(), fault.to_owned(), whom));
                        }
                        if fault == "busy.slip" {
                            self.strengths.entry(step.target).or_default().push(amount);
                        }
                    }
                    Fact::Custom { name, .. } => *self.customs.entry(name.to_owned()).or_default() += 1,
                    _ => {}
                }
            }
        }
    }
}

pub(crate) fn plan(rules: &[(&str, Rule)]) -> Plan {
    let mut plan = Plan::default();
    for (name, rule) in rules {
        plan.add(name, rule.clone()).expect("a valid rule");
    }
    plan
}

/// Runs the fleet under a plan for ten seconds.
pub(crate) fn run_plan(seed: u64, plan: &Plan) -> Seen {
    run_fleet(fleet(seed), plan)
}

pub(crate) fn run_until(seed: u64, plan: &Plan, until: Time) -> Seen {
    run_fleet_until(fleet(seed), plan, until)
}

pub(crate) fn run_fleet(fleet: Fleet, plan: &Plan) -> Seen {
    run_fleet_until(fleet, plan, at(SECONDS))
}

fn run_fleet_until(mut fleet: Fleet, plan: &Plan, until: Time) -> Seen {
    plan.install(&mut fleet).expect("the fleet has what the plan names");
    let mut simulation = fleet.build().expect("a valid fleet");
    let mut seen = Seen { names: Names::new(simulation.manifest()), ..Seen::default() };
    let limits = Limits { until, ..Limits::default() };
    simulation.run(&limits, &mut seen);
    seen
}

pub(crate) fn run(rules: &[(&str, Rule)]) -> Seen {
    run_plan(11, &plan(rules))
}

pub(crate) fn at(seconds: u64) -> Time {
    Time::from_ns(seconds * SECOND)
}

pub(crate) fn window(from: u64, until: u64) -> When {
    When::Window { from: at(from), until: at(until) }
}

pub(crate) fn all_messages() -> Messages {
    Messages::default()
}

/// A tenth.
pub(crate) fn tenth() -> Share {
    Share::new(1, 10)
}

pub(crate) fn always(fault: Fault) -> Rule {
    Rule::new(fault, When::Always)
}
