//! Faults: named in a scenario, drawn as a swarm, edited in a file; recorded, replayed, counted and explained.

use std::fs;

use serde_json::Value;

use crate::support::{Called, Folder, call, fixture};

fn run(words: &[&str]) -> Value {
    let mut all = vec!["run"];
    all.extend(words);
    all.extend(["--format", "json"]);
    let called: Called = call(&all);
    assert!([0, 1].contains(&called.code), "{}{}", called.stdout, called.stderr);
    called.json()
}

fn count(report: &Value, rule: &str, fault: &str) -> u64 {
    let faults = report["faults"].as_array().expect("faults are told");
    let is_it = |tally: &&Value| tally["rule"] == rule && tally["fault"] == fault;
    faults.iter().find(is_it).map_or(0, |tally| tally["count"].as_u64().expect("a count"))
}

/// The blocks of a scenario's text: what stands before the first fault, each fault, and what comes after.
fn blocks(text: &str) -> (String, Vec<String>, String) {
    let (before, rest) = text.split_once("[[fault]]").expect("a fault");
    let (faults, after) = rest.split_once("[heal]").expect("healing");
    let faults = faults.split("[[fault]]").map(|fault| format!("[[fault]]{fault}")).collect();
    (before.to_owned(), faults, format!("[heal]{after}"))
}

#[test]
fn what_rules_do_is_counted_and_told() {
    let report = run(&[&fixture("lease.toml")]);
    assert!(count(&report, "switch-2", "partition") > 0, "{:#}", report["faults"]);
    assert!(count(&report, "bad cable", "delay") > 10, "{:#}", report["faults"]);
    assert_eq!(count(&report, "claims and dies", "crash"), 1);
    assert_eq!(count(&report, "claims and dies", "restart"), 1);
    let text = call(&["run", &fixture("lease.toml")]).stdout;
    let line = text.lines().find(|line| line.starts_with("faults injected: ")).expect("it is told");
    assert!(line.contains("claims and dies (crash 1, restart 1)"), "{line}");
    assert!(!text.contains("never fired"), "{text}");
}

#[test]
fn order_and_idle_rules_leave_the_digest() {
    let folder = Folder::new();
    let text = fs::read_to_string(fixture("lease.toml")).unwrap();
    let (before, faults, after) = blocks(&text);
    let first = run(&[&fixture("lease.toml")]);
    let reversed: String = faults.iter().rev().map(String::as_str).collect();
    let reversed = folder.write("reversed.toml", format!("{before}{reversed}{after}"));
    assert_eq!(run(&[&reversed])["digest"], first["digest"]);

    let idle =
        "[[fault]]\nname = \"idle\"\npause = { role = \"builder\" }\nwhen = \"Breach\"\nfor = \"1h\"\n\n";
    let idle = folder.write("idle.toml", format!("{before}{idle}{}{after}", faults.concat()));
    let report = run(&[&idle]);
    assert_eq!(report["digest"], first["digest"]);
    let is_idle = |tally: &Value| tally["rule"] == "idle" && tally["fault"] == "pause" && tally["count"] == 0;
    assert!(report["faults"].as_array().unwrap().iter().any(is_idle), "{:#}", report["faults"]);
    assert!(call(&["run", &idle]).stdout.contains("rule `idle` never fired"));

    // Without one of the rules it is another run, so the digest does say something.
    let fewer = folder.write("fewer.toml", format!("{before}{}{after}", faults[1..].concat()));
    assert_ne!(run(&[&fewer])["digest"], first["digest"]);
}

#[test]
fn none_switches_off_what_the_scenario_names() {
    let folder = Folder::new();
    let text = fs::read_to_string(fixture("lease.toml")).unwrap();
    let (before, _, after) = blocks(&text);
    let healthy = folder.write("healthy.toml", format!("{before}{after}"));
    let (none, without) = (run(&[&fixture("lease.toml"), "--faults", "none"]), run(&[&healthy]));
    assert_eq!(none["digest"], without["digest"]);
    assert_eq!(none["faults"], serde_json::json!([]));
    let again = none["again"].as_str().unwrap();
    assert!(again.contains(" --faults none --seed 1"), "{again}");
    // What one seed shows with the scenario's own faults, it need not show without them.
    let shipped = fixture("../../../../scenarios/lease-partition.toml");
    call(&["run", &shipped]).exits(0);
    let called = call(&["run", &shipped, "--faults", "none"]).exits(0);
    assert!(called.stdout.contains("not with this seed or these faults"), "{}", called.stdout);
    call(&["test", &shipped, "--faults", "none", "--seeds", "1"]).exits(0);
    // A trace of it is not mistaken for one with the scenario's own faults.
    let trace = folder.word("none.fleet");
    run(&[&fixture("lease.toml"), "--faults", "none", "--trace", &trace]);
    let replayed = call(&["replay", &trace, "--format", "json"]).exits(0).json();
    assert_eq!((&replayed["digest"], &replayed["identical"]), (&none["digest"], &Value::Bool(true)));
    assert!(call(&["inspect", &trace]).exits(0).stdout.contains("faults     none"));
}

#[test]
fn a_swarm_is_drawn_from_the_seed_recorded_and_replayed() {
    let folder = Folder::new();
    let scenario = fixture("lease.toml");
    let mut digests = std::collections::BTreeSet::new();
    for seed in ["3", "4", "5", "6"] {
        let trace = folder.word(&format!("{seed}.fleet"));
        let words = [&scenario, "--faults", "swarm", "--seed", seed];
        let report = run(&words);
        let again = report["again"].as_str().unwrap();
        assert!(again.contains(&format!(" --faults swarm --seed {seed}")), "{again}");
        let recorded = run(&[&words[..], &["--trace", &trace]].concat());
        assert_eq!(recorded["digest"], report["digest"], "the same seed, the same swarm");
        let replayed = call(&["replay", &trace, "--format", "json"]).exits(0).json();
        assert_eq!((&replayed["digest"], &replayed["identical"]), (&report["digest"], &Value::Bool(true)));
        digests.insert(report["digest"].to_string());

        // The trace shows the plan, and the plan is a file that runs.
        let header = call(&["inspect", &trace, "--format", "json"]).exits(0).json();
        let plan = &header["header"]["faults"];
        let rules = plan["rules"].as_object().expect("a plan has rules");
        let shown = call(&["inspect", &trace]).exits(0).stdout;
        for rule in rules.keys() {
            assert!(shown.contains(&format!("fault      {rule}: ")), "{rule}: {shown}");
        }
        let file = folder.write("plan.json", plan.to_string());
        let edited = run(&[&scenario, "--faults", &file, "--seed", seed]);
        assert_eq!(edited["digest"], report["digest"], "the plan is all there is to a swarm");
        let again = edited["again"].as_str().unwrap();
        assert!(again.contains("plan.json --seed"), "{again}");
    }
    assert_eq!(digests.len(), 4, "each seed has its own swarm");
    let called = call(&["test", &scenario, "--faults", "swarm", "--seeds", "3", "--format", "json"]);
    assert_eq!(called.json()["scenarios"][0]["seeds"], 3);
}

#[test]
fn an_edited_plan_is_another_run() {
    let folder = Folder::new();
    let trace = folder.word("run.fleet");
    let own = run(&[&fixture("lease.toml"), "--trace", &trace]);
    let mut plan = call(&["inspect", &trace, "--format", "json"]).json()["header"]["faults"].take();
    plan["rules"].as_object_mut().unwrap().remove("switch-2").expect("it is recorded under its name");
    let file = folder.write("plan.json", plan.to_string());
    let second = folder.word("second.fleet");
    let fewer = run(&[&fixture("lease.toml"), "--faults", &file, "--trace", &second]);
    assert_ne!(fewer["digest"], own["digest"]);
    assert_eq!(count(&fewer, "switch-2", "partition"), 0);
    fs::remove_file(&file).unwrap();
    call(&["replay", &second]).exits(0);
    let differ = call(&["diff", &trace, &second]).stdout;
    assert!(differ.contains("not the same: the faults"), "{differ}");
}

#[test]
fn plans_that_are_none_are_refused() {
    let folder = Folder::new();
    let no_json = folder.write("no.json", "{");
    let nonsense = folder.write(
        "nonsense.json",
        r#"{"rules":{"x":{"fault":{"loss":{"messages":{},"share":{"numerator":3,"denominator":2}}},"when":"always"}}}"#,
    );
    let stranger = folder.write(
        "stranger.json",
        r#"{"rules":{"x":{"fault":{"crash":{"who":{"each":{"role":"nobody"}}}},"when":{"at":{"at":5}}}}}"#,
    );
    let folder_path = folder.word("");
    let absent = folder.word("absent.json");
    for (file, code, said) in [
        (&no_json, 2, "cannot be understood"),
        (&nonsense, 2, "a share is between 0% and 100%"),
        (&stranger, 2, "there is no role or medium `nobody`"),
        (&folder_path, 4, "no regular file"),
        (&absent, 4, "cannot read the plan"),
    ] {
        let called = call(&["run", &fixture("lease.toml"), "--faults", file]).exits(code);
        assert!(called.stderr.contains(said), "{file}: {}", called.stderr);
    }
    for command in ["run", "test"] {
        let called = call(&[command, &fixture("calm.toml"), "--faults", "swarm"]).exits(2);
        let said = format!("{}{}", called.stdout, called.stderr);
        assert!(said.contains("add `[tolerates]`"), "{said}");
    }
}

#[test]
fn check_tells_faults_tolerances_and_what_is_beyond_recovery() {
    let called = call(&["check", &fixture("lease.toml")]).exits(0);
    for said in [
        "fault: switch-2: partition of builder-1, builder-2 | builds from 1800s until 2700s",
        "fault: at 7200s everything heals, to converge within 3600s",
        "tolerates: crash up to 300s",
    ] {
        assert!(called.stdout.contains(said), "{said}:\n{}", called.stdout);
    }
    assert!(!called.stdout.contains("never heals"), "{}", called.stdout);
    let folder = Folder::new();
    let text = fs::read_to_string(fixture("lease.toml")).unwrap();
    let (before, faults, after) = blocks(&text);
    let after = after.split_once("[tolerates]").unwrap().1;
    let for_good = faults[0].replace("until = \"45m\"\n", "");
    let hopeless = folder.write("hopeless.toml", format!("{before}{for_good}[tolerates]{after}"));
    let json = call(&["check", &hopeless, "--format", "json"]).exits(0).json();
    let notes = json["files"][0]["notes"].to_string();
    assert!(notes.contains("`switch-2`: the partition never heals"), "{notes}");
    let stranger = faults[1].replace("\"task-store\"", "\"task-stoer\"");
    let stranger = folder.write("stranger.toml", format!("{before}{stranger}"));
    let json = call(&["check", &stranger, "--format", "json"]).exits(2).json();
    let mistake = &json["files"][0]["mistakes"][0];
    assert_eq!(mistake["path"], "fault.0.delay", "{json:#}");
    assert!(mistake["message"].as_str().unwrap().contains("protocol `task-stoer`"), "{mistake}");
    assert!(call(&["check", &stranger]).stdout.contains("stranger.toml:"));
}

#[test]
fn why_leads_from_what_was_hit_to_the_rule_and_from_the_rule_to_what_set_it_off() {
    let folder = Folder::new();
    let trace = folder.word("run.fleet");
    run(&[&fixture("lease.toml"), "--trace", &trace]);
    let steps = |kind: &str| {
        let words =
            ["inspect", &trace, "--kind", kind, "--from", "0s", "--limit", "9999", "--format", "json"];
        call(&words).exits(0).json()["steps"].as_array().expect("steps").clone()
    };
    // A message that was lost: its own step, and why.
    let all =
        call(&["inspect", &trace, "--from", "30m", "--to", "45m", "--limit", "9999", "--format", "json"]);
    let all = all.exits(0).json();
    let is_lost = |step: &&Value| step["text"].as_str().unwrap().contains("[lost by a fault rule]");
    let lost = all["steps"].as_array().unwrap().iter().find(is_lost).expect("the partition loses messages");
    let why = call(&["why", &format!("{trace}#e{}", lost["event"]), "--format", "json"]).exits(0).json();
    let told = why["why"]["facts"][0].as_str().expect("the rule is told first");
    assert_eq!(told, "lost, because of the partition `switch-2` since 00:30:00");
    // A message that came late.
    let sent = steps("Injected");
    let line = sent.iter().flat_map(|step| step["effects"].as_array().unwrap());
    let late = line.filter_map(Value::as_str).find(|line| line.contains("`bad cable`")).expect("one is late");
    assert!(
        late.starts_with("task-store.") && late.contains("3s late, because of the delay `bad cable`"),
        "{late}"
    );
    // The crash leads to the claim that set it off.
    let crash = &steps("Crash")[0];
    let why = call(&["why", &format!("{trace}#e{}", crash["event"]), "--depth", "2"]).exits(0).stdout;
    assert!(why.contains("builder-3 crashes by fault rule claims and dies"), "{why}");
    assert!(why.contains("because of the crash `claims and dies`"), "{why}");
    assert!(why.contains("states TaskStarted"), "{why}");
    // What happens at a stated time leads to its rule alone; so does the end of a partition.
    let announced = &steps("Announce")[0];
    let why = call(&["why", &format!("{trace}#e{}", announced["event"])]).exits(0).stdout;
    assert!(why.contains("fault rule switch-2"), "{why}");
    assert!(why.contains("  because of the partition `switch-2`"), "that it begins loses nothing: {why}");
}
