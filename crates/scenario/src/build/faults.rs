//! The faults of a scenario, as a plan.

use fleetsim_engine::{ClockChange, SECOND, Time};
use fleetsim_fault_injection::{Fault, Messages, Party, Plan, Rule, Share, Spread, When, Who};

use super::BuildError;
use crate::distribution::{Distribution, DurationDistribution, Shape};
use crate::scalar::{self, Duration};
use crate::vocabulary::{Document, FaultKind};

/// How much later the second copy of a duplicated message arrives at most.
const DUPLICATE_AFTER_NS_MAX: u64 = SECOND;

pub(super) fn plan(document: &Document) -> Result<Plan, BuildError> {
    let mut plan = Plan::default();
    for fault in &document.fault {
        let Some(kind) = fault.kind() else { continue };
        plan.add(&fault.name, meant(document, kind)?)
            .map_err(|error| BuildError::because(error.to_string()))?;
    }
    Ok(plan)
}

fn meant(document: &Document, kind: FaultKind<'_>) -> Result<Rule, BuildError> {
    let who = |name: &str| {
        let party = party(document, name);
        party.map(Who::Each).ok_or_else(|| BuildError::because(format!("there is no agent `{name}`")))
    };
    let at = |at: Duration| When::At { at: Time::from_ns(at.nanoseconds()) };
    let messages = |from: &Option<String>, to: &Option<String>| Messages {
        from: from.as_deref().map(Party::role),
        to: to.as_deref().map(Party::role),
        ..Messages::default()
    };
    let share = |share: scalar::Share| Share::new(share.numerator(), share.denominator());
    Ok(match kind {
        FaultKind::Crash(crash) => Rule::new(Fault::Crash { who: who(&crash.agent)? }, at(crash.at)),
        FaultKind::Restart(restart) => {
            Rule::new(Fault::Restart { who: who(&restart.agent)? }, at(restart.at))
        }
        FaultKind::Pause(pause) => {
            let from = pause.at.nanoseconds();
            let until = Time::from_ns(from.saturating_add(pause.lasts.nanoseconds()));
            let when = When::Window { from: Time::from_ns(from), until };
            Rule::new(Fault::Pause { who: who(&pause.agent)? }, when)
        }
        FaultKind::Clock(clock) => {
            let change = ClockChange {
                drift_ppb: clock.drift.map_or(0, |drift| drift.parts_per_billion()),
                jump_ns: clock.jump.map_or(0, |jump| jump.nanoseconds()),
            };
            Rule::new(Fault::Clock { who: who(&clock.agent)?, change }, at(clock.at))
        }
        FaultKind::Loss(loss) => {
            let messages = messages(&loss.from, &loss.to);
            Rule::new(Fault::Loss { messages, share: share(loss.share) }, When::Always)
        }
        FaultKind::Delay(delay) => {
            let messages = messages(&delay.from, &delay.to);
            let by_ns = spread(&delay.by)?;
            Rule::new(Fault::Delay { messages, share: share(delay.share), by_ns }, When::Always)
        }
        FaultKind::Duplicate(duplicate) => {
            let messages = messages(&duplicate.from, &duplicate.to);
            let after_ns = Spread::Uniform { low: 1, high: DUPLICATE_AFTER_NS_MAX };
            Rule::new(Fault::Duplicate { messages, share: share(duplicate.share), after_ns }, When::Always)
        }
    })
}

/// How long, as a plan says it.
fn spread(distribution: &DurationDistribution) -> Result<Spread, BuildError> {
    let ns = |duration: &Duration| duration.nanoseconds();
    Ok(match distribution {
        Distribution::Constant(value) => Spread::Constant(ns(value)),
        Distribution::Drawn(Shape::Exponential { mean }) => Spread::Exponential { mean: ns(mean) },
        Distribution::Drawn(Shape::Uniform { from, to }) => Spread::Uniform { low: ns(from), high: ns(to) },
        Distribution::Drawn(Shape::Lognormal { median, p99 }) => {
            Spread::Lognormal { median: ns(median), p99: ns(p99) }
        }
        Distribution::Drawn(_) => {
            return Err(BuildError::because(
                "a fault takes a constant, exponential, uniform or lognormal time",
            ));
        }
    })
}

/// The agent called `name`: `coder-2`, or `coordinator` where there is one.
fn party(document: &Document, name: &str) -> Option<Party> {
    if document.role.get(name).is_some_and(|role| role.count.get() == 1) {
        return Some(Party::member(name, 1));
    }
    let (role, ordinal) = name.rsplit_once('-')?;
    let ordinal: u32 = ordinal.parse().ok()?;
    let count = document.role.get(role)?.count.get();
    (1..=count).contains(&u64::from(ordinal)).then(|| Party::member(role, ordinal))
}
