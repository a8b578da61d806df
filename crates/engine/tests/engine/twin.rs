//! A brute-force twin of the engine: a sorted list, no cleverness. Both must take the same steps.

use std::collections::BTreeMap;

use fleetsim_engine::batch::{Event, Fate};
use fleetsim_engine::{AgentId, Control, Limits, mix};
use proptest::prelude::*;

use crate::program::{Action, Program, RULE, member, program};
use crate::stage::{LATENCY_NS, play_within};

const EVENTS_MAX: u64 = 2_000;

/// (time, target, source, sequence, event, fate, waited).
type Line = (u64, AgentId, AgentId, u32, Event, Fate, u64);

#[derive(Clone, Debug)]
struct Pending {
    time: u64,
    target: AgentId,
    source: AgentId,
    sequence: u32,
    event: Event,
    /// For the start of a child: its script.
    script: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Condition {
    Unborn,
    Up,
    Down,
    Halted,
}

#[derive(Debug)]
struct Mind {
    condition: Condition,
    busy: bool,
    paused: bool,
    inbox: Vec<(Pending, u64)>,
    script: usize,
    calls: usize,
    sequence: u32,
    children: u32,
    timers: Vec<u32>,
}

impl Mind {
    fn new(script: usize) -> Mind {
        Mind {
            condition: Condition::Unborn,
            busy: false,
            paused: false,
            inbox: Vec::new(),
            script,
            calls: 0,
            sequence: 0,
            children: 0,
            timers: Vec::new(),
        }
    }
}

struct Twin<'a> {
    program: &'a Program,
    now: u64,
    queue: Vec<Pending>,
    minds: BTreeMap<AgentId, Mind>,
    lines: Vec<Line>,
}

impl Twin<'_> {
    fn run(program: &Program) -> Vec<Line> {
        let mut twin = Twin { program, now: 0, queue: Vec::new(), minds: BTreeMap::new(), lines: Vec::new() };
        for script in 0..program.scripts.len() {
            let target = member(script);
            twin.minds.insert(target, Mind::new(script));
            twin.push(0, target, AgentId::WORLD, 0, Event::Start, script);
        }
        for (sequence, (time, agent, control)) in program.controls.iter().enumerate() {
            let event = match control {
                Control::Crash => Event::Crash,
                Control::Restart => Event::Restart,
                Control::Pause => Event::Pause,
                Control::Resume => Event::Resume,
                Control::Clock(_) => Event::Clock,
                Control::Tell(_) => Event::Fault,
                Control::Slow { .. } | Control::Announce { .. } | Control::Heal { .. } => {
                    unreachable!("programs have none")
                }
            };
            twin.push(*time, member(*agent), AgentId::rule(RULE), sequence as u32, event, 0);
        }
        while !twin.queue.is_empty() {
            twin.queue.sort_by_key(|event| {
                let (target, source) = (event.target.as_u64(), event.source.as_u64());
                let tie = mix([program.seed, target, source, event.time]);
                (event.time, tie, target, source, event.sequence)
            });
            let event = twin.queue.remove(0);
            twin.now = event.time;
            let target = event.target;
            let arrived = event.time;
            twin.deliver(event, arrived);
            while let Some((event, arrived)) = twin.next_waiting(target) {
                twin.deliver(event, arrived);
            }
        }
        twin.lines.truncate(EVENTS_MAX as usize);
        twin.lines
    }

    fn push(
        &mut self,
        time: u64,
        target: AgentId,
        source: AgentId,
        sequence: u32,
        event: Event,
        script: usize,
    ) {
        self.queue.push(Pending { time, target, source, sequence, event, script });
    }

    fn next_waiting(&mut self, target: AgentId) -> Option<(Pending, u64)> {
        let mind = self.minds.get_mut(&target)?;
        let begins = matches!(mind.inbox.first()?.0.event, Event::WorkEnd | Event::Start);
        let hears = mind.condition != Condition::Unborn && !mind.busy;
        (!mind.paused && (begins || hears)).then(|| mind.inbox.remove(0))
    }

    fn deliver(&mut self, event: Pending, arrived: u64) {
        let Some(mind) = self.minds.get_mut(&event.target) else {
            self.line(&event, Fate::Unknown, arrived);
            return;
        };
        let lives = matches!(mind.condition, Condition::Unborn | Condition::Up);
        let deaf = mind.busy || mind.paused || mind.condition == Condition::Unborn;
        match event.event {
            Event::Message | Event::Fault | Event::Timer if lives && deaf => {
                mind.inbox.push((event, arrived));
                return;
            }
            Event::WorkEnd | Event::Start if mind.paused && lives => {
                mind.inbox.insert(0, (event, arrived));
                return;
            }
            _ => {}
        }
        match (event.event, mind.condition) {
            (Event::Start, Condition::Unborn) | (Event::Restart, Condition::Down) => {
                mind.condition = Condition::Up;
                mind.calls = 0;
                mind.timers.clear();
                if event.event == Event::Start {
                    mind.script = event.script;
                }
                self.act(&event, arrived);
            }
            (Event::Message | Event::Fault | Event::Timer, Condition::Up) => self.act(&event, arrived),
            (Event::WorkEnd, Condition::Up) => {
                mind.busy = false;
                self.act(&event, arrived);
            }
            (Event::Crash, Condition::Up | Condition::Unborn) => {
                self.line(&event, Fate::Handled, arrived);
                self.fall(event.target);
            }
            (Event::Pause | Event::Resume, Condition::Up | Condition::Unborn) => {
                mind.paused = event.event == Event::Pause;
                self.line(&event, Fate::Handled, arrived);
            }
            (Event::Message | Event::Fault, Condition::Down) => self.line(&event, Fate::Down, arrived),
            (Event::Message | Event::Fault, Condition::Halted) => self.line(&event, Fate::Halted, arrived),
            (Event::Timer | Event::WorkEnd, _) => unreachable!("timers die with their agent"),
            _ => self.line(&event, Fate::Void, arrived),
        }
    }

    fn act(&mut self, event: &Pending, arrived: u64) {
        let me = event.target;
        let mind = self.minds.get_mut(&me).expect("it exists");
        let script = self.program.scripts.get(mind.script);
        let actions = script.and_then(|script| script.get(mind.calls)).cloned().unwrap_or_default();
        mind.calls += 1;
        if actions.iter().any(|action| matches!(action, Action::Panic)) {
            self.line(event, Fate::Panicked, arrived);
            self.fall(me);
            return;
        }
        self.line(event, Fate::Handled, arrived);
        let mut worked = false;
        for action in &actions {
            let mind = self.minds.get_mut(&me).expect("it exists");
            let sequence = mind.sequence;
            let script = mind.script;
            match *action {
                Action::Send { to, delay_ns } => {
                    mind.sequence += 1;
                    self.push(self.now + LATENCY_NS + delay_ns, member(to), me, sequence, Event::Message, 0);
                }
                Action::Timer { delay_ns } => {
                    mind.sequence += 1;
                    mind.timers.push(sequence);
                    self.push(self.now + delay_ns.max(1), me, me, sequence, Event::Timer, 0);
                }
                Action::Work { delay_ns } if !worked => {
                    worked = true;
                    mind.sequence += 1;
                    mind.busy = true;
                    self.push(self.now + delay_ns.max(1), me, me, sequence, Event::WorkEnd, 0);
                }
                Action::Cancel { which } if !mind.timers.is_empty() => {
                    let cancelled = mind.timers[which % mind.timers.len()];
                    let is_it = |event: &Pending| {
                        event.event == Event::Timer && event.target == me && event.sequence == cancelled
                    };
                    mind.inbox.retain(|(event, _)| !is_it(event));
                    self.queue.retain(|event| !is_it(event));
                }
                Action::Spawn => {
                    mind.sequence += 1;
                    let child = AgentId::spawned(me, mind.children);
                    mind.children += 1;
                    self.minds.insert(child, Mind::new(script + 1));
                    self.push(self.now + 1, child, me, sequence, Event::Start, script + 1);
                }
                Action::Halt => mind.condition = Condition::Halted,
                Action::Panic | Action::Cancel { .. } | Action::Work { .. } => {}
            }
        }
        if self.minds[&me].condition == Condition::Halted {
            self.lose_timers(me);
        }
    }

    fn fall(&mut self, me: AgentId) {
        self.lose_timers(me);
        let mind = self.minds.get_mut(&me).expect("it exists");
        mind.condition = Condition::Down;
        for (event, arrived) in std::mem::take(&mut mind.inbox) {
            let fate = if event.event == Event::Start { Fate::Void } else { Fate::Forgotten };
            self.line(&event, fate, arrived);
        }
    }

    fn lose_timers(&mut self, me: AgentId) {
        let own =
            |event: &Pending| event.target == me && matches!(event.event, Event::Timer | Event::WorkEnd);
        self.queue.retain(|event| !own(event));
        let mind = self.minds.get_mut(&me).expect("it exists");
        mind.inbox.retain(|(event, _)| !own(event));
        (mind.busy, mind.paused) = (false, false);
    }

    fn line(&mut self, event: &Pending, fate: Fate, arrived: u64) {
        let Pending { target, source, sequence, event, .. } = *event;
        self.lines.push((self.now, target, source, sequence, event, fate, self.now - arrived));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_engine_takes_the_steps_of_its_twin(program in program()) {
        let limits = Limits { events_max: EVENTS_MAX, ..Limits::default() };
        let run = play_within(program.fleet(), &limits);
        let lines: Vec<Line> = run.rows.iter().map(|row| {
            (row.time_ns, row.target, row.source, row.sequence, row.event, row.fate, row.waited_ns)
        }).collect();
        prop_assert_eq!(lines, Twin::run(&program));
    }
}
