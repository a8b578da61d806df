//! Feedback loops: ping-pong, loops of three, and paths that only look like loops.

use fleetsim_engine::{Fact, MINUTE};
use fleetsim_monitors::MonitorConfig;

use crate::support::{Run, id, only};

const KIND: &str = "feedback-loop";

fn spent(nano_dollars: u64) -> Fact<'static> {
    Fact::Spent { tokens_in: 1, cached: 0, tokens_out: 1, nano_dollars }
}

fn received(seam: &'static str, item: u64, offer: u64, giver: &str) -> Fact<'static> {
    Fact::Received { seam, item, offer, giver: id(giver) }
}

/// The item goes along `path`, a hand-over a minute, and each receiver spends a dollar on it.
fn walk(run: &mut Run, item: u64, first_minute: u64, path: &[(&'static str, &str)]) {
    for (index, pair) in path.windows(2).enumerate() {
        let ((_, giver), (seam, receiver)) = (pair[0], pair[1]);
        let minute = first_minute + index as u64;
        run.at(
            minute * 60,
            receiver,
            [received(seam, item, 1000 * item + minute, giver), spent(1_000_000_000)],
        );
    }
}

fn ping_pong(hand_overs: usize) -> Vec<(&'static str, &'static str)> {
    let hops = [("drafts", "reviewer-1"), ("rejected", "coder-1")];
    core::iter::once(("", "coder-1")).chain(hops.into_iter().cycle().take(hand_overs)).collect()
}

#[test]
fn three_rounds_without_progress_are_a_loop() {
    let mut run = Run::default();
    walk(&mut run, 7, 0, &ping_pong(10));
    run.at(20 * 60, "coder-1", []);
    let finding = run.finding(KIND);
    assert_eq!(
        finding.summary,
        "FEEDBACK LOOP on drafts, rejected at 00:05:00: item 7 went round coder-1 -> reviewer-1 -> coder-1 \
         5 times without progress, for $10.00; no task was completed by it"
    );
    assert_eq!(finding.agents, ["coder-1", "reviewer-1"]);
    let signal = finding.earliest_signal.clone().expect("the end of the second round");
    assert_eq!(signal.event, 3);
    assert_eq!(
        finding.lead_time_ns,
        Some(17 * MINUTE),
        "from the end of the second round to the end of the run"
    );
    assert_eq!(finding.saved_nano_dollars, Some(7_000_000_000));
    assert_eq!(finding.numbers.get("rounds"), Some(5));
    assert!(finding.matches(KIND, &[("role", "reviewer"), ("seam", "drafts")]));
}

#[test]
fn near_misses_stay_silent() {
    let mut two_rounds = Run::default();
    walk(&mut two_rounds, 7, 0, &ping_pong(5));

    let mut progress = Run::default();
    walk(&mut progress, 7, 0, &ping_pong(4));
    progress.at(290, "coder-1", [Fact::Progress { item: 7 }]);
    walk(&mut progress, 7, 5, &ping_pong(4));

    let mut done = Run::default();
    walk(&mut done, 7, 0, &ping_pong(4));
    done.at(290, "coder-1", [Fact::TaskFinished { task: 7, attempt: 1, reported: true, actual: true }]);
    walk(&mut done, 7, 5, &ping_pong(4));

    let mut converged = Run::default();
    walk(&mut converged, 7, 0, &ping_pong(10));
    converged.at(700, "coder-1", [Fact::TaskFinished { task: 7, attempt: 1, reported: true, actual: true }]);

    let mut many_items = Run::default();
    for item in 0..10 {
        walk(&mut many_items, item, item * 10, &ping_pong(2));
    }

    let mut redelivered = Run::default();
    for minute in 0..10 {
        redelivered.at(minute * 60, "coder-1", [received("dispatch", 7, 1, "coder-1")]);
    }

    let mut spread = Run::default();
    for minute in 0..10 {
        spread.at(minute * 60, "coder-1", [received("dispatch", 7, minute, "supervisor")]);
    }

    let mut stages = Run::default();
    let seams = ["plan", "draft", "check", "edit", "test", "fix", "merge", "ship"];
    let receivers = ["reviewer-1", "coder-1"].into_iter().cycle();
    let path: Vec<_> = core::iter::once(("", "coder-1")).chain(seams.into_iter().zip(receivers)).collect();
    walk(&mut stages, 7, 0, &path);

    for (name, run) in [
        ("between the same two, but along another seam each time", stages),
        ("two rounds and a half", two_rounds),
        ("progress in between", progress),
        ("done in between", done),
        ("ten rounds that ended well", converged),
        ("ten items, one round each", many_items),
        ("one offer, delivered ten times", redelivered),
        ("given ten times and never given back", spread),
    ] {
        assert_eq!(run.findings(KIND), [], "{name}");
    }
}

#[test]
fn a_failed_attempt_is_no_progress() {
    let mut run = Run::default();
    walk(&mut run, 7, 0, &ping_pong(4));
    run.at(200, "coder-1", [Fact::TaskFinished { task: 7, attempt: 1, reported: false, actual: false }]);
    walk(&mut run, 7, 4, &ping_pong(2));
    assert_eq!(run.findings(KIND).len(), 1);
}

#[test]
fn a_pool_hands_a_loop_from_member_to_member() {
    let mut run = Run::default();
    let path = [
        ("", "writer-1"),
        ("drafts", "editor"),
        ("back", "writer-2"),
        ("drafts", "editor"),
        ("back", "writer-1"),
        ("drafts", "editor"),
        ("back", "writer-2"),
    ];
    walk(&mut run, 1, 0, &path);
    let finding = run.finding(KIND);
    assert_eq!(finding.agents, ["editor", "writer-1", "writer-2"]);
    assert_eq!(finding.numbers.get("hand_overs_per_round"), Some(2));
}

#[test]
fn the_same_loop_is_one_finding_wherever_it_is_entered() {
    let mut run = Run::default();
    walk(&mut run, 1, 0, &ping_pong(6));
    let from_reviewer: Vec<_> = ping_pong(7).split_off(1);
    walk(&mut run, 2, 10, &from_reviewer);
    let finding = only(run.findings(KIND));
    assert_eq!((finding.count, finding.numbers.get("nano_dollars")), (2, Some(12_000_000_000)));
}

#[test]
fn a_loop_of_three_is_not_told_as_one_of_six() {
    let mut run = Run::default();
    let hops = [("a", "coder-1"), ("b", "reviewer-1"), ("c", "editor")];
    let path: Vec<_> = core::iter::once(("", "editor")).chain(hops.into_iter().cycle().take(24)).collect();
    walk(&mut run, 1, 0, &path);
    let finding = run.finding(KIND);
    assert_eq!(finding.numbers.get("rounds"), Some(8));
    assert_eq!(finding.numbers.get("hand_overs_per_round"), Some(3));
}

#[test]
fn a_guard_ends_the_loop_and_the_damage() {
    let mut run = Run::default();
    walk(&mut run, 7, 0, &ping_pong(8));
    run.at(480, "supervisor", [Fact::GuardTripped { guard: "review-rounds", item: 7 }]);
    run.at(9999, "coder-1", [spent(1_000_000_000)]);
    let finding = run.finding(KIND);
    assert_eq!(finding.lead_time_ns, Some(5 * MINUTE));
    assert_eq!(finding.saved_nano_dollars, Some(5_000_000_000));
}

#[test]
fn a_guard_that_does_not_stop_the_item_does_not_end_the_loop() {
    let mut run = Run::default();
    walk(&mut run, 7, 0, &ping_pong(4));
    run.at(230, "supervisor", [Fact::GuardTripped { guard: "dedupe-hand-overs", item: 7 }]);
    let onwards: Vec<_> = ping_pong(8).split_off(4);
    walk(&mut run, 7, 4, &onwards);
    let finding = run.finding(KIND);
    assert_eq!(finding.numbers.get("rounds"), Some(4));
    assert_eq!(finding.lead_time_ns, Some(4 * MINUTE), "up to the end of the run");
}

#[test]
fn the_bound_is_the_scenarios() {
    let mut run = Run::default();
    walk(&mut run, 7, 0, &ping_pong(8));
    for (rounds_max, found) in [(2, 1), (4, 1), (5, 0)] {
        let config = MonitorConfig { loop_rounds_max: rounds_max, ..MonitorConfig::default() };
        assert_eq!(run.findings_with(&config, KIND).len(), found, "{rounds_max}");
    }
}
