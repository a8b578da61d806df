//! The outside of a fleet: one agent for each kind of work.

use std::sync::Arc;

use fleetsim_agents::outside::{Arrival, Arrivals, Outside, Work};
use fleetsim_agents::seam::Seam;
use fleetsim_engine::sample::Sampler;
use fleetsim_engine::{Address, AgentId, Fleet};

use super::BuildError;
use crate::load::Loaded;
use crate::scalar::Rate;
use crate::vocabulary::{self, CheckedBy, Document};

/// The items of the second kind of work are numbered from here, of the third from twice this, and so on.
const ITEMS_PER_KIND: u64 = 1_000_000_000;

/// The group that brings a kind of work: `outside`, or `outside/NAME` where there are several.
pub(super) fn group_name(document: &Document, work: &str) -> String {
    if document.work.len() == 1 { "outside".to_owned() } else { format!("outside/{work}") }
}

/// Where the results of each kind of work go, by first item.
pub(super) fn homes(document: &Document) -> Arc<[(u64, Address<fleetsim_agents::outside::Report>)]> {
    let home = |(at, name): (usize, &str)| {
        (first_item(at), Address::new(AgentId::named(&group_name(document, name), 1)))
    };
    document.work.names().enumerate().map(home).collect()
}

fn first_item(at: usize) -> u64 {
    at as u64 * ITEMS_PER_KIND + 1
}

pub(super) fn add(fleet: &mut Fleet, loaded: &Loaded, seams: &Arc<[Seam]>) -> Result<(), BuildError> {
    let document = loaded.scenario.document();
    for (at, (name, work)) in document.work.iter().enumerate() {
        let Some(entry) = document.seam.position(&work.enters) else { continue };
        let arrivals = arrivals(loaded, work)?;
        let recorded = match &arrivals {
            Arrivals::Recorded(recorded) => recorded.len() as u64,
            Arrivals::Spaced { at_once, .. } => *at_once,
        };
        let plan = Work {
            count: match (&arrivals, work.count) {
                (Arrivals::Recorded(_), Some(count)) => count.get().min(recorded),
                (_, Some(count)) => count.get(),
                (_, None) => recorded,
            },
            arrivals,
            entry: seams[entry].clone(),
            checked: work.checked_by != CheckedBy::Nobody,
            artifact: artifact(document),
            first_item: first_item(at),
        };
        fleet.add(&group_name(document, name), 1, move |_birth| Outside::new(plan.clone()))?;
    }
    Ok(())
}

/// The artifact that all the work goes into, if there is one.
fn artifact(document: &Document) -> Option<(Arc<str>, Address<fleetsim_agents::artifact_store::Request>)> {
    let edits = document.role.iter().find_map(|(_, role)| role.edits.as_ref())?;
    Some((edits.artifact.as_str().into(), Address::new(AgentId::named(&edits.medium, 1))))
}

fn arrivals(loaded: &Loaded, work: &vocabulary::Work) -> Result<Arrivals, BuildError> {
    use vocabulary::Arrival as Way;

    let poisson = |rate: Rate| {
        let mean_ns = (rate.period_ns() / rate.count().max(1)).max(1);
        Sampler::exponential(mean_ns).map_err(|invalid| BuildError::because(invalid.to_string()))
    };
    let gap_ns = |way: Option<Way<'_>>| match way {
        Some(Way::Poisson(rate)) => poisson(rate).map(Some),
        Some(Way::Every(gap)) => Ok(Some(Sampler::constant(gap.nanoseconds()))),
        _ => Ok(None),
    };
    Ok(match work.arrives.arrival() {
        Some(Way::AtOnce(count, then)) => {
            let gap_ns = gap_ns(then.and_then(vocabulary::Then::arrival))?;
            Arrivals::Spaced { at_once: count.get(), gap_ns }
        }
        Some(Way::From(path)) => {
            let recorded = loaded.arrivals(path).ok_or_else(|| {
                BuildError::because(format!("the data file `{path}` was not loaded with the scenario"))
            })?;
            let arrival = |recorded: &crate::arrivals::RecordedArrival| Arrival {
                at_ns: recorded.at_ns,
                tokens_in: recorded.context_tokens,
                tokens_out: recorded.generated_tokens,
            };
            Arrivals::Recorded(recorded.iter().map(arrival).collect())
        }
        way => Arrivals::Spaced { at_once: 0, gap_ns: gap_ns(way)? },
    })
}
