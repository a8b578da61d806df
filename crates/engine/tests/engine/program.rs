//! Random programs: agents that act by data, so that a run and its brute-force twin can follow the same script.

use std::rc::Rc;

use fleetsim_engine::{
    Address, Agent, AgentId, Birth, Context, Control, Fleet, Message, Spawn, Time, TimerId,
};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    /// To agent `to` (counted over the fleet, one past the end is nobody), after thinking.
    Send {
        to: usize,
        delay_ns: u64,
    },
    Timer {
        delay_ns: u64,
    },
    /// Cancels one of the timers that were set in this life.
    Cancel {
        which: usize,
    },
    /// Ignored after the first of a handler.
    Work {
        delay_ns: u64,
    },
    /// The child follows the next script.
    Spawn,
    Halt,
    Panic,
}

/// What the k-th call of a handler does, for each k.
pub(crate) type Script = Vec<Vec<Action>>;

#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) seed: u64,
    /// Agent n follows script n.
    pub(crate) scripts: Rc<Vec<Script>>,
    /// (time, agent, control).
    pub(crate) controls: Vec<(u64, usize, Control)>,
}

pub(crate) const GROUP: &str = "actor";
pub(crate) const RULE: &str = "rule";

pub(crate) fn member(at: usize) -> AgentId {
    AgentId::named(GROUP, at as u32 + 1)
}

#[derive(Serialize, Deserialize)]
pub(crate) enum Ping {
    /// Long enough to travel in the payload store.
    Ping([u64; 4]),
}

impl Message for Ping {
    const PROTOCOL: &'static str = "ping";
}

/// Follows a script.
pub(crate) struct Player {
    scripts: Rc<Vec<Script>>,
    script: usize,
    calls: usize,
    timers: Vec<TimerId>,
}

impl Player {
    fn act(&mut self, ctx: &mut Context<'_, Self>) {
        let actions = self.scripts.get(self.script).and_then(|script| script.get(self.calls));
        let actions = actions.cloned().unwrap_or_default();
        self.calls += 1;
        let mut worked = false;
        for action in actions {
            match action {
                Action::Send { to, delay_ns } => {
                    ctx.send_after(Address::new(member(to)), Ping::Ping([7; 4]), delay_ns);
                }
                Action::Timer { delay_ns } => self.timers.push(ctx.set_timer(delay_ns, ())),
                Action::Cancel { which } if !self.timers.is_empty() => {
                    ctx.cancel_timer(self.timers[which % self.timers.len()]);
                }
                Action::Work { delay_ns } if !worked => {
                    worked = true;
                    ctx.work_for(delay_ns, ());
                }
                Action::Spawn => {
                    SCRIPTS.with(|shared| shared.replace(Rc::clone(&self.scripts)));
                    ctx.spawn::<Player>(self.script as u32 + 1);
                }
                Action::Halt => ctx.halt(),
                Action::Panic => panic!("the script says so"),
                Action::Cancel { .. } | Action::Work { .. } => {}
            }
        }
    }
}

impl Agent for Player {
    type Inbox = Ping;
    type Timer = ();

    fn on_start(&mut self, ctx: &mut Context<'_, Self>) {
        self.act(ctx);
    }

    fn on_message(&mut self, ctx: &mut Context<'_, Self>, _from: AgentId, _message: Ping) {
        self.act(ctx);
    }

    fn on_timer(&mut self, ctx: &mut Context<'_, Self>, (): ()) {
        self.act(ctx);
    }

    fn on_fault(&mut self, ctx: &mut Context<'_, Self>, _fault: &str) {
        self.act(ctx);
    }
}

thread_local! {
    /// The scripts of the program that this thread runs: a child is made from its configuration alone.
    static SCRIPTS: std::cell::RefCell<Rc<Vec<Script>>> = std::cell::RefCell::default();
}

impl Spawn for Player {
    type Config = u32;

    fn spawn(_birth: &Birth, script: u32) -> Player {
        let scripts = SCRIPTS.with(|shared| Rc::clone(&shared.borrow()));
        Player { scripts, script: script as usize, calls: 0, timers: Vec::new() }
    }
}

impl Program {
    pub(crate) fn fleet(&self) -> Fleet {
        let mut fleet = crate::stage::fleet(self.seed);
        let scripts = Rc::clone(&self.scripts);
        let make = move |birth: &Birth| Player {
            scripts: Rc::clone(&scripts),
            script: birth.ordinal as usize - 1,
            calls: 0,
            timers: Vec::new(),
        };
        fleet.add(GROUP, self.scripts.len() as u32, make).expect("one group");
        fleet.spawnable::<Player>("child").expect("one kind");
        for (at_ns, agent, control) in &self.controls {
            fleet.control(RULE, Time::from_ns(*at_ns), member(*agent), control.clone());
        }
        fleet
    }
}

fn action() -> impl Strategy<Value = Action> {
    // Delays are short, so that ties and races are common.
    prop_oneof![
        4 => (0_usize..5, 0_u64..4).prop_map(|(to, delay_ns)| Action::Send { to, delay_ns }),
        4 => (0_u64..12).prop_map(|delay_ns| Action::Timer { delay_ns }),
        3 => (0_usize..6).prop_map(|which| Action::Cancel { which }),
        2 => (0_u64..15).prop_map(|delay_ns| Action::Work { delay_ns }),
        1 => Just(Action::Spawn),
        1 => prop_oneof![Just(Action::Halt), Just(Action::Panic)],
    ]
}

fn control() -> impl Strategy<Value = Control> {
    prop_oneof![
        2 => Just(Control::Crash),
        3 => Just(Control::Restart),
        1 => Just(Control::Pause),
        1 => Just(Control::Resume),
        1 => Just(Control::Tell("misbehave".to_owned())),
    ]
}

pub(crate) fn program() -> impl Strategy<Value = Program> {
    let script = prop::collection::vec(prop::collection::vec(action(), 0..5), 0..6);
    let controls = prop::collection::vec((0_u64..60, 0_usize..4, control()), 0..14);
    (any::<u64>(), prop::collection::vec(script, 1..5), controls)
        .prop_map(|(seed, scripts, controls)| Program { seed, scripts: Rc::new(scripts), controls })
}
