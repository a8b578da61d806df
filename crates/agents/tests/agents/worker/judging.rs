//! What comes of an item: errors made and caught, reviews, rejections, and the seams that results take.

use fleetsim_agents::item::{HandOver, Item};
use fleetsim_agents::seam::{Seam, When};
use fleetsim_agents::worker::Role;
use fleetsim_engine::AgentId;

use super::{provider, turns};
use crate::provider::model;
use crate::support::{ALWAYS, NEVER, Run, ears, fleet, give, item, parcel, play, role, seam, workers};

/// Seam 0 ends at the worker; it gives along the others, number 1, 2, … to the receiver with that ordinal.
fn seams(whens: &[When]) -> Vec<Seam> {
    let along = |(number, when): (u16, &When)| {
        let receiver = AgentId::named("receiver", u32::from(number));
        Seam { when: *when, ..seam(number, &format!("seam-{number}"), &[receiver]) }
    };
    core::iter::once(seam(0, "work", &[])).chain((1..).zip(whens).map(along)).collect()
}

/// What the receivers get from a worker of the role that gets an item: who, and the item as it arrives.
fn results(role: Role, given: Item) -> (Vec<(u32, Item)>, Run) {
    let mut fleet = fleet(1);
    let receivers = role.seams.len() - 1;
    let gives = (1..).take(receivers).collect();
    workers(&mut fleet, 1, Role { gives, ..role });
    provider(&mut fleet, model());
    let heard = ears::<HandOver>(&mut fleet, "receiver", receivers);
    give(&mut fleet, 10, "worker", parcel(0, given));
    let run = play(fleet);
    let mut heard: Vec<_> =
        heard.borrow().iter().map(|(_, who, HandOver::Give(parcel))| (*who, parcel.item)).collect();
    heard.sort_by_key(|(who, _)| *who);
    (heard, run)
}

#[test]
fn errors_are_made_and_caught_as_often_as_the_role_has_it() {
    let plain = || role(seams(&[When::Always]));
    for (name, role, faulty, rejections, faulty_after) in [
        ("never wrong", plain(), false, 0, false),
        ("always wrong", Role { wrong: ALWAYS, ..plain() }, false, 0, true),
        ("says so falsely", Role { says_done_falsely: ALWAYS, ..plain() }, false, 0, true),
        ("an error stays", plain(), true, 0, true),
        ("an error is caught", Role { catches: ALWAYS, ..plain() }, true, 0, false),
        ("caught, and wrong again", Role { catches: ALWAYS, wrong: ALWAYS, ..plain() }, true, 0, true),
        ("nothing to catch", Role { catches: ALWAYS, ..plain() }, false, 0, false),
        ("what was sent back is done anew", plain(), true, 1, false),
        ("and may be wrong anew", Role { wrong: ALWAYS, ..plain() }, true, 1, true),
    ] {
        let caught = faulty && role.catches == ALWAYS;
        let given = Item { faulty, rejections, ..item(1) };
        let (heard, run) = results(Role { finishes: false, ..role }, given);
        assert_eq!(heard, [(1, Item { faulty: faulty_after, ..given })], "{name}");
        assert_eq!(!run.lines(&["checked"]).is_empty(), caught, "{name}");
        assert!(run.lines(&["finished"]).is_empty(), "{name}: it goes on");
    }
}

#[test]
fn tests_at_the_end_find_what_is_wrong() {
    for (tested, wrong, finished) in [
        (false, NEVER, "reported true actual true"),
        (true, NEVER, "reported true actual true"),
        (false, ALWAYS, "reported true actual false"),
        (true, ALWAYS, "reported false actual false"),
    ] {
        let (_, run) = results(Role { tested, wrong, ..role(seams(&[])) }, item(1));
        assert_eq!(
            run.lines(&["finished"]),
            [format!("110 finished 1 {finished}")],
            "tested {tested}, {wrong:?}"
        );
    }
}

#[test]
fn who_says_done_falsely_takes_one_turn() {
    for (says_done_falsely, finished) in [
        (NEVER, "316 finished 1 reported true actual true"),
        (ALWAYS, "112 finished 1 reported true actual false"),
    ] {
        let (_, run) = results(Role { pace: turns(3, 0), says_done_falsely, ..role(seams(&[])) }, item(1));
        assert_eq!(run.lines(&["finished"]), [finished]);
    }
}

#[test]
fn a_reviewer_approves_or_sends_back() {
    const APPROVED: u32 = 1;
    const REJECTED: u32 = 2;
    let reviewer = || role(seams(&[When::Approved, When::Rejected, When::Always]));
    for (name, role, faulty, goes_to) in [
        ("good work", reviewer(), false, APPROVED),
        ("whatever it is like", Role { rejects: ALWAYS, ..reviewer() }, false, REJECTED),
        ("an error that is caught", Role { catches: ALWAYS, ..reviewer() }, true, REJECTED),
        ("an error that is not", reviewer(), true, APPROVED),
        ("no error to catch", Role { catches: ALWAYS, ..reviewer() }, false, APPROVED),
    ] {
        let (heard, run) = results(role, Item { faulty, ..item(1) });
        let sent_back = goes_to == REJECTED;
        let after = Item { faulty, rejections: u32::from(sent_back), ..item(1) };
        assert_eq!(heard, [(goes_to, after), (3, after)], "{name}");
        assert_eq!(run.lines(&["reviewed"]), [format!("110 reviewed 1 {}", !sent_back)], "{name}");
        assert_eq!(
            run.lines(&["finished"]).is_empty(),
            sent_back,
            "{name}: what is sent back does not end here"
        );
    }
}

#[test]
fn the_guard_gives_up_after_its_rounds() {
    for (rounds, rejections, given_up) in
        [(None, 90, false), (Some(3), 0, false), (Some(3), 1, false), (Some(3), 2, true), (Some(1), 0, true)]
    {
        let reviewer = Role { rejects: ALWAYS, review_rounds: rounds, ..role(seams(&[When::Rejected])) };
        let (heard, run) = results(reviewer, Item { rejections, ..item(1) });
        let name = format!("{rounds:?} rounds, rejected {rejections} times before");
        assert_eq!(heard.is_empty(), given_up, "{name}");
        let expected: &[_] = match given_up {
            true => &["110 guard review-rounds 1", "110 finished 1 reported false actual false"],
            false => &[],
        };
        assert_eq!(run.lines(&["guard", "finished"]), expected, "{name}");
    }
}
