//! Metastable failure, suspected: a trigger is over, but load stays high and little gets done.
//!
//! A sustaining effect (retries, copies, cold caches) keeps a system overloaded after what pushed it there is gone.
//! Proof needs a run with the trigger taken out; a single record gives grounds for suspicion, and that is what is
//! reported.
//!
//! Time is cut into windows of `metastable_window_ns` (default 5 minutes). *Load* is the messages that were handled or
//! came to nothing, *goodput* the tasks reported done, *arrivals* the tasks added. A trigger is a window with a crash, a
//! pause, a fault or a lost message, or with more than twice the usual arrivals (at least 10). It is over in the first
//! window after it that has none of these, with every agent up again, and arrivals back within a quarter of the usual.
//! From there on, `metastable_windows_min` (default 6) windows in a row with goodput at most half of the usual, load at
//! least the usual, and work open all the while, are the finding. *Usual* is the mean of as many windows before the
//! trigger, of which all but the first must have been calm. One better window, and the fleet has recovered.
//!
//! A backlog that is being worked off is therefore not metastable (goodput is high), nor a fleet that lies idle (load is
//! low), nor one whose agents are still down (the trigger is not over).
//!
//! *Source.* Bronson, Aghayev, Charapko and Zhu, "Metastable Failures in Distributed Systems" (HotOS 2021).
//!
//! *Parameters.* [`MonitorConfig::metastable_window_ns`], [`MonitorConfig::metastable_windows_min`].
//!
//! *Limits.* A fleet that was never calm for long enough has no usual; so has one with less than one task done a window.
//! Triggers that leave no event (a slow provider) are seen only by the load that they bring.
//!
//! A step costs constant time; memory: a fixed number of windows, agents that are down, and open tasks.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use fleetsim_engine::batch::{Event, Fate, Step};
use fleetsim_engine::{AgentId, Fact, Time};

use crate::config::MonitorConfig;
use crate::finding::{Class, Evidence, Finding, Numbers, Severity};
use crate::fold::Fold;
use crate::interests::{FactKind, Interests};
use crate::monitor::{Moment, RunEnd, went_down};
use crate::text::{counted, duration};

const KIND: &str = "metastable";
/// Arrivals that make a burst, however few are usual.
const BURST_MIN: u64 = 10;
/// The most windows that are remembered, whatever is asked for.
const WINDOWS_MAX: u32 = 1000;

/// Suspects metastable failure.
#[derive(Clone, Debug)]
pub(crate) struct Metastable {
    window_ns: u64,
    windows_min: u64,
    /// Whether no work was open after the last step.
    is_idle: bool,
    down: BTreeSet<AgentId>,
    index: u64,
    /// When the current window ends.
    ends_ns: u64,
    current: Window,
    phase: Phase,
    /// The last calm windows.
    calm: VecDeque<Window>,
    found: Fold<Told>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Window {
    load: u64,
    done: u64,
    arrivals: u64,
    disturbance: Option<Moment>,
    /// The first and the last moment that counted.
    first: Option<Moment>,
    last: Option<Moment>,
    /// Whether some agent was down, or no work was open, at its end.
    down: bool,
    idle: bool,
}

/// What is usual, summed over `windows` windows.
#[derive(Clone, Copy, Debug)]
struct Usual {
    windows: u64,
    load: u64,
    done: u64,
    arrivals: u64,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Calm,
    /// The trigger lasts.
    Triggered {
        usual: Usual,
        trigger: Moment,
    },
    /// The trigger is over.
    After(Bad),
}

/// Windows after a trigger.
#[derive(Clone, Copy, Debug)]
struct Bad {
    usual: Usual,
    trigger: Moment,
    over: Moment,
    windows: u64,
    load: u64,
    done: u64,
    last: Moment,
    /// Where there had been enough of them.
    enough: Option<Moment>,
}

#[derive(Clone, Copy, Debug)]
struct Told {
    bad: Bad,
    enough: Moment,
}

impl Window {
    /// Something counted at this moment.
    #[inline]
    fn count(&mut self, at: Moment) {
        self.first.get_or_insert(at);
        self.last = Some(at);
    }

    fn observe(&mut self, at: Moment, facts: &[Fact<'_>]) {
        for fact in facts {
            match fact {
                Fact::TaskAdded { .. } => self.arrivals += 1,
                Fact::TaskFinished { reported: true, .. } => self.done += 1,
                _ => continue,
            }
            self.count(at);
        }
    }

    fn is_triggered(&self, usual: Option<&Usual>) -> bool {
        let burst = |usual: &Usual| {
            self.arrivals >= BURST_MIN
                && scaled(self.arrivals, usual.windows) > 2 * u128::from(usual.arrivals)
        };
        self.disturbance.is_some() || self.down || usual.is_some_and(burst)
    }

    /// Whether arrivals are back to at most a quarter more than usual.
    fn is_over(&self, usual: &Usual) -> bool {
        self.disturbance.is_none()
            && !self.down
            && 4 * scaled(self.arrivals, usual.windows) <= 5 * u128::from(usual.arrivals)
    }

    fn is_bad(&self, usual: &Usual) -> bool {
        !self.idle
            && 2 * scaled(self.done, usual.windows) <= u128::from(usual.done)
            && scaled(self.load, usual.windows) >= u128::from(usual.load)
    }
}

fn scaled(count: u64, windows: u64) -> u128 {
    u128::from(count) * u128::from(windows)
}

impl Metastable {
    /// A monitor with the bounds of `config`.
    pub(crate) fn new(config: &MonitorConfig) -> Metastable {
        Metastable {
            window_ns: config.metastable_window_ns.max(1),
            ends_ns: config.metastable_window_ns.max(1),
            windows_min: u64::from(config.metastable_windows_min.clamp(1, WINDOWS_MAX)),
            is_idle: true,
            down: BTreeSet::new(),
            index: 0,
            current: Window::default(),
            phase: Phase::Calm,
            calm: VecDeque::new(),
            found: Fold::default(),
        }
    }

    fn usual(&self) -> Option<Usual> {
        let windows = self.calm.len() as u64;
        let sum = |of: fn(&Window) -> u64| self.calm.iter().map(of).sum::<u64>();
        let usual = Usual {
            windows,
            load: sum(|window| window.load),
            done: sum(|window| window.done),
            arrivals: sum(|window| window.arrivals),
        };
        (windows >= self.windows_min && usual.done >= windows).then_some(usual)
    }

    /// Closes all windows before the one with number `index`.
    fn advance(&mut self, index: u64) {
        if index <= self.index {
            return;
        }
        let mut window = core::mem::take(&mut self.current);
        (window.down, window.idle) = (!self.down.is_empty(), self.is_idle);
        self.close(window);
        // Nothing happened in the windows between: all of them are alike, and more than this change nothing.
        let empty = Window { down: window.down, idle: window.idle, ..Window::default() };
        for _ in 0..(index - self.index - 1).min(self.windows_min + 1) {
            self.close(empty);
        }
        self.index = index;
        self.ends_ns = (index + 1).saturating_mul(self.window_ns);
    }

    fn close(&mut self, window: Window) {
        match self.phase {
            Phase::Calm => {
                let usual = self.usual();
                match (window.is_triggered(usual.as_ref()), usual) {
                    (true, Some(usual)) => {
                        let trigger = window.disturbance.or(window.first).unwrap_or(Moment::ZERO);
                        self.phase = Phase::Triggered { usual, trigger };
                        self.calm.clear();
                    }
                    // What is usual must be learnt without disturbance.
                    (true, None) => self.calm.clear(),
                    (false, _) => {
                        self.calm.push_back(window);
                        if self.calm.len() as u64 > self.windows_min {
                            self.calm.pop_front();
                        }
                    }
                }
            }
            Phase::Triggered { usual, trigger } => {
                if window.is_over(&usual) {
                    self.after(usual, trigger, window);
                }
            }
            Phase::After(bad) => {
                if window.is_over(&bad.usual) && window.is_bad(&bad.usual) {
                    self.phase = Phase::After(bad.with(&window, self.windows_min));
                } else {
                    self.tell(bad);
                    if window.is_triggered(Some(&bad.usual)) {
                        let trigger = window.disturbance.or(window.first).unwrap_or(bad.last);
                        self.phase = Phase::Triggered { usual: bad.usual, trigger };
                    } else {
                        self.phase = Phase::Calm;
                        self.calm.clear();
                        self.calm.push_back(window);
                    }
                }
            }
        }
    }

    /// The first window after a trigger.
    fn after(&mut self, usual: Usual, trigger: Moment, window: Window) {
        if !window.is_bad(&usual) {
            self.phase = Phase::Calm;
            self.calm.push_back(window);
            return;
        }
        let over = window.first.unwrap_or(trigger);
        let none = Bad { usual, trigger, over, windows: 0, load: 0, done: 0, last: over, enough: None };
        self.phase = Phase::After(none.with(&window, self.windows_min));
    }

    fn tell(&mut self, bad: Bad) {
        if let Some(enough) = bad.enough {
            self.found.add(Told { bad, enough }, []);
        }
    }

    fn finding(&self, fold: &Fold<Told>) -> Finding {
        let Told { bad, enough } = fold.first();
        let mean = |sum: u64, windows: u64| sum / windows.max(1);
        let usual = &bad.usual;
        let window = duration(self.window_ns);
        let text = format!(
            "suspected: since its trigger was over the fleet did {} in {}, {} a window of {window} instead of {}, under a \
             load of {} messages a window instead of {}",
            counted(bad.done, "task"),
            counted(bad.windows, "window"),
            mean(bad.done, bad.windows),
            mean(usual.done, usual.windows),
            mean(bad.load, bad.windows),
            mean(usual.load, usual.windows),
        );
        let mut evidence = vec![
            Evidence::new(bad.trigger, "the trigger"),
            Evidence::new(bad.over, "the trigger was over"),
            Evidence::new(*enough, "it had been over for long enough to recover"),
        ];
        evidence.extend(
            fold.kept
                .iter()
                .skip(1)
                .map(|told| Evidence::new(told.bad.over, "another trigger was over".to_owned())),
        );
        Finding {
            count: fold.count,
            evidence,
            numbers: Numbers(vec![
                ("windows", bad.windows),
                ("window_ns", self.window_ns),
                ("load_messages", bad.load),
                ("done_tasks", bad.done),
                ("usual_load_messages_per_window", mean(usual.load, usual.windows)),
                ("usual_done_tasks_per_window", mean(usual.done, usual.windows)),
                ("usual_arrivals_per_window", mean(usual.arrivals, usual.windows)),
            ]),
            about: BTreeMap::from([("form", vec!["suspected".to_owned()])]),
            earliest_signal: Some(Evidence::new(bad.over, "the trigger was over, and goodput stayed low")),
            lead_time_ns: Some(bad.last.at.since(bad.over.at)),
            remedy: Some(
                "shed load until the backlog is gone, and bound retries and redeliveries by a budget"
                    .to_owned(),
            ),
            ..Finding::new(KIND, Class::Liveness, Severity::Medium, KIND, bad.over, "", &text)
        }
    }
}

impl Bad {
    fn with(self, window: &Window, windows_min: u64) -> Bad {
        let last = window.last.unwrap_or(self.last);
        let windows = self.windows + 1;
        Bad {
            windows,
            load: self.load.saturating_add(window.load),
            done: self.done.saturating_add(window.done),
            last,
            enough: self.enough.or((windows >= windows_min).then_some(last)),
            ..self
        }
    }
}

impl Metastable {
    const FACTS: Interests = Interests::facts(&[FactKind::TaskAdded, FactKind::TaskFinished]);

    /// What it looks at.
    pub(crate) const INTERESTS: Interests =
        Metastable::FACTS.and(Interests::MESSAGES).and(Interests::LIFECYCLE);

    /// Closes the windows that end up to `now`, before the step at that time is observed.
    #[inline]
    pub(crate) fn reach(&mut self, now: Time) {
        if now.as_ns() >= self.ends_ns {
            self.advance(now.as_ns() / self.window_ns);
        }
    }

    /// Takes note of a step, after which no work is open if `is_idle`.
    #[inline]
    pub(crate) fn observe(&mut self, at: Moment, step: &Step<'_>, facts: &[Fact<'_>], is_idle: bool) {
        self.is_idle = is_idle;
        let window = &mut self.current;
        if step.event == Event::Message {
            window.load += 1;
            window.count(at);
        }
        if Interests::stated_in(step).meets(Metastable::FACTS) {
            window.observe(at, facts);
        }
    }

    /// Takes note of a step in which an agent came, went, or could not handle what happened.
    pub(crate) fn observe_turn(&mut self, at: Moment, step: &Step<'_>) {
        let disturbs = matches!(step.event, Event::Crash | Event::Pause | Event::Clock | Event::Fault)
            && step.fate == Fate::Handled
            || matches!(step.fate, Fate::Lost | Fate::Panicked);
        if disturbs {
            self.current.disturbance.get_or_insert(at);
        }
        if went_down(step) || (step.event == Event::Pause && step.fate == Fate::Handled) {
            self.down.insert(step.target);
        } else if matches!(step.event, Event::Restart | Event::Resume) && step.fate == Fate::Handled {
            self.down.remove(&step.target);
        }
    }

    /// Judges what it has seen so far.
    pub(crate) fn findings(&self, end: &RunEnd) -> Vec<Finding> {
        let mut judged = self.clone();
        // The window that the end cut short is left out.
        judged.advance(end.time.as_ns() / self.window_ns);
        if let Phase::After(bad) = judged.phase {
            judged.tell(bad);
        }
        if judged.found.count == 0 { Vec::new() } else { vec![self.finding(&judged.found)] }
    }
}
