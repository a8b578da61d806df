//! The fault atlas: which plans no protocol could survive, by construction.

use fleetsim_engine::Time;

use crate::fault::Fault;
use crate::party::{Party, Who};
use crate::plan::{Plan, Rule};
use crate::share::Share;
use crate::when::When;

/// What in a plan leaves a fleet no way to recover, one sentence for each rule; empty when there is a way.
///
/// What heals is recoverable. Of the rest, these are not: an agent that is down, stands still, or is cut off for good,
/// and a link that for good loses or damages everything.
#[must_use]
pub fn unrecoverable(plan: &Plan) -> Vec<String> {
    plan.rules().filter_map(|(name, rule)| hopeless(plan, name, rule)).collect()
}

fn hopeless(plan: &Plan, name: &str, rule: &Rule) -> Option<String> {
    let name = name.escape_debug();
    if !goes_on(&rule.when) || heals(plan, &rule.fault) {
        return None;
    }
    match &rule.fault {
        Fault::Crash { who } if restarts(plan, who, &rule.when) => None,
        Fault::Crash { who } => Some(format!("`{name}`: nothing restarts {who}")),
        Fault::Pause { who } | Fault::Zombie { who } => Some(format!("`{name}`: {who} never goes on")),
        Fault::Isolate { who } => Some(format!("`{name}`: {who} is cut off for good")),
        Fault::Partition { .. } => Some(format!("`{name}`: the partition never heals")),
        Fault::Loss { share, .. } if is_all(*share) => {
            Some(format!("`{name}`: every message is lost for good"))
        }
        Fault::Corrupt { share, .. } if is_all(*share) => {
            Some(format!("`{name}`: every message is damaged for good"))
        }
        _ => None,
    }
}

fn is_all(share: Share) -> bool {
    share.numerator == share.denominator
}

/// Whether what it begins does not end by itself.
fn goes_on(when: &When) -> bool {
    match when {
        When::Always | When::At { .. } => true,
        When::Triggered { lasts_ns, released, .. } => lasts_ns.is_none() && released.is_none(),
        When::Window { .. } | When::Periodic { .. } | When::Random { .. } => false,
    }
}

/// Whether the healing of the world covers everything that the fault is about.
fn heals(plan: &Plan, fault: &Fault) -> bool {
    let Some(heal) = plan.healing() else { return false };
    let is_core = |party: &Party| heal.core.contains(&party.role);
    heal.core.is_empty()
        || match fault.who() {
            Some(Who::Each(party) | Who::OneOf(party)) => is_core(party),
            // The rest stays broken because it was asked for; only the core must be whole, and its links are.
            Some(Who::Whoever) | None => true,
        }
}

/// Whether another rule brings them back afterwards.
fn restarts(plan: &Plan, who: &Who, crashed: &When) -> bool {
    let begins = |when: &When| match when {
        When::At { at } | When::Window { from: at, .. } | When::Periodic { first: at, .. } => *at,
        When::Random { from, .. } => *from,
        When::Always | When::Triggered { .. } => Time::ZERO,
    };
    plan.rules().any(|(_, rule)| match (&rule.fault, who) {
        (Fault::Restart { who: Who::Each(back) }, Who::Each(gone)) => {
            let covers = back == gone || (back.role == gone.role && back.member.is_none());
            covers && begins(&rule.when) > begins(crashed)
        }
        _ => false,
    })
}
