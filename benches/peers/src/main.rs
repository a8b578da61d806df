//! PHOLD in fleetsim through its public API, in bare loops and in other engines, interleaved.
//!
//! Starting is left out for everybody: when the measured part begins, every process has its token under way and has
//! handled one on average.

mod arguments;
mod nexosim_phold;
mod simcore_phold;

use std::cell::Cell;
use std::hint::black_box;
use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitCode;

use fleetsim::workload;
use fleetsim_benches::equal::Equal;
use fleetsim_benches::fleet_run::{FleetRun, Recording};
use fleetsim_benches::floor::Floor;
use fleetsim_benches::paired::{Contestant, Rounds, compare, timed};
use serde_json::{Value, json};

use arguments::{Arguments, USAGE};

const OFF: &str = "off";
const DIGEST: &str = "digest";
const FULL: &str = "full";
const FLOOR: &str = "floor";
const EQUAL: &str = "equal";
const SIMCORE: &str = "simcore";
const NEXOSIM: &str = "nexosim";
const NAMES: [&str; 7] = [OFF, DIGEST, FULL, FLOOR, EQUAL, SIMCORE, NEXOSIM];

/// Ratios of speeds that say how good the engine and the recorder are.
const RATIOS: [(&str, &str); 7] =
    [(OFF, FLOOR), (OFF, EQUAL), (EQUAL, FLOOR), (OFF, SIMCORE), (OFF, NEXOSIM), (DIGEST, OFF), (FULL, OFF)];
/// What recording adds to an event.
const ADDED: [(&str, &str); 2] = [(DIGEST, OFF), (FULL, OFF)];

const SEED: u64 = 7;

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(mistake) => {
            eprintln!("error: {mistake}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let folder = match tempfile::tempdir() {
        Ok(folder) => folder,
        Err(error) => {
            eprintln!("error: no temporary folder for the trace: {error}");
            return ExitCode::FAILURE;
        }
    };
    let trace = folder.path().join("phold.fleet");
    let mut sizes = Vec::new();
    for &agents in &arguments.agents {
        let bytes_per_event = Cell::new(None);
        let rounds = measure(&arguments, agents, &trace, &bytes_per_event);
        let bytes_per_event = bytes_per_event.get();
        if arguments.json {
            sizes.push(as_json(agents, &rounds, bytes_per_event));
        } else {
            show(agents, &rounds, bytes_per_event);
        }
    }
    if arguments.json {
        println!("{:#}", json!({ "workload": "phold", "sizes": sizes }));
    }
    ExitCode::SUCCESS
}

/// Runs everybody who takes part at one size.
fn measure(arguments: &Arguments, agents: u32, trace: &Path, bytes_per_event: &Cell<Option<f64>>) -> Rounds {
    let (events, warm_up) = (arguments.events, u64::from(agents));
    let fleet = move |recording| {
        move || {
            // The first events are the starts.
            let phold = workload::fleet("phold", agents, SEED).expect("it is built in");
            let mut run = FleetRun::start(phold, recording, trace, 2 * warm_up);
            let mut left = None;
            let measured = timed(events, || left = Some(run.finish(events)));
            if let (Recording::Full, Some(left)) = (recording, left) {
                bytes_per_event.set(Some(left.trace_bytes as f64 / left.events as f64));
            }
            measured
        }
    };
    let mut contestants = vec![
        Contestant::new(OFF, fleet(Recording::Off)),
        Contestant::new(DIGEST, fleet(Recording::Digest)),
        Contestant::new(FULL, fleet(Recording::Full)),
        Contestant::new(FLOOR, || {
            let mut floor = Floor::new(agents, SEED);
            floor.run(warm_up);
            timed(events, || floor.run(events))
        }),
        Contestant::new(EQUAL, || {
            let mut equal = Equal::new(agents, SEED);
            let mut run = |events| equal.run(events, |handled| _ = black_box(handled.token));
            run(warm_up);
            timed(events, || run(events))
        }),
        Contestant::new(SIMCORE, || {
            let mut simulation = simcore_phold::start(agents, SEED);
            simcore_phold::run(&mut simulation, warm_up);
            let events = events.div_ceil(4);
            timed(events, || simcore_phold::run(&mut simulation, events))
        }),
        Contestant::new(NEXOSIM, || {
            let mut simulation = nexosim_phold::start(agents, SEED);
            nexosim_phold::run(&mut simulation, warm_up);
            let events = events.div_ceil(20);
            timed(events, || nexosim_phold::run(&mut simulation, events))
        }),
    ];
    contestants.retain(|contestant| arguments.includes(contestant.name(), agents));
    let shows_progress = std::io::stderr().is_terminal();
    let rounds = compare(&mut contestants, arguments.rounds, |round, name| {
        if shows_progress {
            eprint!("\r{agents} agents, round {} of {}: {name:<8}", round + 1, arguments.rounds);
        }
    });
    if shows_progress {
        eprintln!();
    }
    rounds
}

fn show(agents: u32, rounds: &Rounds, bytes_per_event: Option<f64>) {
    println!("\nPHOLD, {agents} agents, medians of {} interleaved rounds", rounds.len());
    print!("{}", rounds.table(FLOOR));
    for (name, reference) in RATIOS {
        if let Some(ratio) = rounds.ratio(name, reference) {
            println!("{:24} {ratio} times as fast", format!("{name} / {reference}"));
        }
    }
    for (name, reference) in ADDED {
        if let Some(added) = rounds.added_ns(name, reference) {
            println!("{:24} {added:.1} ns an event", format!("{name} − {reference}"));
        }
    }
    if let Some(bytes) = bytes_per_event {
        println!("{:24} {bytes:.2} bytes an event", "trace");
    }
}

fn as_json(agents: u32, rounds: &Rounds, bytes_per_event: Option<f64>) -> Value {
    let mut value = rounds.to_json(FLOOR);
    let pair = |name: &str, reference: &str, spread: Option<fleetsim_benches::paired::Spread>| {
        spread.map(|spread| json!({ "of": name, "to": reference, "is": spread.to_json() }))
    };
    let ratios = RATIOS.iter().filter_map(|(name, to)| pair(name, to, rounds.ratio(name, to)));
    let added = ADDED.iter().filter_map(|(name, to)| pair(name, to, rounds.added_ns(name, to)));
    value["agents"] = json!(agents);
    value["ratios"] = ratios.collect();
    value["added_ns_per_event"] = added.collect();
    value["trace_bytes_per_event"] = json!(bytes_per_event);
    value
}
