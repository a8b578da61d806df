//! Golden digests: every shipped scenario, with its own seed and another one, gives the digest that is written down.
//!
//! `UPDATE_GOLDEN=1 cargo test -p fleetsim --test golden` writes `traces/golden.txt` and the traces anew, but only if
//! no digest changed (there may be new ones) or `SEMANTICS` was raised: old traces must be refused by name, not diverge
//! for no visible reason.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use fleetsim::engine::{DigestSink, SEMANTICS};
use fleetsim::scenario::{Behaviours, Overrides, Plan, Scenario};

/// The scenarios, and how far their golden traces go where the whole run would be a large file.
const SCENARIOS: [(&str, Option<&str>); 6] = [
    ("azure-code-hour", Some("2m")),
    ("content-pipeline", None),
    ("lease-partition", None),
    ("quota-starvation", Some("5m")),
    ("review-loop", None),
    ("stale-read", None),
];
const SEEDS: [u64; 2] = [1, 7];
/// The scenario that is run with swarms of faults as well.
const SWARMED: &str = "lease-partition";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn digest(scenario: &str, seed: u64, is_swarm: bool) -> String {
    let path = root().join("scenarios").join(scenario).with_extension("toml");
    let loaded = Scenario::load(path, &Overrides::none()).expect("a shipped scenario");
    let behaviours = Behaviours::default();
    let plan = Plan::new(&loaded, &behaviours).expect("built-in behaviours");
    let mut sink = DigestSink::default();
    let faults = if is_swarm { plan.swarm(seed).expect("it says what it tolerates") } else { plan.faults() };
    let mut simulation = plan.simulation_with(seed, &faults).expect("a valid fleet");
    simulation.run(&plan.limits(), &mut sink);
    sink.value().to_string()
}

fn golden() -> String {
    let mut text = format!("semantics {SEMANTICS}\n");
    for (scenario, _) in SCENARIOS {
        for seed in SEEDS {
            let _ = writeln!(text, "{scenario} {seed} {}", digest(scenario, seed, false));
        }
    }
    for seed in SEEDS {
        let _ = writeln!(text, "{SWARMED} with a swarm {seed} {}", digest(SWARMED, seed, true));
    }
    text
}

/// Records the golden traces with the program itself.
fn record_traces() {
    for (scenario, until) in SCENARIOS {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fleetsim"));
        command.current_dir(root()).args(["run", &format!("scenarios/{scenario}.toml")]);
        command.args(["--trace", &format!("traces/{scenario}.fleet")]);
        if let Some(until) = until {
            command.args(["--until", until]);
        }
        let output = command.output().expect("the program starts");
        let shown = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "recording {scenario}: {shown}");
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_fleetsim"));
    command.current_dir(root()).args(["run", &format!("scenarios/{SWARMED}.toml"), "--faults", "swarm"]);
    // What the scenario expects of its own faults, a swarm need not show.
    command.args(["--no-monitors", "--trace", &format!("traces/{SWARMED}-swarm.fleet")]);
    let output = command.output().expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[expect(clippy::disallowed_methods, reason = "asks whether to write the golden files; no run depends on it")]
fn is_update() -> bool {
    std::env::var("UPDATE_GOLDEN").is_ok()
}

#[test]
fn digests_change_only_with_the_semantics_version() {
    let path = root().join("traces/golden.txt");
    let recorded = fs::read_to_string(&path).unwrap_or_default();
    let now = golden();
    let is_same_version = recorded.starts_with(&format!("semantics {SEMANTICS}\n"));
    if is_update() {
        assert!(
            !is_same_version || recorded.lines().all(|line| now.lines().any(|now| now == line)),
            "digests changed under semantics {SEMANTICS}: raise `SEMANTICS` in crates/engine/src/lib.rs first"
        );
        fs::write(&path, &now).expect("a writable folder");
        record_traces();
        return;
    }
    assert_eq!(
        recorded, now,
        "a digest changed: if that is meant, raise `SEMANTICS` in crates/engine/src/lib.rs and run \
         `UPDATE_GOLDEN=1 cargo test -p fleetsim --test golden`"
    );
}

#[test]
fn golden_traces_replay_bit_for_bit() {
    if is_update() {
        // They are being written at this moment.
        return;
    }
    let swarm = format!("{SWARMED}-swarm");
    for scenario in SCENARIOS.map(|(scenario, _)| scenario).into_iter().chain([swarm.as_str()]) {
        let trace = root().join("traces").join(scenario).with_extension("fleet");
        let output = Command::new(env!("CARGO_BIN_EXE_fleetsim"))
            .arg("replay")
            .arg(&trace)
            .output()
            .expect("the program starts");
        let shown = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "replaying {scenario}: {shown}");
        assert!(shown.contains("identical"), "replaying {scenario}: {shown}");
    }
}

#[test]
fn every_scenario_is_golden() {
    let folder = fs::read_dir(root().join("scenarios")).expect("the scenarios");
    for entry in folder {
        let path = entry.expect("a readable entry").path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let name = path.file_stem().and_then(|name| name.to_str()).expect("a plain name");
            assert!(SCENARIOS.iter().any(|(known, _)| *known == name), "`{name}` has no golden digest");
        }
    }
}
