//! PHOLD and nothing else, for counting instructions: `phold AGENTS EVENTS off|digest|full`.

use std::path::Path;
use std::process::ExitCode;

use fleetsim::workload;
use fleetsim_benches::fleet_run::{FleetRun, Recording};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [agents, events, recording] = &arguments[..] else {
        return usage();
    };
    let (Ok(agents), Ok(events)) = (agents.parse(), events.parse()) else {
        return usage();
    };
    let recording = match recording.as_str() {
        "off" => Recording::Off,
        "digest" => Recording::Digest,
        "full" => Recording::Full,
        _ => return usage(),
    };
    let Some(fleet) = workload::fleet("phold", agents, 7) else {
        return usage();
    };
    let left =
        FleetRun::start(fleet, recording, Path::new("/dev/null"), 2 * u64::from(agents)).finish(events);
    println!("{} events", left.events);
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    eprintln!("usage: phold AGENTS EVENTS off|digest|full");
    ExitCode::from(2)
}
