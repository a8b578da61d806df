//! Actions without a gate, and handlers that panicked.

use fleetsim_engine::Fact;
use fleetsim_engine::batch::{Event, Fate};

use crate::support::Run;

#[test]
fn irreversible_actions_without_a_gate_are_counted_by_action() {
    let mut run = Run::default();
    let publish = |item| Fact::Acted { action: "publish", reversible: false, gate: "", item };
    run.at(60, "publisher", [publish(1)]).at(70, "publisher", [publish(2)]);
    let finding = run.finding("ungated-irreversible-action");
    assert_eq!(
        finding.summary,
        "UNGATED IRREVERSIBLE ACTION on publish at 00:01:00: \
         publish was done twice and no gate stood before it, first by publisher"
    );
    assert!(finding.matches("ungated-irreversible-action", &[("action", "publish"), ("agent", "publisher")]));
}

#[test]
fn gated_and_reversible_actions_are_silent() {
    let mut run = Run::default();
    run.at(1, "publisher", [Fact::Acted { action: "publish", reversible: false, gate: "lead", item: 1 }]).at(
        2,
        "publisher",
        [Fact::Acted { action: "draft", reversible: true, gate: "", item: 1 }],
    );
    assert_eq!(run.report().findings, []);
}

#[test]
fn panics_name_agent_and_event() {
    let mut run = Run::default();
    run.at(1, "coder-1", []).step(2_500_000_000, "coder-2", Event::Message, Fate::Panicked, []).step(
        3_000_000_000,
        "coder-3",
        Event::Timer,
        Fate::Panicked,
        [],
    );
    let finding = run.finding("panicked-agent");
    assert_eq!(
        finding.summary,
        "PANICKED AGENT at 00:00:02.5: coder-2 panicked while it handled event #1; its role panicked twice"
    );
    assert_eq!((finding.count, finding.event), (2, 1));
    assert_eq!(finding.agents, ["coder-2", "coder-3"]);
}

#[test]
fn other_fates_are_no_panics() {
    for fate in [Fate::Handled, Fate::Undecodable, Fate::Down, Fate::Halted, Fate::Lost, Fate::Void] {
        let mut run = Run::default();
        run.step(1, "coder-1", Event::Message, fate, []);
        assert_eq!(run.report().findings, [], "{fate:?}");
    }
}
