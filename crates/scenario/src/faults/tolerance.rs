//! What a scenario says that its protocols bear, for swarms of faults.

use fleetsim_engine::Time;
use fleetsim_fault_injection::{SiteTolerance, Spread, Tolerance, World};

use super::parties::{group_names, group_size};
use super::{messages, permille, share, strength};
use crate::either::Either;
use crate::scalar::Duration;
use crate::vocabulary::Document;

/// What is borne; `None` when nothing is said.
pub(crate) fn tolerance(document: &Document) -> Option<Tolerance> {
    let stated = document.tolerates.as_ref()?;
    let ns = |duration: Option<Duration>| duration.map(Duration::nanoseconds);
    let roles = if stated.roles.is_empty() {
        document.role.names().map(str::to_owned).collect()
    } else {
        stated.roles.clone()
    };
    let site = |(name, site): (&str, &Either<crate::scalar::Share, crate::vocabulary::SiteTolerance>)| {
        let borne = match site {
            Either::Short(stated) => SiteTolerance { share: share(*stated), strength: Spread::Constant(1) },
            Either::Table(stated) => SiteTolerance {
                share: share(stated.share),
                strength: strength(&stated.strength, &stated.time).unwrap_or(Spread::Constant(1)),
            },
        };
        (name.to_owned(), borne)
    };
    Some(Tolerance {
        messages: stated
            .messages
            .as_ref()
            .and_then(|filter| messages(document, filter.messages()))
            .unwrap_or_default(),
        roles,
        loss: stated.loss.map(share),
        delay_ns: ns(stated.delay),
        reorder_ns: ns(stated.reorder),
        duplicate: stated.duplicate.map(share),
        corrupt: stated.corrupt.map(share),
        partition_ns: ns(stated.partition),
        hold_ns: ns(stated.hold),
        crash_ns: ns(stated.crash),
        pause_ns: ns(stated.pause),
        zombie_ns: ns(stated.zombie),
        slow_permille: stated.slow.map(permille),
        clock_jump_ns: ns(stated.clock_jump),
        clock_drift_ppb: stated.clock_drift.map(|drift| drift.parts_per_billion().unsigned_abs()),
        sites: stated.sites.iter().map(site).collect(),
    })
}

/// What a swarm must know of the fleet. Without `[heal]` the world heals halfway, and the fleet has the other half.
pub(crate) fn world(document: &Document) -> World {
    let lasts_ns = document.fleet.lasts.nanoseconds();
    let heals_at_ns = document.heal.as_ref().map_or((lasts_ns / 2).max(1), |heal| heal.at.nanoseconds());
    let within_ns = document.heal.as_ref().map(|heal| heal.within.nanoseconds());
    let size = |name: &str| u32::try_from(group_size(document, name).unwrap_or(0)).unwrap_or(u32::MAX);
    World {
        roles: group_names(document).map(|name| (name.to_owned(), size(name))).collect(),
        heals_at: Time::from_ns(heals_at_ns),
        converges_within_ns: within_ns.unwrap_or(lasts_ns.saturating_sub(heals_at_ns)),
    }
}
