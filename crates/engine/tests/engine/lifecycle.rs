//! Crash, restart, pause, halt, disk: what each loses and what each keeps.

use std::cell::RefCell;
use std::rc::Rc;

use fleetsim_engine::{AgentId, Control, Ending, Fleet, Time};
use rand::Rng;

use crate::stage::{Cue, Tag, Talk, actors, check, controls, fleet, idle, play, to};

/// An idle `a` that gets a message at each of some instants.
fn listener(arrivals: &[u64]) -> Fleet {
    let mut fleet = fleet(1);
    idle(&mut fleet, "a", 1);
    for at_ns in arrivals {
        fleet.send_at(Time::from_ns(*at_ns), to("a", 1), &Talk::Note(*at_ns as u32));
    }
    fleet
}

#[test]
fn controls_that_meet_the_wrong_condition_are_void() {
    use Control::{Crash, Pause, Restart, Resume};
    for (list, expected) in [
        (vec![(1, Restart)], vec!["1 a Restart Void"]),
        (vec![(1, Resume)], vec!["1 a Resume Handled"]),
        (
            vec![(1, Crash), (2, Crash), (3, Pause), (4, Resume), (5, Restart), (6, Restart)],
            vec![
                "1 a Crash Handled",
                "2 a Crash Void",
                "3 a Pause Void",
                "4 a Resume Void",
                "5 a Restart Handled",
                "6 a Restart Void",
            ],
        ),
        // A pause ends with the life that was paused.
        (
            vec![(1, Pause), (2, Crash), (3, Restart), (4, Control::Tell("x".to_owned()))],
            vec!["1 a Pause Handled", "2 a Crash Handled", "3 a Restart Handled", "4 a Fault Handled"],
        ),
    ] {
        let mut fleet = listener(&[]);
        controls(&mut fleet, &list);
        check(fleet, &expected);
    }
}

#[test]
fn messages_in_flight_survive_a_crash_and_those_that_find_nobody_are_told() {
    let mut fleet = listener(&[5, 10, 15, 20]);
    controls(&mut fleet, &[(4, Control::Pause), (7, Control::Crash), (12, Control::Restart)]);
    check(
        fleet,
        &[
            "4 a Pause Handled",
            "7 a Crash Handled",
            "7 a Message Forgotten +2",
            "10 a Message Down",
            "12 a Restart Handled",
            "15 a Message Handled",
            "20 a Message Handled",
        ],
    );
}

#[test]
fn a_paused_agent_gets_what_waited_in_order_on_resume() {
    let mut fleet = listener(&[5, 6, 20]);
    let tell = Control::Tell("x".to_owned());
    controls(&mut fleet, &[(4, Control::Pause), (5, Control::Pause), (7, tell), (9, Control::Resume)]);
    let run = check(
        fleet,
        &[
            "4 a Pause Handled",
            "5 a Pause Handled",
            "9 a Resume Handled",
            "9 a Message Handled +4",
            "9 a Message Handled +3",
            "9 a Fault Handled +2",
            "20 a Message Handled",
        ],
    );
    assert_eq!(run.outcome.ending, Ending::Quiescent);
}

#[test]
fn what_a_rule_told_is_forgotten_with_the_inbox() {
    let mut fleet = listener(&[]);
    controls(&mut fleet, &[(4, Control::Pause), (5, Control::Tell("x".to_owned())), (6, Control::Crash)]);
    check(fleet, &["4 a Pause Handled", "6 a Crash Handled", "6 a Fault Forgotten +1"]);
}

#[test]
fn who_halted_stays_away() {
    let mut fleet = fleet(1);
    actors(&mut fleet, "a", 1, |_, ctx, cue| {
        if cue == Cue::Start {
            ctx.set_timer(3, Tag::First);
            ctx.halt();
            ctx.send(to("b", 1), Talk::Quiet);
            ctx.halt();
        }
    });
    idle(&mut fleet, "b", 1);
    fleet.send_at(Time::from_ns(7), to("a", 1), &Talk::Quiet);
    controls(&mut fleet, &[(8, Control::Crash), (9, Control::Restart), (10, Control::Tell("x".to_owned()))]);
    check(
        fleet,
        &[
            "5 b Message Handled",
            "7 a Message Halted",
            "8 a Crash Void",
            "9 a Restart Void",
            "10 a Fault Halted",
        ],
    );
}

#[test]
fn the_state_of_who_halted_is_dropped_at_once() {
    struct Bell(Rc<RefCell<u32>>);
    impl Drop for Bell {
        fn drop(&mut self) {
            *self.0.borrow_mut() += 1;
        }
    }
    impl fleetsim_engine::Agent for Bell {
        type Inbox = Talk;
        type Timer = ();
        fn on_message(
            &mut self,
            ctx: &mut fleetsim_engine::Context<'_, Self>,
            _from: AgentId,
            _message: Talk,
        ) {
            ctx.halt();
        }
    }
    let rung = Rc::new(RefCell::new(0));
    let bell = Rc::clone(&rung);
    let mut fleet = fleet(1);
    fleet.add("a", 1, move |_| Bell(Rc::clone(&bell))).expect("one group");
    fleet.send_at(Time::ZERO, to("a", 1), &Talk::Quiet);
    let mut simulation = fleet.build().expect("valid");
    simulation.run(&Default::default(), &mut crate::stage::Log::default());
    assert_eq!(*rung.borrow(), 1);
}

#[test]
fn every_life_has_its_own_luck_and_a_number() {
    let draws = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&draws);
    let mut fleet = fleet(1);
    actors(&mut fleet, "a", 1, move |me, ctx, _| {
        seen.borrow_mut().push((me.birth.incarnation, ctx.random().next_u64()));
    });
    controls(
        &mut fleet,
        &[(1, Control::Crash), (2, Control::Restart), (3, Control::Crash), (4, Control::Restart)],
    );
    play(fleet);
    let draws = draws.borrow();
    assert_eq!(draws.iter().map(|draw| draw.0).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(draws[0].1 != draws[1].1 && draws[1].1 != draws[2].1 && draws[0].1 != draws[2].1);
}

/// What a disk holds after a crash, and a second one, of an agent that writes `synced` and `loose` in each life.
fn disk_after_crashes(seed: u64, panics: bool) -> [Option<Option<u64>>; 2] {
    let found = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&found);
    let mut fleet = fleet(seed);
    actors(&mut fleet, "a", 1, move |me, ctx, cue| {
        assert!(!matches!(cue, Cue::Fault(_)), "told to panic");
        if cue == Cue::Restart {
            assert_eq!(ctx.disk().get("synced"), Ok(Some(u64::from(me.birth.incarnation) - 1)));
            seen.borrow_mut().push(ctx.disk().get::<u64>("loose").ok());
        }
        ctx.disk().remove("loose");
        ctx.disk().put("synced", &u64::from(me.birth.incarnation));
        ctx.disk().sync();
        ctx.disk().put("loose", &7_u64);
    });
    let end = || if panics { Control::Tell("panic".to_owned()) } else { Control::Crash };
    controls(&mut fleet, &[(1, end()), (2, Control::Restart), (3, end()), (4, Control::Restart)]);
    play(fleet);
    let found = found.borrow();
    [found[0], found[1]]
}

#[test]
fn a_crash_or_panic_keeps_what_was_synced_and_may_tear_the_rest() {
    for panics in [false, true] {
        let outcomes: Vec<_> = (0..60).map(|seed| disk_after_crashes(seed, panics)).collect();
        for life in 0..2 {
            for wanted in [Some(Some(7)), Some(None), None] {
                let count = outcomes.iter().filter(|outcome| outcome[life] == wanted).count();
                assert!(count >= 5, "{wanted:?} {count} times in life {life}");
            }
        }
        assert!(outcomes.iter().any(|outcome| outcome[0] != outcome[1]), "two lives share their luck");
    }
}
