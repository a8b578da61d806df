//! PHOLD and nothing else, for counting instructions: `phold AGENTS EVENTS off|digest|full [armed|rare]`.
//!
//! `armed` installs fault rules that are in force and never match: a trigger on a fact, a fault site, a crash and a loss
//! hours later. `rare` adds a loss that hits one message in a million and so draws for each.

use std::path::Path;
use std::process::ExitCode;

use fleetsim::faults::{Fault, Luck, Messages, Party, Plan, Rule, Share, Spread, Trigger, When, Who};
use fleetsim::{HOUR, Time, workload};
use fleetsim_benches::fleet_run::{FleetRun, Recording};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let ([agents, events, recording], faults) = match &arguments[..] {
        [agents, events, recording] => ([agents, events, recording], None),
        [agents, events, recording, faults] => ([agents, events, recording], Some(faults.as_str())),
        _ => return usage(),
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
    let Some(mut fleet) = workload::fleet("phold", agents, 7) else {
        return usage();
    };
    match faults {
        None => {}
        Some("armed") => armed(false).install(&mut fleet).expect("a plan of its fleet"),
        Some("rare") => armed(true).install(&mut fleet).expect("a plan of its fleet"),
        Some(_) => return usage(),
    }
    let left =
        FleetRun::start(fleet, recording, Path::new("/dev/null"), 2 * u64::from(agents)).finish(events);
    println!("{} events", left.events);
    ExitCode::SUCCESS
}

fn armed(rare: bool) -> Plan {
    let late = || When::At { at: Time::from_ns(10 * HOUR) };
    let claimed = When::Triggered {
        by: Trigger::on("TaskClaimed"),
        after_ns: 0,
        lasts_ns: None,
        released: None,
        share: Share::ALL,
        times_max: 9,
    };
    let loss = |share| Fault::Loss { messages: Messages::default(), share };
    let site = Fault::Site {
        site: "agent.*".to_owned(),
        who: None,
        share: Share::ALL,
        luck: Luck::Visit,
        strength: Spread::Constant(1),
        armed: Share::ALL,
    };
    let mut rules = vec![
        ("trigger", Rule::new(Fault::Crash { who: Who::Whoever }, claimed)),
        ("site", Rule::new(site, When::Always)),
        ("late loss", Rule::new(loss(Share::ALL), late())),
        ("late pause", Rule::new(Fault::Pause { who: Who::Each(Party::member("process", 1)) }, late())),
    ];
    if rare {
        rules.push(("rare loss", Rule::new(loss(Share::new(1, 1_000_000)), When::Always)));
    }
    let mut plan = Plan::default();
    rules.into_iter().for_each(|(name, rule)| plan.add(name, rule).expect("a valid rule"));
    plan
}

fn usage() -> ExitCode {
    eprintln!("usage: phold AGENTS EVENTS off|digest|full [armed|rare]");
    ExitCode::from(2)
}
