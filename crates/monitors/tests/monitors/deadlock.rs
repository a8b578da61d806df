//! Deadlock: circles of every sort, near misses, and rest with open work.

use fleetsim_engine::{Fact, MINUTE, Waited};
use fleetsim_monitors::MonitorConfig;

use crate::mutations::Fixture;
use crate::support::{Run, id, only};

const KIND: &str = "deadlock";

fn wait(resource: &'static str) -> Fact<'static> {
    Fact::WaitOn { on: Waited::Resource(resource) }
}

fn acquired(resource: &'static str) -> Fact<'static> {
    Fact::Acquired { resource, fence: 0 }
}

fn released(resource: &'static str) -> Fact<'static> {
    Fact::Released { resource, fence: 0 }
}

fn ask(agent: &str) -> Fact<'static> {
    Fact::WaitOn { on: Waited::Agent(id(agent)) }
}

fn gate(name: &'static str) -> Fact<'static> {
    Fact::WaitOn { on: Waited::Gate(name) }
}

fn join(name: &'static str) -> Fact<'static> {
    Fact::WaitOn { on: Waited::Join(name) }
}

/// Two coders take two locks, the second in the other order.
fn two_locks() -> Run {
    let mut run = Run::default();
    run.at(1, "coder-1", [acquired("lock-a")]).at(2, "coder-2", [acquired("lock-b")]);
    run.at(10, "coder-1", [wait("lock-b")]).at(20, "coder-2", [wait("lock-a")]);
    run
}

/// Two coders, two tasks, two locks that are taken in one order, and a gate.
fn in_one_order() -> Run {
    let started = |task| Fact::TaskStarted { task, attempt: 1 };
    let mut run = Run::default();
    run.at(0, "store", task(1)).at(1, "store", task(2));
    run.at(10, "coder-1", [started(1)]).at(11, "coder-2", [started(2)]);
    run.at(20, "coder-1", [acquired("lock-a")]).at(21, "coder-2", [wait("lock-a")]);
    run.at(30, "coder-1", [wait("lock-b")]).at(31, "coder-1", [acquired("lock-b")]);
    run.at(40, "coder-1", [released("lock-b"), released("lock-a")]);
    run.at(41, "coder-2", [acquired("lock-a")]).at(50, "coder-2", [released("lock-a")]);
    run.at(60, "coder-1", [gate("lead")]);
    run.at(70, "coder-1", [Fact::WaitEnd { on: Waited::Gate("lead") }]);
    run.at(80, "coder-1", [finished(1)]).at(90, "coder-2", [finished(2)]);
    run
}

/// The second coder holds what the first waits for, and waits for nothing.
fn one_waits() -> Run {
    let mut run = Run::default();
    run.at(1, "coder-1", [acquired("lock-a")]).at(2, "coder-2", [acquired("lock-b")]);
    run.at(10, "coder-1", [wait("lock-b")]).at(20, "coder-2", []);
    run.at(400, "coder-2", [released("lock-b")]).at(401, "coder-1", [acquired("lock-b")]);
    run
}

pub(crate) fn fixtures() -> Vec<Fixture> {
    vec![
        Fixture {
            kind: KIND,
            config: MonitorConfig::default,
            correct: in_one_order,
            mutations: &[
                ("a lock is never given", |run| run.leave_out(9)),
                ("a gate never opens", |run| run.leave_out(12)),
                ("a task is never ended", |run| run.leave_out(14)),
                ("somebody waits for itself", |run| run.restate(11, [ask("coder-1")])),
            ],
        },
        Fixture {
            kind: KIND,
            config: MonitorConfig::default,
            correct: one_waits,
            mutations: &[("the other waits as well", |run| run.restate(3, [wait("lock-a")]))],
        },
    ]
}

#[test]
fn two_locks_taken_crosswise_are_a_deadlock() {
    let mut run = two_locks();
    run.at(320, "reviewer-1", []);
    let finding = run.finding(KIND);
    assert_eq!(
        finding.summary,
        "DEADLOCK on lock-a, lock-b at 00:00:20: coder-1 waits for lock-b, which coder-2 holds; \
         coder-2 waits for lock-a, which coder-1 holds; it still holds after 5m"
    );
    assert_eq!(finding.agents, ["coder-1", "coder-2"]);
    assert_eq!(finding.numbers.get("agents_in_circle"), Some(2));
    assert_eq!(finding.lead_time_ns, Some(5 * MINUTE));
    assert_eq!(finding.evidence.iter().map(|evidence| evidence.event).collect::<Vec<_>>(), [2, 3]);
    assert!(finding.matches(KIND, &[("resource", "lock-a"), ("role", "coder"), ("form", "circle")]));
}

#[test]
fn circles_go_through_all_that_is_waited_for() {
    for (name, waits, parties) in [
        ("answers", vec![("coder-1", ask("coder-2")), ("coder-2", ask("coder-1"))], 2),
        (
            "three answers",
            vec![("coder-1", ask("writer-1")), ("writer-1", ask("editor")), ("editor", ask("coder-1"))],
            3,
        ),
        ("oneself", vec![("coder-1", ask("coder-1"))], 1),
        ("a gate with one person", vec![("coder-1", gate("lead")), ("lead", ask("coder-1"))], 2),
        (
            "a gate with two people, both of whom wait",
            vec![
                ("coder-1", gate("reviewer")),
                ("reviewer-1", ask("coder-1")),
                ("reviewer-2", ask("coder-1")),
            ],
            2,
        ),
        ("a join", vec![("supervisor", join("writer")), ("writer-2", ask("supervisor"))], 2),
        ("a join of one agent", vec![("supervisor", join("writer-2")), ("writer-2", ask("supervisor"))], 2),
    ] {
        let mut run = Run::default();
        for (agent, fact) in waits {
            run.at(1, agent, [fact]);
        }
        let finding = run.finding(KIND);
        assert_eq!(finding.numbers.get("agents_in_circle"), Some(parties), "{name}: {}", finding.summary);
    }
}

#[test]
fn a_circle_through_a_lock_a_gate_and_a_join() {
    let mut run = Run::default();
    run.at(1, "coder-1", [acquired("lock-a")]).at(2, "supervisor", [join("coder")]);
    run.at(3, "coder-1", [gate("lead")]).at(4, "lead", [ask("supervisor")]).at(
        5,
        "writer-1",
        [wait("lock-a")],
    );
    let finding = run.finding(KIND);
    assert_eq!(
        finding.summary,
        "DEADLOCK on coder, lead at 00:00:04: supervisor waits for join coder, which needs coder-1; \
         coder-1 waits for gate lead, which needs lead; lead waits for supervisor; 1 agent behind them; \
         it still holds after 1s"
    );
    assert_eq!(finding.numbers.get("agents_stuck"), Some(4));
}

#[test]
fn near_misses_stay_silent() {
    let long = |run: &mut Run| {
        run.at(9999, "reviewer-1", []);
    };
    let ended = |resource| Fact::WaitEnd { on: Waited::Resource(resource) };

    let mut in_order = Run::default();
    in_order.at(1, "coder-1", [acquired("lock-a")]).at(2, "coder-2", [wait("lock-a")]);
    in_order.at(3, "coder-1", [wait("lock-b")]).at(4, "coder-1", [acquired("lock-b")]);
    in_order.at(5, "coder-1", [released("lock-b"), released("lock-a")]);
    in_order.at(6, "coder-2", [acquired("lock-a")]).at(7, "coder-2", [released("lock-a")]);
    long(&mut in_order);

    let mut timed_out = two_locks();
    timed_out.at(80, "coder-2", [ended("lock-a"), released("lock-b")]);
    timed_out.at(81, "coder-1", [acquired("lock-b"), released("lock-a"), released("lock-b")]);
    long(&mut timed_out);

    let mut crashed = two_locks();
    crashed.crash(30, "coder-2").restart(40, "coder-2");
    crashed.at(41, "coder-2", [released("lock-b")]).at(42, "coder-1", [acquired("lock-b")]);
    long(&mut crashed);

    let mut another_holder = two_locks();
    another_holder.at(30, "coder-3", [acquired("lock-b")]).at(40, "coder-3", [released("lock-b")]);
    another_holder.at(41, "coder-1", [acquired("lock-b"), released("lock-a")]);
    another_holder.at(42, "coder-2", [acquired("lock-a")]);
    long(&mut another_holder);

    let mut half_a_gate = Run::default();
    half_a_gate.at(1, "coder-1", [gate("reviewer")]).at(2, "reviewer-1", [ask("coder-1")]);
    half_a_gate.at(9000, "coder-1", [Fact::WaitEnd { on: Waited::Gate("reviewer") }]);
    half_a_gate.at(9001, "reviewer-1", [Fact::WaitEnd { on: Waited::Agent(id("coder-1")) }]);

    let mut unknown = Run::default();
    unknown.at(1, "coder-1", [gate("nobody")]).at(2, "coder-2", [wait("quota")]);
    unknown.at(9000, "coder-1", [Fact::WaitEnd { on: Waited::Gate("nobody") }]).at(
        9001,
        "coder-2",
        [ended("quota")],
    );

    let mut chain = Run::default();
    chain.at(1, "coder-1", [ask("coder-2")]).at(2, "coder-2", [ask("coder-3")]).at(
        3,
        "coder-3",
        [ask("editor")],
    );
    for (second, agent, other) in
        [(9000, "coder-3", "editor"), (9001, "coder-2", "coder-3"), (9002, "coder-1", "coder-2")]
    {
        chain.at(second, agent, [Fact::WaitEnd { on: Waited::Agent(id(other)) }]);
    }

    for (name, run) in [
        ("locks in one order", in_order),
        ("a time-out broke it within a minute", timed_out),
        ("a crash let go", crashed),
        ("the second place of a semaphore", another_holder),
        ("the other reviewer can answer", half_a_gate),
        ("who holds it or stands at the gate is not known", unknown),
        ("a long chain is no circle", chain),
    ] {
        assert_eq!(run.findings(KIND), [], "{name}");
    }
}

#[test]
fn a_fenced_lock_passes_to_the_higher_token() {
    let fenced = |fence| Fact::Acquired { resource: "lock-b", fence };
    let mut run = Run::default();
    run.at(1, "coder-1", [acquired("lock-a")]).at(2, "coder-3", [fenced(1)]).at(
        3,
        "coder-1",
        [wait("lock-b")],
    );
    run.at(4, "coder-2", [wait("lock-a")]);
    assert_eq!(run.findings_up_to(&MonitorConfig::default(), 9000, KIND), [], "coder-3 can let go");
    run.at(5, "coder-2", [fenced(2)]);
    assert_eq!(run.findings(KIND).len(), 1, "its lease is over: only coder-2 holds lock-b");
}

#[test]
fn a_broken_circle_counts_when_it_lasted() {
    for (second, found) in [(319, 0), (320, 1)] {
        let mut run = two_locks();
        run.at(second, "coder-2", [Fact::WaitEnd { on: Waited::Resource("lock-a") }, released("lock-b")]);
        run.at(second, "coder-1", [acquired("lock-b")]).at(400, "coder-1", []);
        let findings = run.findings(KIND);
        assert_eq!(findings.len(), found, "{second}");
        if let Some(finding) = findings.first() {
            assert!(finding.summary.ends_with("it lasted 5m"), "{}", finding.summary);
        }
    }
}

#[test]
fn a_young_circle_counts_at_rest_and_not_at_a_limit() {
    let run = two_locks();
    assert_eq!(run.findings(KIND).len(), 1, "at rest");
    assert_eq!(run.findings_up_to(&MonitorConfig::default(), 60, KIND), [], "cut off by the time limit");
    assert_eq!(run.findings_up_to(&MonitorConfig::default(), 320, KIND).len(), 1, "old enough");
}

#[test]
fn repeats_are_folded_and_counted() {
    let mut run = Run::default();
    for round in 0..5 {
        let second = round * 1000;
        run.at(second, "coder-1", [acquired("lock-a")]).at(second, "coder-2", [acquired("lock-b")]);
        run.at(second + 1, "coder-1", [wait("lock-b")]).at(second + 1, "coder-2", [wait("lock-a")]);
        let ended = Fact::WaitEnd { on: Waited::Resource("lock-b") };
        run.at(second + 900, "coder-1", [ended, released("lock-a")]);
        run.at(second + 901, "coder-2", [acquired("lock-a"), released("lock-a"), released("lock-b")]);
    }
    let finding = only(run.findings(KIND));
    assert_eq!((finding.count, finding.numbers.get("lasted_ns")), (5, Some(899_000_000_000)));
}

fn task(number: u64) -> [Fact<'static>; 2] {
    [Fact::TaskAdded { task: number }, Fact::TaskReady { task: number }]
}

fn finished(task: u64) -> Fact<'static> {
    Fact::TaskFinished { task, attempt: 1, reported: true, actual: true }
}

#[test]
fn rest_with_open_work_is_told() {
    let mut run = Run::default();
    run.at(0, "store", task(1)).at(1, "store", task(2));
    run.at(2, "coder-1", [Fact::TaskStarted { task: 1, attempt: 1 }]).at(60, "coder-1", [finished(1)]);
    run.at(61, "coder-1", [Fact::TaskStarted { task: 2, attempt: 1 }]).at(62, "coder-1", [gate("lead")]);
    let finding = run.finding(KIND);
    assert_eq!(
        finding.summary,
        "DEADLOCK at 00:00:01: nothing was left to happen, with 1 open task (2); \
         coder-1 waiting for gate lead since 00:01:02"
    );
    assert_eq!(finding.agents, ["coder-1"]);
    assert!(finding.matches(KIND, &[("form", "rest"), ("resource", "lead")]));
    assert_eq!(run.findings_up_to(&MonitorConfig::default(), 9000, KIND), [], "cut off by the time limit");
}

#[test]
fn rest_without_open_work_and_work_that_others_tell_of_is_silent() {
    let base = || {
        let mut run = Run::default();
        run.at(0, "store", task(1)).at(0, "store", task(2));
        run.at(2, "coder-1", [Fact::TaskStarted { task: 1, attempt: 1 }]).at(60, "coder-1", [finished(1)]);
        run
    };
    let mut done = base();
    done.at(70, "coder-2", [finished(2)]);
    let mut given_up = base();
    given_up.at(70, "coder-2", [Fact::TaskFinished { task: 2, attempt: 1, reported: false, actual: false }]);
    let mut lost = base();
    lost.at(70, "store", [Fact::Undelivered { seam: "topics", item: 2, offer: 1, reason: "no room" }]);
    let mut broken = base();
    broken.at(70, "supervisor", [Fact::GuardTripped { guard: "fleet-cost-breaker", item: 0 }]);
    let mut orphaned = base();
    orphaned.at(70, "coder-2", [Fact::TaskStarted { task: 2, attempt: 1 }]).crash(71, "coder-2");
    let mut silent = Run::default();
    silent.at(0, "store", task(1));
    for (name, run) in [
        ("done", done),
        ("given up", given_up),
        ("lost by its carrier", lost),
        ("stopped by a guard", broken),
        ("with an agent that is gone", orphaned),
        ("a fleet that never states an end", silent),
    ] {
        assert_eq!(run.findings(KIND), [], "{name}");
    }
    assert_eq!(base().findings(KIND).len(), 1, "the base itself is told");
}
