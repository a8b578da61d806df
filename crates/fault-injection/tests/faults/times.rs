//! When rules are in force: windows, periods, triggers, healing.

use fleetsim_engine::batch::{Event, Fate};
use fleetsim_engine::{MILLISECOND, SECOND};
use fleetsim_fault_injection::{Fault, Heal, Messages, Party, Rule, Share, Trigger, When, Who};

use crate::stage::{Seen, all_messages, always, at, plan, run, run_plan, window};

fn loss() -> Fault {
    Fault::Loss { messages: all_messages(), share: Share::ALL }
}

fn triggered(by: Trigger, lasts_ns: Option<u64>, released: Option<Trigger>, times_max: u32) -> When {
    When::Triggered { by, after_ns: 0, lasts_ns, released, share: Share::ALL, times_max }
}

#[test]
fn a_window_and_a_period_hold_while_they_last() {
    // Six messages a millisecond.
    for (when, seconds) in [
        (window(2, 5), 3),
        (When::At { at: at(8) }, 2),
        (When::Periodic { first: at(1), every_ns: 2 * SECOND, lasts_ns: SECOND / 2, until: at(9) }, 2),
    ] {
        let lost = run(&[("rule", Rule::new(loss(), when.clone()))]).count("loss");
        let expected = seconds * 6_000;
        assert!(lost.abs_diff(expected) <= 60, "{when:?}: {lost}");
    }
}

#[test]
fn a_flapping_partition_flaps() {
    let flapping = Fault::Partition { groups: vec![vec![Party::role("left")]], one_way: false };
    let when = When::Periodic { first: at(1), every_ns: 2 * SECOND, lasts_ns: SECOND, until: at(8) };
    let seen = run(&[("rule", Rule::new(flapping, when))]);
    let told: Vec<_> =
        seen.events.iter().map(|(at_ns, _, fault, _)| (at_ns / SECOND, fault.as_str())).collect();
    let expected: Vec<_> =
        [1, 3, 5, 7].into_iter().flat_map(|s| [(s, "partition"), (s + 1, "partition-ends")]).collect();
    assert_eq!(told, expected);
}

#[test]
fn whoever_claims_is_crashed_after_the_claim() {
    let when = triggered(Trigger::on("TaskClaimed"), Some(5 * MILLISECOND), None, 7);
    let seen = run(&[("greed", Rule::new(Fault::Crash { who: Who::Whoever }, when))]);
    assert_eq!((seen.count("crash"), seen.count("restart")), (7, 7));
    // The first claim is at tick 50 of all six: each crashes a nanosecond later.
    assert_eq!(seen.events.iter().filter(|(at_ns, ..)| *at_ns == 50 * MILLISECOND + 1).count(), 6);
}

#[test]
fn a_trigger_may_be_choosy() {
    let by = Trigger { by: Some(Party::member("right", 2)), ..Trigger::on("TaskClaimed") };
    let seen = run(&[("rule", Rule::new(loss(), triggered(by, Some(MILLISECOND), None, u32::MAX)))]);
    // 100 claims in ten seconds, six messages a millisecond.
    assert!((594..=606).contains(&seen.count("loss")), "{}", seen.count("loss"));
    let by = Trigger { with: [("resource".to_owned(), "door".to_owned())].into(), ..Trigger::on("Acquired") };
    let seen = run(&[("rule", Rule::new(loss(), triggered(by, Some(MILLISECOND), None, u32::MAX)))]);
    assert_eq!((seen.count("loss"), seen.digest()), (0, run(&[]).digest()));
}

#[test]
fn a_partition_lasts_until_it_is_released() {
    let by = Trigger { by: Some(Party::member("left", 1)), ..Trigger::on("TaskClaimed") };
    let released = Trigger { by: Some(Party::member("left", 1)), ..Trigger::on("TaskReleased") };
    let cut = Fault::Partition { groups: vec![vec![Party::role("left")]], one_way: false };
    let seen = run(&[("merge", Rule::new(cut, triggered(by, None, Some(released), u32::MAX)))]);
    // From tick 50 to tick 60 of every hundred: ten milliseconds of six messages, a hundred times.
    assert!((5_900..=6_700).contains(&seen.count("partition")), "{}", seen.count("partition"));
    let ends = seen.injected[&("merge".to_owned(), "partition-ends".to_owned())];
    assert_eq!(ends, 100);
}

#[test]
fn only_a_share_of_the_occasions_is_taken() {
    let when = When::Triggered {
        by: Trigger::on("TaskClaimed"),
        after_ns: MILLISECOND,
        lasts_ns: Some(1),
        released: None,
        share: Share::new(1, 4),
        times_max: u32::MAX,
    };
    let seen = run(&[("rule", Rule::new(Fault::Pause { who: Who::Whoever }, when))]);
    // 600 claims: 150 expected, standard deviation 11.
    assert!((86..=214).contains(&seen.count("pause")), "{}", seen.count("pause"));
}

fn healed(core: &[&str]) -> Seen {
    let mut plan = plan(&[
        ("cable", always(loss())),
        ("power", Rule::new(Fault::Crash { who: Who::Each(Party::role("left")) }, When::At { at: at(1) })),
        ("sleep", Rule::new(Fault::Pause { who: Who::Each(Party::role("right")) }, When::At { at: at(1) })),
        (
            "greed",
            Rule::new(
                Fault::Crash { who: Who::Whoever },
                triggered(Trigger::on("TaskClaimed"), Some(MILLISECOND), None, u32::MAX),
            ),
        ),
    ]);
    let core = core.iter().map(|role| (*role).to_owned()).collect();
    plan.heal(Some(Heal { at: at(4), core, converges_within_ns: SECOND }));
    run_plan(11, &plan)
}

#[test]
fn everything_heals() {
    let seen = healed(&[]);
    let after = |fault: &str| {
        let late =
            |(at_ns, _, known, _): &&(u64, String, String, String)| *at_ns >= 4 * SECOND && known == fault;
        seen.events.iter().filter(late).count()
    };
    assert_eq!((after("restart"), after("resume"), after("crash")), (3, 3, 0));
    // What is sent in the second phase arrives: six seconds of six messages a millisecond.
    let arrived = seen.arrived.iter().filter(|(.., at_ns)| *at_ns > 4 * SECOND).count();
    assert!((35_800..=36_100).contains(&arrived), "{arrived}");
}

#[test]
fn only_the_core_heals() {
    let seen = healed(&["left"]);
    let down_right =
        seen.events.iter().any(|(_, _, fault, whom)| fault == "resume" && whom.starts_with("right"));
    assert!(!down_right, "the rest stays as broken as it is");
    // The core can be reached only by the core, and nobody in it sends to it.
    assert_eq!(seen.arrived.iter().filter(|(.., at_ns)| *at_ns > 4 * SECOND).count(), 0);
    let restarts =
        seen.events.iter().filter(|(at_ns, _, fault, _)| *at_ns >= 4 * SECOND && fault == "restart");
    assert!(restarts.count() >= 3);
}

#[test]
fn rules_about_kinds_of_messages_leave_others_alone() {
    for (kind, expected) in [("Tick", 20_000), ("Big", 20_000), ("Bare", 20_000)] {
        let messages = Messages {
            protocol: Some("ping".to_owned()),
            kind: Some(kind.to_owned()),
            ..Messages::default()
        };
        let seen = run(&[("rule", always(Fault::Loss { messages, share: Share::ALL }))]);
        assert!(seen.count("loss").abs_diff(expected) < 20, "{kind}: {}", seen.count("loss"));
        let lost = seen.fate(Event::Message, Fate::Lost);
        assert!(seen.count("loss") - lost <= 6, "the last are under way");
    }
}
