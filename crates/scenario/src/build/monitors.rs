//! What the monitors of a fleet are told: names, bounds, and what kind of thing each medium is.

use fleetsim_monitors::{ArchitectureClass, May, Medium, MonitorConfig, PropertyRule};

use super::{seams, work};
use crate::meaning::properties;
use crate::vocabulary::{Architecture, Document, MediumKind, Nature, Property};

/// What the monitors must know of a fleet.
pub(super) fn config(document: &Document) -> MonitorConfig {
    let mut config = MonitorConfig {
        claims_to_be: document.fleet.claims_to_be.map(|claim| match claim {
            Architecture::PeerToPeer => ArchitectureClass::PeerToPeer,
            Architecture::HubAndSpoke => ArchitectureClass::HubAndSpoke,
            Architecture::DistributedHubAndSpoke => ArchitectureClass::DistributedHubAndSpoke,
            Architecture::Hybrid => ArchitectureClass::Hybrid,
        }),
        budget_nano_dollars: document
            .fleet
            .budget
            .or(document.guard.fleet_cost_breaker)
            .map(|budget| budget.nano_dollars()),
        planned_ns: Some(document.fleet.lasts.nanoseconds()),
        properties: document.property.iter().filter_map(rule).collect(),
        outside: document.work.names().map(|name| work::group_name(document, name)).collect(),
        ..MonitorConfig::default()
    };
    for (name, seam) in document.seam.iter() {
        let late_after_ns = seam.late_after.map_or(seams::LATE_AFTER_NS, |bound| bound.nanoseconds());
        config.late_after_ns.insert(name.to_owned(), late_after_ns);
        config.seam_media.insert(name.to_owned(), seam.via.clone());
        if !seam.trusts_content {
            config.distrusting_seams.insert(name.to_owned());
        }
    }
    for (name, role) in document.role.iter() {
        if let Some(bound) = role.waits_at_most {
            config.wait_bound_ns.insert(name.to_owned(), bound.nanoseconds());
        }
        if let Some(edits) = &role.edits {
            config.resource_media.insert(edits.artifact.clone(), edits.medium.clone());
        }
        let model = role.model.as_ref().and_then(|model| document.model.get(model));
        if let Some(window) = model.and_then(|model| model.context_window)
            && role.context_grows.is_some()
        {
            config.context_windows.insert(name.to_owned(), window.get());
        }
        if matches!(role.nature(), Some(Nature::Human(_))) {
            config.people.insert(name.to_owned());
        }
    }
    for (name, medium) in document.medium.iter() {
        let meant = match (medium.kind, &medium.of) {
            (MediumKind::Inbox, Some(of)) => Medium::Inbox(of.clone()),
            (MediumKind::Inbox, None) => Medium::Direct,
            _ => Medium::Carrier,
        };
        config.media.insert(name.to_owned(), meant);
        if medium.kind == MediumKind::TaskStore {
            config.stores.insert(name.to_owned());
        }
    }
    for (name, action) in document.action.iter() {
        config.action_roles.insert(name.to_owned(), action.by.clone());
    }
    for (name, may) in document.may.iter() {
        let things = |things: &[String]| things.iter().cloned().collect();
        config.may.insert(name.to_owned(), May { read: things(&may.read), write: things(&may.write) });
    }
    config
}

/// A property as monitors know it: it was checked with the rest of the scenario.
fn rule(property: &Property) -> Option<PropertyRule> {
    properties::read(property).ok().flatten()
}
