//! Workers that ask for work: what they tell a broker or a store, and what happens to second deliveries.

use std::cell::Cell;

use fleetsim_agents::broker::{self, Broker, Delivery};
use fleetsim_agents::seam::{Chooser, Medium, Seam};
use fleetsim_agents::task_store::{self, TaskStore};
use fleetsim_agents::worker::{Pull, Role};
use fleetsim_engine::{Address, AgentId};

use crate::support::{Heard, fleet, give, item, parcel, play, probes, role, seam, workers};

#[test]
fn the_guard_drops_the_second_delivery_of_an_offer() {
    for (dedupes, expected) in [
        (
            true,
            &[
                "10 received 1",
                "110 finished 1 reported true actual true",
                "110 guard dedupe-hand-overs 1",
                "110 received 2",
                "210 finished 2 reported true actual true",
                "300 guard dedupe-hand-overs 2",
            ][..],
        ),
        (
            false,
            &[
                "10 received 1",
                "110 finished 1 reported true actual true",
                "110 received 1",
                "210 finished 1 reported true actual true",
                "210 received 2",
                "310 finished 2 reported true actual true",
                "310 received 2",
                "410 finished 2 reported true actual true",
            ],
        ),
    ] {
        let mut fleet = fleet(1);
        workers(&mut fleet, 1, Role { dedupes, ..role(vec![seam(0, "work", &[])]) });
        for (at_ns, id) in [(10, 1), (11, 1), (12, 2), (300, 2)] {
            give(&mut fleet, at_ns, "worker", parcel(0, item(id)));
        }
        assert_eq!(play(fleet).lines(&["received", "finished", "guard"]), expected, "dedupes: {dedupes}");
    }
}

/// Relaying an offer to itself and then working on it are not two deliveries.
#[test]
fn the_guard_lets_a_chooser_choose_itself() {
    for dedupes in [false, true] {
        let worker = AgentId::named("worker", 1);
        let mut fleet = fleet(1);
        let own = Seam { chooser: Chooser::Agent(worker), ..seam(0, "work", &[worker]) };
        workers(&mut fleet, 1, Role { dedupes, ..role(vec![own]) });
        give(&mut fleet, 10, "worker", parcel(0, item(1)));
        give(&mut fleet, 500, "worker", parcel(0, item(1)));
        let finished = play(fleet).lines(&["finished"]);
        assert_eq!(finished.len(), if dedupes { 1 } else { 2 }, "dedupes: {dedupes}: {finished:?}");
    }
}

#[test]
fn a_free_worker_says_so_and_acknowledges_what_it_dealt_with() {
    for (dedupes, acknowledged) in [(false, [111, 213]), (true, [111, 113])] {
        let mut fleet = fleet(1);
        let pulls = vec![Pull::Queue { broker: Address::new(AgentId::named("broker", 1)), seams: vec![0] }];
        workers(&mut fleet, 1, Role { dedupes, pulls, ..role(vec![seam(0, "work", &[])]) });
        // A broker of one parcel that it delivers twice: whenever the worker is free, until there were two.
        let left = Cell::new(2);
        let heard: Heard<broker::Request> = probes(
            &mut fleet,
            "broker",
            AgentId::named("worker", 1),
            vec![Vec::<(u64, Delivery)>::new()],
            move |request| {
                let wanted = matches!(request, broker::Request::Ready { .. }) && left.get() > 0;
                left.set(left.get() - u64::from(wanted));
                wanted.then(|| Delivery::Deliver { message: 6 + left.get(), parcel: parcel(0, item(1)) })
            },
        );
        play(fleet);
        let acknowledgements: Vec<_> = heard
            .borrow()
            .iter()
            .filter_map(|(at_ns, _, request)| match request {
                broker::Request::Acknowledge { message } => Some((*at_ns, *message)),
                _ => None,
            })
            .collect();
        // It says that it is free at 0, and gets the parcel at 2.
        assert_eq!(
            acknowledgements,
            [(acknowledged[0] - 8, 7), (acknowledged[1] - 8, 6)],
            "dedupes: {dedupes}"
        );
        let ready = heard
            .borrow()
            .iter()
            .filter(|(_, _, request)| matches!(request, broker::Request::Ready { .. }))
            .count();
        assert_eq!(ready, 3);
    }
}

/// Three workers, ten items in the same instant: through a queue or a store, each is done exactly once.
#[test]
fn competing_workers_do_everything_once() {
    for through_store in [false, true] {
        for seed in 0..5 {
            let mut fleet = fleet(seed);
            let medium = AgentId::named("medium", 1);
            let kind = match through_store {
                true => Medium::TaskStore(Address::new(medium)),
                false => Medium::Queue(Address::new(medium)),
            };
            let seams = vec![Seam { medium: kind, ..seam(0, "work", &[]) }];
            let known = seams.clone();
            let add: Vec<_> = (1..=10).map(|number| parcel(0, item(number))).collect();
            let pull = if through_store {
                let settings = task_store::Settings { lease_ns: Some(500), checks_fence: true };
                fleet.add("medium", 1, move |_| TaskStore::new(settings, known.clone().into())).expect("one");
                let script = add.into_iter().map(|parcel| (10, task_store::Request::Add(parcel))).collect();
                probes(&mut fleet, "adder", medium, vec![script], |_: &task_store::Reply| None);
                Pull::Store { store: Address::new(medium), seams: vec![0] }
            } else {
                let settings = broker::Settings {
                    redelivers_after_ns: Some(500),
                    capacity: 10,
                    reader: None,
                    newest_first: false,
                    dead_letter_after: None,
                };
                fleet
                    .add("medium", 1, move |_| Broker::new(settings.clone(), known.clone().into()))
                    .expect("one");
                let script = add.into_iter().map(|parcel| (10, broker::Request::Publish(parcel))).collect();
                probes(&mut fleet, "adder", medium, vec![script], |_: &Delivery| None);
                Pull::Queue { broker: Address::new(medium), seams: vec![0] }
            };
            workers(&mut fleet, 3, Role { pulls: vec![pull], ..role(seams) });
            let run = play(fleet);
            let finished = run.lines(&["finished"]);
            let mut done: Vec<u64> =
                finished.iter().filter_map(|line| line.split(' ').nth(2)?.parse().ok()).collect();
            done.sort();
            assert_eq!(
                done,
                (1..=10).collect::<Vec<_>>(),
                "store {through_store}, seed {seed}: {finished:?}"
            );
            assert_eq!(run.lines(&["claimed"]).len(), if through_store { 10 } else { 0 });
            let last_ns = run.outcome.time.as_ns();
            assert!((400..1_100).contains(&last_ns), "three work at the same time, until {last_ns}");
        }
    }
}
