//! A program of a user's own: its agents are registered by name, and every command works with them. Among them are
//! agents that misbehave. The test starts itself as that program.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fleetsim::{Agent, AgentId, Context, Fleet, Message, Registry, RolePlan, SECOND};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The first argument with which the test is the program.
const AS_PROGRAM: &str = "--as-program";
const AS_CHANGED_PROGRAM: &str = "--as-changed-program";

#[derive(Serialize, Deserialize)]
enum Ping {
    Ping { number: u64 },
}

impl Message for Ping {
    const PROTOCOL: &'static str = "ping";
}

/// How an agent misbehaves.
#[derive(Clone, Copy)]
enum Manner {
    Good,
    Panics,
    Hangs,
    Remembers,
    /// Like `Good`, but the twentieth number is another one: what a change of code may do unnoticed.
    Changed,
    /// Counts from another number in every process.
    Moody,
}

/// Sends itself a number every second.
struct Ticker {
    manner: Manner,
    number: u64,
}

/// What an agent must not have: a memory that outlives the run.
static MEMORY: AtomicU64 = AtomicU64::new(0);

impl Agent for Ticker {
    type Inbox = Ping;
    type Timer = ();

    fn on_start(&mut self, ctx: &mut Context<'_, Self>) {
        ctx.set_timer(SECOND, ());
    }

    fn on_message(&mut self, _: &mut Context<'_, Self>, _from: AgentId, message: Ping) {
        let Ping::Ping { number } = message;
        match self.manner {
            Manner::Panics if number % 100 == 7 => panic!("seven is too much"),
            Manner::Hangs if number == 5 => loop {
                std::thread::sleep(Duration::from_millis(20));
            },
            _ => {}
        }
    }

    fn on_timer(&mut self, ctx: &mut Context<'_, Self>, (): ()) {
        self.number += 1;
        let memory = match self.manner {
            Manner::Remembers if self.number == 3 => MEMORY.fetch_add(1000, Ordering::Relaxed),
            Manner::Changed if self.number == 20 => 500,
            Manner::Moody => u64::from(std::process::id()),
            _ => 0,
        };
        let to = ctx.own_address();
        ctx.send(to, Ping::Ping { number: self.number + memory });
        ctx.set_timer(SECOND, ());
    }
}

fn ticker(manner: Manner) -> impl Fn(&mut Fleet, &RolePlan<'_>) -> Result<(), String> {
    move |fleet, role| {
        let group = fleet.add(role.name(), role.count(), move |_birth| Ticker { manner, number: 0 });
        group.map(drop).map_err(|error| error.to_string())
    }
}

fn program(good: Manner, arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let registry = Registry::default()
        .behaviour("good", 3, ticker(good))
        .behaviour("panics", 1, ticker(Manner::Panics))
        .behaviour("hangs", 1, ticker(Manner::Hangs))
        .behaviour("remembers", 1, ticker(Manner::Remembers))
        .behaviour("moody", 1, ticker(Manner::Moody));
    fleetsim::cli::main_with(registry, arguments)
}

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let called = arguments.next().unwrap_or_default();
    match arguments.next() {
        Some(first) if first == AS_PROGRAM => {
            return program(Manner::Good, std::iter::once(called).chain(arguments));
        }
        Some(first) if first == AS_CHANGED_PROGRAM => {
            return program(Manner::Changed, std::iter::once(called).chain(arguments));
        }
        _ => {}
    }
    own_agents_run_and_are_replayed();
    a_version_of_an_agent_is_part_of_the_run();
    a_changed_agent_parts_from_its_trace();
    panics_are_findings_and_told_once();
    endless_handlers_are_named();
    agents_that_remember_are_found_out();
    an_interrupted_run_leaves_what_it_has();
    own_agents_are_measured_and_must_be_deterministic();
    println!("own_program: 8 tests passed");
    ExitCode::SUCCESS
}

fn command(words: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("the test knows itself"));
    command.arg(AS_PROGRAM).args(words).stdin(Stdio::null());
    command
}

/// Calls the program, expects an exit code, and gives stdout and stderr.
#[track_caller]
fn call(words: &[&str], code: i32) -> (String, String) {
    let output = command(words).output().expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it is text");
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    assert_eq!(output.status.code(), Some(code), "{words:?}\n{stdout}{stderr}");
    (stdout, stderr)
}

/// A scenario with two agents of a behaviour.
fn scenario(folder: &Path, behaviour: &str, lasts: &str) -> String {
    let path = folder.join(format!("{behaviour}.toml"));
    let text = format!(
        "[fleet]\nlasts = \"{lasts}\"\n[role]\nticker = {{ count = 2, behaviour = \"{behaviour}\" }}\n"
    );
    std::fs::write(&path, text).expect("files can be written");
    path.to_str().expect("the path is text").to_owned()
}

fn own_agents_run_and_are_replayed() {
    let folder = tempfile::tempdir().expect("there is room");
    let (scenario, trace) = (scenario(folder.path(), "good", "1h"), folder.path().join("run.fleet"));
    let trace = trace.to_str().expect("the path is text");
    let (stdout, _) = call(&["run", &scenario, "--trace", trace], 0);
    let me = std::env::current_exe().expect("the test knows itself");
    let me = me.file_name().and_then(|name| name.to_str()).expect("the name is text").to_owned();
    assert_eq!(stdout.lines().last(), Some(format!("replay: {me} replay {trace}").as_str()));
    assert!(stdout.contains("14,400 events among 2 agents"), "{stdout}");
    let (stdout, _) = call(&["replay", trace], 0);
    assert!(stdout.starts_with("identical: 14,400 events"), "{stdout}");
    let (stdout, _) = call(&["inspect", &format!("{trace}@30s"), "--limit", "2"], 0);
    assert!(stdout.contains("ticker-"), "{stdout}");
}

fn a_version_of_an_agent_is_part_of_the_run() {
    let folder = tempfile::tempdir().expect("there is room");
    let (scenario, trace) = (scenario(folder.path(), "good", "1m"), folder.path().join("run.fleet"));
    let trace = trace.to_str().expect("the path is text");
    call(&["run", &scenario, "--trace", trace], 0);
    let older = folder.path().join("older.fleet");
    let opened = fleetsim::trace::Trace::open(trace).expect("it is a trace");
    let mut header = opened.header().clone();
    assert_eq!((header.behaviours[0].name.as_str(), header.behaviours[0].version.as_str()), ("good", "3"));
    header.behaviours[0].version = "2".to_owned();
    let mut recorder = fleetsim::trace::Recorder::create(&older, &header).expect("it can be written");
    opened.feed(&mut recorder).expect("it can be read");
    assert_eq!(recorder.finish(opened.closing().expect("it has ended")).error, None);
    let older = older.to_str().expect("the path is text");
    let (_, stderr) = call(&["replay", older], 5);
    assert!(stderr.contains("`good` version 2 (this program has 3)"), "{stderr}");
    call(&["replay", older, "--attempt"], 0);
}

/// The behaviour changed, its version did not: the replay names the first event that differs.
fn a_changed_agent_parts_from_its_trace() {
    let folder = tempfile::tempdir().expect("there is room");
    let (scenario, trace) = (scenario(folder.path(), "good", "1m"), folder.path().join("run.fleet"));
    let trace = trace.to_str().expect("the path is text");
    call(&["run", &scenario, "--trace", trace], 0);
    let replay = |words: &[&str]| {
        let mut command = Command::new(std::env::current_exe().expect("the test knows itself"));
        command.arg(AS_CHANGED_PROGRAM).args(["replay", trace]).args(words).stdin(Stdio::null());
        let output = command.output().expect("the program starts");
        assert_eq!(output.status.code(), Some(3));
        String::from_utf8(output.stdout).expect("it is text")
    };
    let stdout = replay(&[]);
    for said in ["first difference at #e", "ticker-", "payload", "number: 20", "number: 520"] {
        assert!(stdout.contains(said), "{said}:\n{stdout}");
    }
    let json: Value = serde_json::from_str(&replay(&["--format", "json"])).expect("it is JSON");
    let divergence = &json["first_divergence"];
    assert!(divergence["agent"].as_str().is_some_and(|agent| agent.starts_with("ticker-")), "{divergence:#}");
    // Ten events on either side of the one that differs, in both runs.
    let event = divergence["event"].as_u64().expect("an event");
    for around in [event - 10, event + 10] {
        assert_eq!(
            stdout.matches(&format!("#e{around} ")).count(),
            if around < event { 1 } else { 2 },
            "{stdout}"
        );
    }
}

fn panics_are_findings_and_told_once() {
    let folder = tempfile::tempdir().expect("there is room");
    let scenario = scenario(folder.path(), "panics", "1h");
    let (stdout, stderr) = call(&["run", &scenario], 1);
    assert!(stdout.contains("PANICKED AGENT"), "{stdout}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.starts_with("note: a handler panicked: seven is too much, at "), "{stderr}");
}

fn endless_handlers_are_named() {
    let folder = tempfile::tempdir().expect("there is room");
    let (scenario, trace) = (scenario(folder.path(), "hangs", "1h"), folder.path().join("run.fleet"));
    let trace = trace.to_str().expect("the path is text");
    let (_, stderr) = call(&["run", &scenario, "--trace", trace, "--watchdog", "1s"], 4);
    assert!(stderr.starts_with("watchdog: event e") && stderr.contains("a handler of ticker-"), "{stderr}");
    assert!(stderr.contains("00:00:05"), "{stderr}");
    let (stdout, _) = call(&["inspect", &format!("{trace}.partial")], 0);
    assert!(stdout.contains("ending     not recorded"), "{stdout}");
    // The command that is suggested ends just before it, and shows all that led there.
    let event =
        stderr.split("--events-max ").nth(1).and_then(|rest| rest.split('`').next()).expect("it is there");
    call(&["run", &scenario, "--trace", trace, "--events-max", event], 0);
}

fn agents_that_remember_are_found_out() {
    let folder = tempfile::tempdir().expect("there is room");
    let scenario = scenario(folder.path(), "remembers", "1m");
    let (stdout, _) = call(&["run", &scenario, "--twice"], 3);
    for said in ["twice: NOT THE SAME", "first difference at #e", "payload", "number: 3", "number: 2003"] {
        assert!(stdout.contains(said), "{said}:\n{stdout}");
    }
    let (stdout, _) = call(&["run", &scenario, "--twice", "--format", "json"], 3);
    let json: Value = serde_json::from_str(&stdout).expect("it is JSON");
    assert_eq!(json["twice"]["identical"], false);
    assert!(json["twice"]["first_divergence"]["agent"].is_string(), "{json:#}");
}

fn an_interrupted_run_leaves_what_it_has() {
    let folder = tempfile::tempdir().expect("there is room");
    let (scenario, trace) = (scenario(folder.path(), "good", "1000000h"), folder.path().join("run.fleet"));
    let partial = folder.path().join("run.fleet.partial");
    let trace = trace.to_str().expect("the path is text");
    let child = command(&["run", &scenario, "--trace", trace])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // Wait until something is recorded, however slow the machine is.
    while std::fs::metadata(&partial).map_or(0, |found| found.len()) < 100_000 {
        std::thread::sleep(Duration::from_millis(10));
    }
    let status =
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill is there");
    assert!(status.success());
    let output = child.wait_with_output().expect("it ends");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{stderr}");
    assert!(
        stderr.contains("interrupted: the trace so far is in") && stderr.contains(".partial"),
        "{stderr}"
    );
    assert!(!Path::new(trace).exists(), "only a run that ended has its name");
    let partial = partial.to_str().expect("the path is text");
    let (stdout, _) = call(&["replay", partial], 4);
    assert!(stdout.starts_with("partial, identical as far as it goes"), "{stdout}");
    call(&["replay", partial, "--partial"], 0);
}

/// The samples of a measurement are taken by the same program, with its own agents.
fn own_agents_are_measured_and_must_be_deterministic() {
    let folder = tempfile::tempdir().expect("there is room");
    let good = scenario(folder.path(), "good", "1h");
    let words =
        ["bench", &good, "--agents", "2,4", "--rounds", "2", "--record", "off,full", "--format", "json"];
    let json: Value = serde_json::from_str(&call(&words, 0).0).expect("it is JSON");
    let events: Vec<u64> =
        json["rows"].as_array().into_iter().flatten().filter_map(|row| row["events"].as_u64()).collect();
    assert_eq!(events, [14_400, 14_400, 28_800, 28_800]);

    let moody = scenario(folder.path(), "moody", "1m");
    let (stdout, stderr) = call(&["bench", &moody, "--rounds", "8", "--record", "digest"], 3);
    assert_eq!(stdout, "");
    assert!(stderr.contains("nondeterminism: 2 agents, digest: round"), "{stderr}");
    assert!(stderr.contains("`run --twice` names the first event"), "{stderr}");
}
