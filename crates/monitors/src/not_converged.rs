//! Convergence in the second phase: when the faults are over, the fleet must finish what was open, in time.
//!
//! Liveness is judged in two phases: faults first, then a world that heals for good.
//! `heals_at` says when, `converges_within_ns` how long what was open then may take; without either nothing is judged.
//! Open are tasks that were first seen up to the healing and are neither done nor given up, and waits that began up to
//! it. What is still open at the deadline, or when the fleet comes to rest before, is told by why it is stuck: lost by
//! a carrier, with an agent that is gone, with one that waits (for whom, on what, since when), with one that works, on
//! its way in a medium or an inbox, or ready and not taken. Work that came after the healing is not judged.
//!
//! *Source.* Two phases of simulation, as TigerBeetle's simulator has them.
//!
//! *Parameters.* [`MonitorConfig::heals_at`] and [`MonitorConfig::converges_within_ns`]; without both nothing is judged.
//!
//! *Limits.* A place is where facts last saw a task. A record that ends before the deadline, without rest, judges nothing.
//!
//! A fact costs a few look-ups. Memory: open tasks and waits, runs of numbers of done ones, agents that are gone.

use std::collections::{BTreeMap, BTreeSet};

use fleetsim_engine::{AgentId, Names, Time};

use crate::config::MonitorConfig;
use crate::finding::{Class, Evidence, Finding, Numbers, Severity};
use crate::fold::Fold;
use crate::monitor::{Moment, RunEnd};
use crate::open_work::{OpenTask, OpenWork, Place};
use crate::text::{clock, counted, duration, shown};
use crate::unfinished::Account;
use crate::wait_graph::{Wait, WaitGraph};

const KIND: &str = "not-converged";

/// Finds what did not converge, folded by why it is stuck.
#[derive(Clone, Debug)]
pub(crate) struct NotConverged {
    /// When the world heals, and the deadline; `None` when nothing is to be judged.
    phase: Option<(Time, Time)>,
    /// What was open at the deadline, once that has passed.
    judged: Option<BTreeMap<Why, Fold<Stuck>>>,
}

/// Why something is stuck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Why {
    Lost,
    HolderGone,
    HolderWaits,
    HolderWorks,
    OnItsWay,
    NotTaken,
    Waits,
}

#[derive(Clone, Debug)]
struct Stuck {
    /// The task; `None` for an agent that waits and holds none.
    task: Option<u64>,
    place: Option<Place>,
    agent: Option<AgentId>,
    since: Moment,
    wait: Option<Wait>,
    /// Since when and how the agent is gone, if it is.
    halted: bool,
}

/// What names what is stuck.
#[derive(Clone, Copy)]
struct Teller<'a> {
    work: &'a OpenWork,
    graph: &'a WaitGraph,
    names: &'a Names,
}

impl Why {
    fn name(self) -> &'static str {
        match self {
            Why::Lost => "lost",
            Why::HolderGone => "holder-gone",
            Why::HolderWaits => "holder-waits",
            Why::HolderWorks => "holder-works",
            Why::OnItsWay => "on-its-way",
            Why::NotTaken => "not-taken",
            Why::Waits => "waits",
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Why::Lost => "offer again what was lost, or keep it where a person finds it",
            Why::HolderGone => "let claims expire (a lease that is renewed while work goes on)",
            Why::HolderWaits | Why::Waits => "bound the wait, and ask again when it runs out",
            Why::HolderWorks => "bound an attempt, and give out again what exceeds it",
            Why::OnItsWay => "redeliver what was not acknowledged",
            Why::NotTaken => "wake those who are free when work is ready, or let them look again",
        }
    }
}

impl NotConverged {
    /// A monitor with the healing of `config`.
    pub(crate) fn new(config: &MonitorConfig) -> NotConverged {
        let phase = config
            .heals_at
            .zip(config.converges_within_ns)
            .map(|(heals_at, within_ns)| (heals_at, heals_at.checked_add(within_ns).unwrap_or(Time::MAX)));
        NotConverged { phase, judged: None }
    }

    /// Everything that was open at the healing and still is.
    fn stuck(heals_at: Time, account: &Account, graph: &WaitGraph) -> BTreeMap<Why, Fold<Stuck>> {
        let mut stuck: BTreeMap<Why, Fold<Stuck>> = BTreeMap::new();
        let mut told: BTreeSet<AgentId> = BTreeSet::new();
        for (task, state) in account.work.iter().filter(|(_, state)| state.opened.at <= heals_at) {
            let (why, one) = NotConverged::why(task, state, account, graph);
            told.extend(one.agent);
            let agents = one.agent;
            stuck.entry(why).or_default().add(one, agents);
        }
        for (agent, waits) in graph.waiting().filter(|(agent, _)| !told.contains(agent)) {
            let Some(wait) = waits.iter().find(|wait| wait.since.at <= heals_at) else { continue };
            let one = Stuck {
                task: None,
                place: None,
                agent: Some(agent),
                since: wait.since,
                wait: Some(*wait),
                halted: false,
            };
            stuck.entry(Why::Waits).or_default().add(one, [agent]);
        }
        stuck
    }

    fn why(task: u64, state: &OpenTask, account: &Account, graph: &WaitGraph) -> (Why, Stuck) {
        let mut one = Stuck {
            task: Some(task),
            place: Some(state.place),
            agent: None,
            since: state.since,
            wait: None,
            halted: false,
        };
        let why = match state.place {
            Place::Added => Why::NotTaken,
            Place::Ready(agent) => {
                one.agent = Some(agent);
                Why::NotTaken
            }
            Place::Lost(agent) => {
                one.agent = Some(agent);
                Why::Lost
            }
            Place::Carried(_) => Why::OnItsWay,
            Place::Passed(agent) | Place::Held(agent) => {
                one.agent = Some(agent);
                if let Some(gone) = account.rest.gone(agent) {
                    (one.since, one.halted) = (gone.since, gone.halted);
                    Why::HolderGone
                } else if let Some(wait) = graph.waits_of(agent).first() {
                    (one.since, one.wait) = (wait.since, Some(*wait));
                    Why::HolderWaits
                } else if matches!(state.place, Place::Held(_)) {
                    Why::HolderWorks
                } else {
                    Why::OnItsWay
                }
            }
        };
        (why, one)
    }

    fn told(why: Why, stuck: &Stuck, teller: &Teller<'_>) -> String {
        let Teller { work, graph, names } = *teller;
        let task = stuck.task.map_or(String::new(), |task| format!("task {task}"));
        let agent = stuck.agent.map_or(String::new(), |agent| shown(&names.of(agent)));
        let since = clock(stuck.since.at);
        let wait = stuck.wait.as_ref().map_or(String::new(), |wait| graph.told(wait, names));
        match why {
            Why::Lost => format!("{agent} lost {task} at {since}"),
            Why::HolderGone => {
                let went = if stuck.halted { "halted" } else { "crashed" };
                format!("{task} is with {agent}, which {went} at {since}")
            }
            Why::HolderWaits => format!("{task} is with {agent}, which waits for {wait}"),
            Why::HolderWorks => format!("{task} is with {agent}, which has had it since {since}"),
            Why::OnItsWay => match stuck.place {
                Some(Place::Carried(medium)) => {
                    let medium = work.medium(medium);
                    let medium =
                        if medium.is_empty() { "a direct message".to_owned() } else { shown(medium) };
                    format!("{task} is in {medium} since {since}")
                }
                _ => format!("{task} was passed to {agent} at {since} and not taken up"),
            },
            Why::NotTaken if agent.is_empty() => format!("{task} is not ready since {since}"),
            Why::NotTaken => format!("{task} is ready at {agent} since {since}, and nobody takes it"),
            Why::Waits => format!("{agent} waits for {wait}"),
        }
    }

    fn finding(
        why: Why,
        fold: &Fold<Stuck>,
        (heals_at, deadline): (Time, Time),
        rest: Option<Time>,
        teller: &Teller<'_>,
    ) -> Finding {
        let first = fold.first();
        let noun = if why == Why::Waits { "wait" } else { "task" };
        let verb = if fold.count == 1 { "was" } else { "were" };
        let when = match rest {
            Some(rest) => format!("when nothing was left to happen, at {}", clock(rest)),
            None => format!("{} later", duration(deadline.since(heals_at))),
        };
        let text = format!(
            "{} that {verb} open when the faults ended at {} {verb} not over {when}: {}",
            counted(fold.count, noun),
            clock(heals_at),
            NotConverged::told(why, first, teller),
        );
        let agents = fold.agents(teller.names);
        let mut things: Vec<String> = fold
            .kept
            .iter()
            .filter_map(|stuck| stuck.wait.and_then(|wait| teller.graph.resource(wait.on).map(str::to_owned)))
            .collect();
        things.sort();
        things.dedup();
        let evidence = fold
            .kept
            .iter()
            .map(|stuck| Evidence::new(stuck.since, NotConverged::told(why, stuck, teller)))
            .collect();
        let mut about = BTreeMap::from([("stuck", vec![why.name().to_owned()]), ("agent", agents.clone())]);
        if !things.is_empty() {
            about.insert("resource", things);
        }
        Finding {
            count: fold.count,
            evidence,
            numbers: Numbers(vec![
                ("stuck", fold.count),
                ("healed_at_ns", heals_at.as_ns()),
                ("converges_within_ns", deadline.since(heals_at)),
            ]),
            about,
            agents,
            remedy: Some(why.remedy().to_owned()),
            ..Finding::new(KIND, Class::Liveness, Severity::High, KIND, first.since, "", &text)
        }
    }

    /// The run has come to `now`: what is open is judged as soon as the deadline has passed.
    pub(crate) fn reach(&mut self, now: Time, account: &Account, graph: &WaitGraph) {
        if let Some((heals_at, deadline)) = self.phase
            && now > deadline
            && self.judged.is_none()
        {
            self.judged = Some(NotConverged::stuck(heals_at, account, graph));
        }
    }

    /// Judges what was seen so far.
    pub(crate) fn findings(
        &self,
        account: &Account,
        graph: &WaitGraph,
        end: &RunEnd,
        names: &Names,
    ) -> Vec<Finding> {
        let Some(phase) = self.phase else { return Vec::new() };
        let (heals_at, deadline) = phase;
        let stuck = || NotConverged::stuck(heals_at, account, graph);
        let (stuck, rest) = match &self.judged {
            Some(judged) => (judged.clone(), None),
            None if end.time > deadline => (stuck(), None),
            None if account.rest.came(end) && end.time >= heals_at => (stuck(), Some(end.time)),
            None => return Vec::new(),
        };
        let teller = Teller { work: &account.work, graph, names };
        stuck.iter().map(|(why, fold)| NotConverged::finding(*why, fold, phase, rest, &teller)).collect()
    }
}
