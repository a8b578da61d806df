//! Handlers that panicked. The finding holds address and kind only, so that it is the same on every machine.

use std::collections::BTreeMap;

use fleetsim_engine::batch::{Fate, Step};
use fleetsim_engine::{AgentId, Fact, Names};

use crate::finding::{Class, Evidence, Finding, Severity};
use crate::fold::Fold;
use crate::interests::Interests;
use crate::monitor::{Moment, Monitor, RunEnd};
use crate::role::Role;
use crate::text::{shown, times};

const KIND: &str = "panicked-agent";

/// Finds handlers that panicked, folded by role.
#[derive(Clone, Debug, Default)]
pub struct PanickedAgent {
    panics: BTreeMap<Role, Fold<(Moment, AgentId)>>,
}

impl Monitor for PanickedAgent {
    fn name(&self) -> &'static str {
        KIND
    }

    fn interests(&self) -> Interests {
        Interests::LIFECYCLE
    }

    fn observe(&mut self, step: &Step<'_>, _facts: &[Fact<'_>]) {
        if step.fate == Fate::Panicked {
            let panic = (Moment::of(step), step.target);
            self.panics.entry(Role::of(step.target)).or_default().add(panic, [step.target]);
        }
    }

    fn findings(&self, _end: &RunEnd, names: &Names) -> Vec<Finding> {
        self.panics.iter().map(|(role, panics)| finding(*role, panics, names)).collect()
    }
}

fn finding(role: Role, panics: &Fold<(Moment, AgentId)>, names: &Names) -> Finding {
    let (first, agent) = *panics.first();
    let more =
        if panics.count > 1 { format!("; its role panicked {}", times(panics.count)) } else { String::new() };
    let text = format!("{} panicked while it handled event #{}{more}", shown(&names.of(agent)), first.event);
    let evidence = |(moment, agent): &(Moment, AgentId)| {
        Evidence::new(*moment, format!("{} panicked", shown(&names.of(*agent))))
    };
    let agents = panics.agents(names);
    Finding {
        count: panics.count,
        evidence: panics.kept.iter().map(evidence).collect(),
        about: BTreeMap::from([("role", vec![role.name(names)]), ("agent", agents.clone())]),
        agents,
        remedy: Some("replay to the event and debug the handler".to_owned()),
        ..Finding::new(KIND, Class::Safety, Severity::High, KIND, first, "", &text)
    }
}
