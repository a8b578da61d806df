//! Sites of what agents share: stores, memory, provider, queue.

use fleetsim_agents::artifact_store::{self, ArtifactStore};
use fleetsim_agents::broker::{self, Broker, Delivery};
use fleetsim_agents::item::{HandOver, Item};
use fleetsim_agents::shared_memory::{self, SharedMemory};
use fleetsim_agents::worker::{Edits, Pull, Role};
use fleetsim_agents::{sites, task_store};
use fleetsim_engine::{Address, AgentId};

use super::{Case, Prepare};
use crate::artifact_store::{read, text, write};
use crate::broker::PLAIN;
use crate::provider::model;
use crate::support::{ears, fleet, give, item, parcel, play, play_until, probes, role, seam, workers};
use crate::task_store::{LEASED, claim, complete, heard_lines, store};
use crate::worker::{provider, turns};

/// Three edits of a page, one after the other: two by `worker`, in between one by `other`.
pub(super) fn editing(prepare: &Prepare<'_>) -> Vec<String> {
    let mut fleet = fleet(1);
    let store = AgentId::named("store", 1);
    fleet.add("store", 1, |_| ArtifactStore::new(true)).expect("one store");
    for name in ["worker", "other"] {
        let edits = Some(Edits { artifact: "page".into(), store: Address::new(store) });
        workers(&mut fleet, 1, Role { name: name.into(), edits, ..role(vec![seam(0, "work", &[])]) });
    }
    for (at_ns, name, id) in [(8, "worker", 1), (200, "other", 2), (400, "worker", 3)] {
        give(&mut fleet, at_ns, name, parcel(0, item(id)));
    }
    prepare(&mut fleet);
    let story =
        ["injected", "read", "wrote", "committed", "aborted", "indeterminate", "waits", "waited", "finished"];
    play(fleet).lines(&story)
}

const EDITING: [&str; 12] = [
    "10 read page 0",
    "111 wrote page 0 to 1",
    "112 committed",
    "112 finished 1 reported true actual true",
    "202 read page 1",
    "303 wrote page 1 to 2",
    "304 committed",
    "304 finished 2 reported true actual true",
    "402 read page 2",
    "503 wrote page 2 to 3",
    "504 committed",
    "504 finished 3 reported true actual true",
];

/// What somebody hears who reads a page with three versions and writes a fourth.
fn asking(prepare: &Prepare<'_>) -> Vec<String> {
    let mut fleet = fleet(1);
    fleet.add("store", 1, |_| ArtifactStore::new(true)).expect("one store");
    let script = vec![
        (9, read("page")),
        (10, write(1, 0, &[7])),
        (20, write(2, 1, &[7, 8])),
        (30, write(3, 2, &[7, 8, 9])),
        (40, read("page")),
        (50, write(4, 3, &[])),
        (60, read("page")),
    ];
    let store = AgentId::named("store", 1);
    let heard = probes(&mut fleet, "editor", store, vec![script], |_: &artifact_store::Reply| None);
    prepare(&mut fleet);
    let mut lines = play(fleet).lines(&["injected"]);
    lines.extend(heard.borrow().iter().map(|(at_ns, _, reply)| format!("{at_ns} {}", text(reply))));
    lines
}

const ASKING: [&str; 7] =
    ["10 0 is []", "11 wrote 1", "21 wrote 2", "31 wrote 3", "41 3 is [7, 8, 9]", "51 wrote 4", "61 4 is []"];

/// An item is put into its cell twice, the second time with an error and sent back once.
fn remembering(prepare: &Prepare<'_>) -> Vec<String> {
    let mut fleet = fleet(1);
    let receiver = AgentId::named("receiver", 1);
    let seams = [seam(0, "work", &[receiver])];
    fleet.add("memory", 1, move |_| SharedMemory::new(true, seams.clone().into())).expect("one memory");
    let later = Item { rejections: 1, faulty: true, ..item(1) };
    let put = |at_ns, item| (at_ns, shared_memory::Request::Put(parcel(0, item)));
    let script = vec![put(10, item(1)), put(20, later)];
    probes(&mut fleet, "giver", AgentId::named("memory", 1), vec![script], |_: &HandOver| None);
    let heard = ears::<HandOver>(&mut fleet, "receiver", 1);
    prepare(&mut fleet);
    let mut lines = play(fleet).lines(&["injected", "wrote", "undelivered"]);
    lines.extend(heard.borrow().iter().map(|(at_ns, _, HandOver::Give(parcel))| {
        format!("{at_ns} sent back {} times, faulty {}", parcel.item.rejections, parcel.item.faulty)
    }));
    lines
}

const REMEMBERING: [&str; 4] = [
    "10 wrote medium/1 0 to 1",
    "20 wrote medium/1 1 to 2",
    "11 sent back 0 times, faulty false",
    "21 sent back 1 times, faulty true",
];

/// Claimer 1 claims a task and completes it; claimer 2 claims it meanwhile.
fn claiming(prepare: &Prepare<'_>) -> Vec<String> {
    let mut fleet = fleet(1);
    let store = store(&mut fleet, LEASED);
    let add = (1, task_store::Request::Add(parcel(0, item(1))));
    let scripts = vec![vec![add, (10, claim(0)), (100, complete(1))], vec![(50, claim(0))]];
    let heard = probes(&mut fleet, "claimer", store, scripts, |_: &task_store::Reply| None);
    prepare(&mut fleet);
    let mut lines = play(fleet).lines(&["injected", "released"]);
    lines.extend(heard_lines(&heard));
    lines
}

const CLAIMING: [&str; 3] = ["11 1 granted 1 for 1000", "51 2 refused", "101 1 accepted"];

/// A worker claims the only task and does it.
fn pulling(prepare: &Prepare<'_>) -> Vec<String> {
    let mut fleet = fleet(1);
    let store = store(&mut fleet, LEASED);
    let pulls = vec![Pull::Store { store: Address::new(store), seams: vec![0] }];
    workers(&mut fleet, 1, Role { pulls, ..role(vec![seam(0, "work", &[])]) });
    let script = vec![(10, task_store::Request::Add(parcel(0, item(1))))];
    probes(&mut fleet, "adder", store, vec![script], |_: &task_store::Reply| None);
    prepare(&mut fleet);
    play(fleet).lines(&["injected", "claimed", "released", "finished"])
}

const PULLING: [&str; 2] = ["13 claimed 1 fence 1", "113 finished 1 reported true actual true"];

/// A queue whose reader acknowledges two messages 5 ns after they came.
fn queueing(prepare: &Prepare<'_>) -> Vec<String> {
    let mut fleet = fleet(1);
    let settings = broker::Settings { reader: Some(AgentId::named("consumer", 1)), ..PLAIN };
    let seams = [seam(0, "work", &[AgentId::named("consumer", 1)])];
    fleet.add("broker", 1, move |_| Broker::new(settings.clone(), seams.clone().into())).expect("one broker");
    let broker = AgentId::named("broker", 1);
    let acknowledge = |message| broker::Request::Acknowledge { message };
    let script = vec![(16, acknowledge(0)), (26, acknowledge(1)), (60, acknowledge(0))];
    let heard = probes(&mut fleet, "consumer", broker, vec![script], |_: &Delivery| None);
    let publish = |at_ns, id| (at_ns, broker::Request::Publish(parcel(0, item(id))));
    let script = vec![publish(10, 1), publish(20, 2)];
    probes(&mut fleet, "publisher", broker, vec![script], |_: &Delivery| None);
    prepare(&mut fleet);
    let mut lines = play_until(fleet, 300).lines(&["injected", "undelivered"]);
    lines.extend(heard.borrow().iter().map(|(at_ns, _, Delivery::Deliver { message, parcel })| {
        format!("{at_ns} message {message}, item {}", parcel.item.id)
    }));
    lines
}

const QUEUEING: [&str; 2] = ["11 message 0, item 1", "21 message 1, item 2"];

/// One item of two turns of 100 ns.
fn turning(prepare: &Prepare<'_>) -> Vec<String> {
    let mut fleet = fleet(1);
    provider(&mut fleet, model());
    workers(&mut fleet, 1, Role { pace: turns(2, 7), ..role(vec![seam(0, "work", &[])]) });
    give(&mut fleet, 10, "worker", parcel(0, item(1)));
    prepare(&mut fleet);
    play(fleet).lines(&["injected", "requested", "waits", "waited", "spent", "finished"])
}

const TURNING: [&str; 5] = [
    "11 requested admitted true",
    "112 spent 10 and 5",
    "113 requested admitted true",
    "214 spent 17 and 5",
    "214 finished 1 reported true actual true",
];

/// The lines of `TURNING` that come so much later.
fn turning_after(late_ns: u64) -> Vec<&'static str> {
    let later = |line: &&str| {
        let (at_ns, what) = line.split_once(' ').expect("an instant and what happened");
        let at_ns: u64 = at_ns.parse().expect("an instant");
        &*format!("{} {what}", at_ns + late_ns).leak()
    };
    TURNING[1..].iter().map(later).collect()
}

pub(super) fn cases() -> Vec<Case> {
    let case = |site, strength, tell, without: &[&'static str], with: Vec<&'static str>| Case {
        site,
        strength,
        times: 1,
        tell,
        without: without.to_vec(),
        with,
    };
    let but = |all: &[&'static str], from: usize, to: usize, instead: &[&'static str]| {
        [&all[..from], instead, &all[to..]].concat()
    };
    let refused = |injected| {
        // A wait of 3 ns, too short for a quarter more.
        let first = [injected, "11 requested admitted false", "12 waits Resource(\"model\")"];
        let mut lines = first.to_vec();
        lines.push("16 requested admitted true");
        lines.push("117 waited Resource(\"model\")");
        lines.extend(turning_after(5));
        lines
    };
    vec![
        case(
            sites::STORE_STALE_READ,
            2,
            asking,
            &ASKING,
            [&["40 injected rule store.stale-read 2"], &but(&ASKING, 4, 5, &["41 1 is [7]"])[..]].concat(),
        ),
        // No further back than there are versions, and before the first there is nothing.
        case(
            sites::STORE_STALE_READ,
            u64::MAX,
            asking,
            &ASKING,
            [
                &["40 injected rule store.stale-read 18446744073709551615"],
                &but(&ASKING, 4, 5, &["41 0 is []"])[..],
            ]
            .concat(),
        ),
        case(
            sites::STORE_STALE_READ,
            1,
            editing,
            &EDITING,
            but(
                &EDITING,
                4,
                8,
                &[
                    "201 injected rule store.stale-read 1",
                    "202 read page 0",
                    "304 aborted",
                    "306 read page 1",
                    "402 read page 1",
                    "407 wrote page 1 to 2",
                    "408 committed",
                    "408 finished 2 reported true actual true",
                ],
            )
            .into_iter()
            .filter(|line| !["402 read page 2", "503 wrote page 2 to 3"].contains(line))
            .filter(|line| !line.starts_with("504"))
            .chain(["504 aborted", "506 read page 2", "607 wrote page 2 to 3", "608 committed"])
            .chain(["608 finished 3 reported true actual true"])
            .collect(),
        ),
        case(
            sites::STORE_FAILED_WRITE,
            20,
            editing,
            &EDITING,
            but(
                &EDITING,
                1,
                4,
                &[
                    "111 injected rule store.failed-write 20",
                    "112 waits Resource(\"page\")",
                    "133 wrote page 0 to 1",
                    "134 waited Resource(\"page\")",
                    "134 committed",
                    "134 finished 1 reported true actual true",
                ],
            ),
        ),
        Case {
            times: 2,
            ..case(
                sites::STORE_FAILED_WRITE,
                20,
                editing,
                &EDITING,
                but(
                    &EDITING,
                    1,
                    4,
                    &[
                        "111 injected rule store.failed-write 20",
                        "112 waits Resource(\"page\")",
                        "133 injected rule store.failed-write 20",
                        "175 wrote page 0 to 1",
                        "176 waited Resource(\"page\")",
                        "176 committed",
                        "176 finished 1 reported true actual true",
                    ],
                ),
            )
        },
        // Written, not known to be written, and so written again.
        case(
            sites::STORE_INDETERMINATE_WRITE,
            30,
            editing,
            &EDITING,
            vec![
                "10 read page 0",
                "111 wrote page 0 to 1",
                "111 injected rule store.indeterminate-write 30",
                "142 indeterminate",
                "144 read page 1",
                "202 read page 1",
                "245 wrote page 1 to 2",
                "246 committed",
                "246 finished 1 reported true actual true",
                "304 aborted",
                "306 read page 2",
                "402 read page 2",
                "407 wrote page 2 to 3",
                "408 committed",
                "408 finished 2 reported true actual true",
                "504 aborted",
                "506 read page 3",
                "607 wrote page 3 to 4",
                "608 committed",
                "608 finished 3 reported true actual true",
            ],
        ),
        // Never answered: it waits for ever, and what came later waits for it.
        case(
            sites::STORE_INDETERMINATE_WRITE,
            0,
            editing,
            &EDITING,
            [&EDITING[..2], &["111 injected rule store.indeterminate-write 0"], &EDITING[4..8]].concat(),
        ),
        case(
            sites::STORE_FAILED_WRITE,
            0,
            remembering,
            &REMEMBERING,
            vec![
                "10 injected rule store.failed-write 0",
                "10 undelivered 1: the write failed",
                "20 wrote medium/1 0 to 1",
                "21 sent back 1 times, faulty true",
            ],
        ),
        case(
            sites::STORE_STALE_READ,
            1,
            remembering,
            &REMEMBERING,
            vec![
                "10 wrote medium/1 0 to 1",
                "20 wrote medium/1 1 to 2",
                "20 injected rule store.stale-read 1",
                "11 sent back 0 times, faulty false",
                "21 sent back 0 times, faulty false",
            ],
        ),
        case(
            sites::TASKS_STALE_CLAIM,
            0,
            claiming,
            &CLAIMING,
            vec![
                "50 injected rule tasks.stale-claim 0",
                "1050 released 1: its lease expired",
                CLAIMING[0],
                "51 2 granted 2 for 1000",
                "101 1 stale",
            ],
        ),
        // The claim holds, but the claimer never hears its fence.
        case(
            sites::TASKS_INDETERMINATE_CLAIM,
            20,
            claiming,
            &CLAIMING,
            vec!["10 injected rule tasks.indeterminate-claim 20", "31 1 timed out", CLAIMING[1], CLAIMING[2]],
        ),
        case(
            sites::TASKS_INDETERMINATE_CLAIM,
            0,
            claiming,
            &CLAIMING,
            vec!["10 injected rule tasks.indeterminate-claim 0", CLAIMING[1], CLAIMING[2]],
        ),
        case(
            sites::TASKS_FAILED_COMPLETION,
            0,
            claiming,
            &CLAIMING,
            vec![
                "100 injected rule tasks.failed-completion 0",
                "1010 released 1: its lease expired",
                CLAIMING[0],
                CLAIMING[1],
                "101 1 failed",
            ],
        ),
        // It asks again, and gets its own task when the lease of the claim that it does not know of is over.
        case(
            sites::TASKS_INDETERMINATE_CLAIM,
            20,
            pulling,
            &PULLING,
            vec![
                "12 injected rule tasks.indeterminate-claim 20",
                "1012 released 1: its lease expired",
                "1015 claimed 1 fence 2",
                "1115 finished 1 reported true actual true",
            ],
        ),
        // Done, and not known to be done: it is done again.
        case(
            sites::TASKS_FAILED_COMPLETION,
            0,
            pulling,
            &PULLING,
            vec![
                PULLING[0],
                PULLING[1],
                "114 injected rule tasks.failed-completion 0",
                "1012 released 1: its lease expired",
                "1015 claimed 1 fence 2",
                "1115 finished 1 reported true actual true",
            ],
        ),
        case(
            sites::MODEL_TOO_MANY_REQUESTS,
            3,
            turning,
            &TURNING,
            refused("11 injected rule model.too-many-requests 3"),
        ),
        case(sites::MODEL_OVERLOADED, 3, turning, &TURNING, refused("11 injected rule model.overloaded 3")),
        case(sites::MODEL_OUTAGE, 3, turning, &TURNING, refused("11 injected rule model.outage 3")),
        // The second wait is of 6 ns, and one more by its jitter.
        Case {
            times: 2,
            ..case(
                sites::MODEL_OUTAGE,
                3,
                turning,
                &TURNING,
                [
                    &[
                        "11 injected rule model.outage 3",
                        "11 requested admitted false",
                        "12 waits Resource(\"model\")",
                        "16 injected rule model.outage 3",
                        "16 requested admitted false",
                        "25 requested admitted true",
                        "126 waited Resource(\"model\")",
                    ],
                    &turning_after(14)[..],
                ]
                .concat(),
            )
        },
        case(
            sites::MODEL_SLOW,
            3_000,
            turning,
            &TURNING,
            [&[TURNING[0], "11 injected rule model.slow 3000"], &turning_after(200)[..]].concat(),
        ),
        // Nothing gets faster by a fault.
        case(
            sites::MODEL_SLOW,
            10,
            turning,
            &TURNING,
            but(&TURNING, 1, 1, &["11 injected rule model.slow 10"]),
        ),
        case(
            sites::MODEL_HANG,
            5_000,
            turning,
            &TURNING,
            [&[TURNING[0], "11 injected rule model.hang 5000"], &turning_after(5_000)[..]].concat(),
        ),
        case(sites::MODEL_HANG, 0, turning, &TURNING, vec![TURNING[0], "11 injected rule model.hang 0"]),
        case(
            sites::MODEL_TRUNCATED,
            400,
            turning,
            &TURNING,
            vec![
                "11 injected rule model.truncated 400",
                "11 requested admitted true",
                "112 spent 10 and 2",
                TURNING[2],
                TURNING[3],
                "214 finished 1 reported true actual false",
            ],
        ),
        case(
            sites::QUEUE_REDELIVER,
            30,
            queueing,
            &QUEUEING,
            [&["16 injected rule queue.redeliver 30"], &QUEUEING[..], &["47 message 0, item 1"]].concat(),
        ),
        case(
            sites::QUEUE_LOSE,
            0,
            queueing,
            &QUEUEING,
            vec![
                "10 injected rule queue.lose 0",
                "10 undelivered 1: the queue lost it",
                "21 message 0, item 2",
            ],
        ),
    ]
}
