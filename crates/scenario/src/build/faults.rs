//! The faults of a scenario, as a plan.

use fleetsim_engine::sample::Sampler;
use fleetsim_engine::{AgentId, ClockChange, SECOND, Time};
use fleetsim_fault_injection::{Fault, Messages, Plan, Share};

use super::{BuildError, sampler};
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

fn meant(document: &Document, kind: FaultKind<'_>) -> Result<Fault, BuildError> {
    let agent = |name: &str| {
        agent(document, name).ok_or_else(|| BuildError::because(format!("there is no agent `{name}`")))
    };
    let at = |at: Duration| Time::from_ns(at.nanoseconds());
    let messages =
        |from: &Option<String>, to: &Option<String>| Messages { from: from.clone(), to: to.clone() };
    let share =
        |share: scalar::Share| Share { numerator: share.numerator(), denominator: share.denominator() };
    Ok(match kind {
        FaultKind::Crash(crash) => Fault::Crash { agent: agent(&crash.agent)?, at: at(crash.at) },
        FaultKind::Restart(restart) => Fault::Restart { agent: agent(&restart.agent)?, at: at(restart.at) },
        FaultKind::Pause(pause) => {
            Fault::Pause { agent: agent(&pause.agent)?, at: at(pause.at), for_ns: pause.lasts.nanoseconds() }
        }
        FaultKind::Clock(clock) => Fault::Clock {
            agent: agent(&clock.agent)?,
            at: at(clock.at),
            change: ClockChange {
                drift_ppb: clock.drift.map_or(0, |drift| drift.parts_per_billion()),
                jump_ns: clock.jump.map_or(0, |jump| jump.nanoseconds()),
            },
        },
        FaultKind::Loss(loss) => {
            Fault::Loss { messages: messages(&loss.from, &loss.to), share: share(loss.share) }
        }
        FaultKind::Delay(delay) => Fault::Delay {
            messages: messages(&delay.from, &delay.to),
            share: share(delay.share),
            by_ns: sampler::of_durations(&delay.by)?,
        },
        FaultKind::Duplicate(duplicate) => Fault::Duplicate {
            messages: messages(&duplicate.from, &duplicate.to),
            share: share(duplicate.share),
            after_ns: Sampler::uniform(1, DUPLICATE_AFTER_NS_MAX).expect("the bounds are in order"),
        },
    })
}

/// The agent called `name`: `coder-2`, or `coordinator` where there is one.
fn agent(document: &Document, name: &str) -> Option<AgentId> {
    if document.role.get(name).is_some_and(|role| role.count.get() == 1) {
        return Some(AgentId::named(name, 1));
    }
    let (role, ordinal) = name.rsplit_once('-')?;
    let ordinal: u32 = ordinal.parse().ok()?;
    let count = document.role.get(role)?.count.get();
    (1..=count).contains(&u64::from(ordinal)).then(|| AgentId::named(role, ordinal))
}
