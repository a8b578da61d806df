//! Whom the names in a fault mean.

use fleetsim_fault_injection::Party;

use crate::vocabulary::{Document, MediumKind};

/// Instead of an agent: the one that stated the fact which set a fault off.
pub(crate) const WHOEVER: &str = "whoever";

/// The role, medium, model or agent called `name`; `None` when there is none.
pub(crate) fn party(document: &Document, name: &str) -> Option<Party> {
    if group_size(document, name).is_some() {
        return Some(Party::role(name));
    }
    let (role, ordinal) = name.rsplit_once('-')?;
    let ordinal: u32 = ordinal.parse().ok().filter(|_| !ordinal.starts_with(['0', '+']))?;
    let count = document.role.get(role)?.count.get();
    (1..=count).contains(&u64::from(ordinal)).then(|| Party::member(role, ordinal))
}

/// How many agents the group called `name` has: a role, or a medium or model, which are one each.
pub(crate) fn group_size(document: &Document, name: &str) -> Option<u64> {
    let role = document.role.get(name).map(|role| role.count.get());
    let medium = document.medium.get(name).filter(|medium| is_agent(medium.kind)).map(|_| 1);
    let model = document.model.get(name).map(|_| 1);
    let outside = (name == "outside" && document.work.len() == 1).then_some(1);
    role.or(medium).or(model).or(outside)
}

/// Whether a medium of this kind is an agent of its own, rather than a part of the agent whose it is.
pub(crate) fn is_agent(kind: MediumKind) -> bool {
    match kind {
        MediumKind::Queue | MediumKind::SharedMemory | MediumKind::TaskStore | MediumKind::ArtifactStore => {
            true
        }
        MediumKind::Inbox | MediumKind::MergeQueue | MediumKind::BranchPerAgent => false,
    }
}

/// All names that [`group_size`] knows, for advice.
pub(crate) fn group_names(document: &Document) -> impl Iterator<Item = &str> {
    let media = document.medium.iter().filter(|(_, medium)| is_agent(medium.kind)).map(|(name, _)| name);
    document.role.names().chain(media).chain(document.model.names())
}

/// Whether some agent is in both.
pub(crate) fn meet(one: &Party, other: &Party) -> bool {
    let either_is_whole = one.member.is_none() || other.member.is_none();
    one.role == other.role && (either_is_whole || one.member == other.member)
}
