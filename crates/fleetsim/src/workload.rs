//! Built-in workloads: fleets of any size whose only purpose is to keep the engine busy, each in its own way.
//!
//! They are what `fleetsim bench` measures by name. None of them comes to an end of its own while anybody measures:
//! give their runs a limit of events.
//!
//! ```
//! use fleetsim::engine::{DigestSink, Ending, Limits};
//!
//! let limits = Limits { events_max: 10_000, ..Limits::default() };
//! for name in fleetsim::workload::NAMES {
//!     let fleet = fleetsim::workload::fleet(name, 100, 7).expect("a known name");
//!     let outcome = fleet.build()?.run(&limits, &mut DigestSink::default());
//!     assert_eq!(outcome.ending, Ending::EventLimit);
//! }
//! # Ok::<(), fleetsim::engine::Error>(())
//! ```

mod claim;
mod gossip;
mod phold;
mod storm;

use fleetsim_engine::Fleet;

/// The names of all workloads.
///
/// - `phold`: every agent has one message under way, to a uniformly random agent, with a latency of 0.1 s plus an
///   exponential one of 0.9 s on average and a payload of eight bytes (Fujimoto, "Performance of Time Warp under
///   synthetic workloads", 1990). Two draws an event, and nothing else: what the engine itself costs.
/// - `storm`: a fan-out storm. One agent sends a message of 100 bytes to each of the others, all answer, and when
///   the last answer is there it begins again. Bursts of as many simultaneous messages as there are agents.
/// - `claim`: workers of the built-in kind claim tasks from built-in task stores, 64 to a store, at 80 % of what
///   they can do. Many kinds of messages, facts in most steps, timers that outlive their purpose.
/// - `gossip`: agents push each new rumour to three random others when they first hear it; four of them bring up a
///   new rumour every ten seconds. Waves that reach nearly everybody, most messages old news.
pub const NAMES: [&str; 4] = ["phold", "storm", "claim", "gossip"];

/// The workload called `name`, or `None` when it is not one of [`NAMES`].
///
/// `agents` is the number of those that the workload is about (0 counts as 1); the few that serve them come on top:
/// the sender of a storm, and a store with its source of tasks for every 64 workers of a claim fleet.
#[must_use]
pub fn fleet(name: &str, agents: u32, seed: u64) -> Option<Fleet> {
    let agents = agents.max(1);
    match name {
        "phold" => Some(phold::fleet(agents, seed)),
        "storm" => Some(storm::fleet(agents, seed)),
        "claim" => Some(claim::fleet(agents, seed)),
        "gossip" => Some(gossip::fleet(agents, seed)),
        _ => None,
    }
}

/// A member of a group of `count`, each as likely as any other, from 64 random bits.
fn any_ordinal(random: u64, count: u32) -> u32 {
    // The top half of the product: no division, and no bias that 2^32 draws could show.
    ((u128::from(random) * u128::from(count)) >> 64) as u32 + 1
}

#[cfg(test)]
mod tests {
    use fleetsim_engine::batch::{Batch, Event, Fate};
    use fleetsim_engine::{AgentId, DigestSink, Ending, Fact, Limits, Outcome, SECOND, Sink, Time};

    use super::*;

    #[derive(Default)]
    struct Keep(Vec<Batch>);

    impl Sink for Keep {
        fn accept(&mut self, batch: &mut Batch) {
            self.0.push(core::mem::take(batch));
        }
    }

    fn play(name: &str, agents: u32, limits: &Limits) -> (Vec<Batch>, Outcome) {
        let mut keep = Keep::default();
        let fleet = fleet(name, agents, 7).expect("a known name");
        let outcome = fleet.build().expect("a valid fleet").run(limits, &mut keep);
        (keep.0, outcome)
    }

    fn events(events_max: u64) -> Limits {
        Limits { events_max, ..Limits::default() }
    }

    fn seconds(seconds: u64) -> Limits {
        Limits { until: Time::from_ns(seconds * SECOND), events_max: 2_000_000 }
    }

    #[test]
    fn no_workload_ends_and_nothing_goes_wrong_in_it() {
        for name in NAMES {
            for agents in [0, 1, 2, 65, 300] {
                let (batches, outcome) = play(name, agents, &events(20_000));
                assert_eq!(outcome.ending, Ending::EventLimit, "{name} with {agents}");
                assert_eq!(outcome.events, 20_000);
                for step in batches.iter().flatten() {
                    assert_eq!(step.fate, Fate::Handled, "{name} with {agents}: {step:?}");
                }
            }
        }
        assert!(fleet("polka", 1, 1).is_none());
    }

    #[test]
    fn a_seed_gives_one_run_recorded_or_not() {
        let digest = |name: &str, seed: u64| {
            let mut sink = DigestSink::default();
            let fleet = fleet(name, 40, seed).expect("a known name");
            let outcome = fleet.build().expect("a valid fleet").run(&events(5_000), &mut sink);
            (sink.value(), outcome)
        };
        for name in NAMES {
            let (first, outcome) = digest(name, 1);
            assert_eq!(first, digest(name, 1).0, "{name}");
            assert_ne!(first, digest(name, 2).0, "{name}");
            let mut quiet = fleet(name, 40, 1).expect("a known name");
            quiet.without_record();
            let unrecorded = quiet.build().expect("a valid fleet").run(&events(5_000), &mut Keep::default());
            assert_eq!(outcome, unrecorded, "{name}");
        }
    }

    #[test]
    fn everybody_passes_tokens_on() {
        let (batches, outcome) = play("phold", 50, &seconds(200));
        // One message an agent is always under way, for a second on average.
        assert!((9_000..11_000).contains(&outcome.events), "{}", outcome.events);
        for ordinal in 1..=50 {
            let id = AgentId::named("process", ordinal);
            let got = batches.iter().flatten().filter(|step| step.target == id).count();
            assert!((120..280).contains(&got), "process {ordinal} got {got}");
        }
    }

    #[test]
    fn a_storm_begins_again_when_all_have_answered() {
        let agents = 30;
        let (batches, _) = play("storm", agents, &events(31 + 60 * 10));
        let herald = AgentId::named("herald", 1);
        let (mut waves, mut awaited) = (0, 0);
        for step in batches.iter().flatten().filter(|step| step.target == herald) {
            awaited -= u32::from(step.event == Event::Message);
            let cries = step.effects.clone().filter(|effect| effect.length == 100);
            let count = cries.count() as u32;
            if count > 0 {
                assert_eq!((awaited, count), (0, agents), "all have answered, all are told");
                (waves, awaited) = (waves + 1, agents);
            }
        }
        assert_eq!((waves, awaited), (11, agents), "ten whole waves, and the next under way");
    }

    #[test]
    fn nearly_all_tasks_are_done_once_and_claims_collide() {
        let (batches, _) = play("claim", 130, &seconds(1_200));
        let (mut added, mut finished, mut released, mut refused) = (0, 0, 0, 0_u32);
        let refusal = 2;
        let reply = fleetsim_engine::ProtocolId::of("task-store-reply");
        for step in batches.iter().flatten() {
            refused += u32::from(step.protocol == reply && step.kind == refusal);
            for fact in step.facts() {
                match fact {
                    Fact::TaskAdded { .. } => added += 1,
                    Fact::TaskFinished { .. } => finished += 1,
                    Fact::TaskReleased { .. } => released += 1,
                    _ => {}
                }
            }
        }
        // 130 workers at 80 % of one task in 29 s each for 20 minutes, and one each to begin with.
        assert!((4_000..5_000).contains(&added), "{added} tasks came");
        assert!(finished > added * 9 / 10, "{finished} of {added} tasks are done");
        assert!(released < added / 100, "{released} leases of {added} expired");
        assert!(refused > added, "{refused} claims were refused");
    }

    #[test]
    fn a_rumour_reaches_most_and_dies() {
        let agents = 500;
        let (batches, outcome) = play("gossip", agents, &seconds(100));
        let told = |source: AgentId| batches.iter().flatten().filter(|step| step.source == source).count();
        let rumours: u64 = 4 * 10;
        // All who hear a rumour, some 94 %, pass it on three times. Were it never to die, there would be no end.
        let expected = rumours * u64::from(agents) * 3;
        assert!(
            (expected * 80 / 100..expected).contains(&outcome.messages),
            "{} messages for {expected}",
            outcome.messages
        );
        let silent = (1..=agents).filter(|ordinal| told(AgentId::named("neighbour", *ordinal)) == 0).count();
        assert_eq!(silent, 0, "everybody hears of something");
    }
}
