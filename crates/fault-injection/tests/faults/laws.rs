//! What must hold whatever the rules are.

use fleetsim_engine::{AgentId, MILLISECOND, SECOND};
use fleetsim_fault_injection::{
    Fault, Messages, Party, Plan, Rule, Share, Spread, Tolerance, When, Who, World, swarm,
};
use proptest::prelude::*;

use crate::stage::{all_messages, always, at, fleet, plan, run, run_fleet, run_plan, tenth, window};

fn rules() -> Vec<(&'static str, Rule)> {
    let delay = Fault::Delay {
        messages: all_messages(),
        share: tenth(),
        by_ns: Spread::Exponential { mean: MILLISECOND },
    };
    vec![
        ("b", always(Fault::Loss { messages: all_messages(), share: tenth() })),
        ("a", always(Fault::Loss { messages: Messages::between("left", "right"), share: tenth() })),
        ("late", always(delay.clone())),
        ("later", always(delay)),
        ("cut", Rule::new(Fault::Crash { who: Who::OneOf(Party::role("left")) }, window(3, 4))),
        (
            "again",
            always(Fault::Duplicate {
                messages: all_messages(),
                share: tenth(),
                after_ns: Spread::Constant(9),
            }),
        ),
    ]
}

#[test]
fn the_order_of_rules_changes_nothing() {
    let mut backwards = rules();
    backwards.reverse();
    let (one, other) = (run(&rules()), run(&backwards));
    assert_eq!(one.digest(), other.digest());
    assert_ne!(one.digest(), run(&[]).digest());
}

#[test]
fn rules_that_never_fire_change_nothing() {
    let never = [
        ("elsewhere", always(Fault::Loss { messages: Messages::between("left", "left"), share: Share::ALL })),
        ("never", always(Fault::Loss { messages: all_messages(), share: Share::new(0, 1) })),
        (
            "too late",
            Rule::new(Fault::Crash { who: Who::Each(Party::role("left")) }, When::At { at: at(11) }),
        ),
        ("unheard of", {
            let site = "no.such.site".to_owned();
            let (share, armed, strength) = (Share::ALL, Share::ALL, Spread::Constant(1));
            always(Fault::Site { site, who: None, share, luck: Default::default(), strength, armed })
        }),
    ];
    assert_eq!(run(&never).digest(), run(&[]).digest());
    let mut with = rules();
    with.extend(never);
    assert_eq!(run(&with).digest(), run(&rules()).digest());
}

/// A group more, and one member more, leave everybody else's luck as it was.
#[test]
fn company_changes_nobodys_luck() {
    let luck = |extra: u32| {
        let mut fleet = fleet(5);
        if extra > 0 {
            let partner = AgentId::named("nobody", 1);
            let make = move |_: &fleetsim_engine::Birth| crate::stage::Busy::new(partner);
            fleet.add("company", extra, make).expect("a new name");
        }
        let seen = run_fleet(fleet, &plan(&rules()));
        let ours = |agent: &AgentId| *agent != AgentId::named("nobody", 1);
        let mut arrived = seen.arrived;
        arrived.retain(|(_, to, ..)| ours(to));
        (arrived, seen.events)
    };
    assert_eq!(luck(0), luck(1));
    assert_eq!(luck(1), luck(4));
}

#[test]
fn rules_of_one_message_add_up() {
    let late = |name, ns| {
        let by_ns = Spread::Constant(ns);
        (name, always(Fault::Delay { messages: all_messages(), share: Share::ALL, by_ns }))
    };
    let one = run(&[late("a", 5), late("b", 7)]);
    let other = run(&[late("sum", 12)]);
    assert_eq!(one.arrived, other.arrived);
    let lost = always(Fault::Loss { messages: all_messages(), share: Share::ALL });
    let seen = run(&[late("a", 5), ("z", lost)]);
    assert_eq!((seen.count("delay"), seen.arrived.len()), (0, 0), "what is lost cannot come late");
}

fn tolerance() -> Tolerance {
    Tolerance {
        loss: Some(tenth()),
        delay_ns: Some(SECOND / 10),
        reorder_ns: Some(MILLISECOND * 4),
        duplicate: Some(tenth()),
        corrupt: Some(tenth()),
        partition_ns: Some(SECOND),
        hold_ns: Some(SECOND / 2),
        crash_ns: Some(SECOND),
        pause_ns: Some(SECOND),
        zombie_ns: Some(SECOND),
        slow_permille: Some(5_000),
        clock_jump_ns: Some(SECOND),
        clock_drift_ppb: Some(100_000_000),
        ..Tolerance::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Written, read, written: the same plan, and the same run whoever holds it; and a plan without a rule is the
    /// same plan without that rule.
    #[test]
    fn plans_are_data(seed in any::<u64>()) {
        let world = World {
            roles: vec![("left".to_owned(), 3), ("right".to_owned(), 3)],
            heals_at: at(6),
            converges_within_ns: SECOND,
        };
        let plan = swarm(seed, &tolerance(), &world);
        let written = serde_json::to_string(&plan).expect("a plan can be written");
        let read: Plan = serde_json::from_str(&written).expect("what was written can be read");
        prop_assert_eq!(&read, &plan);
        prop_assert_eq!(run_plan(seed, &read).digest(), run_plan(seed, &plan).digest());
        for (name, _) in plan.rules() {
            let mut smaller = read.clone();
            prop_assert!(smaller.remove(name).is_some());
            prop_assert_eq!(smaller.rules().count() + 1, plan.rules().count());
        }
    }
}
