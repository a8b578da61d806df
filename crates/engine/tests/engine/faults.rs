//! What an installed injector may do, and how the record tells of it.

use fleetsim_engine::batch::{EffectKind, Event, Fate};
use fleetsim_engine::{
    Act, AgentId, Attention, Control, Corruption, Draw, Fact, FactKinds, Fleet, GroupId, Hit, Injector,
    MessageId, Order, Outgoing, SiteVisit, Time, Verdict, Watched, codec, hash_text,
};

use crate::stage::{Cue, Row, Run, Tag, Talk, actors, fleet, idle, play, to};

const RULE: &str = "rule";

fn act(fault: &'static str, amount: u64) -> Act {
    Act { rule: AgentId::rule(RULE), fault, amount, since: None }
}

/// Gives every message the same verdict.
struct Always(Verdict);

impl Injector for Always {
    fn message(&mut self, _message: &Outgoing, acts: &mut Vec<Act>) -> Verdict {
        acts.push(act("weather", 7));
        self.0
    }
}

/// `a` sends one note of content 3 to `b`, which answers what it understood.
fn one_note(injector: impl Injector + 'static) -> Run {
    let mut fleet = fleet(1);
    fleet.name_rule(RULE);
    fleet.inject_faults(Box::new(injector));
    actors(&mut fleet, "a", 1, |_, ctx, cue| {
        if cue == Cue::Start {
            ctx.send(to("b", 1), Talk::Note(3));
        }
    });
    actors(&mut fleet, "b", 1, |_, ctx, cue| {
        if let Cue::Message(_, Talk::Note(number)) = cue {
            ctx.set_timer(u64::from(number), Tag::Done);
        }
    });
    play(fleet)
}

/// The injected facts of a step, as (rule, fault, source, sequence, amount).
fn injected(row: &Row) -> Vec<(String, String, AgentId, u32, u64)> {
    let facts = row.effects.iter().filter(|effect| effect.effect == EffectKind::Fact);
    facts
        .filter_map(|effect| match codec::decode(&effect.payload) {
            Some(Fact::Injected { rule, fault, source, sequence, amount, .. }) => {
                Some((rule.to_owned(), fault.to_owned(), source, sequence, amount))
            }
            _ => None,
        })
        .collect()
}

#[test]
fn a_verdict_changes_the_arrival_and_is_stated_at_the_send() {
    let pass = Verdict::default();
    let at = |ns| Some(Time::from_ns(ns));
    for (name, verdict, expected) in [
        ("nothing", pass, &["5 b Message Handled", "8 b Timer Handled"][..]),
        ("lost", Verdict { lost: true, ..pass }, &["5 b Message Lost"]),
        ("later", Verdict { delay_ns: 4, ..pass }, &["9 b Message Handled", "12 b Timer Handled"]),
        (
            "other latency",
            Verdict { latency_ns: Some(2), ..pass },
            &["2 b Message Handled", "5 b Timer Handled"],
        ),
        (
            "no latency at all",
            Verdict { latency_ns: Some(0), ..pass },
            &["1 b Message Handled", "4 b Timer Handled"],
        ),
        ("held", Verdict { not_before: at(20), ..pass }, &["20 b Message Handled", "23 b Timer Handled"]),
        (
            "held, but too short",
            Verdict { not_before: at(2), ..pass },
            &["5 b Message Handled", "8 b Timer Handled"],
        ),
        (
            "twice",
            Verdict { again_after_ns: Some(2), ..pass },
            &["5 b Message Handled", "7 b Message Handled", "8 b Timer Handled", "10 b Timer Handled"],
        ),
        (
            "a flipped bit",
            Verdict { corruption: Some(Corruption::Flip { bit: 32 + 2 }), ..pass },
            &["5 b Message Handled", "12 b Timer Handled"],
        ),
        (
            "cut short",
            Verdict { corruption: Some(Corruption::Truncate { bytes: 3 }), ..pass },
            &["5 b Message Undecodable"],
        ),
    ] {
        let run = one_note(Always(verdict));
        assert_eq!(run.lines(), expected, "{name}");
        let a = AgentId::named("a", 1);
        let sent = run.rows.iter().find(|row| row.target == a).expect("it started");
        let stated = (RULE.to_owned(), "weather".to_owned(), a, 0, 7);
        assert_eq!(injected(sent), [stated], "{name}");
    }
}

/// Interested only in messages that arrive at or after an instant.
struct From(Time);

impl Injector for From {
    fn attention(&self, _now: Time) -> Attention {
        Attention { from: self.0, until: Time::MAX }
    }

    fn message(&mut self, message: &Outgoing, acts: &mut Vec<Act>) -> Verdict {
        assert!(message.arrives >= self.0, "it did not ask for this one");
        assert_eq!((message.from, message.to), (GroupId::named("a"), GroupId::named("b")));
        acts.push(act("loss", 1));
        Verdict { lost: true, ..Verdict::default() }
    }
}

#[test]
fn messages_that_do_not_matter_are_not_asked_about() {
    assert_eq!(one_note(From(Time::from_ns(6))).lines(), ["5 b Message Handled", "8 b Timer Handled"]);
    assert_eq!(one_note(From(Time::from_ns(5))).lines(), ["5 b Message Lost"]);
}

/// Every second visit in the mean goes wrong.
struct Site;

impl Injector for Site {
    fn judges(&self, _from: GroupId, _to: GroupId) -> bool {
        false
    }

    fn site(&mut self, visit: &SiteVisit<'_>) -> Option<Hit> {
        assert_eq!(visit.group, GroupId::named("a"));
        let mut draw = Draw::new(visit.seed, hash_text(visit.site), visit.agent, visit.visit);
        let rule = AgentId::rule(RULE);
        draw.happens(1, 2).then_some(Hit { rule, strength: 40, since: None })
    }
}

#[test]
fn a_fault_site_is_stated_in_the_step_that_passes_it() {
    let mut fleet = fleet(3);
    fleet.name_rule(RULE);
    fleet.inject_faults(Box::new(Site));
    actors(&mut fleet, "a", 1, |_, ctx, _| {
        let stumbled = ctx.fault_site("step") == Some(40);
        if ctx.now() < Time::from_ns(100) {
            ctx.set_timer(1 + u64::from(stumbled), Tag::First);
        }
    });
    let run = play(fleet);
    let (mut smooth, mut stumbled) = (0, 0);
    for pair in run.rows.windows(2) {
        let took_ns = pair[1].time_ns - pair[0].time_ns;
        let stated = injected(&pair[0]);
        assert_eq!(took_ns, 1 + stated.len() as u64);
        if stated.is_empty() { smooth += 1 } else { stumbled += 1 }
    }
    assert!(smooth > 20 && stumbled > 15, "{smooth} {stumbled}");
}

/// Crashes whoever claims a task, restarts it five nanoseconds later.
struct CrashTheClaimer;

impl Injector for CrashTheClaimer {
    fn attention(&self, _now: Time) -> Attention {
        Attention::NEVER
    }

    fn watches(&self) -> FactKinds {
        FactKinds::named("TaskClaimed").expect("a fact")
    }

    fn step(&mut self, step: &Watched<'_>, orders: &mut Vec<Order>) {
        assert!(step.facts.iter().any(|(_, fact)| matches!(fact, Fact::TaskClaimed { .. })));
        for (after_ns, control) in [(0, Control::Crash), (5, Control::Restart)] {
            orders.push(Order { rule: AgentId::rule(RULE), after_ns, target: step.agent, control });
        }
    }
}

#[test]
fn a_trigger_sees_the_step_and_acts_later() {
    let mut fleet = fleet(1);
    fleet.name_rule(RULE);
    fleet.inject_faults(Box::new(CrashTheClaimer));
    actors(&mut fleet, "a", 1, |_, ctx, cue| match cue {
        Cue::Start => {
            ctx.fact(Fact::TaskAdded { task: 9 });
            ctx.set_timer(10, Tag::First);
            ctx.set_timer(12, Tag::Second);
        }
        Cue::Timer(Tag::First) => {
            ctx.fact(Fact::TaskClaimed { task: 9, fence: 0 });
            ctx.set_timer(3, Tag::Done);
        }
        _ => {}
    });
    let run = play(fleet);
    assert_eq!(run.lines(), ["10 a Timer Handled", "11 a Crash Handled", "15 a Restart Handled"]);
    // The claim was the first timer, which is effect 0 of `a`.
    let a = AgentId::named("a", 1);
    let stated: Vec<_> = run.rows.iter().flat_map(injected).collect();
    let line = |fault: &str| (RULE.to_owned(), fault.to_owned(), a, 0, 0);
    assert_eq!(stated, [line("crash"), line("restart")]);
    let crash = run.rows.iter().find(|row| row.event == Event::Crash).expect("it crashed");
    assert_eq!((crash.source, crash.sequence), (AgentId::rule(RULE), 0));
}

fn with_controls(fleet: &mut Fleet, list: &[(u64, AgentId, Control)]) {
    for (at_ns, target, control) in list {
        fleet.control(RULE, Time::from_ns(*at_ns), *target, control.clone());
    }
}

#[test]
fn a_slow_agent_works_and_thinks_longer_but_its_timers_are_on_time() {
    let mut fleet = fleet(1);
    with_controls(&mut fleet, &[(1, AgentId::named("a", 1), Control::Slow { permille: 3_000 })]);
    idle(&mut fleet, "b", 1);
    actors(&mut fleet, "a", 1, |_, ctx, cue| match cue {
        Cue::Start => {
            ctx.set_timer(10, Tag::First);
        }
        Cue::Timer(Tag::First) => {
            ctx.set_timer(40, Tag::Second);
            ctx.send_after(to("b", 1), Talk::Quiet, 7);
            ctx.work_for(10, Tag::Done);
        }
        _ => {}
    });
    let expected = [
        "1 a Slow Handled",
        "10 a Timer Handled",
        "36 b Message Handled",
        "40 a WorkEnd Handled",
        "50 a Timer Handled",
    ];
    assert_eq!(play(fleet).lines(), expected);
}

#[test]
fn healing_sets_right_what_rules_broke() {
    let member = |name: &str| AgentId::named(name, 1);
    let heal = |core: &[&str]| Control::Heal { core: core.iter().map(|name| GroupId::named(name)).collect() };
    let broken = [
        (1, AgentId::WORLD, Control::Announce { fault: "storm" }),
        (2, member("a"), Control::Crash),
        (2, member("b"), Control::Pause),
        (2, member("c"), Control::Slow { permille: 2_000 }),
    ];
    let cases: [(&[&str], &[&str]); 2] = [
        (&[], &["10 world Heal Handled", "11 a Restart Handled", "11 b Resume Handled", "11 c Slow Handled"]),
        (&["b"], &["10 world Heal Handled", "11 b Resume Handled"]),
    ];
    for (core, healed) in cases {
        let mut fleet = fleet(1);
        for name in ["a", "b", "c", "healthy"] {
            idle(&mut fleet, name, 1);
        }
        with_controls(&mut fleet, &broken);
        with_controls(&mut fleet, &[(10, AgentId::WORLD, heal(core))]);
        let run = play(fleet);
        let mut lines = run.lines();
        lines[4..].sort();
        assert_eq!(lines[0], "1 world Announce Handled");
        assert_eq!(lines[4..], *healed, "{core:?}");
        // Whatever the healing did names the healing as its trigger.
        let heal = run.rows.iter().find(|row| row.event == Event::Heal).expect("it healed");
        let by = MessageId { source: heal.source, sequence: heal.sequence };
        for row in run.rows.iter().filter(|row| row.time_ns == 11) {
            let [(_, _, source, sequence, _)] = &injected(row)[..] else { panic!("{row:?}") };
            assert_eq!((*source, *sequence), (by.source, by.sequence));
        }
    }
}

#[test]
fn healing_sets_clocks_right() {
    let mut fleet = fleet(1);
    let change = fleetsim_engine::ClockChange { drift_ppb: 500_000_000, jump_ns: 1_000 };
    with_controls(
        &mut fleet,
        &[
            (10, AgentId::named("a", 1), Control::Clock(change)),
            (100, AgentId::WORLD, Control::Heal { core: Vec::new() }),
        ],
    );
    actors(&mut fleet, "a", 1, |_, ctx, cue| match cue {
        Cue::Start => {
            ctx.set_timer(500, Tag::First);
        }
        Cue::Timer(_) => assert_eq!(ctx.now(), Time::from_ns(500), "the timer was set by a sound clock"),
        _ => {}
    });
    assert!(play(fleet).rows.iter().all(|row| row.fate == Fate::Handled));
}

#[test]
fn what_had_no_effect_is_not_stated() {
    let mut fleet = fleet(1);
    idle(&mut fleet, "a", 1);
    with_controls(
        &mut fleet,
        &[
            (5, AgentId::named("a", 1), Control::Restart),
            (6, AgentId::named("nobody", 1), Control::Crash),
            (7, AgentId::named("a", 1), Control::Crash),
        ],
    );
    let run = play(fleet);
    assert_eq!(run.rows.iter().map(|row| injected(row).len()).sum::<usize>(), 1);
}

#[test]
fn every_fact_has_a_kind_by_its_name() {
    let names = Fact::names();
    assert!(names.len() <= 64, "a set of kinds has room for 64");
    for name in &names {
        let kind = FactKinds::named(name).expect("it is a name");
        assert!(kind.meets(FactKinds::ALL) && !kind.meets(FactKinds::NONE));
    }
    assert_eq!(FactKinds::named("TaskAdded"), Some(FactKinds::of(0)));
    assert_eq!(FactKinds::named("Nonsense"), None);
}
