//! The bare loop on equal terms computes the run of the engine, message for message.

use std::collections::BTreeMap;

use fleetsim::workload;
use fleetsim_benches::equal::{Equal, Handled};
use fleetsim_engine::batch::{Batch, EffectKind, Event};
use fleetsim_engine::{AgentId, Limits, Sink};

/// What the engine recorded, as the bare loop shows it.
#[derive(Default)]
struct Arrivals {
    sent: BTreeMap<(AgentId, u32), u64>,
    handled: Vec<Handled>,
}

impl Sink for Arrivals {
    fn accept(&mut self, batch: &mut Batch) {
        for step in batch.iter() {
            if step.event == Event::Message {
                let token = self.sent.remove(&(step.source, step.sequence)).expect("it was sent before");
                self.handled.push(Handled {
                    time: step.time,
                    target: step.target,
                    source: step.source,
                    sequence: step.sequence,
                    token,
                });
            }
            for effect in step.effects {
                assert_eq!(effect.effect, EffectKind::Send);
                let sequence = effect.sequence.expect("messages are numbered");
                let payload = effect.payload.expect("payloads are recorded");
                let token = u64::from_le_bytes(payload.try_into().expect("a token has eight bytes"));
                self.sent.insert((step.target, sequence), token);
            }
        }
    }
}

#[test]
fn the_bare_loop_is_the_same_run() {
    for (agents, seed, events) in [(1, 3, 200), (3, 7, 5_000), (1_000, 42, 50_000), (20_000, 7, 100_000)] {
        let mut arrivals = Arrivals::default();
        let mut simulation =
            workload::fleet("phold", agents, seed).expect("it is built in").build().expect("a valid fleet");
        let limits = Limits { events_max: u64::from(agents) + events, ..Limits::default() };
        let outcome = simulation.run(&limits, &mut arrivals);

        let mut handled = Vec::new();
        let mut equal = Equal::new(agents, seed);
        // In two parts, so that a bucket is left open in between.
        equal.run(events / 3, |message| handled.push(*message));
        equal.run(events - events / 3, |message| handled.push(*message));

        assert_eq!(handled.len(), arrivals.handled.len());
        let differs = handled.iter().zip(&arrivals.handled).position(|(bare, engine)| bare != engine);
        assert_eq!(differs, None, "{agents} agents, seed {seed}");
        assert_eq!(handled.last().map(|last| last.time), Some(outcome.time));
    }
}
