//! Untrusted content that passed a seam which trusts nothing unchecked.
//!
//! *Definition.* An item is tainted from the fact that says so ([`Fact::Tainted`]) until somebody looks at it and lets it
//! pass: a review that approves it or a check that passes it. A breach is a receipt of a tainted item from a seam
//! that does not trust content. Whoever tainted it again after the check must have it checked again.
//!
//! *Source.* Taint tracking with endorsement (Myers and Liskov 1997); for agents that read instructions in what they are
//! handed, indirect prompt injection (Greshake and others 2023).
//!
//! *Parameters.* [`MonitorConfig::distrusting_seams`]; without one nothing is judged.
//!
//! *Limits.* A check counts, whether or not it is good: that a bad check let an error pass is error propagation. Taint
//! goes with the item's number: content that was copied into another item is lost from sight unless its agent
//! states the taint of that one too.

use std::collections::BTreeMap;

use fleetsim_engine::batch::Step;
use fleetsim_engine::{AgentId, Fact, Names};

use crate::config::MonitorConfig;
use crate::finding::{Class, Evidence, Finding, Numbers, Severity};
use crate::fold::Fold;
use crate::interests::{FactKind, Interests};
use crate::monitor::{Moment, Monitor, RunEnd};
use crate::text::{duration, shown, times};

const KIND: &str = "trust-breach";

/// Finds tainted items behind seams that do not trust content, folded by seam.
#[derive(Clone, Debug, Default)]
pub struct TrustBreach {
    /// The seams that do not trust content, with what passed them.
    seams: BTreeMap<String, Fold<Breach>>,
    tainted: BTreeMap<u64, Taint>,
}

#[derive(Clone, Copy, Debug)]
struct Taint {
    moment: Moment,
    origin: AgentId,
}

#[derive(Clone, Copy, Debug)]
struct Breach {
    taint: Taint,
    moment: Moment,
    receiver: AgentId,
    item: u64,
}

impl TrustBreach {
    /// A monitor of the seams of `config` that do not trust content.
    #[must_use]
    pub fn new(config: &MonitorConfig) -> TrustBreach {
        let seams = config.distrusting_seams.iter().map(|seam| (seam.clone(), Fold::default())).collect();
        TrustBreach { seams, tainted: BTreeMap::new() }
    }
}

impl Monitor for TrustBreach {
    fn name(&self) -> &'static str {
        KIND
    }

    fn interests(&self) -> Interests {
        if self.seams.is_empty() {
            return Interests::NONE;
        }
        Interests::facts(&[FactKind::Tainted, FactKind::Reviewed, FactKind::Checked, FactKind::Received])
    }

    fn observe(&mut self, step: &Step<'_>, facts: &[Fact<'_>]) {
        for fact in facts {
            match *fact {
                Fact::Tainted { item, origin } => {
                    self.tainted.entry(item).or_insert(Taint { moment: Moment::of(step), origin });
                }
                Fact::Reviewed { item, approved: true } | Fact::Checked { item, passed: true, .. } => {
                    self.tainted.remove(&item);
                }
                Fact::Received { seam, item, .. } => {
                    if let Some(taint) = self.tainted.get(&item)
                        && let Some(breaches) = self.seams.get_mut(seam)
                    {
                        let breach =
                            Breach { taint: *taint, moment: Moment::of(step), receiver: step.target, item };
                        breaches.add(breach, [taint.origin, step.target]);
                    }
                }
                _ => {}
            }
        }
    }

    fn findings(&self, _end: &RunEnd, names: &Names) -> Vec<Finding> {
        let passed = self.seams.iter().filter(|(_, breaches)| breaches.count > 0);
        passed.map(|(seam, breaches)| finding(seam, breaches, names)).collect()
    }
}

fn finding(seam: &str, breaches: &Fold<Breach>, names: &Names) -> Finding {
    let first = breaches.first();
    let name = |agent: AgentId| shown(&names.of(agent));
    let (receiver, origin) = (name(first.receiver), name(first.taint.origin));
    let lead_time_ns = first.moment.at.since(first.taint.moment.at);
    let more = if breaches.count > 1 { format!("; {} in all", times(breaches.count)) } else { String::new() };
    let text = format!(
        "{receiver} took up item {}, untrusted since {origin}, and nobody had checked it for {}{more}",
        first.item,
        duration(lead_time_ns)
    );
    let came_in =
        |breach: &Breach| format!("item {} became untrusted at {}", breach.item, name(breach.taint.origin));
    let took = |breach: &Breach| {
        Evidence::new(
            breach.moment,
            format!("{} took up item {} unchecked", name(breach.receiver), breach.item),
        )
    };
    let signal = Evidence::new(first.taint.moment, came_in(first));
    let agents = breaches.agents(names);
    Finding {
        count: breaches.count,
        evidence: core::iter::once(signal.clone()).chain(breaches.kept.iter().map(took)).collect(),
        numbers: Numbers(vec![("breaches", breaches.count)]),
        about: BTreeMap::from([("seam", vec![seam.to_owned()]), ("agent", agents.clone())]),
        agents,
        earliest_signal: Some(signal),
        lead_time_ns: Some(lead_time_ns),
        remedy: Some(format!("let somebody check what goes over {} before it is taken up", shown(seam))),
        ..Finding::new(KIND, Class::Safety, Severity::High, KIND, first.moment, seam, &text)
    }
}
