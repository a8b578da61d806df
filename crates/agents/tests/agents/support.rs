//! The fixtures of these tests: a scripted probe that records what it hears, a run whose facts read as lines, and
//! the plainest seam, parcel and role.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use fleetsim_agents::Share;
use fleetsim_agents::item::{HandOver, Item, Parcel};
use fleetsim_agents::seam::{Chooser, Medium, Seam, When};
use fleetsim_agents::worker::{Pace, Role, Worker};
use fleetsim_engine::batch::{Batch, Fate};
use fleetsim_engine::sample::Sampler;
use fleetsim_engine::{
    Address, Agent, AgentId, Attention, Context, Ending, Fact, Fleet, Hit, Injector, Limits, Link, Message,
    Origin, Outcome, Sink, SiteVisit, Time,
};

/// What every message takes.
pub(crate) const LATENCY_NS: u64 = 1;

pub(crate) const ALWAYS: Share = Share { numerator: 1, denominator: 1 };
pub(crate) const NEVER: Share = Share { numerator: 0, denominator: 1 };

/// A fleet whose messages take [`LATENCY_NS`].
pub(crate) fn fleet(seed: u64) -> Fleet {
    let mut fleet = Fleet::new(seed);
    fleet.default_link(Link::constant(LATENCY_NS).expect("above zero"));
    fleet
}

/// What the probes of a group heard: when, which of them (from 1), and what.
pub(crate) type Heard<Hear> = Rc<RefCell<Vec<(u64, u32, Hear)>>>;

type Answer<Ask, Hear> = Rc<dyn Fn(&Hear) -> Option<Ask>>;

/// An agent that asks by script, answers by closure, and records what it hears.
struct Probe<Ask, Hear> {
    server: Address<Ask>,
    script: Vec<(u64, Ask)>,
    answer: Answer<Ask, Hear>,
    heard: Heard<Hear>,
}

impl<Ask: Message + Clone, Hear: Message> Agent for Probe<Ask, Hear> {
    type Inbox = Hear;
    type Timer = ();

    fn on_start(&mut self, ctx: &mut Context<'_, Self>) {
        for (at_ns, ask) in self.script.drain(..) {
            ctx.send_after(self.server, ask, at_ns - LATENCY_NS);
        }
    }

    fn on_message(&mut self, ctx: &mut Context<'_, Self>, _from: AgentId, message: Hear) {
        if let Some(ask) = (self.answer)(&message) {
            ctx.send(self.server, ask);
        }
        self.heard.borrow_mut().push((ctx.now().as_ns(), ctx.ordinal(), message));
    }
}

/// Adds a probe for each script. What a script asks reaches `server` at the instant it says, 1 ns or later.
pub(crate) fn probes<Ask: Message + Clone, Hear: Message>(
    fleet: &mut Fleet,
    name: &str,
    server: AgentId,
    scripts: Vec<Vec<(u64, Ask)>>,
    answer: impl Fn(&Hear) -> Option<Ask> + 'static,
) -> Heard<Hear> {
    let heard = Heard::default();
    let (answer, ears): (Answer<Ask, Hear>, _) = (Rc::new(answer), Rc::clone(&heard));
    let count = scripts.len() as u32;
    let make = move |birth: &fleetsim_engine::Birth| Probe {
        server: Address::new(server),
        script: scripts[birth.ordinal as usize - 1].clone(),
        answer: Rc::clone(&answer),
        heard: Rc::clone(&ears),
    };
    fleet.add(name, count, make).expect("the names of a test differ");
    heard
}

/// Adds agents that only listen.
pub(crate) fn ears<Hear: Message + Clone>(fleet: &mut Fleet, name: &str, count: usize) -> Heard<Hear> {
    probes::<Hear, Hear>(fleet, name, AgentId::WORLD, vec![Vec::new(); count], |_| None)
}

/// A run that is over.
pub(crate) struct Run {
    batches: Vec<Batch>,
    pub(crate) outcome: Outcome,
}

#[derive(Default)]
struct Keep(Vec<Batch>);

impl Sink for Keep {
    fn accept(&mut self, batch: &mut Batch) {
        self.0.push(core::mem::take(batch));
    }
}

impl Run {
    /// The facts with their instants and who stated them.
    pub(crate) fn facts(&self) -> impl Iterator<Item = (u64, AgentId, Fact<'_>)> {
        self.batches.iter().flatten().flat_map(|step| {
            let (time_ns, by) = (step.time.as_ns(), step.target);
            step.facts().map(|fact| (time_ns, by, fact)).collect::<Vec<_>>()
        })
    }

    /// One line for each fact whose first word is wanted, such as `110 finished 1 reported true actual true`.
    pub(crate) fn lines(&self, wanted: &[&str]) -> Vec<String> {
        let shown = self.facts().map(|(time_ns, _, fact)| (time_ns, line(&fact)));
        let fits = |text: &str| wanted.iter().any(|word| text.split(' ').next() == Some(*word));
        shown.filter(|(_, text)| fits(text)).map(|(time_ns, text)| format!("{time_ns} {text}")).collect()
    }
}

fn line(fact: &Fact<'_>) -> String {
    match fact {
        Fact::TaskAdded { task } => format!("added {task}"),
        Fact::TaskClaimed { task, fence } => format!("claimed {task} fence {fence}"),
        Fact::TaskStarted { task, attempt } => format!("started {task} attempt {attempt}"),
        Fact::TaskFinished { task, reported, actual, .. } => {
            format!("finished {task} reported {reported} actual {actual}")
        }
        Fact::TaskReleased { task, reason } => format!("released {task}: {reason}"),
        Fact::Offered { seam, item, .. } => format!("offered {item} on {seam}"),
        Fact::Decided { item, receiver, .. } => format!("decided {item} for {}", ordinal(*receiver)),
        Fact::HandedOver { item, receiver, .. } => format!("handed {item} to {}", ordinal(*receiver)),
        Fact::Received { item, .. } => format!("received {item}"),
        Fact::Undelivered { item, reason, .. } => format!("undelivered {item}: {reason}"),
        Fact::GuardTripped { guard, item } => format!("guard {guard} {item}"),
        Fact::Reviewed { item, approved } => format!("reviewed {item} {approved}"),
        Fact::Checked { item, passed, actual } => format!("checked {item} passed {passed} actual {actual}"),
        Fact::Acted { action, reversible, gate, item } => {
            format!("acted {action} on {item} reversible {reversible} gate `{gate}`")
        }
        Fact::WaitOn { on } => format!("waits {on:?}"),
        Fact::WaitEnd { on } => format!("waited {on:?}"),
        Fact::Write { resource, based_on, version, .. } => {
            format!("wrote {resource} {based_on} to {version}")
        }
        Fact::Requested { admitted, .. } => format!("requested admitted {admitted}"),
        Fact::Read { resource, version, .. } => format!("read {resource} {version}"),
        Fact::OperationCommit { .. } => "committed".to_owned(),
        Fact::OperationAbort { .. } => "aborted".to_owned(),
        Fact::OperationIndeterminate { .. } => "indeterminate".to_owned(),
        Fact::Spent { tokens_in, tokens_out, .. } => format!("spent {tokens_in} and {tokens_out}"),
        Fact::Tainted { item, origin } => format!("tainted {item} from {origin:?}"),
        Fact::Breach { permission } => format!("breach {permission}"),
        Fact::Injected { rule, fault, amount, .. } => format!("injected {rule} {fault} {amount}"),
        other => format!("{other:?}"),
    }
}

fn ordinal(id: AgentId) -> u32 {
    match id.origin() {
        Origin::Member { ordinal, .. } => ordinal,
        other => panic!("{other:?} is no member of a group"),
    }
}

/// Runs a fleet until nothing is left to happen.
pub(crate) fn play(fleet: Fleet) -> Run {
    let run = play_until(fleet, u64::MAX);
    assert_eq!(run.outcome.ending, Ending::Quiescent);
    run
}

/// Runs a fleet for a while. Nobody panics, and everybody understands what they get.
pub(crate) fn play_until(fleet: Fleet, until_ns: u64) -> Run {
    let limits = Limits { until: Time::from_ns(until_ns), events_max: 100_000 };
    let mut keep = Keep::default();
    let outcome = fleet.build().expect("a valid fleet").run(&limits, &mut keep);
    for step in keep.0.iter().flatten() {
        assert!(!matches!(step.fate, Fate::Panicked | Fate::Undecodable | Fate::Unknown), "{step:?}");
    }
    Run { batches: keep.0, outcome }
}

/// Seam `number` into the inboxes of `receivers`, chosen by nobody.
pub(crate) fn seam(number: u16, name: &str, receivers: &[AgentId]) -> Seam {
    Seam {
        number,
        name: name.into(),
        receivers: receivers.into(),
        chooser: Chooser::Nobody,
        medium_name: "medium".into(),
        medium: Medium::Inbox,
        when: When::Always,
        is_entry: false,
    }
}

/// A rule called `rule` that hits the first visits to one fault site, whoever makes them.
struct Rule {
    site: &'static str,
    strength: u64,
    times: u64,
}

impl Injector for Rule {
    fn attention(&self, _now: Time) -> Attention {
        Attention::NEVER
    }

    fn site(&mut self, visit: &SiteVisit<'_>) -> Option<Hit> {
        if visit.site != self.site || self.times == 0 {
            return None;
        }
        self.times -= 1;
        let rule = AgentId::rule("rule");
        Some(Hit { rule, strength: self.strength, since: None })
    }
}

/// Hits the first `times` visits to a fault site.
pub(crate) fn hit(fleet: &mut Fleet, site: &'static str, strength: u64, times: u64) {
    fleet.name_rule("rule");
    fleet.inject_faults(Box::new(Rule { site, strength, times }));
}

/// A faultless item.
pub(crate) fn item(id: u64) -> Item {
    Item { id, attempt: 1, rejections: 0, tokens_in: 0, tokens_out: 0, faulty: false, tainted: false }
}

/// The only offer of an item on a seam.
pub(crate) fn parcel(seam: u16, item: Item) -> Parcel {
    Parcel { seam, offer: 1_000 + item.id, giver: AgentId::named("giver", 1), receiver: None, item }
}

/// A program that takes 100 ns for an item and is never wrong. It takes from seam 0, and the fleet has no others.
pub(crate) fn role(seams: Vec<Seam>) -> Role {
    Role {
        name: "worker".into(),
        pace: Pace::Process { each_ns: Sampler::constant(100) },
        seams: seams.into(),
        gives: Vec::new(),
        pulls: Vec::new(),
        wrong: NEVER,
        says_done_falsely: NEVER,
        catches: NEVER,
        rejects: NEVER,
        edits: None,
        finishes: true,
        action: None,
        tested: false,
        review_rounds: None,
        dedupes: false,
        outside: Arc::new([]),
    }
}

/// Adds workers of a role under the role's name.
pub(crate) fn workers(fleet: &mut Fleet, count: u32, role: Role) {
    let (name, role) = (Arc::clone(&role.name), Arc::new(role));
    fleet.add(&name, count, move |_| Worker::new(Arc::clone(&role))).expect("the names of a test differ");
}

/// Lets an item reach the first worker called `name` at an instant.
pub(crate) fn give(fleet: &mut Fleet, at_ns: u64, name: &str, parcel: Parcel) {
    let to = Address::new(AgentId::named(name, 1));
    fleet.send_at(Time::from_ns(at_ns), to, &HandOver::Give(parcel));
}
