//! What a user says of every run: promises over facts, judged while the run goes on.
//!
//! There are four, in the terms of temporal logic: something holds at *all* facts, happens at *some*, follows
//! *eventually* and in time, or *never* happens once something else has. Each is a safety or a bounded liveness
//! property (Alpern and Schneider 1985), so that a finite run can violate it; *sometimes* is about the test rather
//! than the fleet: if it never happened, the runs did not reach what they were meant to test.
//!
//! A property is a [`Monitor`]: [`Panel::add`](crate::Panel::add) takes it. What it keeps grows with what is open
//! (`eventually`) and with the keys that are closed for good (`never after`).
//!
//! ```
//! use fleetsim_engine::{Fact, MINUTE};
//! use fleetsim_monitors::{FactKind, Property};
//!
//! // No claim has a fence below one that was seen before: the state is what the closure captures.
//! let mut highest = 0;
//! let fences_rise = Property::always("fences rise", move |fact, _step| match *fact {
//!     Fact::TaskClaimed { fence, .. } => {
//!         let rises = fence >= highest;
//!         highest = highest.max(fence);
//!         rises
//!     }
//!     _ => true,
//! })
//! .over(&[FactKind::TaskClaimed]);
//!
//! let ends = Property::eventually_within(
//!     "every task ends",
//!     30 * MINUTE,
//!     |fact, _step| match *fact {
//!         Fact::TaskAdded { task } => Some(task),
//!         _ => None,
//!     },
//!     |fact, _step| match *fact {
//!         Fact::TaskFinished { task, .. } => Some(task),
//!         _ => None,
//!     },
//! )
//! .over(&[FactKind::TaskAdded, FactKind::TaskFinished]);
//! # let _ = (fences_rise, ends);
//! ```

mod expression;
mod field;
mod rule;
mod told;

use std::collections::{BTreeMap, VecDeque};

use fleetsim_engine::batch::Step;
use fleetsim_engine::{AgentId, Fact, Names, Time};

use crate::finding::{Class, Evidence, Finding, Numbers, Severity};
use crate::fold::Fold;
use crate::interests::{FactKind, Interests};
use crate::monitor::{Moment, Monitor, RunEnd};
use crate::text::{duration, shown, times};

pub use expression::{ExpressionError, Pattern};
pub use rule::{Promised, PropertyRule};
use told::Told;

const VIOLATED: &str = "property-violated";
const NEVER_HAPPENED: &str = "property-never-happened";

/// What a property is about: one thing of many, each judged by itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// The run as a whole: `()`.
    Run,
    /// A task, an item, an offer, an operation, a version.
    Number(u64),
    /// An agent.
    Agent(AgentId),
    /// A resource, a seam, a medium.
    Text(Box<str>),
}

impl From<()> for Key {
    fn from((): ()) -> Key {
        Key::Run
    }
}

impl From<u64> for Key {
    fn from(number: u64) -> Key {
        Key::Number(number)
    }
}

impl From<AgentId> for Key {
    fn from(agent: AgentId) -> Key {
        Key::Agent(agent)
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Key {
        Key::Text(text.into())
    }
}

impl Key {
    /// ` for 7`, for the end of a sentence.
    fn told(&self, names: &Names) -> String {
        match self {
            Key::Run => String::new(),
            Key::Number(number) => format!(" for {number}"),
            Key::Agent(agent) => format!(" for {}", shown(&names.of(*agent))),
            Key::Text(text) => format!(" for {}", shown(text)),
        }
    }
}

/// Looks at a fact and the step in which it was stated (by the step's target).
trait Look<T>: Send + Sync {
    fn look(&mut self, fact: &Fact<'_>, step: &Step<'_>) -> T;
    fn boxed_clone(&self) -> Box<dyn Look<T>>;
}

impl<T, F> Look<T> for F
where
    F: FnMut(&Fact<'_>, &Step<'_>) -> T + Clone + Send + Sync + 'static,
{
    fn look(&mut self, fact: &Fact<'_>, step: &Step<'_>) -> T {
        self(fact, step)
    }

    fn boxed_clone(&self) -> Box<dyn Look<T>> {
        Box::new(self.clone())
    }
}

impl<T> Clone for Box<dyn Look<T>> {
    fn clone(&self) -> Self {
        (**self).boxed_clone()
    }
}

/// A promise about a run, with a name. A clone of one that has seen nothing is a fresh one: keep one and clone it for
/// every run.
#[derive(Clone)]
pub struct Property {
    name: String,
    interests: Interests,
    promise: Promise,
    violations: Fold<Violation>,
}

#[derive(Clone)]
enum Promise {
    Always(Box<dyn Look<bool>>),
    Sometimes {
        look: Box<dyn Look<bool>>,
        happened: bool,
    },
    Eventually(Eventually),
    NeverAfter {
        after: Box<dyn Look<Option<Key>>>,
        forbidden: Box<dyn Look<Option<Key>>>,
        since: BTreeMap<Key, Moment>,
    },
}

#[derive(Clone)]
struct Eventually {
    within_ns: u64,
    trigger: Box<dyn Look<Option<Key>>>,
    answer: Box<dyn Look<Option<Key>>>,
    open: BTreeMap<Key, Open>,
    /// What is open or was, by its time: since all have the same length to wait, by its deadline as well.
    queue: VecDeque<(Time, Key)>,
}

/// An obligation.
#[derive(Clone, Copy, Debug)]
struct Open {
    since: Moment,
    /// Who stated what brought it about; nobody at the start of a run.
    by: Option<(AgentId, FactKind)>,
}

/// One time that a property did not hold.
#[derive(Clone, Debug)]
struct Violation {
    key: Key,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    /// A fact at which it does not hold.
    Wrong(Told),
    /// Nothing came in time.
    Overdue(Open),
    /// What must not come any more came.
    TooLate { since: Moment, told: Told },
}

impl Property {
    /// `holds` is true of every fact. It returns true for facts that it is not about.
    #[must_use]
    pub fn always(
        name: impl Into<String>,
        holds: impl FnMut(&Fact<'_>, &Step<'_>) -> bool + Clone + Send + Sync + 'static,
    ) -> Property {
        Property::new(name, Promise::Always(Box::new(holds)))
    }

    /// `happens` is true of at least one fact of a run that comes to its own end. A run that is cut short is not
    /// judged.
    #[must_use]
    pub fn sometimes(
        name: impl Into<String>,
        happens: impl FnMut(&Fact<'_>, &Step<'_>) -> bool + Clone + Send + Sync + 'static,
    ) -> Property {
        Property::new(name, Promise::Sometimes { look: Box::new(happens), happened: false })
    }

    /// Once a fact brings a key out of `trigger`, a later fact brings the same key out of `answer`, at most
    /// `within_ns` nanoseconds of world time later.
    ///
    /// While a key waits, triggering it again changes nothing: the first deadline holds. One fact that is both answers
    /// first. What still waits when the record ends is violated if its deadline has passed or if nothing is left to
    /// happen ([`RunEnd::quiescent`]), and otherwise not judged. Logarithmic in what is open.
    #[must_use]
    pub fn eventually_within<K: Into<Key>, L: Into<Key>>(
        name: impl Into<String>,
        within_ns: u64,
        trigger: impl FnMut(&Fact<'_>, &Step<'_>) -> Option<K> + Clone + Send + Sync + 'static,
        answer: impl FnMut(&Fact<'_>, &Step<'_>) -> Option<L> + Clone + Send + Sync + 'static,
    ) -> Property {
        Property::new(name, Promise::Eventually(Eventually::new(within_ns, keyed(trigger), keyed(answer))))
    }

    /// `happens` is true of at least one fact within the first `within_ns` nanoseconds of the run.
    #[must_use]
    pub fn happens_within(
        name: impl Into<String>,
        within_ns: u64,
        mut happens: impl FnMut(&Fact<'_>, &Step<'_>) -> bool + Clone + Send + Sync + 'static,
    ) -> Property {
        let nothing = keyed(|_: &Fact<'_>, _: &Step<'_>| None::<Key>);
        let answer = keyed(move |fact: &Fact<'_>, step: &Step<'_>| happens(fact, step).then_some(()));
        let mut eventually = Eventually::new(within_ns, nothing, answer);
        eventually.ask(Key::Run, Open { since: Moment::ZERO, by: None });
        Property::new(name, Promise::Eventually(eventually))
    }

    /// Once a fact brings a key out of `after`, no later fact brings the same key out of `forbidden`. One fact that is
    /// both is not later than itself. Logarithmic in the keys that are closed, which are kept for good.
    #[must_use]
    pub fn never_after<K: Into<Key>, L: Into<Key>>(
        name: impl Into<String>,
        after: impl FnMut(&Fact<'_>, &Step<'_>) -> Option<K> + Clone + Send + Sync + 'static,
        forbidden: impl FnMut(&Fact<'_>, &Step<'_>) -> Option<L> + Clone + Send + Sync + 'static,
    ) -> Property {
        let (after, forbidden) = (keyed(after), keyed(forbidden));
        Property::new(name, Promise::NeverAfter { after, forbidden, since: BTreeMap::new() })
    }

    /// Shows the property facts of these kinds only, which is a promise that it has nothing to say about others, and
    /// much faster. Without this it is shown every fact.
    #[must_use]
    pub fn over(mut self, kinds: &[FactKind]) -> Property {
        self.interests = Interests::facts(kinds);
        self
    }

    /// What it is called.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.name
    }

    fn new(name: impl Into<String>, promise: Promise) -> Property {
        let interests = Interests::ALL_FACTS;
        Property { name: name.into(), interests, promise, violations: Fold::default() }
    }

    fn finding(&self, violations: &Fold<Violation>, names: &Names) -> Finding {
        let first = violations.first();
        let key = first.key.told(names);
        let (moment, said, class) = match (&first.what, &self.promise) {
            (What::Wrong(told), _) => (told.moment, format!("it does not hold{key}"), Class::Safety),
            (What::Overdue(open), Promise::Eventually(eventually)) => {
                let within = duration(eventually.within_ns);
                (open.since, format!("nothing came of it{key} within {within}"), Class::Liveness)
            }
            (What::Overdue(open), _) => (open.since, format!("nothing came of it{key}"), Class::Liveness),
            (What::TooLate { told, .. }, _) => {
                (told.moment, format!("what must not come any more{key} came"), Class::Safety)
            }
        };
        let more =
            if violations.count > 1 { format!("; {}", times(violations.count)) } else { String::new() };
        let agents = violations.agents(names);
        Finding {
            count: violations.count,
            evidence: violations.kept.iter().flat_map(|violation| violation.evidence(names)).collect(),
            numbers: Numbers(vec![("violations", violations.count)]),
            about: BTreeMap::from([("property", vec![self.name.clone()]), ("agent", agents.clone())]),
            agents,
            ..Finding::new(
                VIOLATED,
                class,
                Severity::High,
                "property",
                moment,
                &self.name,
                &format!("{said}{more}"),
            )
        }
    }

    fn never_happened(&self, end: &RunEnd) -> Finding {
        let text = "it did not happen once: the run did not reach what it was meant to test";
        let moment = Moment { event: 0, at: end.time };
        Finding {
            evidence: vec![Evidence::new(moment, "the run ended and it had not happened")],
            about: BTreeMap::from([("property", vec![self.name.clone()])]),
            remedy: Some("make the scenario reach it, or drop the property".to_owned()),
            ..Finding::new(
                NEVER_HAPPENED,
                Class::Liveness,
                Severity::Medium,
                "property",
                moment,
                &self.name,
                text,
            )
        }
    }
}

fn keyed<K: Into<Key>>(
    mut look: impl FnMut(&Fact<'_>, &Step<'_>) -> Option<K> + Clone + Send + Sync + 'static,
) -> Box<dyn Look<Option<Key>>> {
    Box::new(move |fact: &Fact<'_>, step: &Step<'_>| look(fact, step).map(Into::into))
}

impl Violation {
    fn evidence(&self, names: &Names) -> Vec<Evidence> {
        match &self.what {
            What::Wrong(told) => vec![told.evidence(names)],
            What::Overdue(open) => vec![open.evidence(&self.key, names)],
            What::TooLate { since, told } => {
                let key = self.key.told(names);
                vec![
                    Evidence::new(*since, format!("from here on it must not come{key}")),
                    told.evidence(names),
                ]
            }
        }
    }
}

impl Open {
    fn evidence(&self, key: &Key, names: &Names) -> Evidence {
        let text = match self.by {
            None => "the run began".to_owned(),
            Some((agent, kind)) => {
                format!("{} stated {}{}", shown(&names.of(agent)), kind.name(), key.told(names))
            }
        };
        Evidence::new(self.since, text)
    }

    fn agents(&self) -> impl Iterator<Item = AgentId> + use<> {
        self.by.map(|(agent, _)| agent).into_iter()
    }
}

impl Eventually {
    fn new(
        within_ns: u64,
        trigger: Box<dyn Look<Option<Key>>>,
        answer: Box<dyn Look<Option<Key>>>,
    ) -> Eventually {
        Eventually { within_ns, trigger, answer, open: BTreeMap::new(), queue: VecDeque::new() }
    }

    fn ask(&mut self, key: Key, open: Open) {
        if !self.open.contains_key(&key) {
            self.queue.push_back((open.since.at, key.clone()));
            self.open.insert(key, open);
        }
    }

    /// Takes out what waited too long at `now`.
    fn overdue(&mut self, now: Time) -> Vec<(Key, Open)> {
        let mut overdue = Vec::new();
        while let Some((since, _)) = self.queue.front()
            && now.since(*since) > self.within_ns
        {
            let (since, key) = self.queue.pop_front().expect("it was just looked at");
            // What was answered and asked for again has a place of its own further back.
            if self.open.get(&key).is_some_and(|open| open.since.at == since) {
                let open = self.open.remove(&key).expect("it was just found");
                overdue.push((key, open));
            }
        }
        overdue
    }
}

impl Monitor for Property {
    fn name(&self) -> &'static str {
        "property"
    }

    fn interests(&self) -> Interests {
        self.interests
    }

    fn observe(&mut self, step: &Step<'_>, facts: &[Fact<'_>]) {
        let moment = Moment::of(step);
        for fact in facts {
            if !self.interests.meets(Interests::facts(&[FactKind::of(fact)])) {
                continue;
            }
            match &mut self.promise {
                Promise::Always(holds) => {
                    if !holds.look(fact, step) {
                        let what = What::Wrong(Told::new(moment, step.target, fact));
                        self.violations.add(Violation { key: Key::Run, what }, [step.target]);
                    }
                }
                Promise::Sometimes { look, happened } => *happened = look.look(fact, step) || *happened,
                Promise::Eventually(eventually) => {
                    for (key, open) in eventually.overdue(step.time) {
                        let what = What::Overdue(open);
                        self.violations.add(Violation { key, what }, open.agents());
                    }
                    if let Some(key) = eventually.answer.look(fact, step) {
                        eventually.open.remove(&key);
                    }
                    if let Some(key) = eventually.trigger.look(fact, step) {
                        eventually
                            .ask(key, Open { since: moment, by: Some((step.target, FactKind::of(fact))) });
                    }
                }
                Promise::NeverAfter { after, forbidden, since } => {
                    if let Some(key) = forbidden.look(fact, step)
                        && let Some(since) = since.get(&key)
                    {
                        let told = Told::new(moment, step.target, fact);
                        let what = What::TooLate { since: *since, told };
                        self.violations.add(Violation { key, what }, [step.target]);
                    }
                    if let Some(key) = after.look(fact, step) {
                        since.entry(key).or_insert(moment);
                    }
                }
            }
        }
    }

    fn findings(&self, end: &RunEnd, names: &Names) -> Vec<Finding> {
        let mut violations = self.violations.clone();
        match &self.promise {
            Promise::Sometimes { happened: false, .. } if end.complete => {
                return vec![self.never_happened(end)];
            }
            Promise::Eventually(eventually) => {
                let mut open: Vec<(&Key, &Open)> = eventually.open.iter().collect();
                open.sort_by_key(|(key, open)| (open.since, *key));
                let too_long = |open: &Open| end.time.since(open.since.at) > eventually.within_ns;
                for (key, open) in open.into_iter().filter(|(_, open)| end.quiescent || too_long(open)) {
                    let what = What::Overdue(*open);
                    violations.add(Violation { key: key.clone(), what }, open.agents());
                }
            }
            _ => {}
        }
        if violations.count == 0 { Vec::new() } else { vec![self.finding(&violations, names)] }
    }
}
