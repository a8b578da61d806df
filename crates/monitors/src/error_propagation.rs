//! Errors that others built on before anybody noticed.
//!
//! *Definition.* An item is in error from a fact that tells the truth about it: it is tainted ([`Fact::Tainted`]), or an
//! attempt or a check passed it that is actually wrong (`reported` or `passed`, and not `actual`). The error is detected
//! when somebody says no: a review that does not approve, a check that fails, an attempt that is reported as failed. It
//! is gone when a check or an attempt that passes it is actually right. Its *reach* is the agents, apart from the one where
//! it came in, that took the item up in between; its *time to detection* goes from the error to the no, or to the
//! end of the record; its *blast radius* is the reach, the seams crossed, the actions done with the item, and what those
//! whom it reached were billed while they had it.
//!
//! *Source.* Dependability's chain of fault, error and failure (Avizienis and others 2004), with the fleet's hand-overs as
//! the path.
//!
//! *Parameters.* [`MonitorConfig::error_reach_max`]: how many agents an error may reach. An irreversible action with an
//! item in error is always found.
//!
//! *Limits.* An error that no fact tells of is not seen. It spreads with the item's number only, not by what one item's
//! content did to another's. An agent counts as having the item until it takes up another one.

use std::collections::{BTreeMap, BTreeSet};

use fleetsim_engine::batch::Step;
use fleetsim_engine::{AgentId, Fact, Names};

use crate::config::MonitorConfig;
use crate::finding::{Class, Evidence, Finding, Numbers, Severity};
use crate::fold::Fold;
use crate::interests::{FactKind, Interests};
use crate::intern::Interner;
use crate::monitor::{Moment, Monitor, RunEnd};
use crate::role::Role;
use crate::text::{counted, dollars, duration, shown};

const KIND: &str = "error-propagation";

/// Finds errors that spread, folded by the role where they came in.
#[derive(Clone, Debug, Default)]
pub struct ErrorPropagation {
    reach_max: u64,
    seams: Interner,
    /// Items in error.
    errors: BTreeMap<u64, Spread>,
    /// Agents that have an item in error.
    holding: BTreeMap<AgentId, u64>,
    closed: BTreeMap<Role, Spreads>,
}

/// How far an error has come.
#[derive(Clone, Debug)]
struct Spread {
    item: u64,
    start: Moment,
    origin: AgentId,
    reached: BTreeSet<AgentId>,
    /// The first receipt, and the one that was more than may be, or the irreversible action.
    first_receipt: Option<(Moment, AgentId)>,
    too_far: Option<(Moment, AgentId)>,
    seams: BTreeSet<u32>,
    actions: u64,
    irreversible: u64,
    nano_dollars: u64,
}

/// An error's end: detected, or still there.
#[derive(Clone, Copy, Debug)]
struct End {
    moment: Moment,
    by: Option<AgentId>,
}

#[derive(Clone, Debug, Default)]
struct Spreads {
    fold: Fold<(Spread, End)>,
    undetected: u64,
    actions: u64,
    reach_largest: u64,
    longest_ns: u64,
    nano_dollars: u64,
}

impl ErrorPropagation {
    /// A monitor with the bound of `config`.
    #[must_use]
    pub fn new(config: &MonitorConfig) -> ErrorPropagation {
        ErrorPropagation { reach_max: config.error_reach_max.into(), ..ErrorPropagation::default() }
    }

    fn begin(&mut self, item: u64, origin: AgentId, start: Moment) {
        self.errors.entry(item).or_insert_with(|| Spread {
            item,
            start,
            origin,
            reached: BTreeSet::new(),
            first_receipt: None,
            too_far: None,
            seams: BTreeSet::new(),
            actions: 0,
            irreversible: 0,
            nano_dollars: 0,
        });
    }

    /// Somebody said no, or put it right.
    fn end(&mut self, item: u64, end: End) {
        if let Some(spread) = self.errors.remove(&item) {
            self.holding.retain(|_, held| *held != item);
            note(&mut self.closed, spread, end);
        }
    }

    fn received(&mut self, moment: Moment, receiver: AgentId, seam: &str, item: u64) {
        let Some(spread) = self.errors.get_mut(&item) else {
            self.holding.remove(&receiver);
            return;
        };
        self.holding.insert(receiver, item);
        spread.seams.insert(self.seams.number(seam));
        if receiver != spread.origin {
            spread.first_receipt.get_or_insert((moment, receiver));
            spread.reached.insert(receiver);
            if spread.reached.len() as u64 > self.reach_max {
                spread.too_far.get_or_insert((moment, receiver));
            }
        }
    }

    fn acted(&mut self, moment: Moment, agent: AgentId, item: u64, reversible: bool) {
        let Some(spread) = self.errors.get_mut(&item) else { return };
        spread.actions += 1;
        if !reversible {
            spread.irreversible += 1;
            spread.too_far.get_or_insert((moment, agent));
        }
    }

    fn spent(&mut self, agent: AgentId, nano_dollars: u64) {
        if let Some(item) = self.holding.get(&agent)
            && let Some(spread) = self.errors.get_mut(item)
            && spread.origin != agent
        {
            spread.nano_dollars = spread.nano_dollars.saturating_add(nano_dollars);
        }
    }
}

/// Keeps an error that went too far.
fn note(closed: &mut BTreeMap<Role, Spreads>, spread: Spread, end: End) {
    if spread.too_far.is_none() {
        return;
    }
    let spreads = closed.entry(Role::of(spread.origin)).or_default();
    spreads.undetected += u64::from(end.by.is_none());
    spreads.actions += spread.actions;
    spreads.reach_largest = spreads.reach_largest.max(spread.reached.len() as u64);
    spreads.longest_ns = spreads.longest_ns.max(end.moment.at.since(spread.start.at));
    spreads.nano_dollars = spreads.nano_dollars.saturating_add(spread.nano_dollars);
    let agents: Vec<AgentId> =
        core::iter::once(spread.origin).chain(spread.reached.iter().copied()).collect();
    spreads.fold.add((spread, end), agents);
}

impl Monitor for ErrorPropagation {
    fn name(&self) -> &'static str {
        KIND
    }

    fn interests(&self) -> Interests {
        Interests::facts(&[
            FactKind::Tainted,
            FactKind::TaskFinished,
            FactKind::Checked,
            FactKind::Reviewed,
            FactKind::Received,
            FactKind::Acted,
            FactKind::Spent,
        ])
    }

    fn observe(&mut self, step: &Step<'_>, facts: &[Fact<'_>]) {
        let moment = Moment::of(step);
        for fact in facts {
            match *fact {
                Fact::Tainted { item, origin } => self.begin(item, origin, moment),
                // Results that are judged together are no item's.
                Fact::Checked { item: 0, .. } => {}
                Fact::TaskFinished { task: item, reported: passed, actual, .. }
                | Fact::Checked { item, passed, actual } => match (passed, actual) {
                    (true, false) => self.begin(item, step.target, moment),
                    (true, true) | (false, _) => self.end(item, End { moment, by: Some(step.target) }),
                },
                Fact::Reviewed { item, approved: false } => {
                    self.end(item, End { moment, by: Some(step.target) })
                }
                _ if self.errors.is_empty() => {}
                Fact::Received { seam, item, .. } => self.received(moment, step.target, seam, item),
                Fact::Acted { item, reversible, .. } => self.acted(moment, step.target, item, reversible),
                Fact::Spent { nano_dollars, .. } => self.spent(step.target, nano_dollars),
                _ => {}
            }
        }
    }

    fn findings(&self, end: &RunEnd, names: &Names) -> Vec<Finding> {
        let mut closed = self.closed.clone();
        for spread in self.errors.values() {
            let moment = Moment { event: spread.start.event, at: end.time };
            note(&mut closed, spread.clone(), End { moment, by: None });
        }
        closed.iter().map(|(role, spreads)| finding(*role, spreads, names)).collect()
    }
}

fn finding(role: Role, spreads: &Spreads, names: &Names) -> Finding {
    let (first, end) = spreads.fold.first();
    let name = |agent: AgentId| shown(&names.of(agent));
    let (moment, _) = first.too_far.expect("only errors that went too far are kept");
    let to_end = duration(end.moment.at.since(first.start.at));
    let outcome = match end.by {
        Some(by) => format!("until {} noticed after {to_end}", name(by)),
        None => format!("and nobody noticed for {to_end}"),
    };
    let acted = if first.actions > 0 {
        format!(", {} done with it", counted(first.actions, "action"))
    } else {
        String::new()
    };
    let more = if spreads.fold.count > 1 {
        format!("; {} that came in there spread", counted(spreads.fold.count, "error"))
    } else {
        String::new()
    };
    let text = format!(
        "an error in item {} reached {} over {}{acted}, {outcome}{more}",
        first.item,
        counted(first.reached.len() as u64, "agent"),
        counted(first.seams.len() as u64, "seam"),
    );
    let severity = if first.irreversible > 0 { Severity::High } else { Severity::Medium };
    let start = Evidence::new(
        first.start,
        format!("item {} is in error, from {} on", first.item, name(first.origin)),
    );
    let mut evidence = vec![start.clone()];
    if let Some((moment, receiver)) = first.first_receipt {
        evidence.push(Evidence::new(moment, format!("{} took it up", name(receiver))));
    }
    for (spread, _) in &spreads.fold.kept {
        if let Some((moment, agent)) = spread.too_far {
            evidence.push(Evidence::new(
                moment,
                format!("the error in item {} went too far with {}", spread.item, name(agent)),
            ));
        }
    }
    if let Some(by) = end.by {
        evidence.push(Evidence::new(end.moment, format!("{} noticed", name(by))));
    }
    evidence.sort_by_key(|evidence| evidence.event);
    let agents = spreads.fold.agents(names);
    Finding {
        count: spreads.fold.count,
        evidence,
        numbers: Numbers(vec![
            ("errors", spreads.fold.count),
            ("undetected", spreads.undetected),
            ("agents_reached_most", spreads.reach_largest),
            ("actions", spreads.actions),
            ("time_to_detection_longest_ns", spreads.longest_ns),
            ("built_on_nano_dollars", spreads.nano_dollars),
        ]),
        about: BTreeMap::from([("role", vec![role.name(names)]), ("agent", agents.clone())]),
        agents,
        earliest_signal: Some(start),
        lead_time_ns: Some(moment.at.since(first.start.at)),
        saved_nano_dollars: Some(spreads.nano_dollars),
        remedy: Some(format!(
            "check what leaves {} before others build on it; {} were spent on what was built",
            shown(&role.name(names)),
            dollars(spreads.nano_dollars)
        )),
        ..Finding::new(KIND, Class::Safety, severity, KIND, moment, "", &text)
    }
}
