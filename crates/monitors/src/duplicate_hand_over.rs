//! Offers that were handed over more than once: what at-least-once delivery does to work that is not idempotent.

use std::collections::BTreeMap;

use fleetsim_engine::batch::Step;
use fleetsim_engine::{AgentId, Fact, Names, Time};

use crate::finding::{Class, Evidence, Finding, Numbers, Severity};
use crate::fold::Fold;
use crate::intern::Interner;
use crate::monitor::{Moment, Monitor, RunEnd};
use crate::text::{counted, duration, shown, times};

const KIND: &str = "duplicate-hand-over";

/// Finds duplicate hand-overs, folded by medium.
#[derive(Clone, Debug, Default)]
pub struct DuplicateHandOver {
    names: Interner,
    /// Kept for good, since a duplicate may come at any time: 32 bytes an offer.
    offers: BTreeMap<u64, Offer>,
    repeats: BTreeMap<u32, Repeats>,
}

#[derive(Clone, Copy, Debug)]
struct Offer {
    first: Moment,
    medium: u32,
    handed_over: u16,
    received: u16,
}

#[derive(Clone, Debug, Default)]
struct Repeats {
    fold: Fold<Repeat>,
    by_seam: BTreeMap<u32, u64>,
}

#[derive(Clone, Copy, Debug)]
struct Repeat {
    first: Moment,
    again: Moment,
    seam: u32,
    offer: u64,
    item: u64,
    receiver: AgentId,
}

impl DuplicateHandOver {
    /// Duplicates by seam.
    #[must_use]
    pub fn by_seam(&self) -> BTreeMap<&str, u64> {
        let mut seams = BTreeMap::new();
        for repeats in self.repeats.values() {
            for (seam, count) in &repeats.by_seam {
                *seams.entry(self.names.name(*seam)).or_default() += count;
            }
        }
        seams
    }

    /// Takes note of one more passing of an offer, `medium` being known to the carrier but not to the receiver.
    fn pass(
        &mut self,
        at: Moment,
        seam: &str,
        item: u64,
        offer: u64,
        medium: Option<&str>,
        receiver: AgentId,
    ) {
        let medium_number = self.names.number(medium.unwrap_or_default());
        let new = Offer { first: at, medium: medium_number, handed_over: 0, received: 0 };
        let entry = self.offers.entry(offer).or_insert(new);
        let before = entry.handed_over.max(entry.received);
        // A count that large has long been told.
        let count = if medium.is_some() { &mut entry.handed_over } else { &mut entry.received };
        *count = count.saturating_add(1);
        // A carrier's second delivery and the second receipt that follows from it are one duplicate, not two.
        let passed = entry.handed_over.max(entry.received);
        if passed > before && passed >= 2 {
            let (medium, first) = (entry.medium, entry.first);
            let seam = self.names.number(seam);
            let repeats = self.repeats.entry(medium).or_default();
            *repeats.by_seam.entry(seam).or_default() += 1;
            repeats.fold.add(Repeat { first, again: at, seam, offer, item, receiver }, [receiver]);
        }
    }

    fn finding(&self, medium: &str, repeats: &Repeats, names: &Names) -> Finding {
        let (fold, first) = (&repeats.fold, repeats.fold.first());
        let mut seams: Vec<(&str, u64)> =
            repeats.by_seam.iter().map(|(seam, count)| (self.names.name(*seam), *count)).collect();
        seams.sort();
        let told: Vec<String> =
            seams.iter().map(|(seam, count)| format!("{} {}", shown(seam), times(*count))).collect();
        let text = format!(
            "{} ({}); first item {} went to {} again {} after the first time",
            counted(fold.count, "duplicate"),
            told.join(", "),
            first.item,
            shown(&names.of(first.receiver)),
            duration(first.again.at.since(first.first.at)),
        );
        let again = |repeat: &Repeat| {
            let (seam, receiver) = (shown(self.names.name(repeat.seam)), shown(&names.of(repeat.receiver)));
            Evidence::new(
                repeat.again,
                format!("offer {} of {seam} was handed over again, to {receiver}", repeat.offer),
            )
        };
        let seam = shown(self.names.name(first.seam));
        let original = Evidence::new(
            first.first,
            format!("offer {} of {seam} was handed over the first time", first.offer),
        );
        let agents = fold.agents(names);
        let subject = if medium.is_empty() { "direct messages" } else { medium };
        Finding {
            count: fold.count,
            evidence: core::iter::once(original).chain(fold.kept.iter().map(again)).collect(),
            numbers: Numbers(vec![("duplicates", fold.count), ("seams", seams.len() as u64)]),
            about: BTreeMap::from([
                ("medium", vec![medium.to_owned()]),
                ("seam", seams.iter().map(|(seam, _)| (*seam).to_owned()).collect()),
                ("agent", agents.clone()),
            ]),
            agents,
            remedy: Some(
                "let receivers remember the offers they took, or redeliver later than the slowest takes"
                    .to_owned(),
            ),
            ..Finding::new(KIND, Class::Safety, Severity::Medium, KIND, first.again, subject, &text)
        }
    }
}

impl Monitor for DuplicateHandOver {
    fn name(&self) -> &'static str {
        KIND
    }

    fn observe(&mut self, step: &Step<'_>, facts: &[Fact<'_>]) {
        let at = Moment::of(step);
        for fact in facts {
            match *fact {
                Fact::HandedOver { seam, item, offer, medium, receiver } => {
                    self.pass(at, seam, item, offer, Some(medium), receiver);
                }
                Fact::Received { seam, item, offer, .. } => {
                    self.pass(at, seam, item, offer, None, step.target)
                }
                _ => {}
            }
        }
    }

    fn findings(&self, _end: &RunEnd, names: &Names) -> Vec<Finding> {
        self.repeats
            .iter()
            .map(|(medium, repeats)| self.finding(self.names.name(*medium), repeats, names))
            .collect()
    }
}

const _: () = assert!(core::mem::size_of::<(u64, Offer)>() <= 32 && core::mem::size_of::<Time>() == 8);
