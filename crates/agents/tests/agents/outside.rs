//! The outside: when work arrives, under which numbers, and what becomes of results.

use fleetsim_agents::artifact_store::{self, ArtifactStore};
use fleetsim_agents::item::{HandOver, Item};
use fleetsim_agents::outside::{Arrival, Arrivals, Outside, Report, Work};
use fleetsim_engine::sample::Sampler;
use fleetsim_engine::{Address, AgentId, Fleet, Time};

use crate::support::{LATENCY_NS, Run, ears, fleet, item, play, probes, seam};

fn work(count: u64, arrivals: Arrivals) -> Work {
    let entry = seam(0, "entry", &[AgentId::named("entry", 1)]);
    Work { count, arrivals, entry, checked: true, artifact: None, first_item: 1 }
}

fn outside(fleet: &mut Fleet, work: Work) {
    fleet.add("outside", 1, move |_| Outside::new(work.clone())).expect("one outside");
}

/// The items that arrive, with their instants.
fn arrivals(work: Work) -> (Vec<(u64, Item)>, Run) {
    let mut fleet = fleet(1);
    let heard = ears::<HandOver>(&mut fleet, "entry", 1);
    outside(&mut fleet, work);
    let run = play(fleet);
    let of = |(at_ns, _, HandOver::Give(parcel)): &(u64, u32, HandOver)| (at_ns - LATENCY_NS, parcel.item);
    let mut arrived: Vec<_> = heard.borrow().iter().map(of).collect();
    arrived.sort_by_key(|(at_ns, item)| (*at_ns, item.id));
    (arrived, run)
}

fn spaced(at_once: u64, gap_ns: Option<u64>) -> Arrivals {
    Arrivals::Spaced { at_once, gap_ns: gap_ns.map(Sampler::constant) }
}

#[test]
fn work_arrives_when_it_is_due() {
    let recorded = |at_ns: &[u64]| {
        let arrival = |at_ns: &u64| Arrival { at_ns: *at_ns, tokens_in: at_ns + 1, tokens_out: at_ns + 2 };
        Arrivals::Recorded(at_ns.iter().map(arrival).collect())
    };
    for (name, count, arrivals_of, expected) in [
        ("at once", 3, spaced(3, None), &[0, 0, 0][..]),
        ("fewer than could come at once", 2, spaced(3, None), &[0, 0]),
        ("without a gap there are no later ones", 3, spaced(2, None), &[0, 0]),
        ("some at once, the others spaced", 5, spaced(3, Some(100)), &[0, 0, 0, 100, 200]),
        ("all spaced", 3, spaced(0, Some(50)), &[50, 100, 150]),
        ("none", 0, spaced(3, Some(50)), &[]),
        ("recorded, some together", 5, recorded(&[0, 5, 5, 5, 90]), &[0, 5, 5, 5, 90]),
        ("the first of the recorded", 2, recorded(&[7, 8, 9]), &[7, 8]),
    ] {
        let is_recorded = matches!(arrivals_of, Arrivals::Recorded(_));
        let (arrived, run) = arrivals(work(count, arrivals_of));
        let times: Vec<_> = arrived.iter().map(|(at_ns, _)| *at_ns).collect();
        assert_eq!(times, expected, "{name}");
        for (number, (at_ns, arrived)) in (1..).zip(&arrived) {
            let tokens = |more| if is_recorded { at_ns + more } else { 0 };
            let like = Item { tokens_in: tokens(1), tokens_out: tokens(2), ..item(number) };
            assert_eq!(*arrived, like, "{name}");
        }
        let added: Vec<_> =
            (1..).zip(expected).map(|(id, at_ns): (u64, _)| format!("{at_ns} added {id}")).collect();
        assert_eq!(run.lines(&["added"]), added, "{name}");
    }
}

#[test]
fn kinds_of_work_have_numbers_of_their_own() {
    let (arrived, _) = arrivals(Work { first_item: 41, ..work(3, spaced(3, None)) });
    assert_eq!(arrived.iter().map(|(_, item)| item.id).collect::<Vec<_>>(), [41, 42, 43]);
}

/// Lets results come back at 10, 20, … and returns what the outside says of them.
fn checks(work: Work, results: &[Item]) -> Vec<String> {
    let mut fleet = fleet(1);
    ears::<HandOver>(&mut fleet, "entry", 1);
    outside(&mut fleet, work);
    let store = AgentId::named("store", 1);
    fleet.add("store", 1, |_| ArtifactStore::new(true)).expect("one store");
    let edits = vec![1, 2];
    let write =
        artifact_store::Request::Write { artifact: "page".to_owned(), operation: 1, based_on: 0, edits };
    probes(&mut fleet, "editor", store, vec![vec![(5, write)]], |_: &artifact_store::Reply| None);
    for (number, item) in (1..).zip(results) {
        let at = Time::from_ns(10 * number);
        fleet.send_at(at, Address::new(AgentId::named("outside", 1)), &Report::Finished(*item));
    }
    play(fleet).lines(&["checked"])
}

#[test]
fn every_result_is_checked_once_if_somebody_checks() {
    let faulty = Item { faulty: true, ..item(2) };
    let results = [item(1), faulty, item(1), faulty];
    let expected = ["10 checked 1 passed true actual true", "20 checked 2 passed false actual false"];
    assert_eq!(checks(work(3, spaced(3, None)), &results), expected);
    assert!(checks(Work { checked: false, ..work(3, spaced(3, None)) }, &results).is_empty());
}

#[test]
fn the_artifact_must_hold_the_edits_of_all_results_in_the_end() {
    let page = Some(("page".into(), Address::new(AgentId::named("store", 1))));
    for (count, ids, expected) in [
        (2, &[1, 2][..], &["22 checked 0 passed true actual true"][..]),
        (3, &[1, 2, 3], &["32 checked 0 passed false actual false"]),
        (3, &[1, 2, 1], &[]),
        (2, &[1, 1, 2, 2], &["32 checked 0 passed true actual true"]),
    ] {
        let all = Work { checked: false, artifact: page.clone(), ..work(count, spaced(count, None)) };
        let results: Vec<_> = ids.iter().map(|id| item(*id)).collect();
        assert_eq!(checks(all, &results), expected, "{count} items, results {ids:?}");
    }
}
