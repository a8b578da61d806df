//! Offers that were taken up more than once: what at-least-once delivery does to work that is not idempotent.
//!
//! A carrier may pass an offer on as often as it likes, as long as its receiver takes it up once. And giving out
//! again what was lost in a crash or given back is how it should be; what a lease took from a live worker is not.
//!
//! *Source.* At-least-once delivery without idempotence (Helland, "Idempotence Is Not a Medical Condition", 2012).
//!
//! *Parameters.* none.

use std::collections::BTreeMap;

use fleetsim_engine::batch::Step;
use fleetsim_engine::{AgentId, Fact, Names};

use crate::finding::{Class, Evidence, Finding, Numbers, Severity};
use crate::fold::Fold;
use crate::interests::{FactKind, Interests};
use crate::intern::Interner;
use crate::ledger::Ledger;
use crate::monitor::{Moment, Monitor, RunEnd, went_down};
use crate::text::{counted, duration, shown, times};

const KIND: &str = "duplicate-hand-over";

/// The medium of a seam that nothing was carried by.
const UNKNOWN: u32 = u32::MAX;

/// Finds duplicate hand-overs, folded by medium.
#[derive(Clone, Debug, Default)]
pub struct DuplicateHandOver {
    seams: Interner,
    media: Interner,
    /// Kept for good, since a duplicate may come at any time: 32 bytes an offer, beside a set of their numbers.
    taken: Ledger<Taken>,
    /// The event of each agent's last crash.
    crashed: BTreeMap<AgentId, u64>,
    /// Items that were released, by the agents at both ends of the message that did it, if it was one.
    given_back: BTreeMap<u64, [AgentId; 2]>,
    /// The medium of each seam, by the seam's number.
    carried_by: Vec<u32>,
    repeats: BTreeMap<u32, Repeats>,
}

/// Who took an offer up last, and when.
#[derive(Clone, Copy, Debug)]
struct Taken {
    moment: Moment,
    receiver: AgentId,
}

const _: () = assert!(core::mem::size_of::<(u64, Taken)>() <= 32);

#[derive(Clone, Debug, Default)]
struct Repeats {
    fold: Fold<Repeat>,
    by_seam: BTreeMap<u32, u64>,
}

#[derive(Clone, Copy, Debug)]
struct Repeat {
    before: Taken,
    again: Taken,
    seam: u32,
    offer: u64,
    item: u64,
}

impl DuplicateHandOver {
    /// Duplicates by seam.
    #[must_use]
    pub fn by_seam(&self) -> BTreeMap<&str, u64> {
        let mut seams = BTreeMap::new();
        for repeats in self.repeats.values() {
            for (seam, count) in &repeats.by_seam {
                *seams.entry(self.seams.name(*seam)).or_default() += count;
            }
        }
        seams
    }

    fn received(&mut self, again: Taken, seam: &str, item: u64, offer: u64) {
        let given_back = self.given_back.remove(&item);
        let Some(known) = self.taken.enter(offer, again) else { return };
        let before = core::mem::replace(known, again);
        if given_back.is_some_and(|ends| ends.contains(&before.receiver)) {
            return;
        }
        if self.crashed.get(&before.receiver).is_some_and(|crash| *crash > before.moment.event) {
            return;
        }
        let seam = self.seams.number(seam);
        let direct = self.media.number("");
        let medium =
            self.carried_by.get(seam as usize).copied().filter(|medium| *medium != UNKNOWN).unwrap_or(direct);
        let repeats = self.repeats.entry(medium).or_default();
        *repeats.by_seam.entry(seam).or_default() += 1;
        let receivers = [before.receiver, again.receiver];
        repeats.fold.add(Repeat { before, again, seam, offer, item }, receivers);
    }

    fn carried(&mut self, seam: &str, medium: &str) {
        let (seam, medium) = (self.seams.number(seam), self.media.number(medium));
        if self.carried_by.len() <= seam as usize {
            self.carried_by.resize(seam as usize + 1, UNKNOWN);
        }
        self.carried_by[seam as usize] = medium;
    }

    fn finding(&self, medium: &str, repeats: &Repeats, names: &Names) -> Finding {
        let (fold, first) = (&repeats.fold, repeats.fold.first());
        let mut seams: Vec<(&str, u64)> =
            repeats.by_seam.iter().map(|(seam, count)| (self.seams.name(*seam), *count)).collect();
        seams.sort();
        let told: Vec<String> =
            seams.iter().map(|(seam, count)| format!("{} {}", shown(seam), times(*count))).collect();
        let text = format!(
            "{} ({}); first item {} was taken up by {} again {} after {} took it",
            counted(fold.count, "duplicate"),
            told.join(", "),
            first.item,
            shown(&names.of(first.again.receiver)),
            duration(first.again.moment.at.since(first.before.moment.at)),
            shown(&names.of(first.before.receiver)),
        );
        let took = |repeat: &Repeat, taken: Taken, how: &str| {
            let (seam, receiver) = (shown(self.seams.name(repeat.seam)), shown(&names.of(taken.receiver)));
            Evidence::new(taken.moment, format!("{receiver} took up offer {} of {seam}{how}", repeat.offer))
        };
        let original = took(first, first.before, "");
        let agents = fold.agents(names);
        let subject = if medium.is_empty() { "direct messages" } else { medium };
        Finding {
            count: fold.count,
            evidence: core::iter::once(original)
                .chain(fold.kept.iter().map(|repeat| took(repeat, repeat.again, " again")))
                .collect(),
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
            ..Finding::new(KIND, Class::Safety, Severity::Medium, KIND, first.again.moment, subject, &text)
        }
    }
}

impl Monitor for DuplicateHandOver {
    fn name(&self) -> &'static str {
        KIND
    }

    fn interests(&self) -> Interests {
        Interests::facts(&[
            FactKind::Offered,
            FactKind::HandedOver,
            FactKind::Received,
            FactKind::TaskReleased,
        ]) | Interests::LIFECYCLE
    }

    fn observe(&mut self, step: &Step<'_>, facts: &[Fact<'_>]) {
        if went_down(step) {
            self.crashed.insert(step.target, step.ordinal);
        }
        for fact in facts {
            match *fact {
                Fact::Offered { seam, medium, .. } | Fact::HandedOver { seam, medium, .. } => {
                    self.carried(seam, medium);
                }
                Fact::TaskReleased { task, .. } => {
                    self.given_back.insert(task, [step.source, step.target]);
                }
                Fact::Received { seam, item, offer, .. } => {
                    let taken = Taken { moment: Moment::of(step), receiver: step.target };
                    self.received(taken, seam, item, offer);
                }
                _ => {}
            }
        }
    }

    fn findings(&self, _end: &RunEnd, names: &Names) -> Vec<Finding> {
        self.repeats
            .iter()
            .map(|(medium, repeats)| self.finding(self.media.name(*medium), repeats, names))
            .collect()
    }
}
