//! The total order: no favourites among those who arrive together, order within a link, time before all.

use std::cell::Cell;
use std::rc::Rc;

use fleetsim_engine::batch::{Event, Fate};
use fleetsim_engine::{Control, Time};

use crate::stage::{Cue, Talk, actors, fleet, idle, play, to};

/// Who came first at each of two receivers when k senders' messages arrive together.
fn first_arrivals(seed: u64, senders: u32) -> [u32; 2] {
    let mut fleet = fleet(seed);
    let firsts = Rc::new(Cell::new([0; 2]));
    let seen = Rc::clone(&firsts);
    actors(&mut fleet, "receiver", 2, move |me, _, cue| {
        if let Cue::Message(_, Talk::Note(sender)) = cue {
            let mut firsts = seen.get();
            let first = &mut firsts[me.birth.ordinal as usize - 1];
            *first = if *first == 0 { sender } else { *first };
            seen.set(firsts);
        }
    });
    actors(&mut fleet, "sender", senders, |me, ctx, cue| {
        if cue == Cue::Start {
            ctx.send(to("receiver", 1), Talk::Note(me.birth.ordinal));
            ctx.send(to("receiver", 2), Talk::Note(me.birth.ordinal));
        }
    });
    play(fleet);
    firsts.get()
}

#[test]
fn simultaneous_senders_have_no_favourite_at_either_receiver() {
    const SENDERS: u32 = 3;
    const SEEDS: u64 = 3_600;
    let mut joint = [[0_u32; SENDERS as usize]; SENDERS as usize];
    for seed in 0..SEEDS {
        let [first, second] = first_arrivals(seed, SENDERS);
        joint[first as usize - 1][second as usize - 1] += 1;
    }
    // 400 expected in each cell, standard deviation 19: six of them on either side.
    for count in joint.into_iter().flatten() {
        assert!((286..=514).contains(&count), "{joint:?}");
    }
}

#[test]
fn a_link_keeps_the_order_of_messages_that_arrive_together() {
    for seed in 0..50 {
        let mut fleet = fleet(seed);
        idle(&mut fleet, "b", 1);
        actors(&mut fleet, "a", 1, |_, ctx, cue| {
            if cue == Cue::Start {
                // The later ones think less, so that all arrive at 10.
                (0..=5).for_each(|n| ctx.send_after(to("b", 1), Talk::Note(n), 5));
            }
        });
        let run = play(fleet);
        let arrived: Vec<u32> =
            run.rows.iter().filter(|row| row.event == Event::Message).map(|row| row.sequence).collect();
        assert_eq!(arrived, [0, 1, 2, 3, 4, 5]);
        assert!(run.rows.iter().filter(|row| row.event == Event::Message).all(|row| row.time_ns == 10));
    }
}

#[test]
fn faster_messages_overtake_slower_ones() {
    let mut fleet = fleet(1);
    idle(&mut fleet, "b", 1);
    actors(&mut fleet, "a", 1, |_, ctx, cue| {
        if cue == Cue::Start {
            ctx.send_after(to("b", 1), Talk::Quiet, 2);
            ctx.send(to("b", 1), Talk::Quiet);
        }
    });
    let run = play(fleet);
    let arrived: Vec<u32> =
        run.rows.iter().filter(|row| row.event == Event::Message).map(|row| row.sequence).collect();
    assert_eq!(arrived, [1, 0]);
}

#[test]
fn a_rule_at_time_zero_has_no_fixed_place_among_the_starts() {
    let crashed_before_start = |seed| {
        let mut fleet = fleet(seed);
        idle(&mut fleet, "a", 1);
        fleet.control("rule", Time::ZERO, to("a", 1).id(), Control::Crash);
        play(fleet).rows[0].event == Event::Crash
    };
    let count = (0..200).filter(|seed| crashed_before_start(*seed)).count();
    // 100 expected, standard deviation 7: six of them on either side.
    assert!((58..=142).contains(&count), "{count}");
}

#[test]
fn what_crashes_at_time_zero_is_down_whatever_the_tie() {
    for seed in 0..50 {
        let mut fleet = fleet(seed);
        idle(&mut fleet, "a", 1);
        fleet.control("rule", Time::ZERO, to("a", 1).id(), Control::Crash);
        fleet.send_at(Time::from_ns(1), to("a", 1), &Talk::Quiet);
        let last = play(fleet).rows.pop().expect("the message arrives");
        assert_eq!((last.event, last.fate), (Event::Message, Fate::Down), "seed {seed}");
    }
}
