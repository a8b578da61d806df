//! Actions and the gates before them: who is asked, who waits, and what is done to the world.

use std::sync::Arc;

use fleetsim_agents::Share;
use fleetsim_agents::gate::{Action, Gate};
use fleetsim_agents::item::Item;
use fleetsim_agents::worker::{Pace, Role};
use fleetsim_engine::sample::Sampler;
use fleetsim_engine::{AgentId, Fleet, HOUR};

use crate::support::{
    ALWAYS, LATENCY_NS, NEVER, fleet, give, item, parcel, play, probes, role, seam, workers,
};

const STORY: [&str; 6] = ["received", "waits", "waited", "reviewed", "acted", "finished"];

fn action(gate: Option<(&str, AgentId)>) -> Action {
    let gate = gate.map(|(name, person)| (Arc::from(name), person));
    Action { name: "publish".into(), reversible: false, gate }
}

/// Somebody who always answers after 1,000 ns in these office hours and catches this share of the faulty.
fn person(fleet: &mut Fleet, hours: Option<(u64, u64)>, catches: Share) {
    let pace = Pace::Human { hours, answers_in_ns: Sampler::constant(1_000), day_begins_ns: 0 };
    workers(fleet, 1, Role { name: "lead".into(), pace, catches, ..role(Vec::new()) });
}

/// A fleet of one worker that asks the lead before it publishes, and the lead.
fn gated(catches: Share) -> Fleet {
    let mut fleet = fleet(1);
    person(&mut fleet, None, catches);
    let action = Some(action(Some(("sign-off", AgentId::named("lead", 1)))));
    workers(&mut fleet, 1, Role { action, ..role(vec![seam(0, "work", &[])]) });
    fleet
}

#[test]
fn without_a_gate_nobody_is_asked() {
    let mut fleet = fleet(1);
    workers(&mut fleet, 1, Role { action: Some(action(None)), ..role(vec![seam(0, "work", &[])]) });
    give(&mut fleet, 10, "worker", parcel(0, Item { faulty: true, ..item(1) }));
    let expected = [
        "10 received 1",
        "110 acted publish on 1 reversible false gate ``",
        "110 finished 1 reported true actual false",
    ];
    assert_eq!(play(fleet).lines(&STORY), expected);
}

#[test]
fn a_worker_waits_at_the_gate_and_does_what_the_person_says() {
    for (faulty, catches, verdict, outcome) in [
        (false, ALWAYS, "true", &["finished 1 reported true actual true"]),
        (true, NEVER, "true", &["finished 1 reported true actual false"]),
        (true, ALWAYS, "false", &["finished 1 reported false actual false"]),
    ] {
        let mut fleet = gated(catches);
        give(&mut fleet, 10, "worker", parcel(0, Item { faulty, ..item(1) }));
        let mut expected = vec![
            "10 received 1".to_owned(),
            "110 waits Gate(\"sign-off\")".to_owned(),
            format!("1111 reviewed 1 {verdict}"),
            "1112 waited Gate(\"sign-off\")".to_owned(),
        ];
        if verdict == "true" {
            expected.push("1112 acted publish on 1 reversible false gate `sign-off`".to_owned());
        }
        expected.extend(outcome.iter().map(|line| format!("1112 {line}")));
        assert_eq!(play(fleet).lines(&STORY), expected, "faulty {faulty}, catches {catches:?}");
    }
}

#[test]
fn what_comes_meanwhile_waits_and_only_the_persons_answer_to_this_item_counts() {
    let worker = AgentId::named("worker", 1);
    let mut fleet = fleet(1);
    let action = Some(action(Some(("sign-off", AgentId::named("lead", 1)))));
    workers(&mut fleet, 1, Role { action, ..role(vec![seam(0, "work", &[])]) });
    give(&mut fleet, 10, "worker", parcel(0, item(1)));
    give(&mut fleet, 500, "worker", parcel(0, item(2)));
    let answer = |at_ns, item, approved| (at_ns, Gate::Answer { item, approved });
    let lead = vec![answer(200, 2, false), answer(600, 1, true), answer(650, 1, false), answer(900, 2, true)];
    let stranger = vec![answer(300, 1, false), answer(800, 2, false)];
    probes(&mut fleet, "lead", worker, vec![lead], |_: &Gate| None);
    probes(&mut fleet, "stranger", worker, vec![stranger], |_: &Gate| None);
    let expected = [
        "10 received 1",
        "600 finished 1 reported true actual true",
        "600 received 2",
        "900 finished 2 reported true actual true",
    ];
    assert_eq!(play(fleet).lines(&["received", "finished"]), expected);
}

#[test]
fn a_person_answers_one_at_a_time_and_in_office_hours() {
    let mut fleet = fleet(1);
    person(&mut fleet, Some((9 * HOUR, 17 * HOUR)), NEVER);
    let asks = (7..10).map(|item| (50, Gate::Ask { item, faulty: false })).collect();
    let heard = probes(&mut fleet, "asker", AgentId::named("lead", 1), vec![asks], |_: &Gate| None);
    play(fleet);
    let times: Vec<_> = heard.borrow().iter().map(|(at_ns, ..)| at_ns - LATENCY_NS).collect();
    assert_eq!(times, [1, 2, 3].map(|number| 9 * HOUR + number * 1_000));
}
