//! Identity and luck: adding, removing or reordering somebody shifts nobody else's draws.

use fleetsim_engine::sample::Sampler;
use fleetsim_engine::{AgentId, Control, Draw, Fleet, Hit, Injector, Link, SiteVisit, Time, hash_text};
use rand::Rng;

use crate::stage::{Cue, Row, Tag, Talk, actors, fleet, idle, play, to};

/// Whether the injector's site fires is a keyed draw, as for a real rule.
struct Sites;

impl Injector for Sites {
    fn site(&mut self, visit: &SiteVisit<'_>) -> Option<Hit> {
        let mut draw = Draw::new(visit.seed, hash_text(visit.site), visit.agent, visit.visit);
        let rule = AgentId::rule("sites");
        draw.happens(1, 2).then(|| Hit { rule, strength: draw.next(), since: None })
    }
}

/// Three gamblers whose every number is drawn, within a larger fleet that `around` describes.
fn gamblers(around: impl FnOnce(&mut Fleet)) -> Fleet {
    let mut fleet = fleet(11);
    fleet.default_link(Link::new(1, Sampler::exponential(50).expect("valid")).expect("above zero"));
    fleet.inject_faults(Box::new(Sites));
    around(&mut fleet);
    actors(&mut fleet, "gambler", 3, |me, ctx, cue| match cue {
        Cue::Start | Cue::Timer(_) if ctx.now() < Time::from_ns(2_000) => {
            let strength = ctx.fault_site("hesitate").unwrap_or(0) % 50;
            let luck = ctx.luck_of("card", [u64::from(me.birth.ordinal), ctx.now().as_ns()]).next() % 50;
            let delay_ns = 1 + ctx.random().next_u64() % 100 + strength + luck;
            ctx.set_timer(delay_ns, Tag::First);
            let other = 1 + ctx.random().next_u32() % 3;
            ctx.send(to("gambler", other), Talk::Note(delay_ns as u32));
        }
        _ => {}
    });
    fleet
}

/// What the gamblers did and got from each other.
fn games(fleet: Fleet) -> Vec<Row> {
    let ours: Vec<AgentId> = (1..=3).map(|ordinal| AgentId::named("gambler", ordinal)).collect();
    let ours = |row: &Row| {
        ours.contains(&row.target) && (ours.contains(&row.source) || row.source == AgentId::WORLD)
    };
    play(fleet).rows.into_iter().filter(ours).collect()
}

#[test]
fn company_changes_nobodys_luck() {
    let alone = games(gamblers(|_| {}));
    assert!(alone.len() > 60, "{}", alone.len());
    type Around = fn(&mut Fleet);
    let around: [(&str, Around); 4] = [
        ("an idle group", |fleet| idle(fleet, "audience", 5)),
        ("a busy group", |fleet| {
            actors(fleet, "crowd", 4, |_, ctx, cue| {
                if cue == Cue::Start || ctx.now() < Time::from_ns(500) {
                    let delay_ns = ctx.random().next_u64() % 30;
                    let _ = ctx.fault_site("hesitate");
                    ctx.set_timer(delay_ns, Tag::Second);
                    ctx.send(to("gambler", 1), Talk::Quiet);
                }
            });
        }),
        ("a rule that hits others", |fleet| {
            idle(fleet, "victim", 1);
            for at_ns in 0..50 {
                fleet.control("storm", Time::from_ns(at_ns), to("victim", 1).id(), Control::Crash);
            }
        }),
        ("a kind that is never spawned", |fleet| {
            fleet.spawnable::<crate::stage::Child>("child").expect("one kind");
        }),
    ];
    for (name, around) in around {
        assert_eq!(games(gamblers(around)), alone, "{name}");
    }
}

#[test]
fn another_seed_is_another_run() {
    let digest = |seed| {
        let mut fleet = Fleet::new(seed);
        actors(&mut fleet, "a", 2, |_, ctx, cue| {
            if cue == Cue::Start {
                let delay_ns = ctx.random().next_u64() >> 32;
                ctx.set_timer(delay_ns, Tag::First);
            }
        });
        play(fleet).digest
    };
    assert_eq!(digest(1), digest(1));
    assert_ne!(digest(1), digest(2));
}

type Description = Box<dyn Fn(&mut Fleet)>;

#[test]
fn the_order_of_description_changes_nothing() {
    let build = |turned: bool| {
        let mut fleet = fleet(5);
        let chat = |name: &'static str, other: &'static str| {
            move |fleet: &mut Fleet| {
                actors(fleet, name, 2, move |me, ctx, cue| {
                    if cue == Cue::Start {
                        ctx.send(to(other, me.birth.ordinal), Talk::Note(1));
                    }
                });
            }
        };
        let mut steps: Vec<Description> = vec![
            Box::new(chat("a", "b")),
            Box::new(chat("b", "a")),
            Box::new(|fleet| fleet.control("x", Time::from_ns(2), to("a", 1).id(), Control::Crash)),
            Box::new(|fleet| fleet.control("y", Time::from_ns(2), to("a", 1).id(), Control::Pause)),
            Box::new(|fleet| fleet.link("a", "b", Link::constant(3).expect("above zero"))),
            Box::new(|fleet| fleet.link("b", "a", Link::constant(4).expect("above zero"))),
        ];
        if turned {
            steps.reverse();
        }
        steps.iter().for_each(|step| step(&mut fleet));
        play(fleet).digest
    };
    assert_eq!(build(false), build(true));
}

#[test]
fn names_that_collide_or_miss_are_refused() {
    let mut fleet = fleet(1);
    assert!(fleet.add("a", 0, |_| -> crate::stage::Child { unreachable!("no member") }).is_ok());
    assert!(fleet.build().is_err(), "a fleet without agents");
}
