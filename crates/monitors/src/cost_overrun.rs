//! Money that ran out: the fleet spent all that it may spend, or more.
//!
//! *Definition.* The bills of all agents ([`Fact::Spent`]) add up to the bound or beyond it. The earliest signal is the
//! moment from which, until the bound was reached, the fleet was always on its way to reach it before its planned end:
//! spent so far, times the planned length, divided by the time so far, is at least the bound. It is looked for only once
//! a tenth of the bound is gone, since the first bills say little about the rest.
//!
//! *Source.* The projection is earned value's estimate at completion at the present rate (ANSI/EIA-748); burn rate and
//! time to exhaustion are those of error budgets (Beyer and others, "The Site Reliability Workbook", chapter 5).
//!
//! *Parameters.* [`MonitorConfig::budget_nano_dollars`] (without it nothing is judged) and
//! [`MonitorConfig::planned_ns`] (without it there is no signal).
//!
//! *Limits.* Only what is billed in facts is known. The rate is the mean since the run began, so that a fleet that starts
//! slowly and then hurries is noticed late. A guard that stops the fleet before the bill that reaches the bound is stated
//! leaves nothing to find: the bound held, whatever is left to do.

use std::collections::BTreeMap;

use fleetsim_engine::batch::Step;
use fleetsim_engine::{AgentId, Fact, HOUR, Names};

use crate::config::MonitorConfig;
use crate::finding::{Class, Evidence, Finding, Numbers, Severity};
use crate::interests::{FactKind, Interests};
use crate::monitor::{Moment, Monitor, RunEnd};
use crate::role::Role;
use crate::text::{dollars, duration, shown};

const KIND: &str = "cost-overrun";
/// How much of the bound must be gone before the rate is believed: one part of so many.
const BELIEVED_FROM: u64 = 10;

/// Finds that the budget is spent.
#[derive(Clone, Debug)]
pub struct CostOverrun {
    bound: Option<u64>,
    planned_ns: Option<u64>,
    spent: u64,
    by_agent: BTreeMap<AgentId, u64>,
    /// Since when the fleet is on its way past the bound.
    signal: Option<Signal>,
    reached: Option<Reached>,
    last: Moment,
}

#[derive(Clone, Copy, Debug)]
struct Signal {
    moment: Moment,
    spent: u64,
}

#[derive(Clone, Copy, Debug)]
struct Reached {
    moment: Moment,
    agent: AgentId,
    spent: u64,
}

impl CostOverrun {
    /// A monitor with the bound of `config`.
    #[must_use]
    pub fn new(config: &MonitorConfig) -> CostOverrun {
        CostOverrun {
            bound: config.budget_nano_dollars,
            planned_ns: config.planned_ns,
            spent: 0,
            by_agent: BTreeMap::new(),
            signal: None,
            reached: None,
            last: Moment::ZERO,
        }
    }

    fn spend(&mut self, moment: Moment, agent: AgentId, nano_dollars: u64, bound: u64) {
        self.spent = self.spent.saturating_add(nano_dollars);
        let own = self.by_agent.entry(agent).or_default();
        *own = own.saturating_add(nano_dollars);
        self.last = moment;
        if self.reached.is_some() {
            return;
        }
        if self.spent >= bound {
            self.reached = Some(Reached { moment, agent, spent: self.spent });
        } else if !self.is_heading_past(bound, moment) {
            self.signal = None;
        } else if self.signal.is_none() {
            self.signal = Some(Signal { moment, spent: self.spent });
        }
    }

    fn is_heading_past(&self, bound: u64, now: Moment) -> bool {
        let Some(planned_ns) = self.planned_ns else { return false };
        let projected = u128::from(self.spent) * u128::from(planned_ns);
        self.spent >= bound / BELIEVED_FROM && projected >= u128::from(bound) * u128::from(now.at.as_ns())
    }

    fn finding(&self, reached: Reached, bound: u64, names: &Names) -> Finding {
        let over = self.spent - bound;
        let per_hour = per_hour(self.spent, self.last.at.as_ns());
        let mut roles: BTreeMap<String, u64> = BTreeMap::new();
        for (agent, spent) in &self.by_agent {
            let role = roles.entry(Role::of(*agent).name(names)).or_default();
            *role = role.saturating_add(*spent);
        }
        // The largest; of several, the first by name.
        let largest = roles.iter().max_by(|a, b| a.1.cmp(b.1).then_with(|| b.0.cmp(a.0)));
        let (role, by_role) = largest.expect("somebody spent");
        let text = format!(
            "the fleet spent {} of {}, at {} an hour; {} spent most of it, {}",
            dollars(self.spent),
            dollars(bound),
            dollars(per_hour),
            shown(role),
            dollars(*by_role),
        );
        let mut numbers = vec![
            ("budget_nano_dollars", bound),
            ("spent_nano_dollars", self.spent),
            ("over_nano_dollars", over),
            ("burn_nano_dollars_per_hour", per_hour),
        ];
        let mut spenders: Vec<(&AgentId, &u64)> = self.by_agent.iter().collect();
        spenders.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        let mut agents: Vec<String> = spenders.iter().take(3).map(|(agent, _)| names.of(**agent)).collect();
        agents.sort();
        let earliest_signal = self.signal.map(|signal| {
            let left_ns = time_left_ns(signal, bound);
            numbers.push(("time_to_exhaustion_ns", left_ns));
            let text = format!(
                "{} were spent; at this rate {} is reached in {}",
                dollars(signal.spent),
                dollars(bound),
                duration(left_ns)
            );
            Evidence::new(signal.moment, text)
        });
        let agent = shown(&names.of(reached.agent));
        let text_reached = format!("{agent} was billed; the fleet had then spent {}", dollars(reached.spent));
        Finding {
            evidence: vec![Evidence::new(reached.moment, text_reached)],
            numbers: Numbers(numbers),
            about: BTreeMap::from([("role", vec![role.clone()]), ("agent", agents.clone())]),
            agents,
            lead_time_ns: self.signal.map(|signal| reached.moment.at.since(signal.moment.at)),
            saved_nano_dollars: self.signal.map(|signal| self.spent - signal.spent),
            earliest_signal,
            remedy: Some(format!(
                "watch the rate and stop early, bound what one item may cost, or plan for more than {}",
                dollars(bound)
            )),
            ..Finding::new(KIND, Class::Cost, Severity::Medium, KIND, reached.moment, "", &text)
        }
    }
}

/// What an hour costs when so much was spent in so long.
fn per_hour(spent: u64, length_ns: u64) -> u64 {
    let rate = (u128::from(spent) * u128::from(HOUR)).checked_div(u128::from(length_ns));
    rate.map_or(spent, |rate| u64::try_from(rate).unwrap_or(u64::MAX))
}

/// How long the rest lasts at the rate so far.
fn time_left_ns(signal: Signal, bound: u64) -> u64 {
    let left = u128::from(bound - signal.spent) * u128::from(signal.moment.at.as_ns());
    let left_ns = left.checked_div(u128::from(signal.spent)).unwrap_or(0);
    u64::try_from(left_ns).unwrap_or(u64::MAX)
}

impl Monitor for CostOverrun {
    fn name(&self) -> &'static str {
        KIND
    }

    fn interests(&self) -> Interests {
        if self.bound.is_some() { Interests::facts(&[FactKind::Spent]) } else { Interests::NONE }
    }

    fn observe(&mut self, step: &Step<'_>, facts: &[Fact<'_>]) {
        let Some(bound) = self.bound else { return };
        for fact in facts {
            if let Fact::Spent { nano_dollars, .. } = *fact {
                self.spend(Moment::of(step), step.target, nano_dollars, bound);
            }
        }
    }

    fn findings(&self, _end: &RunEnd, names: &Names) -> Vec<Finding> {
        let found = self.bound.zip(self.reached);
        found.map(|(bound, reached)| self.finding(reached, bound, names)).into_iter().collect()
    }
}
