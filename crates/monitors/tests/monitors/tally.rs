//! The tally: tasks, money, seams, requests and waits.

use fleetsim_engine::{Fact, HOUR, SECOND, Waited};
use fleetsim_monitors::MonitorConfig;

use crate::support::{Run, hand_over, id};

fn finished(task: u64, attempt: u32, reported: bool, actual: bool) -> Fact<'static> {
    Fact::TaskFinished { task, attempt, reported, actual }
}

fn released(task: u64) -> Fact<'static> {
    Fact::TaskReleased { task, reason: "gave up" }
}

#[test]
fn tasks_end_as_their_last_fact_says() {
    let checks: [(&str, &[Fact<'static>], [u64; 3]); 7] = [
        ("added", &[], [0, 0, 1]),
        ("done", &[finished(1, 1, true, true)], [1, 0, 0]),
        ("failed", &[finished(1, 1, false, false)], [0, 1, 0]),
        ("retried", &[finished(1, 1, false, false), finished(1, 2, true, true)], [1, 0, 0]),
        ("released", &[released(1)], [0, 1, 0]),
        ("offered again", &[released(1), Fact::TaskReady { task: 1 }], [0, 0, 1]),
        ("done and done again", &[finished(1, 1, true, true), finished(1, 2, false, false)], [1, 0, 0]),
    ];
    for (name, facts, expected) in checks {
        let mut run = Run::default();
        run.at(1, "store", [Fact::TaskAdded { task: 1 }]);
        run.at(2, "coder-1", facts.iter().cloned());
        let tasks = run.report().tally.tasks;
        assert_eq!([tasks.done, tasks.failed, tasks.pending], expected, "{name}");
        assert_eq!(tasks.added, 1, "{name}");
    }
}

#[test]
fn throughput_follows_from_the_makespan() {
    let mut run = Run::default();
    run.at(0, "store", (0..6).map(|task| Fact::TaskAdded { task }));
    for task in 0..6 {
        run.at(1200 * (task + 1), "coder-1", [finished(task, 1, true, task != 3)]);
    }
    let tasks = run.report().tally.tasks;
    assert_eq!((tasks.makespan_ns, tasks.done_per_hour_thousandths, tasks.falsely_done), (2 * HOUR, 3000, 1));
}

#[test]
fn seams_count_late_lost_and_on_the_way() {
    let mut run = Run::default();
    let seam = ("notes", "redis");
    hand_over(&mut run, 0, seam, (1, 1), ("coder-1", "", "redis", "writer-1"));
    run.at(10, "coder-1", [Fact::Offered { seam: "notes", item: 2, offer: 2, medium: "redis" }]);
    run.at(11, "coder-1", [Fact::Offered { seam: "notes", item: 3, offer: 3, medium: "redis" }]);
    run.at(12, "coder-1", [Fact::Offered { seam: "notes", item: 4, offer: 4, medium: "redis" }]);
    run.at(20, "writer-1", [Fact::Received { seam: "notes", item: 2, offer: 2, giver: id("coder-1") }]);
    run.at(21, "redis", [Fact::Undelivered { seam: "notes", item: 3, offer: 3, reason: "no room" }]);
    let mut config = MonitorConfig::default();
    config.late_after_ns.insert("notes".to_owned(), 5 * SECOND);
    let seams = run.report_in(&config, 4096).tally.seams;
    let notes = &seams[0];
    assert_eq!(
        [notes.offered, notes.handed_over, notes.late, notes.duplicated, notes.lost, notes.in_flight],
        [4, 2, 1, 0, 1, 1]
    );
    assert_eq!((notes.waits.count(), notes.waits.longest_ns()), (2, 10 * SECOND));
}

#[test]
fn money_and_requests_add_up() {
    let mut run = Run::default();
    let requested = |by, admitted, first, tokens_out| Fact::Requested {
        model: "sonnet",
        by: id(by),
        admitted,
        first,
        tokens_in: 100,
        tokens_out,
    };
    run.at(1, "provider", [requested("coder-1", true, true, 10), requested("coder-2", false, true, 0)])
        .at(2, "provider", [requested("coder-2", true, false, 20)])
        .at(3, "coder-1", [Fact::Spent { tokens_in: 100, cached: 7, tokens_out: 10, nano_dollars: 450 }])
        .at(4, "coder-2", [Fact::Spent { tokens_in: 100, cached: 0, tokens_out: 20, nano_dollars: 600 }]);
    let tally = run.report().tally;
    let requests = tally.requests;
    assert_eq!((requests.admitted, requests.refused, requests.first_admitted), (2, 1, 1));
    assert_eq!((requests.first_tokens_in, requests.first_tokens_out), (100, 10));
    let cost = tally.cost;
    assert_eq!((cost.tokens_in, cost.cached, cost.tokens_out, cost.nano_dollars), (200, 7, 30, 1050));
    assert_eq!((tally.roles[0].name.as_str(), tally.roles[0].nano_dollars), ("coder", 1050));
    assert_eq!((tally.fairness[0].agents, tally.fairness[0].jain.thousandths()), (2, 998));
}

#[test]
fn waits_are_gathered_by_role() {
    let mut run = Run::default();
    let gate = Waited::Gate("lead");
    run.at(1, "coder-1", [Fact::WaitOn { on: gate }])
        .at(2, "coder-2", [Fact::WaitOn { on: gate }])
        .crash(3, "coder-2")
        .waited(4, "coder-1", 5 * SECOND)
        .at(11, "coder-1", [Fact::WaitEnd { on: gate }])
        .at(12, "coder-2", [Fact::WaitEnd { on: gate }]);
    let roles = run.report().tally.roles;
    assert_eq!(
        (roles[0].waits.count(), roles[0].waits.longest_ns()),
        (1, 10 * SECOND),
        "a crash ends a wait"
    );
    assert_eq!((roles[0].inbox_waits.count(), roles[0].inbox_waits.longest_ns()), (1, 5 * SECOND));
}

#[test]
fn results_that_pass_one_by_one_can_fail_together() {
    let check = |item, passed, actual| Fact::Checked { item, passed, actual };
    let mut run = Run::default();
    run.at(1, "coder-1", [check(1, true, true), check(2, true, false), check(3, false, false)]);
    assert_eq!(run.report().tally.checks.together, None);
    run.at(2, "outside", [check(0, false, false)]);
    let checks = run.report().tally.checks;
    assert_eq!((checks.passed, checks.failed, checks.wrongly_passed), (2, 1, 1));
    assert_eq!(checks.together, Some(false));
}
