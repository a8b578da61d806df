//! Which steps a fault rule ordered: what an agent was told to do wrong is no discovery, and findings say so.
//!
//! A finding is labelled when the event that it is about is one in which a fact says that a rule told the agent to
//! misbehave. What follows from an injected fault at other events (a crash that makes a duplicate) is the fleet's own,
//! and is not labelled.

use std::collections::BTreeSet;

use fleetsim_engine::Fact;
use fleetsim_engine::batch::Step;

use crate::finding::Finding;
use crate::interests::{FactKind, Interests};

/// The facts that say so.
pub(crate) const INTERESTS: Interests = Interests::facts(&[FactKind::Injected]);

/// Whether a rule told the stating agent to misbehave in this step, or to find that something went wrong at a fault
/// site of its own, whose names have a dot. Other faults befall an agent; what it then does is its own.
pub(crate) fn is_ordered(facts: &[Fact<'_>]) -> bool {
    let is_told = |fault: &str| fault == "tell" || fault.contains('.');
    facts.iter().any(|fact| matches!(fact, Fact::Injected { fault, .. } if is_told(fault)))
}

/// The events that were ordered: eight bytes each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Injections {
    events: BTreeSet<u64>,
}

impl Injections {
    /// Takes note of a step.
    pub(crate) fn observe(&mut self, step: &Step<'_>, facts: &[Fact<'_>]) {
        if is_ordered(facts) {
            self.events.insert(step.ordinal);
        }
    }

    /// Labels a finding about an event that was ordered.
    pub(crate) fn label(&self, finding: &mut Finding) {
        finding.injected = self.events.contains(&finding.event);
    }
}
