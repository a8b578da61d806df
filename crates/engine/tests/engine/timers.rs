//! Timers: cancelled ones leave nothing behind, old ones never fire, local clocks bend them.

use fleetsim_engine::{ClockChange, Control, Ending, Limits, SECOND, Time};

use crate::stage::{Actor, Cue, Tag, Talk, actors, check, controls, fleet, play, play_within, to};

type Ctx<'a> = fleetsim_engine::Context<'a, Actor>;

#[test]
fn a_delay_of_zero_becomes_one_nanosecond() {
    let mut fleet = fleet(1);
    actors(&mut fleet, "a", 1, |_, ctx, cue| match cue {
        Cue::Start => {
            let _ = ctx.set_timer(0, Tag::First);
        }
        Cue::Timer(Tag::First) => ctx.work_for(0, Tag::Done),
        _ => {}
    });
    check(fleet, &["1 a Timer Handled", "2 a WorkEnd Handled"]);
}

#[test]
fn a_cancelled_timer_leaves_no_step_and_no_time() {
    let cancel_at_start = |fleet: &mut _| {
        actors(fleet, "a", 1, |_, ctx: &mut Ctx<'_>, cue| {
            if cue == Cue::Start {
                ctx.set_timer(3, Tag::First);
                let timer = ctx.set_timer(50, Tag::Second);
                ctx.cancel_timer(timer);
                ctx.cancel_timer(timer);
            }
        });
    };
    for until in [Time::MAX, Time::from_ns(10)] {
        let mut fleet = fleet(1);
        cancel_at_start(&mut fleet);
        let run = play_within(fleet, &Limits { until, ..Limits::default() });
        assert_eq!(run.lines(), ["3 a Timer Handled"]);
        assert_eq!((run.outcome.ending, run.outcome.time.as_ns()), (Ending::Quiescent, 3), "until {until}");
    }
}

#[test]
fn cancelling_a_timer_that_fired_does_nothing() {
    let mut fleet = fleet(1);
    actors(&mut fleet, "a", 1, |me, ctx, cue| match cue {
        Cue::Start => me.timers.push(ctx.set_timer(3, Tag::First)),
        Cue::Timer(Tag::First) => {
            ctx.cancel_timer(me.timers[0]);
            ctx.set_timer(3, Tag::Second);
        }
        Cue::Timer(Tag::Second) => ctx.cancel_timer(me.timers[0]),
        _ => {}
    });
    check(fleet, &["3 a Timer Handled", "6 a Timer Handled"]);
}

#[test]
fn a_timer_that_waits_in_the_inbox_can_still_be_cancelled() {
    let mut fleet = fleet(1);
    actors(&mut fleet, "a", 1, |me, ctx, cue| match cue {
        Cue::Start => {
            me.timers = vec![ctx.set_timer(3, Tag::First), ctx.set_timer(4, Tag::Second)];
            ctx.work_for(10, Tag::Done);
        }
        Cue::Timer(Tag::Done) => ctx.cancel_timer(me.timers[0]),
        _ => {}
    });
    check(fleet, &["10 a WorkEnd Handled", "10 a Timer Handled +6"]);
}

#[test]
fn timers_of_an_earlier_life_never_fire() {
    let mut fleet = fleet(1);
    actors(&mut fleet, "a", 1, |_, ctx, cue| match cue {
        Cue::Start => {
            let _ = ctx.set_timer(30, Tag::First);
        }
        Cue::Restart => {
            let _ = ctx.set_timer(30, Tag::Second);
        }
        _ => {}
    });
    controls(&mut fleet, &[(10, Control::Crash), (20, Control::Restart)]);
    check(fleet, &["10 a Crash Handled", "20 a Restart Handled", "50 a Timer Handled"]);
}

#[test]
fn a_local_clock_bends_timers_work_and_thought() {
    // Local nanoseconds asked for, drift, world nanoseconds that pass.
    for (asked_ns, drift_ppb, passed_ns) in [
        (100, 0, 100),
        (100, 1_000_000_000, 50),
        (101, 1_000_000_000, 51),
        (100, -500_000_000, 200),
        (0, -500_000_000, 1),
        (1, 1_000_000_000_000, 1),
    ] {
        let mut fleet = fleet(1);
        actors(&mut fleet, "a", 1, move |_, ctx, cue| {
            if let Cue::Fault(_) = cue {
                ctx.set_timer(asked_ns, Tag::First);
                ctx.send_after(to("b", 1), Talk::Quiet, asked_ns);
                ctx.work_for(asked_ns, Tag::Done);
            }
        });
        let change = ClockChange { drift_ppb, jump_ns: -1_000 };
        controls(&mut fleet, &[(10, Control::Clock(change)), (20, Control::Tell("go".to_owned()))]);
        let run = play(fleet);
        let after = |event: &str| {
            let line = run.lines().into_iter().find(|line| line.contains(event)).expect("it happened");
            line.split(' ').next().and_then(|time| time.parse::<u64>().ok()).expect("a time") - 20
        };
        assert_eq!(after("Timer"), passed_ns, "{asked_ns} at {drift_ppb}");
        assert_eq!(after("WorkEnd"), passed_ns, "{asked_ns} at {drift_ppb}");
        let thought_ns = if asked_ns == 0 { 0 } else { passed_ns };
        assert_eq!(after("Message"), thought_ns + 5, "{asked_ns} at {drift_ppb}");
    }
}

#[test]
fn an_agent_sees_its_own_clock_only() {
    let mut fleet = fleet(1);
    actors(&mut fleet, "a", 1, |_, ctx, cue| {
        if let Cue::Fault(expected) = cue {
            assert_eq!(ctx.now().as_ns().to_string(), expected);
        }
    });
    let tell = |text: &str| Control::Tell(text.to_owned());
    let clock = |drift_ppb, jump_ns| Control::Clock(ClockChange { drift_ppb, jump_ns });
    let s = SECOND;
    controls(
        &mut fleet,
        &[
            (s, tell("1000000000")),
            (2 * s, clock(-500_000_000, 1_000)),
            (4 * s, tell("3000001000")),
            (5 * s, clock(0, -3_500_001_000)),
            (6 * s, tell("1000000000")),
            (7 * s, clock(0, i64::MIN)),
            (8 * s, tell("1000000000")),
        ],
    );
    let run = play(fleet);
    assert!(run.lines().iter().all(|line| line.ends_with("Handled")), "{:#?}", run.lines());
}
