//! What ends an item's way through the fleet, and what it does to the world.

use fleetsim_agents::gate::Action;
use fleetsim_engine::AgentId;

use crate::vocabulary::{CheckedBy, Document};

/// How items end at a role.
#[derive(Debug, Default)]
pub(super) struct End {
    pub(super) finishes: bool,
    pub(super) tested: bool,
    pub(super) action: Option<Action>,
}

/// How items end at `role`, if they do: `done-at` names the role, an action by it, or a seam to it.
pub(super) fn end_at(document: &Document, role: &str) -> End {
    let mut end = End::default();
    for (_, work) in document.work.iter() {
        let by_action = document.action.get(&work.done_at).filter(|action| action.by == role);
        let by_seam = document.seam.get(&work.done_at).is_some_and(|seam| seam.to == role);
        if by_action.is_none() && !by_seam && work.done_at != role {
            continue;
        }
        end.finishes = true;
        end.tested |= work.checked_by == CheckedBy::Tests;
        if let Some(action) = by_action {
            let gate = action.gate_role().map(|gate| (gate.into(), AgentId::named(gate, 1)));
            let name = work.done_at.as_str().into();
            end.action = Some(Action { name, reversible: action.reversible, gate });
        }
    }
    end
}
