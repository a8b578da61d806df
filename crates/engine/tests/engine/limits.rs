//! How runs end: by themselves, by a limit, by an agent, by whoever drives them.

use fleetsim_engine::{DigestSink, Ending, Fleet, Limits, Status, Time};

use crate::stage::{Cue, Tag, Talk, actors, fleet, idle, play, play_within, to};

/// Ticks at 10, 20, 30, …, and sends to `b` at each tick.
fn metronome() -> Fleet {
    let mut fleet = fleet(1);
    actors(&mut fleet, "a", 1, |_, ctx, cue| {
        if matches!(cue, Cue::Start | Cue::Timer(_)) {
            ctx.set_timer(10, Tag::First);
            ctx.send(to("b", 1), Talk::Quiet);
        }
    });
    idle(&mut fleet, "b", 1);
    fleet
}

#[test]
fn the_last_instant_still_happens() {
    for (until, last) in
        [(14, "10 a Timer Handled"), (15, "15 b Message Handled"), (19, "15 b Message Handled")]
    {
        let run = play_within(metronome(), &Limits { until: Time::from_ns(until), ..Limits::default() });
        assert_eq!(run.lines().last().map(String::as_str), Some(last), "{until}");
        assert_eq!((run.outcome.ending, run.outcome.time.as_ns()), (Ending::TimeLimit, until));
    }
}

#[test]
fn the_event_limit_is_exact_in_any_slices() {
    for events_max in [0, 1, 2, 3, 50] {
        for budget in [1, 7, u64::MAX] {
            let limits = Limits { events_max, ..Limits::default() };
            let mut simulation = metronome().build().expect("valid");
            let mut sink = DigestSink::default();
            let ending = loop {
                if let Status::Ended(ending) = simulation.advance(&limits, budget, &mut sink) {
                    break ending;
                }
            };
            assert_eq!((ending, simulation.events()), (Ending::EventLimit, events_max));
            assert_eq!(simulation.finish(&limits, &mut sink).events, events_max);
        }
    }
}

#[test]
fn the_first_reason_to_stop_counts_and_later_effects_are_still_recorded() {
    let mut fleet = fleet(1);
    actors(&mut fleet, "a", 1, |_, ctx, cue| {
        if cue == Cue::Timer(Tag::First) {
            ctx.stop_run("enough\n");
            ctx.send(to("a", 1), Talk::Quiet);
            ctx.stop_run("too late");
            ctx.set_timer(u64::MAX, Tag::First);
        } else if cue == Cue::Start {
            ctx.set_timer(9, Tag::First);
        }
    });
    let run = play(fleet);
    assert_eq!(run.lines(), ["9 a Timer Handled"]);
    assert_eq!(run.rows[1].effects.len(), 4);
    let by = to("a", 1).id();
    assert_eq!(run.outcome.ending, Ending::Stopped { by, reason: "enough\n".to_owned() });
    assert_eq!((run.pending, run.outcome.messages), (1, 1), "what was sent is on its way");
}

#[test]
fn who_finishes_early_interrupts_the_run() {
    let limits = Limits::default();
    let mut simulation = metronome().build().expect("valid");
    let mut sink = DigestSink::default();
    assert_eq!(simulation.advance(&limits, 0, &mut sink), Status::Running);
    assert_eq!(simulation.advance(&limits, 5, &mut sink), Status::Running);
    let outcome = simulation.finish(&limits, &mut sink);
    assert_eq!((outcome.ending, outcome.events), (Ending::Interrupted, 5));
    assert_eq!(simulation.advance(&limits, 5, &mut sink), Status::Ended(Ending::Interrupted));
    assert_eq!(simulation.finish(&limits, &mut sink).events, 5);
}
