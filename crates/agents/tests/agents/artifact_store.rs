//! The artifact store: writes based on an old version are refused, or lose somebody's edit.

use fleetsim_agents::artifact_store::{ArtifactStore, Reply, Request};
use fleetsim_agents::worker::Edits;
use fleetsim_engine::{Address, AgentId};

use crate::support::{fleet, give, item, parcel, play, probes, role, seam, workers};

pub(crate) fn write(operation: u64, based_on: u64, edits: &[u64]) -> Request {
    Request::Write { artifact: "page".to_owned(), operation, based_on, edits: edits.to_vec() }
}

pub(crate) fn read(artifact: &str) -> Request {
    Request::Read { artifact: artifact.to_owned() }
}

pub(crate) fn text(reply: &Reply) -> String {
    match reply {
        Reply::Content { version, edits } => format!("{version} is {edits:?}"),
        Reply::Written { version } => format!("wrote {version}"),
        Reply::Conflict { version } => format!("conflict with {version}"),
        Reply::Failed { first_wait_ns } => format!("failed, wait {first_wait_ns}"),
        Reply::TimedOut => "timed out".to_owned(),
    }
}

#[test]
fn a_stale_write_is_refused_or_loses_an_edit() {
    for (checks_version, heard, stated) in [
        (
            true,
            ["0 is []", "wrote 1", "conflict with 1", "1 is [7]", "wrote 2", "2 is [7, 8]", "0 is []"],
            &["20 wrote page 0 to 1", "50 wrote page 1 to 2"][..],
        ),
        (
            false,
            ["0 is []", "wrote 1", "wrote 2", "2 is [8]", "wrote 3", "3 is [7, 8]", "0 is []"],
            &["20 wrote page 0 to 1", "30 wrote page 0 to 2", "50 wrote page 1 to 3"],
        ),
    ] {
        let mut fleet = fleet(1);
        fleet.add("store", 1, move |_| ArtifactStore::new(checks_version)).expect("one store");
        let script = vec![
            (10, read("page")),
            (20, write(1, 0, &[7])),
            (30, write(2, 0, &[8])),
            (40, read("page")),
            (50, write(3, 1, &[7, 8])),
            (60, read("page")),
            (70, read("another page")),
        ];
        let replies =
            probes(&mut fleet, "editor", AgentId::named("store", 1), vec![script], |_: &Reply| None);
        let run = play(fleet);
        let replies: Vec<_> = replies.borrow().iter().map(|(_, _, reply)| text(reply)).collect();
        assert_eq!(replies, heard, "checks versions: {checks_version}");
        assert_eq!(run.lines(&["wrote"]), stated, "checks versions: {checks_version}");
    }
}

/// Two workers take up an item each in the same instant and change the same page.
#[test]
fn workers_start_over_after_a_conflict_and_lose_an_edit_without_one() {
    for (checks_version, finished, page) in [(true, [112, 216], "2 is "), (false, [112, 112], "2 is ")] {
        let mut fleet = fleet(1);
        let store = AgentId::named("store", 1);
        fleet.add("store", 1, move |_| ArtifactStore::new(checks_version)).expect("one store");
        for (name, id) in [("left", 1), ("right", 2)] {
            let mut role = role(vec![seam(0, "work", &[])]);
            role.name = name.into();
            role.edits = Some(Edits { artifact: "page".into(), store: Address::new(store) });
            workers(&mut fleet, 1, role);
            // Reading takes two messages, so that the work begins at 10.
            give(&mut fleet, 8, name, parcel(0, item(id)));
        }
        let script = vec![(1_000, read("page"))];
        let replies = probes(&mut fleet, "judge", store, vec![script], |_: &Reply| None);
        let run = play(fleet);
        let times: Vec<_> = run.lines(&["finished"]).iter().map(|line| line[..3].to_owned()).collect();
        assert_eq!(times, finished.map(|at_ns: u64| at_ns.to_string()), "checks versions: {checks_version}");
        let Reply::Content { version: 2, edits } = &replies.borrow()[0].2 else { panic!("expected {page}") };
        let whole = edits.contains(&1) && edits.contains(&2);
        assert_eq!(whole, checks_version, "the page holds {edits:?}");
        assert_eq!(edits.len(), if checks_version { 2 } else { 1 });
        assert!(run.lines(&["checked"]).iter().all(|line| line.ends_with("passed true actual true")));
    }
}
