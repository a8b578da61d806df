//! Media that are agents of their own.

use std::sync::Arc;

use fleetsim_agents::artifact_store::ArtifactStore;
use fleetsim_agents::broker::{self, Broker};
use fleetsim_agents::seam::Seam;
use fleetsim_agents::shared_memory::SharedMemory;
use fleetsim_agents::task_store::{self, TaskStore};
use fleetsim_engine::{Fleet, SECOND};

use super::{BuildError, seams};
use crate::vocabulary::{Delivery, Document, Medium, MediumKind, Order};

/// A queue that delivers at least once and does not say when it delivers again waits this long.
const REDELIVERS_AFTER_NS: u64 = 90 * SECOND;

pub(super) fn add(fleet: &mut Fleet, document: &Document, seams: &Arc<[Seam]>) -> Result<(), BuildError> {
    for (name, medium) in document.medium.iter() {
        let seams = Arc::clone(seams);
        match medium.kind {
            MediumKind::Queue => {
                let settings = queue(document, medium);
                fleet.add(name, 1, move |_birth| Broker::new(settings.clone(), Arc::clone(&seams)))?;
            }
            MediumKind::SharedMemory => {
                let versioned = medium.versioned.unwrap_or(false);
                fleet.add(name, 1, move |_birth| SharedMemory::new(versioned, Arc::clone(&seams)))?;
            }
            MediumKind::TaskStore => {
                let lease_ns = medium.lease.map(|lease| lease.nanoseconds());
                let settings =
                    task_store::Settings { lease_ns, checks_fence: medium.checks_fence != Some(false) };
                fleet.add(name, 1, move |_birth| TaskStore::new(settings, Arc::clone(&seams)))?;
            }
            MediumKind::ArtifactStore => {
                let checks = medium.checks_version.unwrap_or(false) || document.guard.read_before_write;
                fleet.add(name, 1, move |_birth| ArtifactStore::new(checks))?;
            }
            // An inbox is part of the agent whose it is; the others are refused before.
            MediumKind::Inbox | MediumKind::MergeQueue | MediumKind::BranchPerAgent => {}
        }
    }
    Ok(())
}

fn queue(document: &Document, medium: &Medium) -> broker::Settings {
    let redelivers_after_ns = match medium.delivery {
        Some(Delivery::AtMostOnce) => None,
        _ => Some(medium.redelivers_after.map_or(REDELIVERS_AFTER_NS, |after| after.nanoseconds())),
    };
    let reader = medium.read_by.as_deref();
    broker::Settings {
        redelivers_after_ns,
        capacity: medium.capacity.map_or(u64::MAX, |capacity| capacity.get()),
        newest_first: medium.order == Some(Order::LastCome),
        reader: reader.and_then(|role| seams::members(document, role).first().copied()),
        dead_letter_after: document.guard.dead_letter_after.map(|after| saturated(after.get())),
    }
}

pub(super) fn saturated(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
