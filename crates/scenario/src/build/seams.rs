//! The seams of a scenario, as agents know them.

use std::sync::Arc;

use fleetsim_agents::seam::{Chooser, Medium, Seam, When};
use fleetsim_engine::{Address, AgentId, MINUTE};

use crate::vocabulary::{self, ChosenBy, Document, MediumKind};

/// A hand-over that takes longer counts as late, unless its seam says otherwise.
pub(super) const LATE_AFTER_NS: u64 = 5 * MINUTE;

/// The members of a role.
pub(super) fn members(document: &Document, role: &str) -> Vec<AgentId> {
    let count = document.role.get(role).map_or(0, |role| role.count.get());
    (1..=count).map(|ordinal| AgentId::named(role, ordinal as u32)).collect()
}

/// All seams, numbered in the order of the file.
pub(super) fn seams(document: &Document) -> Arc<[Seam]> {
    let seam = |(number, (name, seam)): (usize, (&str, &vocabulary::Seam))| Seam {
        number: number as u16,
        name: name.into(),
        receivers: members(document, &seam.to).into(),
        chooser: chooser(document, seam),
        medium_name: seam.via.as_str().into(),
        medium: medium(document, &seam.via),
        when: match document.carries(name) {
            vocabulary::When::Always => When::Always,
            vocabulary::When::Approved => When::Approved,
            vocabulary::When::Rejected => When::Rejected,
        },
        is_entry: seam.from == "outside",
    };
    document.seam.iter().enumerate().map(seam).collect()
}

fn chooser(document: &Document, seam: &vocabulary::Seam) -> Chooser {
    match &seam.chosen_by {
        ChosenBy::Sender => Chooser::Sender,
        ChosenBy::Nobody => Chooser::Nobody,
        // The first member chooses: choosing is what makes it a hub, and one is enough for that.
        ChosenBy::Role(role) => {
            members(document, role).first().map_or(Chooser::Nobody, |member| Chooser::Agent(*member))
        }
    }
}

fn medium(document: &Document, name: &str) -> Medium {
    let id = AgentId::named(name, 1);
    match document.medium.get(name).map(|medium| medium.kind) {
        Some(MediumKind::Queue) => Medium::Queue(Address::new(id)),
        Some(MediumKind::SharedMemory) => Medium::SharedMemory(Address::new(id)),
        Some(MediumKind::TaskStore) => Medium::TaskStore(Address::new(id)),
        _ => Medium::Inbox,
    }
}
