//! Links: who takes how long to reach whom, and what happens at the end of time.

use std::cell::Cell;
use std::rc::Rc;

use fleetsim_engine::batch::Event;
use fleetsim_engine::sample::Sampler;
use fleetsim_engine::{
    Act, Address, DigestSink, Ending, Fleet, Injector, Limits, Link, Outgoing, Time, Verdict, mix,
};
use proptest::prelude::*;

use crate::stage::{Child, ChildConfig, Cue, Tag, Talk, actors, check, fleet, idle, play, play_within, to};

fn chatter(seed: u64) -> Fleet {
    let mut fleet = fleet(seed);
    actors(&mut fleet, "a", 1, |_, ctx, cue| {
        if cue == Cue::Start {
            for receiver in ["a", "b", "c"] {
                ctx.send(to(receiver, 1), Talk::Quiet);
            }
            ctx.send(to("nobody", 1), Talk::Quiet);
        }
    });
    idle(&mut fleet, "b", 1);
    idle(&mut fleet, "c", 1);
    fleet
}

#[test]
fn each_pair_of_groups_has_its_link_and_the_rest_the_default() {
    let mut fleet = chatter(1);
    fleet.link("a", "b", Link::constant(9).expect("above zero"));
    fleet.link("a", "b", Link::constant(2).expect("above zero"));
    fleet.link("b", "a", Link::constant(77).expect("above zero"));
    fleet.link("a", "a", Link::constant(1).expect("above zero"));
    // Nobody is as far away as the sender's own group.
    let nobody = format!("1 {:?} Message Unknown", to("nobody", 1).id());
    let mut lines = play(fleet).lines();
    lines.sort();
    let mut expected =
        vec!["1 a Message Handled", "2 b Message Handled", "5 c Message Handled", nobody.as_str()];
    expected.sort();
    assert_eq!(lines, expected);
}

#[test]
fn mistakes_are_refused() {
    assert!(Link::constant(0).is_err());
    assert!(Link::new(0, Sampler::constant(5)).is_err());
    for (from, to) in [("a", "nobody"), ("nobody", "a")] {
        let mut fleet = chatter(1);
        fleet.link(from, to, Link::constant(1).expect("above zero"));
        let error = fleet.build().map(|_| ()).expect_err("an unknown group");
        assert!(error.to_string().contains("`nobody`"), "{error}");
    }
}

#[test]
fn latency_is_a_function_of_sender_and_number() {
    // Whatever else the sender does in between, and whoever else is there.
    let arrivals = |busy: bool| {
        let mut fleet = fleet(7);
        fleet.default_link(Link::new(10, Sampler::uniform(0, 1_000).expect("valid")).expect("above zero"));
        idle(&mut fleet, "b", 1);
        if busy {
            actors(&mut fleet, "crowd", 3, |_, ctx, _| ctx.send(to("b", 1), Talk::Quiet));
        }
        actors(&mut fleet, "a", 1, move |_, ctx, cue| {
            if cue == Cue::Start {
                if busy {
                    let _ = rand::Rng::next_u64(&mut ctx.random());
                    ctx.fact(fleetsim_engine::Fact::Progress { item: 1 });
                }
                (0..20).for_each(|_| ctx.send(to("b", 1), Talk::Quiet));
            }
        });
        let run = play(fleet);
        let mut times: Vec<(u32, u64)> = run
            .rows
            .iter()
            .filter(|row| row.source == to("a", 1).id() && row.target == to("b", 1).id())
            .map(|row| (row.sequence, row.time_ns))
            .collect();
        times.sort();
        times
    };
    let quiet = arrivals(false);
    assert_eq!(quiet, arrivals(true));
    assert!(quiet.iter().all(|(_, time_ns)| (10..=1_010).contains(time_ns)));
    assert!(quiet.windows(2).any(|pair| pair[0].1 > pair[1].1), "messages overtake each other");
}

struct Bend(Verdict);

impl Injector for Bend {
    fn message(&mut self, _message: &Outgoing, _acts: &mut Vec<Act>) -> Verdict {
        self.0
    }
}

#[test]
fn an_injector_delays_loses_and_doubles() {
    let verdict =
        |lost, delay_ns, again_after_ns| Verdict { lost, delay_ns, again_after_ns, ..Verdict::default() };
    for (verdict, expected) in [
        (verdict(false, 0, None), vec!["5 b Message Handled"]),
        (verdict(false, 4, None), vec!["9 b Message Handled"]),
        (verdict(true, 4, None), vec!["9 b Message Lost"]),
        (verdict(false, 1, Some(0)), vec!["6 b Message Handled", "7 b Message Handled"]),
        (verdict(false, 0, Some(3)), vec!["5 b Message Handled", "8 b Message Handled"]),
    ] {
        let mut fleet = fleet(1);
        idle(&mut fleet, "b", 1);
        actors(&mut fleet, "a", 1, |_, ctx, cue| {
            if cue == Cue::Start {
                ctx.send(to("b", 1), Talk::Blob(vec![1; 100]));
            }
        });
        fleet.inject_faults(Box::new(Bend(verdict)));
        let run = check(fleet, &expected);
        assert_eq!(run.outcome.messages, 1, "an echo is not another message");
    }
}

#[test]
fn what_would_happen_after_the_end_of_time_fails_the_run() {
    type Ask = fn(&mut fleetsim_engine::Context<'_, crate::stage::Actor>);
    let asks: [(Ask, Verdict); 5] = [
        (
            |ctx| {
                let _ = ctx.set_timer(u64::MAX, crate::stage::Tag::First);
            },
            Verdict::default(),
        ),
        (|ctx| ctx.work_for(u64::MAX, crate::stage::Tag::First), Verdict::default()),
        (|ctx| ctx.send_after(to("a", 1), Talk::Quiet, u64::MAX), Verdict::default()),
        (|ctx| ctx.send(to("a", 1), Talk::Quiet), Verdict { delay_ns: u64::MAX, ..Verdict::default() }),
        (
            |ctx| ctx.send(to("a", 1), Talk::Quiet),
            Verdict { again_after_ns: Some(u64::MAX), ..Verdict::default() },
        ),
    ];
    for (number, (ask, verdict)) in asks.into_iter().enumerate() {
        let mut fleet = fleet(1);
        actors(&mut fleet, "a", 1, move |_, ctx, cue| {
            if let Cue::Fault(_) = cue {
                ask(ctx);
            }
        });
        fleet.inject_faults(Box::new(Bend(verdict)));
        crate::stage::controls(&mut fleet, &[(9, fleetsim_engine::Control::Tell("go".to_owned()))]);
        let run = play(fleet);
        assert!(matches!(run.outcome.ending, Ending::Failed(_)), "{number}: {:?}", run.outcome.ending);
        assert_eq!(run.lines(), ["9 a Fault Handled"], "the step that failed is recorded");
    }
    let mut fleet = chatter(1);
    fleet.send_at(Time::MAX, to("b", 1), &Talk::Quiet);
    let run = play(fleet);
    assert_eq!((run.outcome.ending, run.outcome.time), (Ending::Quiescent, Time::MAX));
}

/// The last thing in the queue may be a timer that vanishes with its agent, while a message waits for its latency.
#[test]
fn a_run_does_not_end_while_a_message_waits() {
    let mut fleet = fleet(1);
    let extra = Sampler::exponential(1).expect("above zero");
    fleet.default_link(Link::new(50, extra).expect("above zero"));
    actors(&mut fleet, "a", 1, |_, ctx, cue| {
        if cue == Cue::Start {
            ctx.set_timer(20, Tag::First);
            ctx.halt();
        }
    });
    actors(&mut fleet, "b", 1, |_, ctx, cue| match cue {
        Cue::Start => {
            ctx.set_timer(15, Tag::First);
        }
        Cue::Timer(_) => ctx.send(to("b", 1), Talk::Quiet),
        _ => {}
    });
    let run = play(fleet);
    assert_eq!((run.outcome.ending, run.pending), (Ending::Quiescent, 0));
    assert_eq!(run.rows.last().map(|row| row.event), Some(Event::Message));
}

/// Has no rules: but where rules may interfere, each message's arrival is reckoned when it is sent.
struct Bystander;

impl Injector for Bystander {}

proptest! {
    /// The engine draws exponential latencies for several messages at once, later than they are sent, and lets some of
    /// them wait for that while their sender's handler still runs. Here that meets crowds and lulls, two links, thinking,
    /// timers, long payloads, births, panics and limits on either side of a message, with and without a record.
    #[test]
    fn when_latencies_are_drawn_changes_nothing(
        seed: u64,
        minimum_ns in prop_oneof![Just(1_u64), Just(50), Just(10_000)],
        mean_ns in prop_oneof![Just(1_u64), Just(300), Just(1_000_000)],
        members in 1..40_u32,
        until_ns in 1..3_000_u64,
        events_max in 1..2_000_u64,
    ) {
        let make = |bystander: bool| {
            let mut fleet = fleet(seed);
            let extra = Sampler::exponential(mean_ns).expect("above zero");
            fleet.default_link(Link::new(minimum_ns, extra).expect("above zero"));
            fleet.spawnable::<Child>("child").expect("one kind");
            // Who was called for what, in which order.
            let calls = Rc::new(Cell::new(0));
            for (from, to) in [("a", "b"), ("b", "a")] {
                let calls = Rc::clone(&calls);
                actors(&mut fleet, from, members, move |_, ctx, cue| {
                    let word = ctx.random().next_u64();
                    let sender = if let Cue::Message(from, _) = cue { from } else { ctx.id() };
                    calls.set(mix([calls.get(), word, sender.as_u64()]));
                    let someone = |group| to_member(group, word, members);
                    match word % 12 {
                        0 => ctx.send_after(someone(to), Talk::Note(1), word >> 54),
                        1 => {
                            let _ = ctx.set_timer(word >> 52, Tag::First);
                        }
                        2 => ctx.send(someone(from), Talk::Blob(vec![7; 30])),
                        3 if !matches!(cue, Cue::Start) => {}
                        4 => ctx.broadcast((1..=members.min(12)).map(|at| crate::stage::to(to, at)), Talk::Quiet),
                        // More than wait at once, with something else among them.
                        5 => (0..11).for_each(|at| {
                            ctx.send(crate::stage::to(to, at % members + 1), Talk::Note(at));
                            if at == 5 {
                                let _ = ctx.set_timer(word >> 52, Tag::Second);
                            }
                        }),
                        6 => {
                            let parent = ctx.id();
                            let child = ctx.spawn::<Child>(ChildConfig { parent, number: 1, born_dead: false });
                            ctx.send(Address::new(child), Talk::Quiet);
                        }
                        7 if word >> 60 == 0 => {
                            ctx.send(someone(to), Talk::Quiet);
                            ctx.send(someone(from), Talk::Blob(vec![7; 30]));
                            std::panic::resume_unwind(Box::new("on purpose"));
                        }
                        8 if word >> 60 == 0 => {
                            ctx.send(someone(to), Talk::Note(8));
                            ctx.halt();
                        }
                        _ => ctx.send(someone(from), Talk::Quiet),
                    }
                });
            }
            fleet.link("b", "a", Link::sampled(Sampler::exponential(2 * mean_ns).expect("above zero")));
            fleet.link("a", "child", Link::constant(minimum_ns).expect("above zero"));
            if bystander {
                fleet.inject_faults(Box::new(Bystander));
            }
            (fleet, calls)
        };
        let limits = Limits { until: Time::from_ns(until_ns * mean_ns), events_max };
        let ((together, calls), (one_by_one, their_calls)) = (make(false), make(true));
        let (together, one_by_one) = (play_within(together, &limits), play_within(one_by_one, &limits));
        prop_assert_eq!(together.rows, one_by_one.rows);
        prop_assert_eq!(&together.outcome, &one_by_one.outcome);
        prop_assert_eq!(together.digest, one_by_one.digest);
        prop_assert_eq!(together.pending, one_by_one.pending);
        prop_assert_eq!(&calls, &their_calls);
        for bystander in [false, true] {
            let (mut bare, their_calls) = make(bystander);
            bare.without_record();
            let mut bare = bare.build().expect("valid");
            prop_assert_eq!(&together.outcome, &bare.run(&limits, &mut DigestSink::default()));
            prop_assert_eq!(together.pending, bare.pending());
            prop_assert_eq!(&calls, &their_calls);
        }
    }
}

fn to_member(group: &str, word: u64, members: u32) -> fleetsim_engine::Address<Talk> {
    to(group, 1 + (word >> 8) as u32 % members)
}
