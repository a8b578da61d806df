//! The deviation table through the engine: each entry moves its message and nothing else.

use fleetsim_engine::{
    Act, AgentId, Deviation, Deviations, Fleet, Injector, MessageId, Outgoing, Time, Verdict,
};

use crate::stage::{Cue, Talk, actors, check, fleet, idle, play, to};

/// `a` sends #0 (arrives at 5) and #1 (arrives at 15) to `b`; the world sends its #1 to `c` at 9.
fn post() -> Fleet {
    let mut fleet = fleet(1);
    actors(&mut fleet, "a", 1, |_, ctx, cue| {
        if cue == Cue::Start {
            ctx.send(to("b", 1), Talk::Note(0));
            ctx.send_after(to("b", 1), Talk::Note(1), 10);
        }
    });
    idle(&mut fleet, "b", 1);
    idle(&mut fleet, "c", 1);
    fleet.send_at(Time::from_ns(9), to("c", 1), &Talk::Quiet);
    fleet
}

fn from_a(sequence: u32) -> MessageId {
    MessageId { source: AgentId::named("a", 1), sequence }
}

const FROM_WORLD: MessageId = MessageId { source: AgentId::WORLD, sequence: 1 };

#[test]
fn each_deviation_does_what_it_says() {
    use Deviation::{Delay, DeliverBefore, Drop, Duplicate};
    // What is not named keeps its place: `5 b` is a's #0, `9 c` the world's, `15 b` a's #1.
    for (list, expected) in [
        (vec![], ["5 b Handled", "9 c Handled", "15 b Handled"].as_slice()),
        (vec![(from_a(0), Delay { by_ns: 6 })], &["9 c Handled", "11 b Handled", "15 b Handled"]),
        (vec![(from_a(0), Drop)], &["5 b Deviated", "9 c Handled", "15 b Handled"]),
        (
            vec![(from_a(1), Duplicate { after_ns: 0 })],
            &["5 b Handled", "9 c Handled", "15 b Handled", "16 b Handled"],
        ),
        // The copy follows the first arrival, wherever that was moved to.
        (
            vec![(from_a(0), Duplicate { after_ns: 2 }), (from_a(0), Delay { by_ns: 15 })],
            &["9 c Handled", "15 b Handled", "20 b Handled", "22 b Handled"],
        ),
        (
            vec![(from_a(1), DeliverBefore { other: from_a(0) })],
            &["4 b Handled", "5 b Handled", "9 c Handled"],
        ),
        (
            vec![(from_a(0), DeliverBefore { other: from_a(1) })],
            &["5 b Handled", "9 c Handled", "15 b Handled"],
        ),
        // The world's message was sent first, so it is the other that moves.
        (
            vec![(FROM_WORLD, DeliverBefore { other: from_a(0) })],
            &["9 c Handled", "10 b Handled", "15 b Handled"],
        ),
        (vec![(FROM_WORLD, Drop)], &["5 b Handled", "9 c Deviated", "15 b Handled"]),
        (vec![(FROM_WORLD, Delay { by_ns: 1 })], &["5 b Handled", "10 c Handled", "15 b Handled"]),
        (
            vec![(FROM_WORLD, Duplicate { after_ns: 1 })],
            &["5 b Handled", "9 c Handled", "10 c Handled", "15 b Handled"],
        ),
        (
            vec![(from_a(0), DeliverBefore { other: from_a(0) })],
            &["5 b Handled", "9 c Handled", "15 b Handled"],
        ),
        (vec![(from_a(9), Drop)], &["5 b Handled", "9 c Handled", "15 b Handled"]),
    ] {
        let mut fleet = post();
        let mut deviations = Deviations::default();
        for (message, deviation) in &list {
            deviations.add(*message, *deviation);
        }
        fleet.deviate(deviations);
        let lines: Vec<String> =
            play(fleet).lines().iter().map(|line| line.replace(" Message", "")).collect();
        assert_eq!(lines, expected, "{list:?}");
    }
}

#[test]
fn a_table_that_names_nobody_changes_no_digest() {
    let mut deviated = post();
    let mut deviations = Deviations::default();
    deviations.add(from_a(9), Deviation::DeliverBefore { other: from_a(0) });
    deviated.deviate(deviations);
    assert_eq!(play(deviated).digest, play(post()).digest);
}

#[test]
fn a_duplicate_of_the_table_and_one_of_a_rule_both_arrive() {
    struct Echo;
    impl Injector for Echo {
        fn message(&mut self, message: &Outgoing, _acts: &mut Vec<Act>) -> Verdict {
            Verdict { again_after_ns: (message.sequence == 0).then_some(3), ..Verdict::default() }
        }
    }
    for (after_ns, at) in [(3, "8 b Message Handled"), (4, "9 b Message Handled")] {
        let mut fleet = post();
        fleet.inject_faults(Box::new(Echo));
        let mut deviations = Deviations::default();
        deviations.add(from_a(0), Deviation::Duplicate { after_ns });
        fleet.deviate(deviations);
        let lines = play(fleet).lines();
        let of_b: Vec<&str> = lines.iter().map(String::as_str).filter(|line| line.contains(" b ")).collect();
        assert_eq!(of_b, ["5 b Message Handled", "8 b Message Handled", at, "15 b Message Handled"]);
    }
}

#[test]
fn a_dropped_message_tells_so_even_to_who_is_gone() {
    let mut fleet = post();
    let mut deviations = Deviations::default();
    deviations.add(from_a(0), Deviation::Drop);
    fleet.deviate(deviations);
    fleet.control("rule", Time::from_ns(1), to("b", 1).id(), fleetsim_engine::Control::Pause);
    fleet.control("rule", Time::from_ns(20), to("b", 1).id(), fleetsim_engine::Control::Resume);
    check(
        fleet,
        &[
            "1 b Pause Handled",
            "5 b Message Deviated",
            "9 c Message Handled",
            "20 b Resume Handled",
            "20 b Message Handled +5",
        ],
    );
}
