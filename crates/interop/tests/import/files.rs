//! From a log's file to a trace's.

use std::fs;
use std::path::Path;

use fleetsim_interop::{Error, Imported, Kind, Options, import};
use fleetsim_trace_replay::{Program, Trace};

const LOG: &str = include_str!("../data/gastown/events.jsonl");

fn imported(folder: &Path, log: &str, options: Options) -> Result<Imported, Error> {
    fs::write(folder.join("log.jsonl"), log).expect("there is room");
    let program = Program { name: "fleetsim".to_owned(), version: "1.2.3".to_owned() };
    import(Kind::Beads, &folder.join("log.jsonl"), None, options, &folder.join("log.fleet"), program)
}

#[test]
fn a_log_becomes_an_ordinary_trace_that_says_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let imported = imported(folder.path(), LOG, Options::default()).unwrap();
    let first = fs::read(folder.path().join("log.fleet")).unwrap();
    let trace = Trace::open(folder.path().join("log.fleet")).unwrap();
    assert!(!trace.is_partial());
    let verified = trace.verify();
    assert_eq!((verified.damage, verified.digest), (vec![], Some(imported.finished.digest)));
    let header = trace.header();
    assert!(header.external_inputs);
    assert_eq!(header.program.to_string(), "fleetsim 1.2.3");
    assert_eq!(header.import.as_ref(), Some(&imported.reading.import));
    assert_eq!(header.scenario.name, "log.jsonl");
    let lines = fleetsim_trace_replay::inspect::overview(&trace).join("\n");
    for said in
        ["imported   beads log that begins at 2026-02-27T23:32:56Z", "inferred", "deadlock not judged"]
    {
        assert!(lines.contains(said), "`{said}` is missing:\n{lines}");
    }
    // The same log gives the same file.
    self::imported(folder.path(), LOG, Options::default()).unwrap();
    assert_eq!(fs::read(folder.path().join("log.fleet")).unwrap(), first);
}

#[test]
fn a_failed_import_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let strict = Options { strict: true, ..Options::default() };
    let broken = format!("{LOG}nonsense\n");
    let error = imported(folder.path(), &broken, strict).unwrap_err();
    assert!(error.to_string().ends_with("log.jsonl: line 451: not-json"), "{error}");
    assert!(!error.is_usage());
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["log.jsonl"]);
}

#[test]
fn what_is_no_log_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("t.fleet");
    let try_import = |kind, log: &Path, second: Option<&Path>| {
        import(kind, log, second, Options::default(), &target, Program::default()).unwrap_err()
    };
    assert!(try_import(Kind::Beads, folder.path(), None).is_usage());
    let absent = try_import(Kind::Beads, &folder.path().join("absent"), None);
    assert!(absent.to_string().contains("absent") && !absent.is_usage(), "{absent}");
    let log = folder.path().join("log");
    fs::write(&log, "").unwrap();
    assert!(try_import(Kind::Otlp, &log, Some(&log)).is_usage());
}

#[test]
fn an_empty_log_is_an_empty_trace() {
    let folder = tempfile::tempdir().unwrap();
    let imported = imported(folder.path(), "", Options::default()).unwrap();
    assert_eq!((imported.reading.steps, imported.finished.error), (0, None));
    let trace = Trace::open(folder.path().join("log.fleet")).unwrap();
    assert!(trace.verify().damage.is_empty() && !trace.is_partial());
}
