//! Starvation: past a bound and overtaken, and what is only slow.

use fleetsim_engine::{Fact, MINUTE, SECOND, Waited};
use fleetsim_monitors::{Medium, MonitorConfig};

use crate::mutations::Fixture;
use crate::support::{Run, id, only};

const KIND: &str = "starvation";

fn wait() -> Fact<'static> {
    Fact::WaitOn { on: Waited::Resource("quota") }
}

fn served() -> Fact<'static> {
    Fact::WaitEnd { on: Waited::Resource("quota") }
}

/// coder-1 waits from minute 0; coder-2 comes later and is served again and again.
fn newest_first(minutes: u64) -> Run {
    let mut run = Run::default();
    run.at(0, "coder-1", [wait()]);
    for minute in 1..minutes {
        run.at(minute * 60, "coder-2", [wait()]).at(minute * 60 + 30, "coder-2", [served()]);
    }
    run.at(minutes * 60, "coder-1", [served()]);
    run
}

fn in_order_of_arrival(offer: impl Fn(u64) -> Fact<'static>, serve: impl Fn(u64) -> Fact<'static>) -> Run {
    let mut run = Run::default();
    for number in 1..11 {
        run.at(number * 300, "store", [offer(number)]).at(number * 300 + 1, "redis", [serve(number)]);
    }
    run
}

fn queue() -> Run {
    in_order_of_arrival(offered, carried)
}

fn tasks() -> Run {
    in_order_of_arrival(ready, started)
}

pub(crate) fn fixtures() -> Vec<Fixture> {
    vec![
        Fixture {
            kind: KIND,
            config: MonitorConfig::default,
            correct: queue,
            mutations: &[
                ("the first item is passed on last", |run| run.put_at(1, 3600)),
                ("the first item is never passed on", |run| run.leave_out(1)),
            ],
        },
        Fixture {
            kind: KIND,
            config: MonitorConfig::default,
            correct: tasks,
            mutations: &[
                ("the first task is begun last", |run| run.put_at(1, 3600)),
                ("the first task is never begun", |run| run.leave_out(1)),
            ],
        },
        Fixture {
            kind: KIND,
            config: small_window,
            correct: || conversation(&[(3_000, true), (6_000, true), (10_000, true)]),
            mutations: &[("one word more is said than there is room for", |run| {
                run.restate(3, [requested(10_001, false)]);
            })],
        },
    ]
}

fn small_window() -> MonitorConfig {
    MonitorConfig {
        context_windows: [("coder".to_owned(), 10_000)].into_iter().collect(),
        ..MonitorConfig::default()
    }
}

fn requested(tokens_in: u64, admitted: bool) -> Fact<'static> {
    Fact::Requested { model: "opus", by: id("coder-1"), admitted, first: true, tokens_in, tokens_out: 0 }
}

/// coder-1 takes item 7 up and asks for turns of so many tokens, each of which is admitted or not.
fn conversation(turns: &[(u64, bool)]) -> Run {
    let mut run = Run::default();
    let received = Fact::Received { seam: "notes", item: 7, offer: 1, giver: id("writer-1") };
    run.at(0, "coder-1", [received]);
    for ((tokens, admitted), minute) in turns.iter().zip(1_u64..) {
        run.at(minute * 60, "store", [requested(*tokens, *admitted)]);
    }
    run
}

#[test]
fn what_was_said_before_takes_the_place_of_a_turn() {
    let run = conversation(&[(3_000, true), (8_001, true), (9_000, true), (11_000, false), (12_000, false)]);
    let finding = only(run.findings_with(&small_window(), KIND));
    assert_eq!(
        finding.summary,
        "STARVATION on opus at 00:04:00: a turn of coder-1 about item 7 found no room: 3000 tokens of its own beside \
         8000 that were said before, where the context window holds 10000; 2 turns of coder crowded out so far"
    );
    assert_eq!(finding.evidence.iter().map(|evidence| evidence.event).collect::<Vec<_>>(), [2, 4, 5]);
    assert_eq!(finding.earliest_signal.as_ref().map(|signal| signal.event), Some(2));
    assert_eq!(finding.lead_time_ns, Some(2 * MINUTE));
    assert_eq!((finding.count, finding.numbers.get("said_before_tokens")), (2, Some(8_000)));
    assert!(finding.matches(KIND, &[("resource", "opus"), ("role", "coder"), ("form", "context")]));
}

#[test]
fn contexts_that_are_not_crowded_are_silent() {
    let mut between = conversation(&[(3_000, true), (9_000, true)]);
    let ended = Fact::TaskFinished { task: 7, attempt: 1, reported: false, actual: false };
    between.at(200, "coder-1", [ended]).at(260, "store", [requested(10_001, false)]);
    for (why, run, config) in [
        ("it has room", conversation(&[(3_000, true), (10_000, true)]), small_window()),
        ("the task alone is too large", conversation(&[(10_001, false), (12_000, false)]), small_window()),
        ("the quota is used up", conversation(&[(3_000, true), (9_000, false)]), small_window()),
        ("no window is known", conversation(&[(3_000, true), (11_000, false)]), MonitorConfig::default()),
        ("another attempt begins afresh", between, small_window()),
    ] {
        assert_eq!(run.findings_with(&config, KIND), [], "{why}");
    }
}

#[test]
fn waiting_past_the_bound_while_others_are_served_is_starvation() {
    let finding = newest_first(70).finding(KIND);
    assert_eq!(
        finding.summary,
        "STARVATION on quota at 01:10:00: coder-1 waited 1h 10m, past its bound of 30m, \
         while 69 that came later were served; 1 starved wait of coder so far"
    );
    assert_eq!(finding.agents, ["coder-1"]);
    assert_eq!(finding.lead_time_ns, Some(40 * MINUTE));
    assert_eq!(finding.numbers.get("overtaken_by"), Some(69));
    assert_eq!(finding.numbers.get("wait_longest_ns"), Some(70 * MINUTE));
    assert_eq!(finding.numbers.get("jain_served_thousandths"), Some(514), "1 against 69");
    assert!(finding.matches(KIND, &[("role", "coder"), ("resource", "quota")]));
}

#[test]
fn near_misses_stay_silent() {
    let mut in_order = Run::default();
    in_order.at(0, "coder-2", [wait()]).at(1, "coder-1", [wait()]);
    in_order.at(3000, "coder-2", [served()]).at(9000, "coder-1", [served()]);

    let mut crashed = Run::default();
    crashed.at(0, "coder-1", [wait()]).crash(1, "coder-1");
    crashed.at(2, "coder-2", [wait()]).at(3, "coder-2", [served()]).at(9000, "coder-2", []);

    let mut halted = Run::default();
    halted.at(0, "coder-1", [wait()]).halt(1, "coder-1");
    halted.at(2, "coder-2", [wait()]).at(3, "coder-2", [served()]).at(9000, "coder-2", []);

    let mut elsewhere = Run::default();
    elsewhere.at(0, "coder-1", [wait()]);
    elsewhere.at(2, "coder-2", [Fact::WaitOn { on: Waited::Resource("lock") }]);
    elsewhere.at(3, "coder-2", [Fact::WaitEnd { on: Waited::Resource("lock") }]).at(9000, "coder-2", []);

    let mut person = Run::default();
    person.at(0, "coder-1", [Fact::WaitOn { on: Waited::Gate("lead") }]);
    person.at(1, "coder-2", [Fact::WaitOn { on: Waited::Gate("lead") }]);
    person.at(2, "coder-2", [Fact::WaitEnd { on: Waited::Gate("lead") }]).at(90_000, "coder-2", []);

    for (name, run) in [
        ("within the bound", newest_first(30)),
        ("a long line served in order", in_order),
        ("a crash ends the wait", crashed),
        ("a halt ends the wait", halted),
        ("others were served something else", elsewhere),
        ("a person takes the night off", person),
    ] {
        assert_eq!(run.findings(KIND), [], "{name}");
    }
}

#[test]
fn one_minute_more_than_the_bound_is_enough() {
    assert_eq!(newest_first(31).findings(KIND).len(), 1);
}

#[test]
fn roles_have_their_own_bounds() {
    let mut config = MonitorConfig::default();
    config.wait_bound_ns.insert("coder".to_owned(), 2 * 60 * MINUTE);
    assert_eq!(newest_first(70).findings_with(&config, KIND), []);
    config.wait_bound_ns.insert("coder".to_owned(), 60 * MINUTE);
    assert_eq!(newest_first(70).findings_with(&config, KIND).len(), 1);
}

#[test]
fn a_wait_that_never_ends_counts_up_to_the_end() {
    let mut run = Run::default();
    run.at(10, "coder-1", [wait()]);
    run.at(20, "coder-2", [wait()]).at(30, "coder-2", [served()]).at(3610, "coder-2", []);
    let finding = run.finding(KIND);
    assert!(finding.summary.contains("coder-1 waited 1h and still waits"), "{}", finding.summary);
    assert_eq!((finding.event, finding.at.as_ns()), (0, 10 * SECOND), "the only event that the wait has");
}

fn ready(task: u64) -> Fact<'static> {
    Fact::TaskReady { task }
}

fn started(task: u64) -> Fact<'static> {
    Fact::TaskStarted { task, attempt: 1 }
}

#[test]
fn a_task_overtaken_for_an_hour_is_starved() {
    let mut run = Run::default();
    run.at(0, "store", [ready(1)]);
    for task in 2..10 {
        run.at(task * 60, "store", [ready(task)]).at(task * 60 + 1, "coder-1", [started(task)]);
    }
    run.at(3600, "coder-1", [started(1)]);
    let finding = only(run.findings(KIND));
    assert_eq!(
        finding.summary,
        "STARVATION on store at 01:00:00: task 1 waited 1h, past its bound of 30m, \
         while 8 that came later were served; 1 starved wait of tasks so far"
    );
}

#[test]
fn a_task_that_waits_for_others_does_not_starve() {
    let mut run = Run::default();
    run.at(0, "store", [Fact::TaskAdded { task: 1 }, Fact::TaskAdded { task: 2 }]);
    run.at(1, "store", [ready(2)]).at(2, "coder-1", [started(2)]);
    run.at(7200, "store", [ready(1)]).at(7201, "coder-1", [started(1)]);
    assert_eq!(run.findings(KIND), []);
}

#[test]
fn a_task_that_was_claimed_or_lost_waits_no_more() {
    for ends in [
        Fact::TaskClaimed { task: 1, fence: 0 },
        Fact::Undelivered { seam: "topics", item: 1, offer: 1, reason: "no room" },
        Fact::TaskFinished { task: 1, attempt: 1, reported: true, actual: true },
    ] {
        let mut run = Run::default();
        run.at(0, "store", [ready(1), ready(2)]).at(1, "coder-1", [started(2)]).at(
            60,
            "redis",
            [ends.clone()],
        );
        run.at(61, "store", [ready(3)]).at(62, "coder-1", [started(3)]).at(9000, "store", []);
        assert_eq!(run.findings(KIND), [], "{ends:?}");
    }
}

#[test]
fn without_ready_facts_tasks_wait_from_when_they_were_added() {
    let mut run = Run::default();
    run.at(0, "store", [Fact::TaskAdded { task: 1 }]);
    run.at(1, "store", [Fact::TaskAdded { task: 2 }]).at(2, "coder-1", [started(2)]);
    run.at(7200, "coder-1", [started(1)]);
    assert_eq!(run.findings(KIND).len(), 1);
}

fn offered(item: u64) -> Fact<'static> {
    Fact::Offered { seam: "merges", item, offer: item, medium: "redis" }
}

fn carried(item: u64) -> Fact<'static> {
    Fact::HandedOver { seam: "merges", item, offer: item, medium: "redis", receiver: id("writer-1") }
}

/// A queue that serves the newest first: item 1 waits while nine others pass.
fn newest_first_queue() -> Run {
    let mut run = Run::default();
    run.at(0, "coder-1", [offered(1)]);
    for item in 2..11 {
        run.at(item * 300, "coder-1", [offered(item)]).at(item * 300 + 1, "redis", [carried(item)]);
    }
    run.at(3600, "redis", [carried(1)]);
    run
}

#[test]
fn an_item_overtaken_in_its_queue_is_starved() {
    let finding = newest_first_queue().finding(KIND);
    assert_eq!(
        finding.summary,
        "STARVATION on redis at 01:00:00: item 1 waited 1h, past its bound of 30m, while 9 that came later were served; \
         1 starved wait of merges so far"
    );
    assert!(finding.matches(KIND, &[("medium", "redis"), ("seam", "merges")]));
    assert!(finding.numbers.get("wait_p99_to_p50_thousandths") > Some(1_000_000));
}

/// A store hands nothing over itself: what is taken from it has left it.
#[test]
fn what_is_taken_up_waits_no_more() {
    let taken = |item| Fact::Received { seam: "merges", item, offer: item, giver: id("coder-1") };
    let mut newest_first = Run::default();
    newest_first.at(0, "coder-1", [offered(1)]);
    for item in 2..11 {
        newest_first.at(item * 300, "coder-1", [offered(item)]).at(item * 300 + 1, "writer-1", [taken(item)]);
    }
    newest_first.at(3600, "writer-1", [taken(1)]);
    let finding = newest_first.finding(KIND);
    assert!(finding.summary.contains("item 1 waited 1h"), "{}", finding.summary);
    let mut in_order = Run::default();
    in_order.at(0, "coder-1", (1..11).map(offered)).at(1, "writer-1", (1..11).map(taken));
    in_order.at(9000, "editor", []);
    assert_eq!(in_order.findings(KIND), []);
}

#[test]
fn what_waits_elsewhere_than_in_a_queue_is_not_overtaken_there() {
    let mut inbox = MonitorConfig::default();
    inbox.media.insert("redis".to_owned(), Medium::Direct);
    assert_eq!(newest_first_queue().findings_with(&inbox, KIND), [], "an inbox has no places");
    let mut lost = Run::default();
    lost.at(0, "coder-1", [offered(1), offered(2)]).at(1, "redis", [carried(2)]);
    lost.at(2, "redis", [Fact::Undelivered { seam: "merges", item: 1, offer: 1, reason: "full" }]);
    lost.at(9000, "editor", []);
    assert_eq!(lost.findings(KIND), [], "lost, not overtaken");
    let mut passed = Run::default();
    passed.at(0, "coder-1", [offered(1), offered(2)]).at(1, "redis", [carried(1), carried(2)]).at(
        9000,
        "redis",
        [carried(1)],
    );
    assert_eq!(passed.findings(KIND), [], "a second delivery is no wait");
}

#[test]
fn idle_capacity_beside_ready_work_is_told() {
    let mut run = Run::default();
    run.at(0, "store", [ready(1), ready(2)]).at(60, "coder-1", [started(2)]);
    run.at(600, "coder-1", [Fact::TaskFinished { task: 2, attempt: 1, reported: true, actual: true }]);
    run.at(3000, "store", [ready(3)]).at(3600, "coder-1", [started(3)]).at(4200, "store", []);
    let finding = run.finding(KIND);
    assert_eq!(
        finding.numbers.get("idle_while_ready_ns"),
        Some(50 * MINUTE),
        "from ten minutes on to the hour"
    );
    assert_eq!(finding.numbers.get("oldest_waiting_ns"), Some(70 * MINUTE));
    assert!(finding.summary.ends_with("; some worker was idle for 50m meanwhile"), "{}", finding.summary);
}

#[test]
fn a_task_that_is_lost_or_said_to_be_ready_twice_keeps_nobody_idle() {
    let lost = Fact::Undelivered { seam: "tickets", item: 1, offer: 1, reason: "full" };
    let mut run = Run::default();
    run.at(0, "store", [ready(1), ready(2)]).at(30, "store", [ready(1)]).at(60, "coder-1", [started(2)]);
    run.at(600, "coder-1", [Fact::TaskFinished { task: 2, attempt: 1, reported: true, actual: true }]);
    run.at(1200, "store", [lost]).at(3000, "store", [ready(5), ready(6)]).at(3000, "coder-1", [started(6)]);
    run.at(9000, "store", []);
    let finding = run.finding(KIND);
    assert_eq!(finding.numbers.get("idle_while_ready_ns"), Some(10 * MINUTE), "until task 1 was lost");
    assert_eq!(finding.numbers.get("starved_waits"), Some(1), "task 5, which task 6 overtook");
}

#[test]
fn a_queue_that_delivers_again_keeps_no_order() {
    let mut run = Run::default();
    run.at(0, "store", [offered(1), offered(2)]).at(1, "redis", [carried(2)]).at(9000, "redis", [carried(1)]);
    assert_eq!(run.findings(KIND).len(), 1);
    run.at(9001, "redis", [carried(1)]);
    assert_eq!(run.findings(KIND), [], "it delivers again");
}
