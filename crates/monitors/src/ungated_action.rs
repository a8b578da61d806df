//! Actions that cannot be undone and that passed no gate.

use std::collections::BTreeMap;

use fleetsim_engine::batch::Step;
use fleetsim_engine::{AgentId, Fact, Names};

use crate::finding::{Class, Evidence, Finding, Numbers, Severity};
use crate::fold::Fold;
use crate::interests::{FactKind, Interests};
use crate::monitor::{Moment, Monitor, RunEnd};
use crate::text::{shown, times};

const KIND: &str = "ungated-irreversible-action";

/// Finds irreversible actions without a gate, folded by action.
#[derive(Clone, Debug, Default)]
pub struct UngatedAction {
    acts: BTreeMap<String, Fold<Act>>,
}

#[derive(Clone, Copy, Debug)]
struct Act {
    moment: Moment,
    agent: AgentId,
    item: u64,
}

impl Monitor for UngatedAction {
    fn name(&self) -> &'static str {
        KIND
    }

    fn interests(&self) -> Interests {
        Interests::facts(&[FactKind::Acted])
    }

    fn observe(&mut self, step: &Step<'_>, facts: &[Fact<'_>]) {
        for fact in facts {
            if let Fact::Acted { action, reversible: false, gate: "", item } = *fact {
                let act = Act { moment: Moment::of(step), agent: step.target, item };
                self.acts.entry(action.to_owned()).or_default().add(act, [step.target]);
            }
        }
    }

    fn findings(&self, _end: &RunEnd, names: &Names) -> Vec<Finding> {
        self.acts.iter().map(|(action, acts)| finding(action, acts, names)).collect()
    }
}

fn finding(action: &str, acts: &Fold<Act>, names: &Names) -> Finding {
    let first = acts.first();
    let (agent, shown_action) = (shown(&names.of(first.agent)), shown(action));
    let text = if acts.count == 1 {
        format!("{agent} did {shown_action} of item {} and no gate stood before it", first.item)
    } else {
        format!("{shown_action} was done {} and no gate stood before it, first by {agent}", times(acts.count))
    };
    let evidence = |act: &Act| {
        let agent = shown(&names.of(act.agent));
        Evidence::new(act.moment, format!("{agent} did {shown_action} of item {} ungated", act.item))
    };
    let agents = acts.agents(names);
    Finding {
        count: acts.count,
        evidence: acts.kept.iter().map(evidence).collect(),
        numbers: Numbers(vec![("actions", acts.count)]),
        about: BTreeMap::from([("action", vec![action.to_owned()]), ("agent", agents.clone())]),
        agents,
        remedy: Some(format!("put a gate before {shown_action}: a person, or a check that can say no")),
        ..Finding::new(KIND, Class::Safety, Severity::High, KIND, first.moment, action, &text)
    }
}
