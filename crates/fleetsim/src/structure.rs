//! What an architecture is by its scenario alone: who chooses at how many seams, who touches them, what carries
//! them. The run is the judge; this is the guess that costs nothing.

use std::collections::BTreeMap;

use fleetsim_monitors::ArchitectureClass;
use fleetsim_scenario::vocabulary::{ChosenBy, Document, MediumKind, Seam};

use crate::output::figures;

/// One seam's weight: divided among the members of a role, since each takes part in as many hand-overs.
const WHOLE: u64 = 1_000_000;

/// The guess.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Structure {
    pub(crate) class: ArchitectureClass,
    /// One sentence with the reasons.
    pub(crate) text: String,
}

/// A count of whole seams, and the part of them that falls on one member.
#[derive(Clone, Copy, Default)]
struct Count {
    seams: u64,
    of_one: u64,
}

type Counts<'a> = BTreeMap<&'a str, Count>;

/// What the fleet is by its seams; `None` without any.
pub(crate) fn structure(document: &Document) -> Option<Structure> {
    let seams = document.seam.len() as u64;
    if seams == 0 {
        return None;
    }
    let (mut choosers, mut ends, mut carriers) = (Counts::new(), Counts::new(), Counts::new());
    for (_, seam) in document.seam.iter() {
        if let Some(role) = chooser(seam) {
            add(&mut choosers, role, document);
        }
        let owner = inbox_owner(document, seam);
        let mut touching = vec![seam.from.as_str(), seam.to.as_str()];
        touching.extend(owner);
        touching.sort();
        touching.dedup();
        touching.iter().filter(|role| **role != "outside").for_each(|role| add(&mut ends, role, document));
        if let Some(carrier) = carrier(document, seam) {
            add(&mut carriers, carrier, document);
        }
    }
    let class = classify(document, seams, &choosers, &ends, &carriers);
    let mut reasons = Vec::new();
    if let Some((role, count)) = largest(&choosers) {
        reasons.push(format!("{} of {} are chosen by {role}", count.seams, figures::counted(seams, "seam")));
    }
    if let Some((medium, count)) = largest(&carriers) {
        reasons.push(format!("{} of {seams} carried by {medium}", count.seams));
    }
    if let Some((role, count)) = largest(&ends).filter(|(_, count)| is_half(*count, seams)) {
        let members = document.role.get(role).map_or(1, |role| role.count.get());
        let each = if members > 1 { format!(", which has {members} agents") } else { String::new() };
        reasons.push(format!("{} of {seams} touching {role}{each}", count.seams));
    }
    if reasons.is_empty() {
        reasons.push(format!("{}, chosen and carried by nobody", figures::counted(seams, "seam")));
    }
    Some(Structure { class, text: format!("structurally: {}: {class}", reasons.join(", ")) })
}

/// Whether one member has a part in half of the seams, which makes it a hub.
fn is_half(count: Count, seams: u64) -> bool {
    count.of_one * 2 >= seams * WHOLE
}

fn chooser(seam: &Seam) -> Option<&str> {
    match &seam.chosen_by {
        ChosenBy::Role(role) => Some(role),
        ChosenBy::Sender if seam.from != "outside" => Some(&seam.from),
        ChosenBy::Sender | ChosenBy::Nobody => None,
    }
}

fn inbox_owner<'a>(document: &'a Document, seam: &Seam) -> Option<&'a str> {
    let medium = document.medium.get(&seam.via).filter(|medium| medium.kind == MediumKind::Inbox)?;
    medium.of.as_deref()
}

/// What stands between giver and receiver; an inbox is no thing of its own.
fn carrier<'a>(document: &'a Document, seam: &'a Seam) -> Option<&'a str> {
    match document.medium.get(&seam.via)?.kind {
        MediumKind::Inbox => {
            inbox_owner(document, seam).filter(|owner| *owner != seam.to && *owner != seam.from)
        }
        _ => Some(&seam.via),
    }
}

fn add<'a>(counts: &mut Counts<'a>, name: &'a str, document: &Document) {
    let members = document.role.get(name).map_or(1, |role| role.count.get().max(1));
    let count = counts.entry(name).or_default();
    count.seams += 1;
    count.of_one += WHOLE / members;
}

/// The one with the largest part; among equals the one whose name comes first.
fn largest<'a>(counts: &Counts<'a>) -> Option<(&'a str, Count)> {
    let mut largest: Option<(&str, Count)> = None;
    for (name, count) in counts {
        if largest.is_none_or(|(_, most)| count.of_one > most.of_one) {
            largest = Some((name, *count));
        }
    }
    largest
}

/// The definitions of the measured classes, with seams in the place of hand-overs.
fn classify(
    document: &Document,
    seams: u64,
    choosers: &Counts<'_>,
    ends: &Counts<'_>,
    carriers: &Counts<'_>,
) -> ArchitectureClass {
    let all = seams * WHOLE;
    let part = |counts: &Counts<'_>| largest(counts).map_or(0, |(_, count)| count.of_one);
    let (decision, logical, carrier) = (part(choosers), part(ends), part(carriers));
    let one_hub = choosers.iter().any(|(role, count)| {
        count.of_one * 5 >= all * 4 && ends.get(role).is_some_and(|end| end.of_one * 5 >= all * 4)
    });
    let agents = document.agents().max(1);
    let is_small =
        |part: u64| part * 5 <= all || u128::from(part) * u128::from(agents) <= u128::from(all) * 2;
    if one_hub {
        ArchitectureClass::HubAndSpoke
    } else if [decision, logical, carrier].into_iter().any(|part| part * 2 >= all) {
        ArchitectureClass::DistributedHubAndSpoke
    } else if [decision, logical, carrier].into_iter().all(is_small) {
        ArchitectureClass::PeerToPeer
    } else {
        ArchitectureClass::Hybrid
    }
}

#[cfg(test)]
mod tests {
    use fleetsim_scenario::{Overrides, Scenario};

    use super::*;

    fn of(workers: u64, media: &str, seams: &str) -> Structure {
        let text = format!(
            "[fleet]\nlasts = \"1h\"\n[work.item]\ncount = 1\narrives = {{ at-once = 1 }}\nenters = \"a\"\ndone-at = \"y\"\n\
             [role]\nx = {{ count = {workers}, process = {{ handles-one-in = \"1s\" }} }}\n\
             y = {{ count = {workers}, process = {{ handles-one-in = \"1s\" }} }}\n\
             boss = {{ count = 1, process = {{ handles-one-in = \"1s\" }} }}\n[medium]\n{media}\n[seam]\n{seams}\n"
        );
        let scenario =
            Scenario::parse("test.toml", &text, &Overrides::none()).unwrap_or_else(|error| panic!("{error}"));
        structure(scenario.document()).expect("there are seams")
    }

    #[test]
    fn classes_follow_from_the_seams() {
        use ArchitectureClass::*;
        let direct = "d = { kind = \"inbox\" }";
        for (workers, media, seams, class, reason) in [
            (
                3,
                "hub = { kind = \"inbox\", of = \"boss\" }",
                "a = { from = \"outside\", to = \"x\", via = \"hub\", chosen-by = \"boss\" }\n\
                 b = { from = \"x\", to = \"y\", via = \"hub\", chosen-by = \"boss\" }",
                HubAndSpoke,
                "2 of 2 seams are chosen by boss, 2 of 2 carried by boss, 2 of 2 touching boss",
            ),
            (
                3,
                "q = { kind = \"queue\", read-by = \"boss\" }",
                "a = { from = \"outside\", to = \"x\", via = \"q\", chosen-by = \"boss\" }\n\
                 b = { from = \"x\", to = \"y\", via = \"q\", chosen-by = \"boss\" }",
                DistributedHubAndSpoke,
                "2 of 2 carried by q",
            ),
            (
                9,
                direct,
                "a = { from = \"outside\", to = \"x\", via = \"d\" }\nb = { from = \"x\", to = \"y\", via = \"d\" }\n\
                 c = { from = \"y\", to = \"x\", via = \"d\" }",
                PeerToPeer,
                "1 of 3 seams are chosen by x: ",
            ),
        ] {
            let found = of(workers, media, seams);
            assert_eq!(found.class, class, "{}", found.text);
            assert!(found.text.contains(reason) && found.text.ends_with(class.name()), "{}", found.text);
        }
    }
}
