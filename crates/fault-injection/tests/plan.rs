//! Every kind of rule happens, at its rate, and only when it is on.

use fleetsim_engine::batch::{Batch, Event, Fate};
use fleetsim_engine::sample::Sampler;
use fleetsim_engine::{
    Address, Agent, AgentId, ClockChange, Context, Digest, Fleet, Limits, MILLISECOND, Message, RunDigest,
    SECOND, Sink, Time,
};
use fleetsim_fault_injection::{Fault, Messages, Plan, Share};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
enum Ping {
    Tick(u64),
}

impl Message for Ping {
    const PROTOCOL: &'static str = "ping";
}

/// Sends a message to the other every millisecond.
struct Sender {
    to: AgentId,
}

impl Agent for Sender {
    type Inbox = Ping;
    type Timer = ();

    fn on_start(&mut self, ctx: &mut Context<'_, Self>) {
        ctx.set_timer(MILLISECOND, ());
    }

    fn on_timer(&mut self, ctx: &mut Context<'_, Self>, (): ()) {
        let now_ns = ctx.now().as_ns();
        ctx.send(Address::new(self.to), Ping::Tick(now_ns));
        ctx.set_timer(MILLISECOND, ());
    }

    fn on_message(&mut self, _ctx: &mut Context<'_, Self>, _from: AgentId, _message: Ping) {}
}

/// What was seen of a run.
#[derive(Default)]
struct Seen {
    digest: RunDigest,
    handled: u64,
    lost: u64,
    down: u64,
    waited: u64,
    timers: u64,
}

impl Sink for Seen {
    fn accept(&mut self, batch: &mut Batch) {
        self.digest.absorb(batch);
        for step in batch.iter() {
            match (step.event, step.fate) {
                (Event::Message, Fate::Handled) => self.handled += 1,
                (Event::Message, Fate::Lost) => self.lost += 1,
                (Event::Message, Fate::Down) => self.down += 1,
                (Event::Timer, _) => self.timers += 1,
                _ => {}
            }
            self.waited += u64::from(step.waited_ns > 0);
        }
    }
}

fn run(rules: &[(&str, Fault)]) -> Seen {
    let mut fleet = Fleet::new(11);
    for (name, other) in [("left", "right"), ("right", "left")] {
        let to = AgentId::named(other, 1);
        fleet.add(name, 1, move |_birth| Sender { to }).expect("a new name");
    }
    let mut plan = Plan::default();
    for (name, fault) in rules {
        plan.add(name, fault.clone()).expect("a valid rule");
    }
    plan.install(&mut fleet);
    let mut seen = Seen::default();
    let limits = Limits { until: Time::from_ns(10 * SECOND), ..Limits::default() };
    fleet.build().expect("a valid fleet").run(&limits, &mut seen);
    seen
}

fn digest(rules: &[(&str, Fault)]) -> Digest {
    run(rules).digest.value()
}

fn share(numerator: u64, denominator: u64) -> Share {
    Share { numerator, denominator }
}

fn at(seconds: u64) -> Time {
    Time::from_ns(seconds * SECOND)
}

#[test]
fn messages_are_lost_at_the_stated_rate() {
    let loss = Fault::Loss { messages: Messages::default(), share: share(1, 10) };
    let seen = run(&[("cable", loss)]);
    // About 20,000 messages: 2,000 expected, standard deviation 42, six of them on either side.
    assert!((1_745..=2_255).contains(&seen.lost), "{} lost", seen.lost);
}

#[test]
fn a_rule_looks_only_at_its_messages() {
    let messages = Messages { from: Some("left".into()), to: None };
    let seen = run(&[("cable", Fault::Loss { messages, share: share(1, 1) })]);
    assert_eq!((seen.lost, seen.handled), (9_999, 9_999));
}

#[test]
fn messages_arrive_twice_or_later() {
    let again = Fault::Duplicate {
        messages: Messages::default(),
        share: share(1, 1),
        after_ns: Sampler::constant(5),
    };
    // The second copies of the last two messages would arrive after the end.
    assert_eq!(run(&[("echo", again)]).handled, 2 * run(&[]).handled - 2);
    let late =
        Fault::Delay { messages: Messages::default(), share: share(1, 1), by_ns: Sampler::constant(SECOND) };
    assert_eq!(run(&[("slow", late)]).handled, run(&[]).handled - 2_000);
}

#[test]
fn agents_crash_restart_and_pause() {
    let left = AgentId::named("left", 1);
    let seen = run(&[
        ("cut", Fault::Crash { agent: left, at: at(2) }),
        ("back", Fault::Restart { agent: left, at: at(3) }),
        ("hang", Fault::Pause { agent: left, at: at(5), for_ns: SECOND }),
    ]);
    // One message a millisecond; those at either edge depend on the tie with the rule.
    assert!((999..=1_001).contains(&seen.down), "{} messages found nobody", seen.down);
    assert!(seen.waited >= 999, "{} events waited for the end of the pause", seen.waited);
}

#[test]
fn a_slow_clock_ticks_less() {
    let change = ClockChange { drift_ppb: -500_000_000, jump_ns: 0 };
    let slow = run(&[("clock", Fault::Clock { agent: AgentId::named("left", 1), at: Time::ZERO, change })]);
    let normal = run(&[]);
    assert_eq!(normal.timers - slow.timers, 5_000);
}

#[test]
fn rules_that_never_fire_change_nothing() {
    let never = |name: &str| Fault::Loss {
        messages: Messages { from: Some(name.into()), to: None },
        share: share(1, 1),
    };
    let off = Fault::Duplicate {
        messages: Messages::default(),
        share: share(0, 1),
        after_ns: Sampler::constant(5),
    };
    assert_eq!(digest(&[]), digest(&[("a", never("nobody")), ("b", off)]));
}

#[test]
fn the_order_of_rules_changes_nothing() {
    let loss = |numerator| Fault::Loss { messages: Messages::default(), share: share(numerator, 50) };
    let crash = Fault::Crash { agent: AgentId::named("left", 1), at: at(9) };
    let forwards = digest(&[("a", loss(1)), ("b", loss(2)), ("c", crash.clone())]);
    let backwards = digest(&[("c", crash), ("b", loss(2)), ("a", loss(1))]);
    assert_eq!(forwards, backwards);
    assert_ne!(forwards, digest(&[]));
}

#[test]
fn impossible_rules_are_refused() {
    let mut plan = Plan::default();
    let loss = |numerator, denominator| Fault::Loss {
        messages: Messages::default(),
        share: share(numerator, denominator),
    };
    for (fault, why) in [
        (loss(2, 1), "a share is between 0% and 100%"),
        (loss(0, 0), "a share is between 0% and 100%"),
        (Fault::Pause { agent: AgentId::WORLD, at: at(1), for_ns: 0 }, "a pause must last some time"),
    ] {
        assert_eq!(
            plan.add("rule", fault).expect_err("impossible").to_string(),
            format!("fault `rule`: {why}")
        );
    }
    plan.add("rule", loss(1, 2)).expect("possible");
    assert!(plan.add("rule", loss(1, 2)).is_err(), "the name is taken");
}
