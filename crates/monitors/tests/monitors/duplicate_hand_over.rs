//! Duplicate hand-overs, by medium.

use fleetsim_engine::Fact;

use crate::support::{Run, hand_over, id};

const KIND: &str = "duplicate-hand-over";

fn again(
    run: &mut Run,
    second: u64,
    (seam, medium): (&'static str, &'static str),
    offer: u64,
    receiver: &str,
) {
    run.at(second, medium, [Fact::HandedOver { seam, item: offer, offer, medium, receiver: id(receiver) }]);
    run.at(second + 1, receiver, [Fact::Received { seam, item: offer, offer, giver: id("coder-1") }]);
}

fn pipeline() -> Run {
    let mut run = Run::default();
    for item in 0..10 {
        let second = item * 10;
        hand_over(
            &mut run,
            second,
            ("notes", "redis"),
            (item, item),
            ("coder-1", "coordinator", "redis", "writer-1"),
        );
        hand_over(
            &mut run,
            second + 3,
            ("pages", "page"),
            (item, 100 + item),
            ("writer-1", "writer-1", "page", "publisher"),
        );
    }
    run
}

#[test]
fn one_hand_over_an_offer_is_silent() {
    assert_eq!(pipeline().findings(KIND), []);
}

#[test]
fn a_medium_that_delivers_twice_is_one_finding() {
    let mut run = pipeline();
    for offer in 2..7 {
        again(&mut run, 200 + 10 * offer, ("notes", "redis"), offer, "writer-2");
    }
    let finding = run.finding(KIND);
    assert_eq!(
        finding.summary,
        "DUPLICATE HAND OVER on redis at 00:03:41: 5 duplicates (notes 5 times); \
         first item 2 was taken up by writer-2 again 3m 19s after writer-1 took it"
    );
    assert_eq!(finding.count, 5, "by whoever took them");
    assert_eq!(finding.evidence.len(), 1 + 3);
    assert!(finding.matches(KIND, &[("medium", "redis"), ("seam", "notes")]));
    assert!(!finding.matches(KIND, &[("medium", "page")]));
    assert_eq!(run.report().tally.seams[0].duplicated, 5);
}

#[test]
fn a_receipt_without_a_delivery_is_a_duplicate_too() {
    let mut run = pipeline();
    run.at(300, "writer-1", [Fact::Received { seam: "notes", item: 3, offer: 3, giver: id("coder-1") }]);
    let finding = run.finding(KIND);
    assert_eq!(finding.count, 1);
    assert_eq!(finding.evidence[0].at.as_ns(), 32_000_000_000, "the first time");
}

#[test]
fn a_second_delivery_that_is_not_taken_up_is_none() {
    let mut run = pipeline();
    let (item, offer, receiver) = (3, 3, id("writer-1"));
    run.at(300, "redis", [Fact::HandedOver { seam: "notes", item, offer, medium: "redis", receiver }]);
    run.at(301, "writer-1", [Fact::GuardTripped { guard: "dedupe-hand-overs", item }]);
    assert_eq!(run.findings(KIND), []);
}

#[test]
fn giving_out_again_what_a_crash_lost_is_no_duplicate() {
    let mut run = pipeline();
    run.crash(300, "writer-1");
    again(&mut run, 310, ("notes", "redis"), 3, "writer-2");
    assert_eq!(run.findings(KIND), []);
    again(&mut run, 320, ("notes", "redis"), 3, "writer-1");
    assert_eq!(run.finding(KIND).count, 1, "writer-2 was up");
}

#[test]
fn giving_out_again_what_its_taker_gave_back_is_no_duplicate() {
    let released = Fact::TaskReleased { task: 3, reason: "too hard" };
    for (who, duplicates) in [("writer-1", 0), ("redis", 1)] {
        let mut run = pipeline();
        run.at(300, who, [released.clone()]);
        again(&mut run, 310, ("notes", "redis"), 3, "writer-2");
        assert_eq!(run.findings(KIND).len(), duplicates, "released by {who}");
    }
}

#[test]
fn each_medium_has_its_own_finding() {
    let mut run = pipeline();
    again(&mut run, 300, ("notes", "redis"), 3, "writer-1");
    again(&mut run, 310, ("pages", "page"), 103, "publisher");
    let media: Vec<String> =
        run.findings(KIND).iter().map(|finding| finding.about["medium"][0].clone()).collect();
    assert_eq!(media, ["redis", "page"]);
}
