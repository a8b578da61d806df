//! Whatever faults do, the engine neither loses nor invents a message, and never panics.

use std::collections::BTreeMap;

use fleetsim_engine::batch::{EffectKind, Event, Fate};
use fleetsim_engine::sample::Sampler;
use fleetsim_engine::{
    Act, AgentId, ClockChange, Control, Deviation, Deviations, Draw, Injector, Limits, Link, MessageId,
    Outgoing, Time, Verdict, hash_text,
};
use proptest::prelude::*;

use crate::program::{member, program};
use crate::stage::{Run, play_within};

/// Loses, delays and duplicates by a keyed draw.
struct Weather {
    purpose: u64,
}

impl Injector for Weather {
    fn message(&mut self, message: &Outgoing, _acts: &mut Vec<Act>) -> Verdict {
        let mut draw = Draw::new(message.seed, self.purpose, message.source, message.sequence);
        Verdict {
            lost: draw.happens(1, 5),
            delay_ns: draw.next() % 7,
            again_after_ns: draw.happens(1, 4).then_some(3),
            ..Verdict::default()
        }
    }
}

/// How often each message was sent, and how many steps tell of its arrival.
fn sent_and_told(run: &Run) -> BTreeMap<(AgentId, u32), (usize, usize)> {
    let mut messages: BTreeMap<(AgentId, u32), (usize, usize)> = BTreeMap::new();
    for row in &run.rows {
        if row.event == Event::Message {
            messages.entry((row.source, row.sequence)).or_default().1 += 1;
        }
        for effect in row.effects.iter().filter(|effect| effect.effect == EffectKind::Send) {
            messages.entry((row.target, effect.sequence.expect("numbered"))).or_default().0 += 1;
        }
    }
    messages
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn every_message_has_one_fate_for_each_arrival(
        program in program(),
        clocks in prop::collection::vec((0_u64..40, 0_usize..4, any::<i64>(), any::<i64>()), 0..4),
        duplicated in prop::collection::vec((0_usize..4, 0_u32..6), 0..5),
    ) {
        let mut fleet = program.fleet();
        fleet.default_link(Link::new(1, Sampler::uniform(0, 9).expect("valid")).expect("above zero"));
        let purpose = hash_text("weather");
        fleet.inject_faults(Box::new(Weather { purpose }));
        let mut deviations = Deviations::default();
        for (agent, sequence) in &duplicated {
            let message = MessageId { source: member(*agent), sequence: *sequence };
            deviations.add(message, Deviation::Duplicate { after_ns: 3 });
        }
        fleet.deviate(deviations);
        for (at_ns, agent, drift_ppb, jump_ns) in clocks {
            let change = ClockChange { drift_ppb: drift_ppb % 2_000_000_000, jump_ns };
            fleet.control("clocks", Time::from_ns(at_ns), member(agent), Control::Clock(change));
        }
        // Nobody stays paused, so nothing is held when the run ends.
        for agent in 0..4 {
            fleet.control("end", Time::from_ns(1 << 40), member(agent), Control::Resume);
        }
        let run = play_within(fleet, &Limits::default());
        prop_assert_eq!(run.pending, 0);
        let messages = sent_and_told(&run);
        prop_assert_eq!(run.outcome.messages, messages.len() as u64);
        for ((source, sequence), (sent, told)) in messages {
            let mut draw = Draw::new(program.seed, purpose, source, sequence);
            let (_, _, by_weather) = (draw.happens(1, 5), draw.next(), draw.happens(1, 4));
            let by_table = duplicated.iter().any(|(agent, number)| {
                member(*agent) == source && *number == sequence
            });
            prop_assert_eq!(sent, 1, "sent once");
            prop_assert_eq!(told, 1 + usize::from(by_weather) + usize::from(by_table));
        }
    }

    #[test]
    fn the_event_limit_is_exact_and_cuts_a_prefix(program in program(), events_max in 0_u64..60) {
        let whole = play_within(program.fleet(), &Limits::default());
        let cut = play_within(program.fleet(), &Limits { events_max, ..Limits::default() });
        let expected = (whole.rows.len() as u64).min(events_max);
        prop_assert_eq!(cut.outcome.events, expected);
        prop_assert_eq!(&cut.rows[..], &whole.rows[..expected as usize]);
    }

    #[test]
    fn time_never_runs_backwards_and_effects_follow_causes(program in program()) {
        let run = play_within(program.fleet(), &Limits::default());
        let mut caused: BTreeMap<(AgentId, u32), u64> = BTreeMap::new();
        let mut now_ns = 0;
        for row in &run.rows {
            prop_assert!(row.time_ns >= now_ns);
            now_ns = row.time_ns;
            if let Some(cause_ns) = caused.get(&(row.source, row.sequence)) {
                prop_assert!(row.time_ns > *cause_ns, "an effect is strictly later than its cause");
            }
            prop_assert!(row.fate == Fate::Handled || row.effects.is_empty());
            for sequence in row.effects.iter().filter_map(|effect| effect.sequence) {
                let unique = caused.insert((row.target, sequence), row.time_ns).is_none();
                prop_assert!(unique, "a number is never used twice");
            }
        }
    }
}
