//! The task store: claims by compare-and-swap, leases, and fencing tokens that are checked or not.

use fleetsim_agents::task_store::{Reply, Request, Settings, TaskStore};
use fleetsim_engine::{AgentId, Fleet};

use crate::support::{Heard, Run, fleet, item, parcel, play, probes, seam};

const FOR_EVER: Settings = Settings { lease_ns: None, checks_fence: true };
pub(crate) const LEASED: Settings = Settings { lease_ns: Some(1_000), checks_fence: true };
const NAIVE: Settings = Settings { lease_ns: Some(1_000), checks_fence: false };

pub(crate) fn store(fleet: &mut Fleet, settings: Settings) -> AgentId {
    let seams = [0, 1].map(|number| seam(number, "work", &[AgentId::named("claimer", 1)]));
    fleet.add("store", 1, move |_| TaskStore::new(settings, seams.clone().into())).expect("one store");
    AgentId::named("store", 1)
}

fn text(reply: &Reply) -> String {
    match reply {
        Reply::Offer { version, .. } => format!("offer at {version}"),
        Reply::Granted { fence, lease_ns, .. } => format!("granted {fence} for {lease_ns}"),
        Reply::Refused { .. } => "refused".to_owned(),
        Reply::Renewed { .. } => "renewed".to_owned(),
        Reply::Accepted { .. } => "accepted".to_owned(),
        Reply::Stale { .. } => "stale".to_owned(),
        Reply::TimedOut { .. } => "timed out".to_owned(),
        Reply::Failed { .. } => "failed".to_owned(),
    }
}

pub(crate) fn heard_lines(heard: &Heard<Reply>) -> Vec<String> {
    heard.borrow().iter().map(|(at_ns, who, reply)| format!("{at_ns} {who} {}", text(reply))).collect()
}

/// Lets claimers say their lines about task 0, item 1, which the first of them adds at 1 ns.
fn replies(settings: Settings, scripts: &[&[(u64, Request)]]) -> (Vec<String>, Run) {
    let mut fleet = fleet(1);
    let store = store(&mut fleet, settings);
    let mut scripts: Vec<Vec<_>> = scripts.iter().map(|script| script.to_vec()).collect();
    scripts[0].insert(0, (1, Request::Add(parcel(0, item(1)))));
    let heard = probes(&mut fleet, "claimer", store, scripts, |_: &Reply| None);
    let run = play(fleet);
    (heard_lines(&heard), run)
}

pub(crate) const fn claim(version: u64) -> Request {
    Request::Claim { task: 0, version }
}

const fn renew(fence: u64) -> Request {
    Request::Renew { task: 0, fence }
}

pub(crate) const fn complete(fence: u64) -> Request {
    Request::Complete { task: 0, fence }
}

const fn release(fence: u64) -> Request {
    Request::Release { task: 0, fence }
}

#[test]
fn exactly_one_of_many_claimers_wins_and_none_is_a_favourite() {
    for claimers in 2..=8 {
        let mut winners = Vec::new();
        for seed in 0..12 {
            let mut fleet = fleet(seed);
            let store = store(&mut fleet, FOR_EVER);
            // All are told in the same instant, and claim in the same instant.
            let script = vec![(1, Request::Next { seams: vec![0] })];
            let claims = |reply: &Reply| match *reply {
                Reply::Offer { task, version } => Some(Request::Claim { task, version }),
                _ => None,
            };
            let heard = probes(&mut fleet, "claimer", store, vec![script; claimers], claims);
            let add = vec![vec![(10, Request::Add(parcel(0, item(1))))]];
            probes(&mut fleet, "adder", store, add, |_: &Reply| None);
            let run = play(fleet);
            let count =
                |wanted: &str| heard.borrow().iter().filter(|(_, _, reply)| text(reply) == wanted).count();
            assert_eq!(count("offer at 0"), claimers, "everybody who waits is told");
            assert_eq!(count("granted 1 for 0"), 1, "{claimers} claimers, seed {seed}");
            assert_eq!(count("refused"), claimers - 1, "{claimers} claimers, seed {seed}");
            assert_eq!(run.lines(&["handed"]).len(), 1);
            let granted = |(_, _, reply): &&(u64, u32, Reply)| matches!(reply, Reply::Granted { .. });
            winners.extend(heard.borrow().iter().find(granted).map(|(_, who, _)| *who));
        }
        assert!(winners.iter().any(|winner| *winner != winners[0]), "{claimers} claimers: {winners:?}");
    }
}

#[test]
fn a_claim_lasts_for_its_lease() {
    let waits = (500, Request::Next { seams: vec![0] });
    for (name, settings, scripts, heard, stated) in [
        (
            "an expired lease makes the task claimable, with a higher fence",
            LEASED,
            [
                &[(10, claim(0))][..],
                &[waits.clone(), (1_020, claim(0)), (1_030, claim(2)), (1_040, complete(2))],
            ],
            &[
                "11 1 granted 1 for 1000",
                "1011 2 offer at 2",
                "1021 2 refused",
                "1031 2 granted 2 for 1000",
                "1041 2 accepted",
            ][..],
            &["1010 released 1: its lease expired"][..],
        ),
        (
            "leases expire again and again, and fences only rise",
            LEASED,
            [&[(10, claim(0)), (2_020, claim(4)), (2_030, complete(3))], &[(1_015, claim(2))]],
            &[
                "11 1 granted 1 for 1000",
                "1016 2 granted 2 for 1000",
                "2021 1 granted 3 for 1000",
                "2031 1 accepted",
            ],
            &["1010 released 1: its lease expired", "2015 released 1: its lease expired"],
        ),
        (
            "no lease, no end",
            FOR_EVER,
            [&[(10, claim(0)), (90_000, complete(1))], &[(20, claim(0)), (21, claim(1))]],
            &["11 1 granted 1 for 0", "21 2 refused", "22 2 refused", "90001 1 accepted"],
            &[],
        ),
        (
            "renewals extend from when they are asked",
            LEASED,
            [&[(10, claim(0)), (900, renew(1)), (1_800, renew(1))], &[waits.clone(), (2_900, claim(2))]],
            &[
                "11 1 granted 1 for 1000",
                "901 1 renewed",
                "1801 1 renewed",
                "2801 2 offer at 2",
                "2901 2 granted 2 for 1000",
            ],
            &["2800 released 1: its lease expired", "3900 released 1: its lease expired"],
        ),
        (
            "only who holds a claim renews it",
            LEASED,
            [&[(10, claim(0)), (20, renew(2)), (1_010 + 5, renew(1))], &[(30, renew(1))]],
            &["11 1 granted 1 for 1000", "21 1 stale", "31 2 stale", "1016 1 stale"],
            &["1010 released 1: its lease expired"],
        ),
        (
            "a finished task's lease does not bring it back",
            LEASED,
            [&[(10, claim(0)), (20, complete(1)), (30, complete(1))], &[(2_000, claim(2))]],
            &["11 1 granted 1 for 1000", "21 1 accepted", "31 1 stale", "2001 2 refused"],
            &[],
        ),
        (
            "what is given back can be claimed at once",
            FOR_EVER,
            [
                &[(10, claim(0)), (20, release(2)), (30, release(1)), (40, release(1))],
                &[(31, claim(1)), (32, claim(2))],
            ],
            &[
                "11 1 granted 1 for 0",
                "21 1 stale",
                "31 1 accepted",
                "32 2 refused",
                "33 2 granted 2 for 0",
                "41 1 stale",
            ],
            &["30 released 1: given back"],
        ),
    ] {
        let (replies, run) = replies(settings, &scripts);
        assert_eq!(replies, heard, "{name}: replies");
        assert_eq!(run.lines(&["released"]), stated, "{name}: facts");
    }
}

#[test]
fn a_late_completion_is_stale_only_where_fences_are_checked() {
    let late = [(10, claim(0)), (1_100, complete(1))];
    for (name, settings, second, first_hears, second_hears) in [
        ("checked, nobody else", LEASED, &[][..], "1101 1 stale", None),
        ("unchecked, nobody else", NAIVE, &[], "1101 1 accepted", None),
        (
            "checked, somebody else holds it",
            LEASED,
            &[(1_050, claim(2)), (1_200, complete(2))][..],
            "1101 1 stale",
            Some("1201 2 accepted"),
        ),
        (
            "unchecked, somebody else holds it",
            NAIVE,
            &[(1_050, claim(2)), (1_200, complete(2))],
            "1101 1 accepted",
            Some("1201 2 stale"),
        ),
    ] {
        let (replies, _) = replies(settings, &[&late, second]);
        let last_of =
            |who: &str| replies.iter().rfind(|line| line.split(' ').nth(1) == Some(who)).map(String::as_str);
        assert_eq!(last_of("1"), Some(first_hears), "{name}");
        assert_eq!(last_of("2"), second_hears, "{name}");
    }
}

#[test]
fn a_task_is_offered_to_those_who_asked_for_its_seam() {
    let asks = |seams: &[u16]| (10, Request::Next { seams: seams.to_vec() });
    let (replies, _) = replies(FOR_EVER, &[&[asks(&[0, 1])], &[asks(&[1])], &[asks(&[0])]]);
    let mut replies = replies;
    replies.sort();
    assert_eq!(replies, ["11 1 offer at 0", "11 3 offer at 0"]);
}
