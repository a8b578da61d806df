//! Protocols bear what they declare in a thousand swarm seeds, and every planted bug is found in the same thousand.

use std::collections::BTreeMap;

use fleetsim_engine::batch::Batch;
use fleetsim_engine::{Fact, Limits, SECOND, Sink, Time, Value};
use fleetsim_fault_injection::{World, swarm, unrecoverable};

use crate::fixtures::{FIXTURES, Fixture, Said};

const SEEDS: u64 = 1_000;

/// What was stated and injected.
#[derive(Default)]
struct Heard {
    said: Vec<Said>,
    injected: BTreeMap<String, u64>,
}

impl Sink for Heard {
    fn accept(&mut self, batch: &mut Batch) {
        for step in &*batch {
            for fact in step.facts() {
                match fact {
                    Fact::Custom { name, fields } => {
                        let numbers = [0, 1].map(|at| match fields.get(at) {
                            Some((_, Value::Number(number))) => *number,
                            _ => 0,
                        });
                        self.said.push(Said { by: step.target, word: name.to_owned(), numbers });
                    }
                    Fact::Injected { fault, .. } => *self.injected.entry(fault.to_owned()).or_default() += 1,
                    _ => {}
                }
            }
        }
    }
}

/// The fixture under the swarm plan of a seed.
fn run(
    fixture: &Fixture,
    seed: u64,
    bug: Option<u8>,
    injected: &mut BTreeMap<String, u64>,
) -> Result<(), String> {
    let mut fleet = (fixture.fleet)(seed, bug);
    let roles = fleet.groups().map(|(name, count)| (name.to_owned(), count)).collect();
    let heals_at = Time::from_ns(15 * SECOND);
    let world = World { roles, heals_at, converges_within_ns: 15 * SECOND };
    let plan = swarm(seed, &(fixture.tolerance)(), &world);
    assert_eq!(unrecoverable(&plan), Vec::<String>::new(), "{plan}");
    plan.install(&mut fleet).expect("a swarm fits its fleet");
    let mut heard = Heard::default();
    let limits = Limits { until: Time::from_ns(30 * SECOND), events_max: 1_000_000 };
    fleet.build().expect("a valid fleet").run(&limits, &mut heard);
    for (fault, count) in heard.injected {
        *injected.entry(fault).or_default() += count;
    }
    (fixture.property)(&heard.said).map_err(|why| format!("{} in seed {seed}: {why}\n{plan}", fixture.name))
}

/// The kinds that a tolerance lets happen, as they are recorded.
fn tolerated(fixture: &Fixture) -> Vec<String> {
    let tolerance = (fixture.tolerance)();
    let kinds = [
        ("loss", tolerance.loss.is_some()),
        ("delay", tolerance.delay_ns.is_some()),
        ("reorder", tolerance.reorder_ns.is_some()),
        ("duplicate", tolerance.duplicate.is_some()),
        ("corrupt", tolerance.corrupt.is_some()),
        ("partition", tolerance.partition_ns.is_some()),
        ("hold", tolerance.hold_ns.is_some()),
        ("crash", tolerance.crash_ns.is_some()),
        ("pause", tolerance.pause_ns.is_some()),
        ("zombie", tolerance.zombie_ns.is_some()),
        ("slow", tolerance.slow_permille.is_some()),
        ("clock", tolerance.clock_jump_ns.is_some()),
    ];
    let kinds = kinds.into_iter().filter(|(_, is)| *is).map(|(kind, _)| kind.to_owned());
    kinds.chain(tolerance.sites.into_keys()).collect()
}

#[test]
fn protocols_bear_what_they_declare() {
    for fixture in &FIXTURES {
        let mut injected = BTreeMap::new();
        for seed in 0..SEEDS {
            if let Err(violation) = run(fixture, seed, None, &mut injected) {
                panic!("{violation}");
            }
        }
        for kind in tolerated(fixture) {
            let count = injected.get(&kind).copied().unwrap_or(0);
            assert!(count >= 100, "{}: {kind} was injected {count} times", fixture.name);
        }
    }
}

#[test]
fn planted_bugs_are_found() {
    for fixture in &FIXTURES {
        for (bug, what) in (0..).zip(fixture.bugs) {
            let found = (0..SEEDS).find_map(|seed| run(fixture, seed, Some(bug), &mut BTreeMap::new()).err());
            let violation = found.unwrap_or_else(|| panic!("{}: `{what}` was not found", fixture.name));
            println!("{what}: {}", violation.lines().next().unwrap_or_default());
        }
    }
}

/// Without faults the bugs are not seen: it is the faults that find them.
#[test]
fn planted_bugs_are_quiet_in_a_sound_world() {
    for fixture in &FIXTURES {
        for bug in [None, Some(0), Some(1), Some(2)] {
            let mut fleet = (fixture.fleet)(1, bug);
            fleet.name_rule("none");
            let mut heard = Heard::default();
            let limits = Limits { until: Time::from_ns(30 * SECOND), events_max: 1_000_000 };
            fleet.build().expect("a valid fleet").run(&limits, &mut heard);
            assert_eq!((fixture.property)(&heard.said), Ok(()), "{} with bug {bug:?}", fixture.name);
        }
    }
}
