//! A handler that panics: its effects are discarded, its agent is down, and nobody else notices.

use fleetsim_engine::batch::Fate;
use fleetsim_engine::codec::PAYLOAD_BYTES_MAX;
use fleetsim_engine::{AgentId, Context, Control, Fact, Value};

use crate::stage::{Actor, Child, ChildConfig, Cue, Tag, Talk, actors, check, controls, fleet, to};

type Doomed = fn(&mut Context<'_, Actor>);

/// Asks for everything, then panics in one of several ways.
const WAYS: [(&str, Doomed); 5] = [
    ("plainly", |_| panic!("plainly")),
    ("too large a message", |ctx| ctx.send(to("b", 1), Talk::Blob(vec![0; PAYLOAD_BYTES_MAX]))),
    ("too large a fact", |ctx| {
        let name = "x".repeat(5_000);
        ctx.fact(Fact::Custom { name: &name, fields: Vec::new() });
    }),
    ("too many fields", |ctx| {
        ctx.fact(Fact::Custom { name: "x", fields: vec![("y", Value::Flag(true)); 33] });
    }),
    ("work twice", |ctx| ctx.work_for(1, Tag::Done)),
];

#[test]
fn a_panic_undoes_the_step_and_the_next_life_is_whole() {
    for (name, way) in WAYS {
        let mut fleet = fleet(3);
        fleet.spawnable::<Child>("child").expect("one kind");
        actors(&mut fleet, "a", 1, move |_, ctx, cue| match cue {
            Cue::Fault(_) => {
                ctx.fact(Fact::Progress { item: 1 });
                ctx.send(to("b", 1), Talk::Note(1));
                let timer = ctx.set_timer(1, Tag::First);
                ctx.cancel_timer(timer);
                ctx.set_timer(2, Tag::First);
                let parent = ctx.id();
                ctx.spawn::<Child>(ChildConfig { parent, number: 1, born_dead: false });
                ctx.work_for(1, Tag::Done);
                ctx.halt();
                ctx.stop_run("not really");
                way(ctx);
            }
            Cue::Restart => {
                // Were the numbers of the lost effects still counted as of the old life, this would never fire.
                ctx.set_timer(10, Tag::First);
                let child = ctx.spawn::<Child>(ChildConfig { parent: ctx.id(), number: 2, born_dead: false });
                assert_eq!(child, AgentId::spawned(ctx.id(), 0), "the lost child never was");
            }
            Cue::Timer(Tag::First) => ctx.work_for(10, Tag::Done),
            _ => {}
        });
        actors(&mut fleet, "b", 1, |_, ctx, cue| {
            if cue == Cue::Start {
                ctx.set_timer(11, Tag::First);
            }
        });
        controls(&mut fleet, &[(10, Control::Tell("go".to_owned())), (20, Control::Restart)]);
        let run = check(
            fleet,
            &[
                "10 a Fault Panicked",
                "11 b Timer Handled",
                "20 a Restart Handled",
                "21 a/1 Start Handled",
                "26 a Message Handled",
                "30 a Timer Handled",
                "40 a WorkEnd Handled",
            ],
        );
        let panicked = run.rows.iter().find(|row| row.fate == Fate::Panicked).expect("it panicked");
        assert!(panicked.effects.is_empty(), "{name}");
        let restart = &run.rows[4];
        assert_eq!(restart.effects[0].sequence, Some(0), "numbers of lost effects are used again, {name}");
    }
}

#[test]
fn panics_anywhere_in_a_life_leave_the_agent_down() {
    // Which incarnation panics, in which handler.
    for (expected, panics) in [
        (vec!["5 a Message Down", "9 a Restart Handled"], Cue::Start),
        (vec!["5 a Message Panicked", "9 a Restart Handled"], Cue::Message(to("b", 1).id(), Talk::Quiet)),
        (vec!["5 a Message Handled", "9 a Restart Void"], Cue::Restart),
    ] {
        let mut fleet = fleet(1);
        actors(&mut fleet, "a", 1, move |_, _, cue| assert!(cue != panics, "as told"));
        actors(&mut fleet, "b", 1, |_, ctx, cue| {
            if cue == Cue::Start {
                ctx.send(to("a", 1), Talk::Quiet);
            }
        });
        controls(&mut fleet, &[(9, Control::Restart)]);
        check(fleet, &expected);
    }
}

#[test]
fn a_restart_that_panics_can_be_tried_again() {
    let mut fleet = fleet(1);
    actors(&mut fleet, "a", 1, |me, _, cue| {
        assert!(cue != Cue::Restart || me.birth.incarnation >= 2, "not yet");
    });
    controls(&mut fleet, &[(1, Control::Crash), (2, Control::Restart), (3, Control::Restart)]);
    check(fleet, &["1 a Crash Handled", "2 a Restart Panicked", "3 a Restart Handled"]);
}

#[test]
fn a_panic_while_crashing_or_in_a_destructor_stays_inside() {
    struct Glass;
    impl fleetsim_engine::Agent for Glass {
        type Inbox = Talk;
        type Timer = ();
        fn on_message(&mut self, _ctx: &mut Context<'_, Self>, _from: AgentId, message: Talk) {
            // What is dropped while unwinding must not panic itself, so the state panics only outside.
            assert_eq!(message, Talk::Quiet);
        }
        fn on_crash(&mut self) {
            panic!("while crashing");
        }
    }
    struct Shard(bool);
    impl Drop for Shard {
        fn drop(&mut self) {
            assert!(!self.0, "in a destructor");
        }
    }
    impl fleetsim_engine::Agent for Shard {
        type Inbox = Talk;
        type Timer = ();
        fn on_message(&mut self, ctx: &mut Context<'_, Self>, _from: AgentId, message: Talk) {
            self.0 = true;
            assert_eq!(message, Talk::Note(1), "a panic, then a destructor that panics");
            ctx.halt();
        }
    }
    let mut fleet = fleet(1);
    fleet.add("a", 1, |_| Glass).expect("a group");
    fleet.add("shard", 2, |_| Shard(false)).expect("a group");
    controls(&mut fleet, &[(1, Control::Crash), (2, Control::Restart)]);
    fleet.send_at(fleetsim_engine::Time::from_ns(3), to("shard", 1), &Talk::Note(1));
    fleet.send_at(fleetsim_engine::Time::from_ns(4), to("shard", 2), &Talk::Note(2));
    check(
        fleet,
        &[
            "1 a Crash Panicked",
            "2 a Restart Handled",
            "3 shard-1 Message Handled",
            "4 shard-2 Message Panicked",
        ],
    );
}
