//! What a scenario says of faults, as the plan that acts on a fleet.

pub(crate) mod parties;
mod spread;
pub(crate) mod timing;
mod tolerance;

use fleetsim_engine::{ClockChange, SECOND, Time};
use fleetsim_fault_injection::{Damage, Error, Fault, Heal, Luck, Messages, Plan, Rule, Share, Spread, Who};

use crate::distribution::{CountDistribution, DurationDistribution};
use crate::scalar;
use crate::vocabulary::{Document, FaultKind, How, MessageWords, Of, WhomWords};
use parties::{WHOEVER, party};

pub(crate) use spread::of_durations;
pub(crate) use tolerance::{tolerance, world};

/// How much later the second copy of a duplicated message arrives at most.
const DUPLICATE_AFTER_NS_MAX: u64 = SECOND;

/// Names in the groups of one partition: each is compared with all others.
pub(crate) const GROUPED_MAX: usize = 1_000;

/// The plan of a document, and what cannot be part of one, with the position of its fault. What is wrong in a way that
/// the document's own judge has already told is left out.
pub(crate) fn plan(document: &Document) -> (Plan, Vec<(usize, Error)>) {
    let mut plan = Plan::default();
    let mut refused = Vec::new();
    for (position, fault) in document.fault.iter().enumerate() {
        let Some(kind) = fault.kind() else { continue };
        let (Some(meant), Ok(when)) = (meant(document, kind), timing::when(document, fault, kind)) else {
            continue;
        };
        if let Err(error) = plan.add(&fault.name, Rule::new(meant, when)) {
            refused.push((position, error));
        }
    }
    plan.heal(document.heal.as_ref().map(|heal| Heal {
        at: Time::from_ns(heal.at.nanoseconds()),
        core: heal.core.clone(),
        converges_within_ns: heal.within.nanoseconds(),
    }));
    (plan, refused)
}

/// What goes wrong, or `None` when it names what is not there or cannot be drawn.
fn meant(document: &Document, kind: FaultKind<'_>) -> Option<Fault> {
    let messages = kind.messages().map_or(Some(Messages::default()), |words| messages(document, words))?;
    let who = || kind.whom().and_then(|words| who(document, words));
    Some(match kind {
        FaultKind::Loss(fault) => Fault::Loss { messages, share: share(fault.share) },
        FaultKind::Partition(fault) => {
            if fault.groups.iter().map(Vec::len).sum::<usize>() > GROUPED_MAX {
                return None;
            }
            let side = |names: &Vec<String>| names.iter().map(|name| party(document, name)).collect();
            let groups: Option<Vec<_>> = fault.groups.iter().map(side).collect();
            Fault::Partition { groups: groups?, one_way: fault.one_way }
        }
        FaultKind::Isolate(_) => Fault::Isolate { who: who()? },
        FaultKind::Hold(_) => Fault::Hold { messages },
        FaultKind::Latency(fault) => {
            let takes_ns = spread::of_durations(&fault.takes)?;
            Fault::Latency { messages, share: all_or(fault.share), takes_ns }
        }
        FaultKind::Delay(fault) => {
            let by_ns = spread::of_durations(&fault.by)?;
            Fault::Delay { messages, share: all_or(fault.share), by_ns }
        }
        FaultKind::Reorder(fault) => {
            let within_ns = fault.within.nanoseconds();
            Fault::Reorder { messages, share: all_or(fault.share), within_ns }
        }
        FaultKind::Duplicate(fault) => {
            let up_to_a_second = Spread::Uniform { low: 1, high: DUPLICATE_AFTER_NS_MAX };
            let after_ns = fault.after.as_ref().map_or(Some(up_to_a_second), spread::of_durations)?;
            Fault::Duplicate { messages, share: share(fault.share), after_ns }
        }
        FaultKind::Corrupt(fault) => {
            let damage = match fault.how {
                Some(How::Truncate) => Damage::Truncate,
                Some(How::Flip) | None => Damage::Flip,
            };
            Fault::Corrupt { messages, share: share(fault.share), damage }
        }
        FaultKind::Crash(_) => Fault::Crash { who: who()? },
        FaultKind::Restart(_) => Fault::Restart { who: who()? },
        FaultKind::Pause(_) => Fault::Pause { who: who()? },
        FaultKind::Zombie(_) => Fault::Zombie { who: who()? },
        FaultKind::Slow(fault) => Fault::Slow { who: who()?, permille: permille(fault.times) },
        FaultKind::Clock(fault) => {
            let change = ClockChange {
                drift_ppb: fault.drift.map_or(0, |drift| drift.parts_per_billion()),
                jump_ns: fault.jump.map_or(0, |jump| jump.nanoseconds()),
            };
            Fault::Clock { who: who()?, change }
        }
        FaultKind::Tell(fault) => Fault::Tell { who: who()?, name: fault.what.clone() },
        FaultKind::Site(fault) => Fault::Site {
            site: fault.name.clone(),
            who: match &fault.within {
                None => None,
                Some(name) => Some(party(document, name)?),
            },
            share: share(fault.share),
            luck: match fault.of {
                Some(Of::Agents) => Luck::Agent,
                Some(Of::Visits) | None => Luck::Visit,
            },
            strength: strength(&fault.strength, &fault.time)?,
            armed: all_or(fault.armed),
        },
    })
}

fn messages(document: &Document, words: MessageWords<'_>) -> Option<Messages> {
    let named = |name: Option<&str>| match name {
        None => Some(None),
        Some(name) => party(document, name).map(Some),
    };
    Some(Messages {
        from: named(words.from)?,
        to: named(words.to)?,
        touching: named(words.medium)?,
        protocol: words.protocol.map(str::to_owned),
        kind: words.kind.map(str::to_owned),
    })
}

fn who(document: &Document, words: WhomWords<'_>) -> Option<Who> {
    match words {
        WhomWords { agent: Some(WHOEVER), .. } => Some(Who::Whoever),
        WhomWords { agent: Some(name), .. } | WhomWords { role: Some(name), .. } => {
            party(document, name).map(Who::Each)
        }
        WhomWords { one_of, .. } => party(document, one_of?).map(Who::OneOf),
    }
}

/// How badly something goes wrong at a site.
fn strength(strength: &Option<CountDistribution>, time: &Option<DurationDistribution>) -> Option<Spread> {
    match (strength, time) {
        (Some(strength), _) => spread::of_counts(strength),
        (None, Some(time)) => spread::of_durations(time),
        (None, None) => Some(Spread::Constant(1)),
    }
}

/// Thousandths of the time that something should take.
fn permille(times: scalar::Decimal) -> u64 {
    times.billionths() / 1_000_000
}

fn share(share: scalar::Share) -> Share {
    Share::new(share.numerator(), share.denominator())
}

fn all_or(stated: Option<scalar::Share>) -> Share {
    stated.map_or(Share::ALL, share)
}
