//! Workers: one thing at a time, what they judge, whom they give to, and what a crash costs them.

mod judging;
mod pulling;

use std::collections::BTreeSet;

use fleetsim_agents::item::{HandOver, Item, Parcel};
use fleetsim_agents::outside::Report;
use fleetsim_agents::provider::{Allowance, Model, Provider, Request};
use fleetsim_agents::seam::{Chooser, Seam};
use fleetsim_agents::worker::{ModelPace, Pace, Role};
use fleetsim_engine::sample::Sampler;
use fleetsim_engine::{Address, AgentId, Control, Fleet, Time};

use crate::provider::model;
use crate::support::{ears, fleet, give, item, parcel, play, role, seam, workers};

const STORY: [&str; 2] = ["received", "finished"];

/// One plain worker, whose seam is the entry.
fn alone(pace: Option<Pace>) -> Fleet {
    let mut fleet = fleet(1);
    let plain = role(vec![Seam { is_entry: true, ..seam(0, "work", &[]) }]);
    workers(&mut fleet, 1, Role { pace: pace.unwrap_or(plain.pace.clone()), ..plain });
    fleet
}

/// The pace of a role whose items take `turns` turns of 10 tokens in, 5 out, at the provider called `provider`.
pub(crate) fn turns(turns: u64, context_grows: u64) -> Pace {
    Pace::Model(ModelPace {
        model: "model".into(),
        provider: Address::<Request>::new(AgentId::named("provider", 1)),
        turns: Sampler::constant(turns),
        tokens_in: Sampler::constant(10),
        tokens_out: Sampler::constant(5),
        context_grows,
    })
}

/// A provider of a model whose turns take 100 ns.
pub(crate) fn provider(fleet: &mut Fleet, limited: Model) {
    let model = Model { first_token_ns: Sampler::constant(100), ..limited };
    fleet.add("provider", 1, move |_| Provider::new(model.clone(), None)).expect("one provider");
}

#[test]
fn a_worker_does_one_thing_at_a_time_and_the_rest_waits() {
    // A turn takes 100 ns, the way there and back 2 ns.
    for (pace, each_ns) in [(None, 100), (Some(turns(1, 0)), 102), (Some(turns(3, 0)), 306)] {
        let mut fleet = alone(pace);
        provider(&mut fleet, model());
        for number in 1..=3 {
            give(&mut fleet, 9 + number, "worker", parcel(0, item(number)));
        }
        let expected: Vec<_> = (1..=3)
            .flat_map(|number| {
                let begins_ns = 10 + (number - 1) * each_ns;
                let ends_ns = begins_ns + each_ns;
                [
                    format!("{begins_ns} received {number}"),
                    format!("{begins_ns} started {number} attempt 1"),
                    format!("{ends_ns} finished {number} reported true actual true"),
                ]
            })
            .collect();
        assert_eq!(play(fleet).lines(&["received", "started", "finished"]), expected, "{each_ns} ns each");
    }
}

#[test]
fn what_was_said_before_is_read_again_in_every_turn() {
    let tokens_of = |parcels: &[Item], context_grows| {
        let mut fleet = alone(Some(turns(3, context_grows)));
        provider(&mut fleet, model());
        for item in parcels {
            give(&mut fleet, 10, "worker", parcel(0, *item));
        }
        let run = play(fleet);
        let spent = |fact| match fact {
            fleetsim_engine::Fact::Spent { tokens_in, tokens_out, .. } => Some((tokens_in, tokens_out)),
            _ => None,
        };
        run.facts().filter_map(|(_, _, fact)| spent(fact)).collect::<Vec<_>>()
    };
    assert_eq!(tokens_of(&[item(1)], 7), [(10, 5), (17, 5), (24, 5)]);
    assert_eq!(tokens_of(&[Item { tokens_in: 40, tokens_out: 2, ..item(1) }], 0), [(40, 2); 3]);
    assert_eq!(tokens_of(&[Item { rejections: 1, ..item(1) }], 7), [(31, 5), (38, 5), (45, 5)]);
}

#[test]
fn a_refused_worker_comes_back_and_a_too_large_item_is_given_up() {
    let requests = Some(Allowance { units: 1, period_ns: 1_000 });
    let mut fleet = alone(Some(turns(2, 0)));
    provider(&mut fleet, Model { requests, ..model() });
    give(&mut fleet, 10, "worker", parcel(0, item(1)));
    let run = play(fleet);
    let admitted = run.lines(&["requested"]);
    assert_eq!(admitted.len(), 3, "the second turn is refused once: {admitted:?}");
    // Refused at 113, heard at 114: 898 ns to wait, and up to a quarter more.
    assert_eq!(admitted[..2], ["11 requested admitted true", "113 requested admitted false"]);
    let waits = run.lines(&["waits", "waited"]);
    assert_eq!(waits[0], "114 waits Resource(\"model\")");
    let (ended_ns, _) = waits[1].split_once(' ').expect("an instant and what happened");
    let ended_ns: u64 = ended_ns.parse().expect("an instant");
    assert!((114 + 898 + 102..=114 + 898 + 224 + 102).contains(&ended_ns), "{waits:?}");
    assert_eq!(run.lines(&["finished"]), [format!("{ended_ns} finished 1 reported true actual true")]);

    let mut fleet = alone(Some(turns(2, 0)));
    let tokens_in = Some(Allowance { units: 9, period_ns: 1_000 });
    provider(&mut fleet, Model { tokens_in, ..model() });
    give(&mut fleet, 10, "worker", parcel(0, item(1)));
    give(&mut fleet, 11, "worker", parcel(0, item(2)));
    let expected = [
        "10 received 1",
        "12 finished 1 reported false actual false",
        "12 received 2",
        "14 finished 2 reported false actual false",
    ];
    assert_eq!(play(fleet).lines(&STORY), expected);
}

#[test]
fn a_chooser_relays_to_the_receivers_in_turn() {
    let (relay, receiver) = (AgentId::named("worker", 1), |ordinal| AgentId::named("receiver", ordinal));
    let mut fleet = fleet(1);
    let relayed = Seam { chooser: Chooser::Agent(relay), ..seam(0, "work", &[receiver(1), receiver(2)]) };
    workers(&mut fleet, 1, role(vec![relayed]));
    let heard = ears::<HandOver>(&mut fleet, "receiver", 2);
    let parcels: Vec<_> = (1..=4).map(|number| parcel(0, item(number))).collect();
    for parcel in &parcels {
        give(&mut fleet, 10, "worker", *parcel);
    }
    let run = play(fleet);
    assert!(run.lines(&STORY).is_empty(), "who relays does not work on it");
    let decided: Vec<_> =
        run.lines(&["decided", "handed"]).iter().map(|line| line.replace("handed", "decided")).collect();
    assert_eq!(decided.len(), 8);
    let mut heard: Vec<_> = heard
        .borrow()
        .clone()
        .into_iter()
        .map(|(at, who, HandOver::Give(parcel))| (at, who, parcel))
        .collect();
    assert_eq!(
        heard.iter().map(|(at_ns, who, _)| (*at_ns, *who)).collect::<Vec<_>>(),
        [(111, 1), (211, 2), (311, 1), (411, 2)]
    );
    heard.sort_by_key(|(_, _, parcel)| parcel.offer);
    for ((_, who, arrived), sent) in heard.iter().zip(&parcels) {
        assert_eq!(
            *arrived,
            Parcel { receiver: Some(receiver(*who)), ..*sent },
            "only the receiver is added"
        );
    }
}

#[test]
fn a_finished_item_is_reported_to_the_outside_of_its_kind() {
    let mut fleet = fleet(1);
    let heard = ears::<Report>(&mut fleet, "outside", 2);
    let outside = |ordinal| Address::new(AgentId::named("outside", ordinal));
    let homes = [(1, outside(1)), (10, outside(2))].into();
    workers(&mut fleet, 1, Role { outside: homes, ..role(vec![seam(0, "work", &[])]) });
    for (at_ns, id) in [(10, 1), (20, 9), (30, 10), (40, 99)] {
        give(&mut fleet, at_ns, "worker", parcel(0, item(id)));
    }
    play(fleet);
    let reports: Vec<_> =
        heard.borrow().iter().map(|(at, who, Report::Finished(item))| (*at, *who, item.id)).collect();
    assert_eq!(reports, [(111, 1, 1), (211, 1, 9), (311, 2, 10), (411, 2, 99)]);
}

#[test]
fn a_crash_loses_the_work_and_the_inbox() {
    for pace in [None, Some(turns(1, 0))] {
        let mut fleet = alone(pace);
        provider(&mut fleet, model());
        for (at_ns, id) in [(10, 1), (11, 2), (12, 3), (300, 4)] {
            give(&mut fleet, at_ns, "worker", parcel(0, item(id)));
        }
        for (at_ns, control) in [(50, Control::Crash), (60, Control::Restart)] {
            fleet.control("outage", Time::from_ns(at_ns), AgentId::named("worker", 1), control);
        }
        let lines = play(fleet).lines(&STORY);
        assert_eq!(lines[..2], ["10 received 1", "300 received 4"]);
        assert!(lines[2].ends_with("finished 4 reported true actual true"), "{lines:?}");
        assert_eq!(lines.len(), 3, "{lines:?}");
    }
}

/// A number that was used before would make a new offer look like a second delivery of an old one.
#[test]
fn offers_are_unique_across_a_crash() {
    let mut fleet = fleet(1);
    let receiver = AgentId::named("receiver", 1);
    let seams = vec![seam(0, "work", &[]), seam(1, "on", &[receiver])];
    workers(&mut fleet, 1, Role { gives: vec![1], ..role(seams) });
    let heard = ears::<HandOver>(&mut fleet, "receiver", 1);
    for (at_ns, id) in [(10, 1), (150, 2), (500, 3), (650, 4), (900, 5)] {
        give(&mut fleet, at_ns, "worker", parcel(0, item(id)));
    }
    for (at_ns, control) in
        [(400, Control::Crash), (401, Control::Restart), (800, Control::Crash), (801, Control::Restart)]
    {
        fleet.control("outage", Time::from_ns(at_ns), AgentId::named("worker", 1), control);
    }
    play(fleet);
    let offers: BTreeSet<_> =
        heard.borrow().iter().map(|(_, _, HandOver::Give(parcel))| parcel.offer).collect();
    assert_eq!((heard.borrow().len(), offers.len()), (5, 5));
}

/// Each seam has a turn of its own: what is given along one does not skip receivers of another.
#[test]
fn every_seam_takes_its_receivers_in_turn() {
    let receiver = |ordinal| AgentId::named("receiver", ordinal);
    let pair = [receiver(1), receiver(2)];
    let mut fleet = fleet(1);
    let given = |number, name| Seam { chooser: Chooser::Sender, ..seam(number, name, &pair) };
    let seams = vec![seam(0, "work", &[]), given(1, "left"), given(2, "right")];
    workers(&mut fleet, 1, Role { gives: vec![1, 2], ..role(seams) });
    let heard = ears::<HandOver>(&mut fleet, "receiver", 2);
    for number in 1..=4 {
        give(&mut fleet, 10, "worker", parcel(0, item(number)));
    }
    play(fleet);
    for number in [1, 2] {
        let along = |HandOver::Give(parcel): &HandOver| parcel.seam == number;
        let who: Vec<u32> =
            heard.borrow().iter().filter(|(_, _, given)| along(given)).map(|(_, who, _)| *who).collect();
        assert_eq!(who, [1, 2, 1, 2], "seam {number}");
    }
}

/// What an earlier life had asked the model for does not end the turn of what came after.
#[test]
fn an_answer_from_before_a_crash_is_not_taken_for_another_item() {
    let mut fleet = alone(Some(turns(1, 0)));
    provider(&mut fleet, model());
    for (at_ns, id) in [(10, 1), (70, 2)] {
        give(&mut fleet, at_ns, "worker", parcel(0, item(id)));
    }
    for (at_ns, control) in [(50, Control::Crash), (60, Control::Restart)] {
        fleet.control("outage", Time::from_ns(at_ns), AgentId::named("worker", 1), control);
    }
    // A turn takes 100 ns and a message 1 ns each way.
    let lines = play(fleet).lines(&STORY);
    assert_eq!(lines, ["10 received 1", "70 received 2", "172 finished 2 reported true actual true"]);
}
