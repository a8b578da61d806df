//! Children: their identities, names, births and second births.

use fleetsim_engine::{AgentId, Birth, Control, Fleet, Spawn, Time};

use crate::stage::{Child, ChildConfig, Cue, Talk, actors, check, controls, fleet, play, to};

/// A parent that spawns `count` children when it starts, and one more when it restarts.
fn family(count: u32, born_dead: bool) -> Fleet {
    let mut fleet = fleet(1);
    fleet.spawnable::<Child>("child").expect("one kind");
    actors(&mut fleet, "a", 1, move |_, ctx, cue| {
        let births = match cue {
            Cue::Start => count,
            Cue::Restart => 1,
            _ => 0,
        };
        for number in 1..=births {
            let parent = ctx.id();
            let child = ctx.spawn::<Child>(ChildConfig { parent, number, born_dead });
            // Its identity is known at once, and what is sent to it waits for its birth.
            ctx.send(fleetsim_engine::Address::new(child), Talk::Note(number));
        }
    });
    fleet
}

#[test]
fn children_are_numbered_by_their_parent_over_all_its_lives() {
    let mut fleet = family(2, false);
    controls(&mut fleet, &[(10, Control::Crash), (20, Control::Restart)]);
    let run = play(fleet);
    let mut names: Vec<String> =
        (0..3).map(|ordinal| run.names.of(AgentId::spawned(to("a", 1).id(), ordinal))).collect();
    names.sort();
    assert_eq!(names, ["a/1", "a/2", "a/3"]);
    assert_eq!(run.outcome.agents, 4);
}

#[test]
fn a_child_starts_although_its_parent_crashed() {
    let mut fleet = family(1, false);
    controls(&mut fleet, &[(1, Control::Crash)]);
    let lines = play(fleet).lines();
    for line in ["1 a/1 Start Handled", "1 a Crash Handled", "6 a Message Down"] {
        assert!(lines.iter().any(|found| found == line), "{lines:?}");
    }
}

#[test]
fn a_child_is_made_anew_from_its_configuration() {
    let mut fleet = family(1, false);
    let child = AgentId::spawned(to("a", 1).id(), 0);
    fleet.control("rule", Time::from_ns(10), child, Control::Crash);
    fleet.control("rule", Time::from_ns(20), child, Control::Restart);
    check(
        fleet,
        &[
            "1 a/1 Start Handled",
            "5 a/1 Message Handled",
            "6 a Message Handled",
            "10 a/1 Crash Handled",
            "20 a/1 Restart Handled",
            "25 a Message Handled",
        ],
    );
}

#[test]
fn a_message_that_is_faster_than_a_birth_waits_for_it() {
    let mut fleet = family(1, false);
    fleet.default_link(fleetsim_engine::Link::constant(1).expect("above zero"));
    let child = AgentId::spawned(to("a", 1).id(), 0);
    fleet.send_at(Time::ZERO, fleetsim_engine::Address::new(child), &Talk::Quiet);
    let run = play(fleet);
    let lines = run.lines();
    let start = lines.iter().position(|line| line == "1 a/1 Start Handled").expect("it is born");
    let message = lines.iter().position(|line| line == "1 a/1 Message Handled").expect("it arrives");
    assert!(start < message, "{lines:?}");
}

#[test]
fn a_child_that_cannot_be_made_is_down_for_good() {
    let mut fleet = family(1, true);
    let child = AgentId::spawned(to("a", 1).id(), 0);
    fleet.control("rule", Time::from_ns(9), child, Control::Restart);
    check(fleet, &["1 a/1 Start Panicked", "5 a/1 Message Down", "9 a/1 Restart Void"]);
}

#[test]
fn an_undeclared_kind_is_the_handlers_panic() {
    let mut fleet = fleet(1);
    actors(&mut fleet, "a", 1, |_, ctx, cue| {
        if let Cue::Message(parent, _) = cue {
            ctx.spawn::<Child>(ChildConfig { parent, number: 1, born_dead: false });
        }
    });
    fleet.send_at(Time::from_ns(3), to("a", 1), &Talk::Quiet);
    check(fleet, &["3 a Message Panicked"]);
}

#[test]
fn a_kind_is_declared_once_under_a_name_of_its_own() {
    let mut fleet = fleet(1);
    fleet.spawnable::<Child>("child").expect("one kind");
    assert!(fleet.spawnable::<Child>("other").is_err());
    let make = |birth: &Birth| {
        Child::spawn(birth, ChildConfig { parent: AgentId::WORLD, number: 0, born_dead: false })
    };
    assert!(fleet.add("child", 1, make).is_err());
}
