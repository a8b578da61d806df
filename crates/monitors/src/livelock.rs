//! Livelock: agents are busy and work is open, but nothing comes closer to done.
//!
//! A record can show a *fruitless* stretch, without `Progress`, a task reported done, a committed operation or an
//! approval. It counts as livelock when all of these hold:
//! - it lasted at least `livelock_after_ns` (default 1 hour), and eight times the longest stretch before it that ended
//!   in progress, so that a fleet of long tasks is measured by its own pace;
//! - work was open all the while, and at least two agents acted;
//! - they acted in vain: `livelock_vain_min` (default 100) operations aborted, tasks given back, attempts failed or
//!   begun again. Or nobody spent anything, and ten times as many messages were handled: talk without work.
//!
//! Long model turns are therefore not livelock, and neither is a night without people: both are quiet or paid for.
//!
//! *Source.* Liveness after Owicki and Lamport, "Proving Liveness Properties of Concurrent Programs" (1982), turned into
//! something that a record can show.
//!
//! *Parameters.* [`MonitorConfig::livelock_after_ns`], [`MonitorConfig::livelock_vain_min`].
//!
//! *Limits.* A fleet that states no progress until its first task is done, and meets the last condition till then, looks
//! like one that never will. Livelock of a few among many that progress stays unseen.
//!
//! A step costs constant time; memory: open tasks, and runs of numbers of done ones.

use std::collections::BTreeMap;

use fleetsim_engine::batch::{Event, Fate, Step};
use fleetsim_engine::{AgentId, Fact, Names, Time};

use crate::config::MonitorConfig;
use crate::finding::{Class, Evidence, Finding, Numbers, Severity};
use crate::fold::Fold;
use crate::interests::{FactKind, Interests};
use crate::monitor::{Moment, RunEnd};
use crate::text::{counted, dollars, duration};

const KIND: &str = "livelock";
/// Agents that are remembered of a stretch.
const AGENTS_MAX: usize = 16;
/// How much longer than any stretch before it one must be.
const LONGER_THAN_BEFORE: u64 = 8;

/// Finds livelocks.
#[derive(Clone, Debug)]
pub(crate) struct Livelock {
    after_ns: u64,
    vain_min: u64,
    /// The same for messages that cost nothing.
    messages_min: u64,
    /// The present stretch, if it `goes_on`.
    stretch: Stretch,
    /// Whether work is open and a stretch has begun.
    goes_on: bool,
    /// The longest stretch that ended in progress and was none.
    longest_ns: u64,
    found: Fold<Told>,
}

/// A time without progress.
#[derive(Clone, Debug, Default)]
struct Stretch {
    began: Moment,
    /// The last step that counted towards it.
    last: Moment,
    /// In the order of [`Vain`].
    vain: [u64; 4],
    messages: u64,
    spent: u64,
    paid: bool,
    agents: Vec<AgentId>,
    /// When the acts in vain or the messages became enough.
    enough: Option<Moment>,
}

/// What leads nowhere.
#[derive(Clone, Copy, Debug)]
enum Vain {
    Aborted,
    GivenBack,
    Failed,
    BegunAgain,
}

#[derive(Clone, Debug)]
struct Told {
    stretch: Stretch,
    enough: Moment,
    lasted_ns: u64,
    ended: bool,
}

impl Stretch {
    /// Makes this one that begins now. Stretches are many and mostly short: each takes over the room of the last.
    fn restart(&mut self, began: Moment) {
        let Stretch { began: first, last, vain, messages, spent, paid, agents, enough } = self;
        (*first, *last, *enough) = (began, began, None);
        (*vain, *messages, *spent, *paid) = ([0; 4], 0, 0, false);
        agents.clear();
    }

    fn acts(&mut self, agent: AgentId, at: Moment) {
        self.last = at;
        if self.agents.len() < AGENTS_MAX && !self.agents.contains(&agent) {
            self.agents.push(agent);
        }
    }

    fn vain_acts(&self) -> u64 {
        self.vain.iter().sum()
    }
}

impl Livelock {
    /// A monitor with the bounds of `config`.
    pub(crate) fn new(config: &MonitorConfig) -> Livelock {
        Livelock {
            after_ns: config.livelock_after_ns,
            vain_min: config.livelock_vain_min.max(1),
            messages_min: config.livelock_vain_min.max(1).saturating_mul(10),
            stretch: Stretch::default(),
            goes_on: false,
            longest_ns: 0,
            found: Fold::default(),
        }
    }

    /// Judges a stretch that goes up to `end`.
    fn told(&self, stretch: &Stretch, end: Time, ended: bool) -> Option<Told> {
        let lasted_ns = end.since(stretch.began.at);
        let bound_ns = self.after_ns.max(self.longest_ns.saturating_mul(LONGER_THAN_BEFORE));
        let in_vain = stretch.vain_acts() >= self.vain_min;
        let in_talk = !stretch.paid && stretch.messages >= self.messages_min;
        let is_one = lasted_ns >= bound_ns && stretch.agents.len() >= 2 && (in_vain || in_talk);
        let enough = stretch.enough.unwrap_or(stretch.last);
        is_one.then(|| Told { stretch: stretch.clone(), enough, lasted_ns, ended })
    }

    fn progress(&mut self, at: Moment, is_idle: bool) {
        if self.goes_on {
            match self.told(&self.stretch, at.at, true) {
                Some(told) => self.found.add(told, self.stretch.agents.iter().copied()),
                None => self.longest_ns = self.longest_ns.max(at.at.since(self.stretch.began.at)),
            }
        }
        self.goes_on = !is_idle;
        self.stretch.restart(at);
    }

    /// The stretch that goes on, or else begins now.
    #[inline]
    fn stretch(&mut self, at: Moment) -> &mut Stretch {
        if !self.goes_on {
            self.goes_on = true;
            self.stretch.restart(at);
        }
        &mut self.stretch
    }

    /// A message was handled while work was open.
    #[inline]
    fn note_message(&mut self, at: Moment, agent: AgentId) {
        let messages_min = self.messages_min;
        let stretch = self.stretch(at);
        stretch.messages += 1;
        stretch.acts(agent, at);
        if stretch.enough.is_none() && stretch.messages >= messages_min {
            stretch.enough = Some(at);
        }
    }

    fn note(&mut self, step: &Step<'_>, facts: &[Fact<'_>], at: Moment) {
        if step.event == Event::Message && step.fate == Fate::Handled {
            self.note_message(at, step.target);
        }
        let vain_min = self.vain_min;
        let stretch = self.stretch(at);
        for fact in facts {
            let vain = match *fact {
                Fact::OperationAbort { .. } => Vain::Aborted,
                Fact::TaskReleased { .. } => Vain::GivenBack,
                Fact::TaskFinished { reported: false, .. } => Vain::Failed,
                Fact::TaskStarted { attempt: 2.., .. } => Vain::BegunAgain,
                Fact::Spent { nano_dollars, .. } => {
                    stretch.spent = stretch.spent.saturating_add(nano_dollars);
                    stretch.paid = true;
                    continue;
                }
                _ => continue,
            };
            stretch.vain[vain as usize] += 1;
            stretch.acts(step.target, at);
        }
        if stretch.enough.is_none() && stretch.vain_acts() >= vain_min {
            stretch.enough = Some(at);
        }
    }

    fn finding(&self, fold: &Fold<Told>, names: &Names) -> Finding {
        let first = fold.first();
        let stretch = &first.stretch;
        let [aborted, given_back, failed, begun_again] = stretch.vain;
        let vain = [
            (aborted, "operation", "aborted"),
            (given_back, "task", "given back"),
            (failed, "attempt", "failed"),
            (begun_again, "task", "begun again"),
        ];
        let word = |(count, noun, what)| (count > 0).then(|| format!("{} {what}", counted(count, noun)));
        let mut acts: Vec<String> = vain.into_iter().filter_map(word).collect();
        acts.push(format!("{} handled", counted(stretch.messages, "message")));
        let over = if first.ended { "" } else { ", up to the end" };
        let cost = if stretch.paid { format!(", for {}", dollars(stretch.spent)) } else { String::new() };
        let text = format!(
            "nothing came closer to done for {}{over} while work was open: {}{cost}",
            duration(first.lasted_ns),
            acts.join(", "),
        );
        let mut evidence = vec![
            Evidence::new(stretch.began, "the stretch without progress began"),
            Evidence::new(first.enough, "there had been enough acts in vain to tell"),
            Evidence::new(stretch.last, "the last act before progress or the end"),
        ];
        evidence.extend(fold.kept.iter().skip(1).map(|told| {
            let lasted = duration(told.lasted_ns);
            Evidence::new(told.stretch.began, format!("another stretch began, of {lasted}"))
        }));
        let agents = fold.agents(names);
        Finding {
            count: fold.count,
            evidence,
            numbers: Numbers(vec![
                ("stretches", fold.count),
                ("lasted_ns", first.lasted_ns),
                ("bound_ns", self.after_ns),
                ("acts_in_vain", stretch.vain_acts()),
                ("messages", stretch.messages),
                ("nano_dollars", stretch.spent),
            ]),
            about: BTreeMap::from([("agent", agents.clone())]),
            agents,
            earliest_signal: Some(Evidence::new(first.enough, "enough acts in vain without progress")),
            lead_time_ns: Some(
                stretch.began.at.as_ns().saturating_add(first.lasted_ns) - first.enough.at.as_ns(),
            ),
            remedy: Some(
                "back off at random and for longer each time, or let one of them go first".to_owned(),
            ),
            ..Finding::new(KIND, Class::Liveness, Severity::High, KIND, stretch.began, "", &text)
        }
    }

    /// The facts that tell progress, acts in vain and what they cost.
    const FACTS: Interests = Interests::facts(&[
        FactKind::TaskStarted,
        FactKind::TaskFinished,
        FactKind::TaskReleased,
        FactKind::OperationCommit,
        FactKind::OperationAbort,
        FactKind::Spent,
        FactKind::Reviewed,
        FactKind::Progress,
    ]);

    /// What it looks at.
    pub(crate) const INTERESTS: Interests = Livelock::FACTS.and(Interests::MESSAGES);

    /// Takes note of a step, after which no work is open if `is_idle`.
    #[inline]
    pub(crate) fn observe(&mut self, at: Moment, step: &Step<'_>, facts: &[Fact<'_>], is_idle: bool) {
        if is_idle {
            if self.goes_on {
                self.progress(at, true);
            }
        } else if Interests::stated_in(step).meets(Livelock::FACTS) {
            self.observe_facts(at, step, facts);
        } else if step.event == Event::Message && step.fate == Fate::Handled {
            self.note_message(at, step.target);
        }
    }

    #[inline(never)]
    fn observe_facts(&mut self, at: Moment, step: &Step<'_>, facts: &[Fact<'_>]) {
        let is_progress = |fact: &Fact<'_>| {
            matches!(
                fact,
                Fact::Progress { .. }
                    | Fact::TaskFinished { reported: true, .. }
                    | Fact::OperationCommit { .. }
                    | Fact::Reviewed { approved: true, .. }
            )
        };
        if facts.iter().any(is_progress) {
            self.progress(at, false);
        } else {
            self.note(step, facts, at);
        }
    }

    /// Judges what it has seen so far.
    pub(crate) fn findings(&self, end: &RunEnd, names: &Names) -> Vec<Finding> {
        let mut fold = self.found.clone();
        // What comes after the last act is rest, not livelock.
        let up_to = self.stretch.last.at.min(end.time);
        if self.goes_on
            && let Some(told) = self.told(&self.stretch, up_to, false)
        {
            let agents = told.stretch.agents.clone();
            fold.add(told, agents);
        }
        if fold.count == 0 { Vec::new() } else { vec![self.finding(&fold, names)] }
    }
}
