//! What a check reports, and what it refuses to call tested.

use std::cell::Cell;
use std::collections::BTreeMap;

use fleetsim_engine::batch::Step;
use fleetsim_engine::{
    Address, Agent, AgentId, Context, Error, Fact, Fleet, Message, Names, SECOND, Time, Value,
};
use fleetsim_explore::{Check, Failed, strategies};
use fleetsim_fault_injection::{Fault, Party, Plan, Rule, Share, Tolerance, When, Who, World};
use fleetsim_monitors::{Class, Finding, Moment, Monitor, RunEnd, Severity};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
enum Talk {
    Hello(u64),
}

impl Message for Talk {
    const PROTOCOL: &'static str = "talk";
}

/// Says hello every second and states what it hears; forgets how much that was when it crashes.
struct Talker {
    heard: u64,
    twist: fn(u64) -> u64,
}

impl Agent for Talker {
    type Inbox = Talk;
    type Timer = ();

    fn on_start(&mut self, ctx: &mut Context<'_, Self>) {
        ctx.set_timer(SECOND, ());
    }

    fn on_timer(&mut self, ctx: &mut Context<'_, Self>, (): ()) {
        let other = Address::new(AgentId::named("talker", 3 - ctx.ordinal()));
        let said = (self.twist)(ctx.now().as_ns());
        ctx.send(other, Talk::Hello(said));
        ctx.set_timer(SECOND, ());
    }

    fn on_message(&mut self, ctx: &mut Context<'_, Self>, _from: AgentId, Talk::Hello(_): Talk) {
        self.heard += 1;
        let number = Value::Number(self.heard as i64);
        ctx.fact(Fact::Custom { name: "heard", fields: vec![("number", number)] });
        if self.heard == 40 {
            panic!("enough");
        }
    }
}

fn talkers(twist: fn(u64) -> u64) -> impl Fn(&mut Fleet) -> Result<(), Error> {
    move |fleet| fleet.add("talker", 2, move |_| Talker { heard: 0, twist }).map(drop)
}

fn heard(fact: &Fact<'_>) -> Option<i64> {
    match fact {
        Fact::Custom { name: "heard", fields } => match fields[..] {
            [(_, Value::Number(number))] => Some(number),
            _ => None,
        },
        _ => None,
    }
}

fn check<'a>(name: &str, folder: &tempfile::TempDir) -> Check<'a> {
    Check::new(name, talkers(|now| now)).seeds(0..20).until(20 * SECOND).save_in(folder.path())
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder for traces")
}

/// Loss, a pause, and the crash that matters.
fn three_rules() -> Plan {
    let mut plan = Plan::default();
    let who = || Who::Each(Party::member("talker", 1));
    let window = |from: u64, until: u64| When::Window {
        from: Time::from_ns(from * SECOND),
        until: Time::from_ns(until * SECOND),
    };
    let loss = Fault::Loss { messages: Default::default(), share: Share::new(1, 10) };
    for (name, fault, when) in [
        ("cable", loss, When::Always),
        ("sleep", Fault::Pause { who: who() }, window(3, 5)),
        ("power", Fault::Crash { who: who() }, window(9, 10)),
    ] {
        plan.add(name, Rule::new(fault, when)).expect("a valid rule");
    }
    plan
}

/// Numbers never fall, unless the agent forgot them.
fn never_falls(check: Check<'_>) -> Result<fleetsim_explore::Checked, Box<Failed>> {
    let mut last: BTreeMap<AgentId, i64> = BTreeMap::new();
    let rises = move |fact: &Fact<'_>, step: &Step<'_>| {
        let Some(number) = heard(fact) else { return true };
        last.insert(step.target, number).is_none_or(|before| before < number)
    };
    check.always("numbers rise", rises).search()
}

#[test]
fn only_the_rules_that_matter_are_left() {
    let folder = folder();
    let failed = never_falls(check("three rules", &folder).faults(three_rules())).expect_err("it forgets");
    let left: Vec<&str> = failed.plan().rules().map(|(name, _)| name).collect();
    assert_eq!((failed.property(), failed.seed(), left), ("numbers rise", 0, vec!["power"]));
    assert_eq!(failed.nondeterminism(), None);
    let trace = fleetsim_trace_replay::Trace::open(failed.trace().expect("it was saved")).expect("a trace");
    assert_eq!(trace.header().seed, 0);
    let saved: Plan = serde_json::from_value(trace.header().faults.clone()).expect("a plan");
    assert_eq!(&saved, failed.plan());
    let report = failed.to_string();
    for expected in [
        "three rules: `numbers rise` fails with seed 0 (run 1)",
        "PROPERTY VIOLATED on numbers rise",
        "faults: 1 of 3 rules matter",
        "power: crash of talker-1 from 9s until 10s",
        "again: FLEETSIM_REPLAY=",
    ] {
        assert!(report.contains(expected), "{expected}: {report}");
    }
}

#[test]
fn what_holds_is_counted() {
    let folder = folder();
    let tolerance = Tolerance { loss: Some(Share::new(1, 2)), ..Tolerance::default() };
    let checked = never_falls(check("loss", &folder).swarm(tolerance, 10 * SECOND)).expect("it holds");
    assert_eq!(checked.runs, 20);
    assert!(checked.injected["loss"] > 20 && checked.injected.len() <= 2, "{:?}", checked.injected);
}

#[test]
fn what_never_happens_is_not_tested() {
    let folder = folder();
    let failed =
        check("silence", &folder).sometimes("a hundred", |fact, _| heard(fact) == Some(100)).search();
    let report = failed.expect_err("it is cut off before").to_string();
    assert!(
        report.contains("`a hundred` did not happen in any of 20 runs: the check tests nothing"),
        "{report}"
    );
    check("noise", &folder).sometimes("ten", |fact, _| heard(fact) == Some(10)).search().expect("it happens");
}

#[test]
fn a_handler_that_panics_fails_the_check() {
    let folder = folder();
    let failed = check("panics", &folder).until(60 * SECOND).search().expect_err("it panics at forty");
    assert_eq!(failed.property(), "panicked-agent");
    assert!(failed.plan().is_empty() && failed.to_string().contains("faults: none is needed"));
}

/// Finds everything wrong.
struct Grumbler;

impl Monitor for Grumbler {
    fn name(&self) -> &'static str {
        "grumbler"
    }

    fn observe(&mut self, _step: &Step<'_>, _facts: &[Fact<'_>]) {}

    fn findings(&self, _end: &RunEnd, _names: &Names) -> Vec<Finding> {
        let (class, severity) = (Class::Safety, Severity::Low);
        vec![Finding::new("grumble", class, severity, "grumbler", Moment::ZERO, "", "it is all wrong")]
    }
}

#[test]
fn monitors_judge_as_well() {
    let folder = folder();
    let failed =
        check("moods", &folder).monitor(|| Box::new(Grumbler)).search().expect_err("it always grumbles");
    assert_eq!(failed.property(), "grumble");
    assert!(check("kinds", &folder).forbids("lost-update").search().is_ok());
}

#[test]
#[should_panic(expected = "there is no kind of finding `lost-updates`")]
fn unknown_kinds_are_refused() {
    let _ = check("kinds", &folder()).forbids("lost-updates");
}

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

/// Depends on how often it was called in this process.
fn drifting(now_ns: u64) -> u64 {
    now_ns + CALLS.replace(CALLS.get() + 1) % 7
}

#[test]
fn agents_that_depend_on_something_else_are_named() {
    let folder = folder();
    let failed = Check::new("drift", talkers(drifting))
        .seeds(3..4)
        .until(20 * SECOND)
        .save_in(folder.path())
        .always("nobody hears five", |fact, _| heard(fact) != Some(5))
        .search()
        .expect_err("it hears five");
    let parts = failed.nondeterminism().expect("it is not deterministic");
    assert!(parts.contains("first difference at #e") && parts.contains("talker-"), "{parts}");
    assert!(failed.to_string().contains("the run is not deterministic"));
}

fn world() -> World {
    let roles = vec![("talker".to_owned(), 2)];
    World { roles, heals_at: Time::from_ns(10 * SECOND), converges_within_ns: SECOND }
}

#[test]
fn plans_shrink_rule_by_rule() {
    let tolerance = || Tolerance {
        loss: Some(Share::new(1, 2)),
        delay_ns: Some(SECOND),
        crash_ns: Some(SECOND),
        pause_ns: Some(SECOND),
        ..Tolerance::default()
    };
    let mut runner = TestRunner::deterministic();
    let strategy = strategies::plans(tolerance(), world());
    let mut shrunk = 0;
    for _ in 0..50 {
        let mut tree = strategy.new_tree(&mut runner).expect("a plan");
        let has_crash = |plan: &Plan| plan.rules().any(|(name, _)| name == "crash talker");
        if !has_crash(&tree.current()) {
            continue;
        }
        // As proptest does it: simpler while it still fails.
        while tree.simplify() {
            if !has_crash(&tree.current()) {
                tree.complicate();
            }
        }
        let left = tree.current();
        assert_eq!(left.rules().map(|(name, _)| name).collect::<Vec<_>>(), ["crash talker"]);
        shrunk += 1;
    }
    assert!(shrunk > 5, "{shrunk}");
}

proptest! {
    #[test]
    fn fleets_stay_within_their_bounds(
        sizes in strategies::sizes(vec![("coder".to_owned(), 1..=5), ("tester".to_owned(), 0..=2)]),
    ) {
        prop_assert_eq!(sizes.iter().map(|(role, _)| role.as_str()).collect::<Vec<_>>(), ["coder", "tester"]);
        prop_assert!((1..=5).contains(&sizes[0].1) && sizes[1].1 <= 2);
    }
}
