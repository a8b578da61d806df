//! What a scenario leaves unguarded, or will run full: notes of `check`, each with what may come of it.

use fleetsim_scenario::Distribution;
use fleetsim_scenario::vocabulary::{Delivery, Document, Medium, MediumKind, Role, When};

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
    notes.extend(document.role.iter().filter_map(|(name, role)| crowded(document, name, role)));
    if document.may.is_empty() {
        notes.push("no [may]: every role may read and write everything".to_owned());
    }
    notes
}

/// When the turns of a role stop fitting into its model's context window, as far as that follows from the figures alone.
fn crowded(document: &Document, name: &str, role: &Role) -> Option<String> {
    let model = role.model.as_ref()?;
    let window = document.model.get(model)?.context_window?.get();
    let Some(Distribution::Constant(input)) = &role.input else { return None };
    let Some(room) = window.checked_sub(input.get()) else {
        return Some(format!(
            "role {name} sends more tokens a turn than the context-window of {model} holds"
        ));
    };
    let fitting = room.checked_div(role.context_grows?.get())?.saturating_add(1);
    let turns = if fitting == 1 { "turn" } else { "turns" };
    Some(format!("role {name} fills the context-window of {model} with {fitting} {turns} about an item"))
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

    fn notes(overrides: &[&str]) -> Vec<String> {
        let mut set = Overrides::none();
        overrides.iter().for_each(|pair| set.push(pair).expect("it is an override"));
        let scenario = Scenario::parse("test.toml", TEXT, &set).unwrap_or_else(|error| panic!("{error}"));
        absent(scenario.document())
    }

    #[test]
    fn it_is_told_when_a_context_window_will_be_full() {
        let told = |overrides: &[&str]| -> Vec<String> {
            notes(overrides).into_iter().filter(|note| note.contains("context-window")).collect()
        };
        let grows = "role.x.context-grows=20";
        for (overrides, said) in [
            (
                &["model.m.context-window=9"][..],
                "role x sends more tokens a turn than the context-window of m holds",
            ),
            (
                &["model.m.context-window=49", grows],
                "role x fills the context-window of m with 2 turns about an item",
            ),
            (
                &["model.m.context-window=50", grows],
                "role x fills the context-window of m with 3 turns about an item",
            ),
            (
                &["model.m.context-window=10", grows],
                "role x fills the context-window of m with 1 turn about an item",
            ),
        ] {
            assert_eq!(told(overrides).first().map(String::as_str), Some(said), "{overrides:?}");
        }
        assert_eq!(told(&["model.m.context-window=10"]), [""; 0], "nothing grows");
        assert_eq!(told(&[grows]), [""; 0], "no window");
    }

    #[test]
    fn every_absent_guard_is_noted_and_every_present_one_is_not() {
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
