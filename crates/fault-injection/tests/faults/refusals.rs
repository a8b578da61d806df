//! Rules and plans that make no sense are refused, with the rule's name and a reason.

use fleetsim_engine::SECOND;
use fleetsim_fault_injection::{
    Damage, Fault, Heal, Messages, Party, Plan, Rule, Share, Spread, Trigger, When, Who, unrecoverable,
};

use crate::stage::{all_messages, always, at, fleet, plan, window};

fn loss(numerator: u64, denominator: u64) -> Fault {
    Fault::Loss { messages: all_messages(), share: Share::new(numerator, denominator) }
}

fn left() -> Who {
    Who::Each(Party::role("left"))
}

#[test]
fn a_rule_that_makes_no_sense_is_refused() {
    let sides = |sides: &[&[Party]]| Fault::Partition {
        groups: sides.iter().map(|side| side.to_vec()).collect(),
        one_way: false,
    };
    let odd = |fault| {
        let share = Share::ALL;
        match fault {
            "latency" => {
                let takes_ns = Spread::Uniform { low: 9, high: 3 };
                Fault::Latency { messages: all_messages(), share, takes_ns }
            }
            _ => Fault::Delay { messages: all_messages(), share, by_ns: Spread::Exponential { mean: 0 } },
        }
    };
    for (fault, when, expected) in [
        (loss(2, 1), When::Always, "a share is between 0% and 100%"),
        (loss(0, 0), When::Always, "a share is between 0% and 100%"),
        (loss(1, 2), window(5, 5), "the end must be after the beginning"),
        (loss(1, 2), window(5, 4), "the end must be after the beginning"),
        (sides(&[]), When::Always, "every side of a partition has somebody on it"),
        (sides(&[&[Party::role("left")], &[]]), When::Always, "every side of a partition has somebody on it"),
        (
            sides(&[&[Party::role("left")], &[Party::member("left", 2)]]),
            When::Always,
            "left-2 is on two sides|left is on two sides",
        ),
        (Fault::Crash { who: Who::Whoever }, window(1, 2), "this rule has none"),
        (Fault::Restart { who: left() }, When::Always, "say when"),
        (Fault::Pause { who: left() }, When::Always, "say when"),
        (Fault::Hold { messages: all_messages() }, When::Always, "say for how long"),
        (Fault::Hold { messages: all_messages() }, When::At { at: at(1) }, "say for how long"),
        (
            Fault::Reorder { messages: all_messages(), share: Share::ALL, within_ns: 0 },
            When::Always,
            "for some time",
        ),
        (Fault::Slow { who: left(), permille: 0 }, When::Always, "a million times slower"),
        (odd("latency"), When::Always, "9"),
        (odd("delay"), When::Always, "mean"),
    ] {
        let error = Plan::default().add("rule", Rule::new(fault, when)).expect_err(expected);
        assert!(expected.split('|').any(|text| error.message().contains(text)), "{error}: {expected}");
        assert_eq!(error.rule(), Some("rule"));
        assert!(error.to_string().starts_with("fault `rule`: "));
    }
}

#[test]
fn names_are_unique_and_short() {
    let mut plan = Plan::default();
    plan.add("rule", always(loss(1, 2))).expect("a new name");
    for (name, expected) in [
        ("rule", "another fault has this name"),
        ("", "needs a name"),
        (&*"x".repeat(201), "needs a name"),
        ("heal", "healing"),
    ] {
        let error = plan.add(name, always(loss(1, 2))).expect_err(expected);
        assert!(error.message().contains(expected), "{error}");
    }
    let mut other = Plan::default();
    other.add("rule", always(loss(1, 3))).expect("a new name");
    assert!(plan.extend(other).is_err());
}

#[test]
fn what_the_fleet_does_not_have_is_named() {
    let of = |messages: Messages| Fault::Loss { messages, share: Share::ALL };
    let kind = |protocol: &str, kind: &str| Messages {
        protocol: Some(protocol.to_owned()),
        kind: Some(kind.to_owned()),
        ..Messages::default()
    };
    let takes =
        |ns| Fault::Latency { messages: all_messages(), share: Share::ALL, takes_ns: Spread::Constant(ns) };
    for (rule, expected) in [
        (always(of(Messages::between("left", "middle"))), "no role or medium `middle`"),
        (
            always(Fault::Slow { who: Who::Each(Party::member("left", 4)), permille: 2 }),
            "`left` has 3, not 4",
        ),
        (always(of(kind("pong", "Tick"))), "nobody understands the protocol `pong`; there are ping"),
        (always(of(kind("ping", "Tock"))), "no message `Tock`; it has Tick, Big, Bare"),
        (always(of(Messages { kind: Some("Tick".to_owned()), ..Messages::default() })), "needs its protocol"),
        (always(takes(999_999)), "less than the 1000000 ns"),
        (
            Rule::new(
                loss(1, 2),
                When::Triggered {
                    by: Trigger { by: Some(Party::role("middle")), ..Trigger::on("TaskClaimed") },
                    after_ns: 0,
                    lasts_ns: Some(1),
                    released: None,
                    share: Share::ALL,
                    times_max: 1,
                },
            ),
            "no role or medium `middle`",
        ),
    ] {
        let error = plan(&[("rule", rule)]).install(&mut fleet(1)).expect_err(expected);
        assert!(error.message().contains(expected), "{error}");
    }
    plan(&[("rule", always(takes(1_000_000)))]).install(&mut fleet(1)).expect("as fast as can be");
    let mut healing = plan(&[("rule", always(loss(1, 2)))]);
    healing.heal(Some(Heal { at: at(1), core: vec!["middle".to_owned()], converges_within_ns: 1 }));
    assert!(healing.install(&mut fleet(1)).expect_err("no such core").to_string().contains("`middle`"));
}

#[test]
fn a_plan_that_was_edited_is_checked() {
    for (written, expected) in [
        (
            r#"{"rules":{"a":{"fault":{"loss":{"messages":{},"share":{"numerator":3,"denominator":2}}},"when":"always"}}}"#,
            "between 0%",
        ),
        (r#"{"rules":{"a":{"fault":{"lozz":{}},"when":"always"}}}"#, "lozz"),
        (r#"{"rules":{},"heel":1}"#, "heel"),
        (r#"{}"#, "rules"),
    ] {
        let error = serde_json::from_str::<Plan>(written).expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn the_atlas_knows_what_cannot_be_recovered_from() {
    let at_one = || When::At { at: at(1) };
    let cut = || Fault::Partition { groups: vec![vec![Party::role("left")]], one_way: false };
    let spoil = Fault::Corrupt { messages: all_messages(), share: Share::ALL, damage: Damage::Truncate };
    for (fault, when, hopeless) in [
        (Fault::Crash { who: left() }, at_one(), true),
        (Fault::Crash { who: left() }, window(1, 2), false),
        (Fault::Pause { who: left() }, at_one(), true),
        (Fault::Zombie { who: left() }, window(1, 2), false),
        (Fault::Isolate { who: left() }, at_one(), true),
        (cut(), When::Always, true),
        (cut(), window(1, 2), false),
        (loss(1, 1), When::Always, true),
        (loss(99, 100), When::Always, false),
        (spoil, When::Always, true),
        (Fault::Slow { who: left(), permille: 9_000 }, When::Always, false),
    ] {
        let mut plan = plan(&[("rule", Rule::new(fault, when))]);
        let found = unrecoverable(&plan);
        assert_eq!(!found.is_empty(), hopeless, "{plan}{found:?}");
        plan.heal(Some(Heal { at: at(5), core: Vec::new(), converges_within_ns: SECOND }));
        assert!(unrecoverable(&plan).is_empty(), "{plan}");
        plan.heal(Some(Heal { at: at(5), core: vec!["left".to_owned()], converges_within_ns: SECOND }));
        assert!(unrecoverable(&plan).is_empty(), "{plan}");
    }
    let both = plan(&[
        ("cut", Rule::new(Fault::Crash { who: left() }, at_one())),
        ("back", Rule::new(Fault::Restart { who: left() }, When::At { at: at(2) })),
    ]);
    assert!(unrecoverable(&both).is_empty());
}

#[test]
fn plans_are_printed_a_rule_a_line() {
    let mut plan = plan(&[
        (
            "switch-2",
            Rule::new(
                Fault::Partition {
                    groups: vec![vec![Party::role("left")], vec![Party::member("right", 1)]],
                    one_way: false,
                },
                window(4, 6),
            ),
        ),
        ("cable", always(loss(1, 50))),
        (
            "greed",
            Rule::new(
                Fault::Crash { who: Who::Whoever },
                When::Triggered {
                    by: Trigger::on("TaskClaimed"),
                    after_ns: 0,
                    lasts_ns: Some(1_500_000_000),
                    released: None,
                    share: Share::new(1, 4),
                    times_max: 3,
                },
            ),
        ),
    ]);
    plan.heal(Some(Heal { at: at(60), core: Vec::new(), converges_within_ns: 10 * SECOND }));
    let expected = "cable: loss of 1/50 of messages always\n\
        greed: crash of whoever did 0s after TaskClaimed for 1.5s, 1/4 of the times, at most 3\n\
        switch-2: partition of left | right-1 from 4s until 6s\n\
        at 60s everything heals, to converge within 10s\n";
    assert_eq!(plan.to_string(), expected);
}
