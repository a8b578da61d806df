//! Work: an agent at work is deaf, its inbox waits, and the end of the work comes first.

use fleetsim_engine::Control;

use crate::stage::{Actor, Cue, Tag, Talk, actors, check, controls, fleet, to};

/// Worker `a` works from 0 to 20, and again for 5 at `Second`; `b` sends to it at 0 and at 4.
fn workshop(on_done: impl Fn(&mut fleetsim_engine::Context<'_, Actor>) + 'static) -> fleetsim_engine::Fleet {
    let mut fleet = fleet(1);
    actors(&mut fleet, "a", 1, move |_, ctx, cue| match cue {
        Cue::Start => {
            ctx.set_timer(7, Tag::First);
            ctx.work_for(20, Tag::Done);
        }
        Cue::Timer(Tag::Done) => on_done(ctx),
        _ => {}
    });
    actors(&mut fleet, "b", 1, |_, ctx, cue| {
        if cue == Cue::Start {
            ctx.send_after(to("a", 1), Talk::Note(1), 4);
            ctx.send(to("a", 1), Talk::Note(0));
        }
    });
    fleet
}

#[test]
fn what_arrives_during_work_waits_in_order_of_arrival() {
    check(
        workshop(|_| {}),
        &[
            "20 a WorkEnd Handled",
            "20 a Message Handled +15",
            "20 a Timer Handled +13",
            "20 a Message Handled +11",
        ],
    );
}

#[test]
fn work_that_follows_on_work_keeps_the_inbox_waiting() {
    check(
        workshop(|ctx| ctx.work_for(10, Tag::Second)),
        &[
            "20 a WorkEnd Handled",
            "30 a WorkEnd Handled",
            "30 a Message Handled +25",
            "30 a Timer Handled +23",
            "30 a Message Handled +21",
        ],
    );
}

#[test]
fn a_pause_outlasts_the_work_and_its_end_still_comes_first() {
    let mut fleet = workshop(|_| {});
    controls(&mut fleet, &[(6, Control::Pause), (50, Control::Resume)]);
    check(
        fleet,
        &[
            "6 a Pause Handled",
            "50 a Resume Handled",
            "50 a WorkEnd Handled +30",
            "50 a Message Handled +45",
            "50 a Timer Handled +43",
            "50 a Message Handled +41",
        ],
    );
}

#[test]
fn a_pause_within_the_work_changes_nothing() {
    let mut fleet = workshop(|_| {});
    controls(&mut fleet, &[(6, Control::Pause), (8, Control::Resume)]);
    check(
        fleet,
        &[
            "6 a Pause Handled",
            "8 a Resume Handled",
            "20 a WorkEnd Handled",
            "20 a Message Handled +15",
            "20 a Timer Handled +13",
            "20 a Message Handled +11",
        ],
    );
}

#[test]
fn a_crash_at_work_forgets_the_inbox_and_the_next_life_is_free() {
    let mut fleet = workshop(|_| {});
    controls(
        &mut fleet,
        &[(8, Control::Crash), (8, Control::Restart), (10, Control::Pause), (11, Control::Resume)],
    );
    // The restart calls the closure with `Restart`, which does not work: the message of 9 is handled at once.
    check(
        fleet,
        &[
            "8 a Crash Handled",
            "8 a Message Forgotten +3",
            "8 a Restart Handled",
            "9 a Message Handled",
            "10 a Pause Handled",
            "11 a Resume Handled",
        ],
    );
}

#[test]
fn an_agent_that_halts_after_work_leaves_its_inbox_unread() {
    check(
        workshop(|ctx| {
            ctx.send(to("b", 1), Talk::Quiet);
            ctx.halt();
            ctx.set_timer(1, Tag::Second);
        }),
        // The timer of 7 dies with the agent; what it sent before it halted still arrives.
        &[
            "20 a WorkEnd Handled",
            "20 a Message Halted +15",
            "20 a Message Halted +11",
            "25 b Message Handled",
        ],
    );
}

#[test]
fn working_on_two_things_is_a_panic_that_undoes_both() {
    let mut fleet = workshop(|ctx| {
        ctx.work_for(1, Tag::First);
        ctx.work_for(1, Tag::Second);
    });
    controls(&mut fleet, &[(30, Control::Restart), (31, Control::Tell("still free".to_owned()))]);
    check(
        fleet,
        &[
            "20 a WorkEnd Panicked",
            "20 a Message Forgotten +15",
            "20 a Message Forgotten +11",
            "30 a Restart Handled",
            "31 a Fault Handled",
        ],
    );
}
