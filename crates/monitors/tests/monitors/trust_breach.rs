//! Untrusted content behind a seam that does not trust content.

use fleetsim_engine::{Fact, SECOND};
use fleetsim_monitors::MonitorConfig;

use crate::mutations::Fixture;
use crate::support::{Run, id, only};

const KIND: &str = "trust-breach";

fn drafts_are_not_trusted() -> MonitorConfig {
    MonitorConfig { distrusting_seams: ["drafts".to_owned()].into(), ..MonitorConfig::default() }
}

fn tainted(item: u64) -> Fact<'static> {
    Fact::Tainted { item, origin: id("outside") }
}

fn received(seam: &'static str, item: u64) -> Fact<'static> {
    Fact::Received { seam, item, offer: item, giver: id("writer-1") }
}

fn checked() -> Run {
    let mut run = Run::default();
    run.at(1, "writer-1", [tainted(1)])
        .at(2, "writer-2", [received("notes", 1)])
        .at(3, "reviewer-1", [Fact::Reviewed { item: 1, approved: true }])
        .at(4, "editor", [received("drafts", 1)])
        .at(5, "editor", [received("drafts", 2)]);
    run
}

pub(crate) fn fixtures() -> Vec<Fixture> {
    vec![Fixture {
        kind: KIND,
        config: drafts_are_not_trusted,
        correct: checked,
        mutations: &[
            ("nobody reviews", |run| run.leave_out(2)),
            ("the review comes too late", |run| run.put_at(2, 6)),
            ("the review says no and it goes on", |run| {
                run.restate(2, [Fact::Reviewed { item: 1, approved: false }]);
            }),
            ("another item is reviewed", |run| run.restate(2, [Fact::Reviewed { item: 3, approved: true }])),
            ("it is tainted once more", |run| run.repeat_at(0, 3)),
            ("it goes over the other seam", |run| run.restate(1, [received("drafts", 1)])),
        ],
    }]
}

#[test]
fn a_tainted_item_that_nobody_checked_is_named_with_its_origin() {
    let mut run = Run::default();
    run.at(1, "writer-1", [tainted(7)]).at(61, "editor", [received("drafts", 7)]);
    let finding = only(run.findings_with(&drafts_are_not_trusted(), KIND));
    assert_eq!(
        finding.summary,
        "TRUST BREACH on drafts at 00:01:01: editor took up item 7, untrusted since outside, and nobody had checked \
         it for 1m"
    );
    assert_eq!(finding.lead_time_ns, Some(60 * SECOND));
    assert_eq!(finding.earliest_signal.as_ref().map(|signal| signal.event), Some(0));
    assert!(finding.matches(KIND, &[("seam", "drafts"), ("agent", "editor")]));
}

#[test]
fn near_misses_stay_silent() {
    assert_eq!(checked().findings_with(&drafts_are_not_trusted(), KIND), []);
    let mut run = Run::default();
    run.at(1, "writer-1", [tainted(7)]).at(2, "editor", [received("drafts", 7)]);
    assert_eq!(run.findings(KIND), [], "every seam trusts unless it says otherwise");
}
