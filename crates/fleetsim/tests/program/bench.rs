//! `bench`: what it measures, what it writes, and how it compares. What takes how long is nowhere asserted.

use serde_json::Value;

use crate::support::{Folder, call, command, fixture};

/// A tiny measurement as JSON.
fn measured(words: &[&str]) -> Value {
    let mut all = vec!["bench"];
    all.extend(words);
    all.extend(["--format", "json"]);
    call(&all).exits(0).json()
}

fn rows(measured: &Value) -> &Vec<Value> {
    measured["rows"].as_array().expect("there are rows")
}

#[test]
fn a_workload_is_measured_at_every_point() {
    let measured = measured(&["phold", "--agents", "20,100", "--events", "30000", "--rounds", "2"]);
    assert_eq!((&measured["workload"], &measured["rounds"]), (&"phold".into(), &2.into()));
    for field in ["format", "semantics", "program"] {
        assert!(!measured["version"][field].is_null(), "{field}");
    }
    assert_eq!(measured["machine"]["os"], std::env::consts::OS);
    assert!(measured["yardstick"]["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0));
    let points: Vec<(u64, &str)> = rows(&measured)
        .iter()
        .map(|row| (row["agents"].as_u64().unwrap(), row["record"].as_str().unwrap()))
        .collect();
    assert_eq!(
        points,
        [(20, "off"), (20, "digest"), (20, "full"), (100, "off"), (100, "digest"), (100, "full")]
    );
    for row in rows(&measured) {
        assert_eq!(row["events"], 30_000);
        for field in ["events_per_second", "events_per_second_min", "events_per_second_max", "messages"] {
            assert!(row[field].as_u64().is_some_and(|value| value > 0), "{field}: {row:#}");
        }
        assert!(row["wall_seconds_per_virtual_hour"].as_f64().is_some_and(|seconds| seconds > 0.0));
        assert!(row["startup_seconds"].is_f64());
        assert_eq!(row["samples"].as_array().map(Vec::len), Some(2));
        if cfg!(target_os = "linux") {
            assert!(row["peak_rss_bytes"].as_u64().is_some_and(|bytes| bytes > 1 << 20), "{row:#}");
            assert!(row["bytes_per_agent"].is_u64());
        }
        let is_full = row["record"] == "full";
        assert_eq!(row["trace_bytes"].as_u64().is_some_and(|bytes| bytes > 100_000), is_full, "{row:#}");
        assert_eq!(row["trace_bytes_per_message"].is_f64(), is_full);
        assert_eq!(row["digest"].is_null(), row["record"] == "off");
    }
    for size in rows(&measured).chunks(3) {
        assert_eq!(size[1]["digest"], size[2]["digest"]);
        assert_eq!(size[0]["messages"], size[2]["messages"]);
    }
    assert_ne!(rows(&measured)[1]["digest"], rows(&measured)[4]["digest"]);
}

#[test]
fn a_scenario_has_the_digest_of_its_run_and_is_scaled() {
    let scenario = fixture("pipeline.toml");
    let run = call(&["run", &scenario, "--no-monitors", "--events-max", "800", "--format", "json"]).exits(0);
    let as_written = measured(&[&scenario, "--events", "800", "--rounds", "1", "--record", "full,off,full"]);
    assert_eq!(rows(&as_written).len(), 2);
    let row = &rows(&as_written)[0];
    assert_eq!(row["digest"], run.json()["digest"]);
    assert_eq!((&row["agents"], &row["events"]), (&6.into(), &800.into()));
    assert_eq!(as_written["workload"], "pipeline.toml");
    // Two sizes that come to the same are measured once.
    let scaled = measured(&[&scenario, "--agents", "1,2,36", "--rounds", "1", "--record", "digest"]);
    let agents: Vec<&Value> = rows(&scaled).iter().map(|row| &row["agents"]).collect();
    assert_eq!(agents, [4, 36]);
    assert_eq!(scaled["notes"][0], "1 agent asked for, 4 fit the scenario");
    let notes = scaled["notes"].to_string();
    assert!(notes.contains("the only `coordinator` stays the only one"), "{notes}");
    // Six times the agents have six times the work.
    assert!(
        rows(&scaled)[1]["events"].as_u64() > rows(&scaled)[0]["events"].as_u64().map(|events| events * 3)
    );
}

#[test]
fn people_get_a_table_and_a_plot() {
    let words = ["bench", "gossip", "--agents", "8,64,512", "--events", "5000", "--rounds", "1"];
    let called = call(&words).exits(0);
    let lines: Vec<&str> = called.stdout.lines().collect();
    assert!(lines[0].starts_with("gossip: seed 1, 1 round in turns, medians; "), "{}", called.stdout);
    assert!(lines[1].split_whitespace().eq([
        "agents",
        "record",
        "events",
        "events/s",
        "from",
        "to",
        "peak",
        "B/agent",
        "B/message",
        "wall/hour",
        "start",
        "digest"
    ]));
    assert!(lines[2].trim_start().starts_with("8  off "), "{}", called.stdout);
    assert!(lines.contains(&"events/s over agents"), "{}", called.stdout);
    assert!(lines.last().is_some_and(|legend| legend.contains("o off  d digest  f full  * several")));
    assert!(lines.len() <= 40 && lines.iter().all(|line| line.chars().count() < 140), "{}", called.stdout);
    assert_eq!(called.stderr, "");
}

#[test]
fn a_measurement_is_compared_with_an_earlier_one() {
    let folder = Folder::new();
    let words = ["storm", "--agents", "50", "--events", "2000", "--rounds", "4", "--record", "off,digest"];
    let mut baseline = measured(&words);
    let path = folder.write("now.json", baseline.to_string());
    let compare = |path: &str| {
        let mut all = vec!["bench"];
        all.extend(words);
        all.extend(["--baseline", path, "--format"]);
        let call_as = |format: &str| call(&[&all[..], &[format]].concat());
        (call_as("json"), call_as("text"))
    };
    // How noisy the machine is at this moment decides between the same and unclear, and perhaps even more.
    let (json, _) = compare(&path);
    let comparison = &json.json()["comparison"];
    assert_eq!(comparison["threshold_percent"], 10);
    assert_eq!(comparison["rows"].as_array().map(Vec::len), Some(2));
    assert_eq!(comparison["notes"].as_array().map(Vec::len), Some(0), "{comparison:#}");

    // A baseline a thousand times as fast: everything is slower. One row is missing, one was another run.
    let faster = |row: &mut Value| {
        for sample in row["samples"].as_array_mut().expect("there are samples") {
            let seconds = sample["wall_seconds"].as_f64().expect("a number");
            sample["wall_seconds"] = (seconds / 1000.0).into();
        }
    };
    let rows = baseline["rows"].as_array_mut().expect("there are rows");
    rows.iter_mut().for_each(faster);
    rows[1]["digest"] = "0000".into();
    rows[0]["agents"] = 51.into();
    let (json, text) = compare(&folder.write("faster.json", baseline.to_string()));
    let json = json.exits(1).json();
    let compared = &json["comparison"]["rows"];
    assert_eq!(compared.as_array().map(Vec::len), Some(1), "{compared:#}");
    assert_eq!((&compared[0]["record"], &compared[0]["verdict"]), (&"digest".into(), &"slower".into()));
    assert!(compared[0]["ratio_high"].as_f64().is_some_and(|high| high < 0.5), "{compared:#}");
    let text = text.exits(1).stdout;
    for said in [
        "SLOWER   0.00",
        "50 agents, digest",
        "note: 50 agents, off: not in the baseline",
        "note: 51 agents, off: only in the baseline",
        "note: 50 agents, digest: another digest than in the baseline: it measured another run",
    ] {
        assert!(text.contains(said), "{said}:\n{text}");
    }
}

#[test]
fn what_cannot_be_measured_is_refused_at_once() {
    let folder = Folder::new();
    let broken = folder.write("broken.toml", "[fleet]\nlasts = \"soon\"\n");
    let missing = folder
        .write("missing.toml", "[fleet]\nlasts = \"1h\"\n[role]\nx = { count = 2, behaviour = \"polka\" }\n");
    let text = folder.write("text.json", "no measurement");
    let absent = folder.word("absent.json");
    for (words, code, said) in [
        (&["polka"][..], 2, "the workloads are phold, storm, claim, gossip"),
        (&["polka.toml"], 2, "no such file"),
        (&[&broken], 2, "lasts"),
        (&[&missing], 5, "no behaviour `polka`"),
        (&[], 2, "WORKLOAD|SCENARIO"),
        (&["phold", "--agents", "0"], 2, "--agents"),
        (&["phold", "--agents", "10,,20"], 2, "--agents"),
        (&["phold", "--agents", "5000000000"], 2, "--agents"),
        (&["phold", "--events", "0"], 2, "--events"),
        (&["phold", "--record", "off,all"], 2, "[possible values: off, digest, full]"),
        (&["phold", "--rounds", "0"], 2, "--rounds"),
        (&["phold", "--threshold", "5"], 2, "--baseline"),
        (&["phold", "--baseline", &absent], 4, "absent.json"),
        (&["phold", "--baseline", folder.path("").to_str().unwrap()], 4, "not a regular file"),
        (&["phold", "--baseline", &text], 2, "not what `bench --format json` writes"),
    ] {
        let called = call(&[&["bench"][..], words].concat()).exits(code);
        assert!(called.stderr.contains(said), "{words:?}: {}", called.stderr);
        assert_eq!(called.stdout, "", "{words:?}");
    }
}

/// The request that a sample is taken by comes by the environment; whoever sets it by accident is told.
#[test]
fn a_request_for_no_point_is_told() {
    let folder = Folder::new();
    let output = command(&["bench", "phold", "--agents", "5"])
        .env("FLEETSIM_BENCH_POINT", "7")
        .env("FLEETSIM_BENCH_FOLDER", folder.path(""))
        .output()
        .expect("the program starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("FLEETSIM_BENCH_POINT is set, but there is no point 7"), "{stderr}");
}
