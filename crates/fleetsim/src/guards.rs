//! What a scenario leaves unguarded: notes of `check`, each with what may come of it.

use fleetsim_scenario::vocabulary::{Delivery, Document, Medium, MediumKind, When};

/// The notes, in the order of the vocabulary.
pub(crate) fn absent(document: &Document) -> Vec<String> {
    let guard = &document.guard;
    let mut notes = Vec::new();
    let costs = document.model.iter().any(|(_, model)| model.dollars_per_million.is_some());
    if costs && guard.fleet_cost_breaker.is_none() {
        notes.push("no fleet-cost-breaker: nothing stops spending".to_owned());
    }
    for (name, action) in document.action.iter() {
        if !action.reversible && action.gate_role().is_none() {
            notes.push(format!(
                "action {name} cannot be taken back and has no gate: nobody is asked before it"
            ));
        }
    }
    for (name, medium) in document.medium.iter().filter(|(_, medium)| medium.kind == MediumKind::Queue) {
        match medium.delivery.unwrap_or(Delivery::AtLeastOnce) {
            Delivery::AtLeastOnce if !guard.dedupe_hand_overs => notes.push(format!(
                "medium {name} delivers at least once and dedupe-hand-overs is off: an item may be worked on twice"
            )),
            Delivery::AtMostOnce => {
                notes.push(format!("medium {name} delivers at most once: an item may be lost without a trace"));
            }
            Delivery::AtLeastOnce => {}
        }
    }
    let mut sends_back = document.seam.names().filter(|name| document.carries(name) == When::Rejected);
    if let Some(name) = sends_back.next()
        && guard.review_rounds.is_none()
    {
        notes.push(format!(
            "seam {name} sends work back and there is no review-rounds: it may go back for ever"
        ));
    }
    let redelivers =
        |medium: &Medium| medium.kind == MediumKind::Queue && medium.delivery != Some(Delivery::AtMostOnce);
    if document.medium.iter().any(|(_, medium)| redelivers(medium)) && guard.dead_letter_after.is_none() {
        notes.push("no dead-letter-after: what nobody acknowledges is delivered again for ever".to_owned());
    }
    for (name, role) in document.role.iter() {
        let Some(edits) = &role.edits else { continue };
        let checks =
            document.medium.get(&edits.medium).and_then(|medium| medium.checks_version).unwrap_or(false);
        let several = document.role.iter().filter(|(_, other)| other.edits.is_some()).count() > 1;
        if !checks && !guard.read_before_write && (several || role.count.get() > 1) {
            notes.push(format!(
                "role {name} edits {} and read-before-write is off: one may overwrite another's work",
                edits.artifact
            ));
        }
    }
    if document.may.is_empty() {
        notes.push("no [may]: every role may read and write everything".to_owned());
    }
    notes
}

#[cfg(test)]
mod tests {
    use fleetsim_scenario::{Overrides, Scenario};

    use super::*;

    const TEXT: &str = r#"
        [fleet]
        lasts = "1h"
        [work.item]
        count = 1
        arrives = { at-once = 1 }
        enters = "a"
        done-at = "ship"
        [model.m]
        first-token = "1s"
        per-token = "1ms"
        dollars-per-million = { input = "3", output = "15" }
        allows = {}
        [role]
        x = { count = 2, model = "m", input = 10, output = 10, edits = { artifact = "plan.md", in = "files" } }
        y = { count = 1, model = "m", input = 10, output = 10 }
        lead = { count = 1, human = { answers-in = "1m" } }
        [medium]
        q = { kind = "queue" }
        files = { kind = "artifact-store" }
        [seam]
        a = { from = "outside", to = "x", via = "q", chosen-by = "nobody" }
        b = { from = "x", to = "y", via = "q", chosen-by = "nobody" }
        rejected = { from = "y", to = "x", via = "q", chosen-by = "nobody" }
        [action.ship]
        by = "y"
        reversible = false
    "#;

    #[test]
    fn every_absent_guard_is_noted_and_every_present_one_is_not() {
        let notes = |overrides: &[&str]| {
            let mut set = Overrides::none();
            overrides.iter().for_each(|pair| set.push(pair).expect("it is an override"));
            let scenario = Scenario::parse("test.toml", TEXT, &set).unwrap_or_else(|error| panic!("{error}"));
            absent(scenario.document())
        };
        let all = notes(&[]);
        assert_eq!(all.len(), 7, "{all:#?}");
        for (guard, word) in [
            ("guard.fleet-cost-breaker=$5", "fleet-cost-breaker"),
            ("guard.dedupe-hand-overs=true", "dedupe-hand-overs"),
            ("guard.review-rounds=3", "review-rounds"),
            ("guard.dead-letter-after=3", "dead-letter-after"),
            ("guard.read-before-write=true", "read-before-write"),
            ("action.ship.gate=lead", "no gate"),
            ("action.ship.reversible=true", "no gate"),
        ] {
            let with_guard = notes(&[guard]);
            assert!(all.iter().any(|note| note.contains(word)), "{word}");
            assert!(!with_guard.iter().any(|note| note.contains(word)), "{guard}: {with_guard:?}");
        }
    }
}
