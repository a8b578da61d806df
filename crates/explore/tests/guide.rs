//! The code of `docs/property-testing.md`: a test compares the two, another runs the command that the guide's failing
//! check prints.

// <guide>
use fleetsim_engine::{Address, Agent, AgentId, Context, Fact, Fleet, Message, SECOND};
use fleetsim_explore::Check;
use fleetsim_fault_injection::{Share, Tolerance};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
enum Door {
    /// May I come in?
    Knock,
    /// Yes, until the lease is over; with the number of the lease.
    Enter { fence: u64 },
    /// I am done.
    Leave { fence: u64 },
    /// To the ledger: what I did in the room.
    Write { fence: u64 },
}

impl Message for Door {
    const PROTOCOL: &'static str = "door";
}
// </guide>

// <guide>
const LEASE: u64 = 10 * SECOND;

/// Lets one guest in at a time, and takes the room back when the lease is over.
#[derive(Default)]
struct Doorman {
    fence: u64,
    inside: bool,
}

impl Agent for Doorman {
    type Inbox = Door;
    /// The number of the lease that is over.
    type Timer = Lease;

    fn on_message(&mut self, ctx: &mut Context<'_, Self>, from: AgentId, message: Door) {
        match message {
            Door::Knock if !self.inside => {
                self.inside = true;
                self.fence += 1;
                ctx.set_timer(LEASE, Lease::Over { fence: self.fence });
                ctx.send(Address::new(from), Door::Enter { fence: self.fence });
            }
            Door::Leave { fence } if fence == self.fence => self.inside = false,
            _ => {}
        }
    }

    fn on_timer(&mut self, _ctx: &mut Context<'_, Self>, Lease::Over { fence }: Lease) {
        if fence == self.fence {
            self.inside = false;
        }
    }
}

#[derive(Serialize, Deserialize)]
enum Lease {
    Over { fence: u64 },
}
// </guide>

// <guide>
/// Knocks, works in the room for six seconds, writes down what came of it, leaves.
#[derive(Default)]
struct Guest {
    /// The number of the lease, while inside.
    fence: Option<u64>,
}

#[derive(Serialize, Deserialize)]
enum Tick {
    Knock,
    Done,
}

impl Agent for Guest {
    type Inbox = Door;
    type Timer = Tick;

    fn on_start(&mut self, ctx: &mut Context<'_, Self>) {
        ctx.set_timer(SECOND, Tick::Knock);
    }

    fn on_message(&mut self, ctx: &mut Context<'_, Self>, _from: AgentId, message: Door) {
        if let (Door::Enter { fence }, None) = (message, self.fence) {
            self.fence = Some(fence);
            ctx.work_for(6 * SECOND, Tick::Done);
        }
    }

    fn on_timer(&mut self, ctx: &mut Context<'_, Self>, tick: Tick) {
        match (&tick, self.fence) {
            (Tick::Done, Some(fence)) => {
                ctx.send(the("ledger"), Door::Write { fence });
                ctx.send(the("doorman"), Door::Leave { fence });
                self.fence = None;
            }
            (Tick::Knock, None) => ctx.send(the("doorman"), Door::Knock),
            _ => {}
        }
        if matches!(tick, Tick::Knock) {
            ctx.set_timer(SECOND, Tick::Knock);
        }
    }
}

/// Books what guests write.
struct Ledger {
    /// Whether it refuses what comes from an old lease.
    checks: bool,
    newest: u64,
    lines: u64,
}

impl Agent for Ledger {
    type Inbox = Door;
    type Timer = ();

    fn on_message(&mut self, ctx: &mut Context<'_, Self>, _from: AgentId, message: Door) {
        let Door::Write { fence } = message else { return };
        if self.checks && fence < self.newest {
            return;
        }
        self.newest = self.newest.max(fence);
        let (operation, version) = (self.lines + 1, self.lines + 1);
        ctx.fact(Fact::Write { operation, resource: "ledger", based_on: self.lines, version, fence });
        self.lines += 1;
    }
}

fn the(name: &str) -> Address<Door> {
    Address::new(AgentId::named(name, 1))
}
// </guide>

// <guide>
fn room(checks: bool) -> impl Fn(&mut Fleet) -> Result<(), fleetsim_engine::Error> {
    move |fleet| {
        fleet.add("doorman", 1, |_| Doorman::default())?;
        fleet.add("guest", 3, |_| Guest::default())?;
        fleet.add("ledger", 1, move |_| Ledger { checks, newest: 0, lines: 0 })?;
        Ok(())
    }
}

/// What the ledger is to promise, and what it must bear: loss, delay, and guests that are paused while they work.
fn check(name: &str, checks: bool) -> Check<'static> {
    let mut newest = 0;
    Check::new(name, room(checks))
        .seeds(0..300)
        .until(120 * SECOND)
        .swarm(
            Tolerance {
                loss: Some(Share::new(1, 4)),
                delay_ns: Some(SECOND),
                pause_ns: Some(8 * SECOND),
                roles: vec!["guest".to_owned()],
                ..Tolerance::default()
            },
            60 * SECOND,
        )
        .always("nobody writes with an old lease", move |fact, _step| {
            let Fact::Write { fence, .. } = *fact else { return true };
            let is_old = fence < newest;
            newest = newest.max(fence);
            !is_old
        })
        .sometimes("somebody writes", |fact, _step| matches!(fact, Fact::Write { .. }))
}
// </guide>

// <guide>
#[test]
#[should_panic(expected = "nobody writes with an old lease")]
fn the_ledger_is_in_order() {
    check("the room", false).run();
}
// </guide>

mod guide {
    use std::path::Path;
    use std::process::{Command, Output};

    fn code() -> Vec<String> {
        let source = include_str!("guide.rs");
        let blocks = source.split("// <guide>\n").skip(1);
        blocks
            .map(|block| block.split("// </guide>").next().expect("a block ends").trim().to_owned())
            .collect()
    }

    #[test]
    fn the_guide_shows_this_code() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/property-testing.md");
        let guide = std::fs::read_to_string(path).expect("the guide");
        // The last of the blocks here is what this test looks for.
        for block in code().iter().take(5) {
            // Users depend on the façade.
            let shown = block
                .replace("fleetsim_engine::", "fleetsim::")
                .replace("fleetsim_explore", "fleetsim::explore");
            let shown = shown.replace("fleetsim_fault_injection", "fleetsim::faults");
            assert!(guide.contains(&shown), "the guide does not show this:\n{shown}");
        }
    }

    fn this_test(test: &str, trace: Option<&str>) -> Output {
        let mut command = Command::new(std::env::current_exe().expect("a test has a file"));
        command
            .args([test, "--exact", "--nocapture"])
            .env_remove("FLEETSIM_REPLAY")
            .env("RUST_BACKTRACE", "0");
        if let Some(trace) = trace {
            command.env("FLEETSIM_REPLAY", trace);
        }
        command.output().expect("the test starts")
    }

    /// The deliberate bug is caught, reduced to the rules that matter, and replayed from the printed command.
    #[test]
    fn the_bug_is_caught_reduced_and_replayed() {
        let output = this_test("the_ledger_is_in_order", None);
        let told = String::from_utf8(output.stderr).expect("text");
        assert!(told.contains("`nobody writes with an old lease` fails with seed "), "{told}");
        let faults = told.lines().find(|line| line.starts_with("faults: ")).expect("it tells the faults");
        assert!(faults.starts_with("faults: 1 of "), "{faults}");
        assert!(told.contains("  pause guest: pause of one of guest"), "{told}");
        let again = told.lines().find_map(|line| line.strip_prefix("again: ")).expect("it tells a command");
        let (trace, command) = again.split_once(' ').expect("a variable and a command");
        assert_eq!(command, "cargo test -p fleetsim-explore the_ledger_is_in_order -- --exact --nocapture");
        let trace = trace.strip_prefix("FLEETSIM_REPLAY=").expect("it names the trace");

        let replayed =
            String::from_utf8(this_test("the_ledger_is_in_order", Some(trace)).stderr).expect("text");
        assert!(replayed.contains("identical: "), "{replayed}");
        let witness = |text: &str| {
            text.lines().filter(|line| line.starts_with("  #e")).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(witness(&replayed), witness(&told));
        assert!(!witness(&told).is_empty());
    }

    #[test]
    fn the_mended_protocol_holds() {
        let checked = super::check("the mended room", true).run();
        assert_eq!(checked.runs, 300);
        for fault in ["loss", "delay", "pause"] {
            assert!(checked.injected[fault] > 100, "{fault}: {:?}", checked.injected);
        }
    }
}
