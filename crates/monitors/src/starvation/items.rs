//! Items that are on their way, by the medium and seam that carry them.

use std::collections::{BTreeMap, BTreeSet};

use super::tickets::{Ticket, Tickets};
use super::waits::{Waits, finding};
use crate::config::{Medium, MonitorConfig};
use crate::finding::Finding;
use crate::intern::Interner;
use crate::monitor::{Moment, RunEnd};
use crate::number_map::NumberMap;

/// How many lines an item is followed in at once: a record may be made to be slow.
const LINES_MAX: usize = 64;

/// Lines of items, by medium and seam.
#[derive(Clone, Debug)]
pub(super) struct ItemLines {
    /// Media that are told to be something else than a thing that stands between giver and receiver.
    others: BTreeSet<String>,
    media: Interner,
    seams: Interner,
    bound_ns: u64,
    /// The place in `lines` of each medium and seam.
    places: NumberMap<(u32, u32), u32>,
    lines: Vec<ItemLine>,
    waiting: NumberMap<u64, Waiting>,
    /// Media that delivered what did not wait, again or as a copy from further up: they keep no order that could be judged,
    /// and copies are another finding's business.
    redelivering: BTreeSet<u32>,
}

#[derive(Clone, Debug)]
struct ItemLine {
    medium: u32,
    seam: u32,
    tickets: Tickets,
    waits: Waits<u64>,
}

/// The lines that an item waits in, by place: mostly one.
#[derive(Clone, Debug)]
struct Waiting {
    first: (u32, Ticket),
    others: Vec<(u32, Ticket)>,
}

impl Waiting {
    fn all(&self) -> impl Iterator<Item = &(u32, Ticket)> {
        core::iter::once(&self.first).chain(&self.others)
    }
}

impl ItemLines {
    pub(super) fn new(config: &MonitorConfig) -> ItemLines {
        let others = config.media.iter().filter(|(_, medium)| **medium != Medium::Carrier);
        ItemLines {
            others: others.map(|(name, _)| name.clone()).collect(),
            media: Interner::default(),
            seams: Interner::default(),
            bound_ns: config.default_wait_bound_ns,
            places: NumberMap::default(),
            lines: Vec::new(),
            waiting: NumberMap::default(),
            redelivering: BTreeSet::new(),
        }
    }

    /// The item waits from now on; one that waits already keeps its place.
    pub(super) fn offered(&mut self, seam: &str, medium: &str, item: u64, at: Moment) {
        if medium.is_empty() || self.others.contains(medium) {
            return;
        }
        let (medium, seam) = (self.media.number(medium), self.seams.number(seam));
        let lines = &mut self.lines;
        let place = *self.places.or_insert_with((medium, seam), || {
            lines.push(ItemLine { medium, seam, tickets: Tickets::default(), waits: Waits::default() });
            u32::try_from(lines.len() - 1).expect("a run has fewer than four billion names")
        });
        let tickets = &mut self.lines[place as usize].tickets;
        let mut joins = false;
        let waiting = self.waiting.or_insert_with(item, || {
            joins = true;
            Waiting { first: (place, tickets.draw(at)), others: Vec::new() }
        });
        let has_room = waiting.others.len() + 1 < LINES_MAX;
        if !joins && has_room && waiting.all().all(|(known, _)| *known != place) {
            waiting.others.push((place, tickets.draw(at)));
        }
    }

    /// The item left the medium, for whomever.
    pub(super) fn carried(&mut self, seam: &str, medium: &str, item: u64, at: Moment) {
        let (medium, seam) = (self.media.number(medium), self.seams.number(seam));
        let Some(place) = self.places.get((medium, seam)).copied() else { return };
        match self.leaves(item, |known, _| known == place) {
            Some((_, ticket)) => self.serve(place, item, ticket, at),
            None => {
                self.redelivering.insert(medium);
            }
        }
    }

    /// The item was taken up: where no carrier says that it handed it over, it left the medium now.
    pub(super) fn received(&mut self, seam: &str, item: u64, at: Moment) {
        if !self.waiting.contains(item) {
            return;
        }
        let seam = self.seams.number(seam);
        while let Some((place, ticket)) = self.leaves(item, |_, line| line.seam == seam) {
            self.serve(place, item, ticket, at);
        }
    }

    /// Nobody waits for the item on any seam any more.
    pub(super) fn over(&mut self, item: u64) {
        let Some(waiting) = self.waiting.remove(item) else { return };
        for (place, ticket) in waiting.all() {
            self.lines[*place as usize].tickets.give_up(*ticket);
        }
    }

    /// Takes the item out of the first of its lines that `is_it`.
    fn leaves(&mut self, item: u64, is_it: impl Fn(u32, &ItemLine) -> bool) -> Option<(u32, Ticket)> {
        let waiting = self.waiting.get_mut(item)?;
        let found = waiting.all().position(|(place, _)| is_it(*place, &self.lines[*place as usize]))?;
        if found > 0 {
            return Some(waiting.others.remove(found - 1));
        }
        let first = waiting.first;
        if waiting.others.is_empty() {
            self.waiting.remove(item);
        } else {
            waiting.first = waiting.others.remove(0);
        }
        Some(first)
    }

    fn serve(&mut self, place: u32, item: u64, ticket: Ticket, at: Moment) {
        let ItemLine { tickets, waits, .. } = &mut self.lines[place as usize];
        waits.add(item, tickets.serve(ticket), Some(at), at.at, self.bound_ns);
    }

    pub(super) fn findings(&self, end: &RunEnd) -> Vec<Finding> {
        let mut all: BTreeMap<(u32, u32), Waits<u64>> =
            self.lines.iter().map(|line| ((line.medium, line.seam), line.waits.clone())).collect();
        for (item, waiting) in self.waiting.sorted() {
            for (place, ticket) in waiting.all() {
                let ItemLine { medium, seam, tickets, .. } = &self.lines[*place as usize];
                let waits = all.get_mut(&(*medium, *seam)).expect("it is one of the lines");
                waits.add(item, tickets.wait_of(*ticket), None, end.time, self.bound_ns);
            }
        }
        let starved = all
            .iter()
            .filter(|((medium, _), waits)| waits.starved > 0 && !self.redelivering.contains(medium));
        let finding = |((medium, seam), waits): (&(u32, u32), &Waits<u64>)| {
            let (medium, seam) = (self.media.name(*medium), self.seams.name(*seam));
            let mut finding = finding(medium, seam, waits, self.bound_ns, |item| format!("item {item}"));
            finding.about = BTreeMap::from([
                ("resource", vec![medium.to_owned()]),
                ("medium", vec![medium.to_owned()]),
                ("seam", vec![seam.to_owned()]),
            ]);
            finding
        };
        starved.map(finding).collect()
    }
}

#[cfg(test)]
mod tests {
    use fleetsim_engine::Time;
    use proptest::prelude::*;

    use super::super::wait_line::WaitLine;
    use super::*;

    const MEDIA: [&str; 2] = ["redis", "merges"];
    const SEAMS: [&str; 2] = ["drafts", "notes"];

    /// The same with a line of its own for each medium and seam, looked through one by one.
    #[derive(Default)]
    struct Twin {
        lines: BTreeMap<(usize, usize), WaitLine<u64>>,
        /// How often somebody was served, and had been overtaken.
        served: BTreeMap<(usize, usize), (u64, u64)>,
        redelivering: BTreeSet<usize>,
    }

    impl Twin {
        fn serve(&mut self, queue: (usize, usize), item: u64) -> bool {
            let Some(wait) = self.lines.get_mut(&queue).and_then(|line| line.serve(item)) else {
                return false;
            };
            let (served, overtaken) = self.served.entry(queue).or_default();
            *served += 1;
            *overtaken += u64::from(wait.overtaken_by > 0);
            true
        }
    }

    #[test]
    fn an_item_is_followed_in_a_bounded_number_of_lines() {
        let mut lines = ItemLines::new(&MonitorConfig::default());
        for seam in 0..3 * LINES_MAX {
            lines.offered(&seam.to_string(), "redis", 7, Moment::ZERO);
        }
        assert_eq!(lines.waiting.get(7).map(|waiting| waiting.all().count()), Some(LINES_MAX));
        lines.over(7);
        assert!(lines.waiting.is_empty());
    }

    proptest! {
        #[test]
        fn items_wait_as_in_lines_of_their_own(
            steps in prop::collection::vec((0..4_u8, 0..2_usize, 0..2_usize, 0..5_u64), 0..200),
        ) {
            let config = MonitorConfig { default_wait_bound_ns: 0, ..MonitorConfig::default() };
            let (mut lines, mut twin) = (ItemLines::new(&config), Twin::default());
            for (event, (what, medium, seam, item)) in (0..).zip(steps) {
                let at = Moment { event, at: Time::from_ns(event + 1) };
                match what {
                    0 => {
                        lines.offered(SEAMS[seam], MEDIA[medium], item, at);
                        twin.lines.entry((medium, seam)).or_default().join(item, at);
                    }
                    1 => {
                        lines.carried(SEAMS[seam], MEDIA[medium], item, at);
                        if twin.lines.contains_key(&(medium, seam)) && !twin.serve((medium, seam), item) {
                            twin.redelivering.insert(medium);
                        }
                    }
                    2 => {
                        lines.received(SEAMS[seam], item, at);
                        for medium in 0..MEDIA.len() {
                            twin.serve((medium, seam), item);
                        }
                    }
                    _ => {
                        lines.over(item);
                        twin.lines.values_mut().for_each(|line| line.leave(item));
                    }
                }
            }
            let place = |all: &[&str], name: &str| {
                all.iter().position(|known| *known == name).expect("it is one of them")
            };
            let medium = |number: u32| place(&MEDIA, lines.media.name(number));
            let queue = |line: &ItemLine| (medium(line.medium), place(&SEAMS, lines.seams.name(line.seam)));
            let mut waiting: Vec<((usize, usize), u64, u64)> = Vec::new();
            for (item, all) in lines.waiting.sorted() {
                for (number, ticket) in all.all() {
                    let line = &lines.lines[*number as usize];
                    waiting.push((queue(line), item, line.tickets.wait_of(*ticket).overtaken_by));
                }
            }
            waiting.sort();
            let of_twin = twin.lines.iter().flat_map(|(queue, line)| {
                line.waiting().map(|(item, wait)| (*queue, item, wait.overtaken_by))
            });
            prop_assert_eq!(waiting, of_twin.collect::<Vec<_>>());
            for line in &lines.lines {
                let (served, overtaken) = twin.served.get(&queue(line)).copied().unwrap_or_default();
                prop_assert_eq!((line.waits.count(), line.waits.starved), (served, overtaken));
            }
            let redelivering: BTreeSet<usize> =
                lines.redelivering.iter().map(|number| medium(*number)).collect();
            prop_assert_eq!(redelivering, twin.redelivering);
        }
    }
}
