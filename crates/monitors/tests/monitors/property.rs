//! Properties of a user's own: as closures, and in words.

use fleetsim_engine::{Fact, SECOND, Time, Value};
use fleetsim_monitors::{
    FactKind, Finding, MonitorConfig, Panel, Pattern, Promised, Property, PropertyRule, RunEnd,
};
use proptest::prelude::*;

use crate::support::{Run, id, manifest, only};

fn end(second: u64, quiescent: bool) -> RunEnd {
    RunEnd { time: Time::from_ns(second * SECOND), complete: true, quiescent }
}

/// What a panel with one property says of a run: about the property alone.
fn judged(property: &Property, run: &Run, end: &RunEnd) -> Vec<Finding> {
    let judge = |size: usize| {
        let mut panel = Panel::new(&MonitorConfig::default(), &manifest());
        panel.add(Box::new(property.clone()));
        run.batches(size).iter().for_each(|batch| panel.observe_batch(batch));
        let is_about = |finding: &Finding| finding.monitor == "property";
        panel.report(end).findings.into_iter().filter(is_about).collect::<Vec<Finding>>()
    };
    let whole = judge(4096);
    assert_eq!(judge(1), whole, "the batches' size is no matter");
    whole
}

fn added(task: u64) -> Fact<'static> {
    Fact::TaskAdded { task }
}

fn finished(task: u64, actual: bool) -> Fact<'static> {
    Fact::TaskFinished { task, attempt: 1, reported: true, actual }
}

fn pattern(text: &str) -> Pattern {
    Pattern::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn in_words(promised: Promised) -> Property {
    Property::from(&PropertyRule { name: "promise".to_owned(), promised })
}

fn tasks_end() -> Property {
    let task_of = |fact: &Fact<'_>| match *fact {
        Fact::TaskFinished { task, actual: true, .. } => Some(task),
        _ => None,
    };
    Property::eventually_within(
        "promise",
        10 * SECOND,
        |fact, _| if let Fact::TaskAdded { task } = *fact { Some(task) } else { None },
        move |fact, _| task_of(fact),
    )
    .over(&[FactKind::TaskAdded, FactKind::TaskFinished])
}

#[test]
fn always_names_the_fact_at_which_it_does_not_hold() {
    let closure =
        Property::always("promise", |fact, _| !matches!(fact, Fact::TaskFinished { actual: false, .. }));
    for property in [closure, in_words(Promised::Always(pattern("TaskFinished where actual")))] {
        let mut run = Run::default();
        run.at(1, "coder-1", [finished(1, true)]);
        assert_eq!(judged(&property, &run, &end(9, true)), [], "near miss");
        run.at(2, "coder-2", [finished(2, false)]).at(3, "coder-1", [finished(3, false)]);
        let finding = only(judged(&property, &run, &end(9, true)));
        assert_eq!(finding.summary, "PROPERTY VIOLATED on promise at 00:00:02: it does not hold; twice");
        assert_eq!((finding.count, finding.event), (2, 1));
        assert_eq!(
            finding.evidence[0].text,
            "coder-2 stated TaskFinished { task: 2, attempt: 1, reported: true, actual: false }"
        );
        assert!(finding.matches("property-violated", &[("property", "promise"), ("agent", "coder-1")]));
    }
}

#[test]
fn a_closure_keeps_its_state_and_a_clone_starts_afresh() {
    let mut last = 0;
    let rises = Property::always("promise", move |fact, _| match *fact {
        Fact::TaskClaimed { fence, .. } => core::mem::replace(&mut last, fence) < fence,
        _ => true,
    });
    let claim = |fence| Fact::TaskClaimed { task: 1, fence };
    let mut run = Run::default();
    run.at(1, "coder-1", [claim(1)]).at(2, "coder-2", [claim(2)]);
    for _ in 0..2 {
        assert_eq!(judged(&rises, &run, &end(9, true)), []);
    }
    run.at(3, "coder-1", [claim(1)]);
    assert_eq!(only(judged(&rises, &run, &end(9, true))).event, 2);
}

#[test]
fn what_should_happen_sometimes_and_never_did_is_told() {
    let closure = Property::sometimes("promise", |fact, _| matches!(fact, Fact::TaskReleased { .. }));
    for property in [closure, in_words(Promised::Sometimes(pattern("TaskReleased")))] {
        let mut run = Run::default();
        run.at(1, "coder-1", [added(1)]);
        let finding = only(judged(&property, &run, &end(9, false)));
        assert_eq!(finding.kind, "property-never-happened");
        let cut_short = RunEnd { complete: false, ..end(9, false) };
        assert_eq!(judged(&property, &run, &cut_short), [], "it may still have come");
        run.at(2, "coder-1", [Fact::TaskReleased { task: 1, reason: "tired" }]);
        assert_eq!(judged(&property, &run, &end(9, false)), []);
    }
}

#[test]
fn eventually_is_judged_by_key_and_deadline() {
    let words = Promised::eventually(
        pattern("TaskFinished where actual"),
        10 * SECOND,
        Some(pattern("TaskAdded.task")),
    );
    for property in [tasks_end(), in_words(words.expect("the keys are alike"))] {
        for (facts, ends, quiescent, violations, what) in [
            (vec![(1, added(1)), (11, finished(1, true))], 99, true, 0, "just in time"),
            (vec![(1, added(1)), (12, finished(1, true))], 99, true, 1, "a second late"),
            (vec![(1, added(1)), (5, finished(1, false))], 99, false, 1, "not an answer"),
            (vec![(1, added(1)), (5, finished(2, true))], 99, false, 1, "another's answer"),
            (vec![(1, added(1))], 11, false, 0, "its time is not over"),
            (vec![(1, added(1))], 12, false, 1, "its time is over"),
            (vec![(1, added(1))], 2, true, 1, "nothing is left to happen"),
            (vec![(1, added(1)), (9, added(1)), (12, finished(1, true))], 99, true, 1, "the first deadline"),
            (
                vec![(1, added(1)), (2, finished(1, true)), (3, added(1)), (13, finished(1, true))],
                99,
                true,
                0,
                "asked again after the answer",
            ),
            (vec![(1, finished(1, true)), (2, added(1))], 99, false, 1, "an answer before the question"),
        ] {
            let mut run = Run::default();
            for (second, fact) in facts {
                run.at(second, "coder-1", [fact]);
            }
            let found = judged(&property, &run, &end(ends, quiescent));
            assert_eq!(
                found.iter().map(|finding| finding.count).sum::<u64>(),
                violations,
                "{what}: {found:#?}"
            );
        }
    }
}

#[test]
fn an_overdue_answer_is_told_by_what_it_answers() {
    let mut run = Run::default();
    run.at(1, "outside", [added(7)]);
    let finding = only(judged(&tasks_end(), &run, &end(60, false)));
    assert_eq!(
        finding.summary,
        "PROPERTY VIOLATED on promise at 00:00:01: nothing came of it for 7 within 10s"
    );
    assert_eq!(finding.evidence[0].text, "outside stated TaskAdded for 7");
}

#[test]
fn without_a_key_the_run_itself_is_the_question() {
    let words = Promised::eventually(pattern("Progress"), 10 * SECOND, None).expect("no keys");
    let property = in_words(words);
    let mut run = Run::default();
    assert_eq!(judged(&property, &run, &end(10, false)), []);
    assert_eq!(judged(&property, &run, &end(11, false)).len(), 1);
    run.at(10, "coder-1", [Fact::Progress { item: 1 }]);
    assert_eq!(judged(&property, &run, &end(99, true)), []);
}

#[test]
fn never_after_closes_each_key_for_good() {
    let published = |item| Fact::Acted { action: "publish", reversible: false, gate: "", item };
    let refused = |item| Fact::Reviewed { item, approved: false };
    let closure = Property::never_after(
        "promise",
        |fact, _| if let Fact::Reviewed { item, approved: false } = *fact { Some(item) } else { None },
        |fact, _| if let Fact::Acted { item, .. } = *fact { Some(item) } else { None },
    );
    let words = Promised::never(
        pattern("Acted.item where action = 'publish'"),
        Some(pattern("Reviewed where not approved")),
    );
    for property in [closure, in_words(words.expect("the keys are alike"))] {
        for (facts, violations) in [
            (vec![published(1), refused(1), published(2)], 0),
            (vec![refused(1), Fact::Reviewed { item: 2, approved: true }, published(2)], 0),
            (vec![refused(1), published(1)], 1),
        ] {
            let mut run = Run::default();
            for (second, fact) in facts.into_iter().enumerate() {
                run.at(second as u64, "editor", [fact]);
            }
            assert_eq!(judged(&property, &run, &end(99, true)).len(), violations, "{run:?}");
        }
    }
    let never = in_words(Promised::never(pattern("Breach"), None).expect("no keys"));
    let mut run = Run::default();
    assert_eq!(judged(&never, &run, &end(9, true)), []);
    run.at(1, "coder-1", [Fact::Breach { permission: "write page" }]);
    assert_eq!(judged(&never, &run, &end(9, true)).len(), 1);
}

#[test]
fn keys_of_two_patterns_are_made_alike_or_refused() {
    let kinds = |one: &str, other: &str| Promised::eventually(pattern(one), 1, Some(pattern(other)));
    assert!(kinds("TaskFinished", "TaskAdded.task").is_ok());
    assert!(kinds("TaskFinished.task", "TaskAdded").is_ok());
    assert!(kinds("Received.item", "TaskAdded.task").is_ok());
    let error = kinds("Received", "TaskAdded.task").expect_err("a receipt has no task");
    assert_eq!(error.to_string(), "Received has no field `task` at character 1");
}

#[test]
fn conditions_mean_what_they_say() {
    let lease = |number| Fact::Custom {
        name: "renewed",
        fields: vec![("lease", Value::Number(number)), ("late", Value::Flag(number > 5))],
    };
    for (text, fact, matched) in [
        ("TaskFinished where actual", finished(1, true), true),
        ("TaskFinished where not actual", finished(1, true), false),
        ("TaskFinished where actual = false", finished(1, false), true),
        ("TaskFinished where task >= 2 and task < 4", finished(3, true), true),
        ("TaskFinished where task >= 2 and task < 4", finished(4, true), false),
        ("TaskFinished where task = 1 or task = 2 and actual", finished(1, false), true),
        ("TaskFinished where (task = 1 or task = 2) and actual", finished(1, false), false),
        ("TaskFinished where task != 1", finished(1, false), false),
        ("TaskFinished where task <= 1 and task > 0", finished(1, false), true),
        ("TaskFinished where agent = 'coder-1'", finished(1, false), true),
        ("TaskFinished where agent = 'coder-2'", finished(1, false), false),
        ("TaskFinished where role = 'coder' and agent != 'coder-2'", finished(1, false), true),
        ("TaskFinished where role != 'coder'", finished(1, false), false),
        ("TaskAdded", finished(1, false), false),
        (
            "Received where giver = 'editor'",
            Fact::Received { seam: "s", item: 1, offer: 1, giver: id("editor") },
            true,
        ),
        ("Custom where name = 'renewed' and lease > 3", lease(4), true),
        ("Custom where name = 'renewed' and lease > 3", lease(3), false),
        ("Custom where late", lease(9), true),
        ("Custom where absent != 3", lease(9), false),
    ] {
        let property = in_words(Promised::Sometimes(pattern(text)));
        let mut run = Run::default();
        run.at(1, "coder-1", [fact]);
        assert_eq!(judged(&property, &run, &end(9, true)).is_empty(), matched, "{text}");
    }
}

/// The same promise, judged with the whole run in view.
fn overdue_by_brute_force(facts: &[(u64, bool, u64)], ends: u64) -> u64 {
    let mut overdue = 0;
    for task in 0..3 {
        let mut asked_at: Option<u64> = None;
        for (second, is_question, of) in facts {
            if *of != task {
                continue;
            }
            // A question that nobody answered in time is over; whatever comes later concerns the next one.
            if asked_at.is_some_and(|asked| *second > asked + 10) {
                overdue += 1;
                asked_at = None;
            }
            match (is_question, asked_at) {
                (true, None) => asked_at = Some(*second),
                (false, _) => asked_at = None,
                _ => {}
            }
        }
        overdue += u64::from(asked_at.is_some_and(|asked| ends > asked + 10));
    }
    overdue
}

proptest! {
    #[test]
    fn deadlines_equal_what_brute_force_finds(
        facts in prop::collection::vec((0_u64..8, any::<bool>(), 0_u64..3), 0..40),
        more in 0_u64..20,
    ) {
        let mut second = 0;
        let facts: Vec<(u64, bool, u64)> = facts.into_iter().map(|(pause, is_question, task)| {
            second += pause;
            (second, is_question, task)
        }).collect();
        let mut run = Run::default();
        for (second, is_question, task) in &facts {
            run.at(*second, "coder-1", [if *is_question { added(*task) } else { finished(*task, true) }]);
        }
        let found = judged(&tasks_end(), &run, &end(second + more, false));
        let count = found.iter().map(|finding| finding.count).sum::<u64>();
        prop_assert_eq!(count, overdue_by_brute_force(&facts, second + more));
    }

    #[test]
    fn any_text_is_a_pattern_or_a_mistake_with_its_place(text in "[A-Za-z.=<>!'() 0-9_-]{0,60}|\\PC{0,40}") {
        match Pattern::parse(&text) {
            Ok(read) => prop_assert_eq!(read.text(), text.as_str()),
            Err(error) => prop_assert!(error.place().start <= error.place().end && error.place().end <= text.len()),
        }
    }
}
