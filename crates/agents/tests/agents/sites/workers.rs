//! Sites of workers: what goes wrong with those who work, judge, choose and ask.

use std::sync::Arc;

use fleetsim_agents::artifact_store::{self, ArtifactStore};
use fleetsim_agents::gate::{Action, Gate};
use fleetsim_agents::helper::Helper;
use fleetsim_agents::item::{HandOver, Item};
use fleetsim_agents::outside::{Arrivals, Outside, Report, Work};
use fleetsim_agents::seam::{Chooser, Seam, When};
use fleetsim_agents::sites;
use fleetsim_agents::worker::{Edits, Pace, Role};
use fleetsim_engine::sample::Sampler;
use fleetsim_engine::{Address, AgentId};

use super::resources::editing;
use super::{Case, Prepare};
use crate::artifact_store::{read, text, write};
use crate::provider::model;
use crate::support::{ALWAYS, NEVER, ears, fleet, give, item, parcel, play, probes, role, seam, workers};
use crate::worker::{provider, turns};

fn the(name: &str) -> AgentId {
    AgentId::named(name, 1)
}

/// One item of two turns of 100 ns by an agent that may spawn helpers.
fn turning(prepare: &Prepare<'_>) -> Vec<String> {
    let mut fleet = fleet(1);
    Helper::declare(&mut fleet).expect("a fleet without helpers");
    provider(&mut fleet, model());
    workers(&mut fleet, 1, Role { pace: turns(2, 7), ..role(vec![seam(0, "work", &[])]) });
    give(&mut fleet, 10, "worker", parcel(0, item(1)));
    prepare(&mut fleet);
    play(fleet).lines(&["injected", "requested", "spent", "finished"])
}

const TURNING: [&str; 5] = [
    "11 requested admitted true",
    "112 spent 10 and 5",
    "113 requested admitted true",
    "214 spent 17 and 5",
    "214 finished 1 reported true actual true",
];

/// A worker of two turns adds to a page that holds the edit 90; the page in the end.
fn adding(prepare: &Prepare<'_>) -> Vec<String> {
    let mut fleet = fleet(1);
    provider(&mut fleet, model());
    fleet.add("store", 1, |_| ArtifactStore::new(true)).expect("one store");
    let edits = Some(Edits { artifact: "page".into(), store: Address::new(the("store")) });
    workers(&mut fleet, 1, Role { pace: turns(2, 7), edits, ..role(vec![seam(0, "work", &[])]) });
    give(&mut fleet, 8, "worker", parcel(0, item(1)));
    let script = vec![(1, write(1, 0, &[90])), (900, read("page"))];
    let heard = probes(&mut fleet, "judge", the("store"), vec![script], |_: &artifact_store::Reply| None);
    prepare(&mut fleet);
    let mut lines = play(fleet).lines(&["injected", "spent", "aborted", "finished"]);
    lines.extend(heard.borrow().iter().skip(1).map(|(_, _, reply)| text(reply)));
    lines
}

const ADDING: [&str; 4] =
    ["112 spent 10 and 5", "214 spent 17 and 5", "216 finished 1 reported true actual true", "2 is [90, 1]"];

/// Two process workers one after the other, whose work is tested, and a vault that gets nothing of it.
fn chain(prepare: &Prepare<'_>) -> Vec<String> {
    let mut fleet = fleet(1);
    let seams = vec![
        seam(0, "work", &[the("worker")]),
        seam(1, "on", &[the("next")]),
        seam(2, "empty", &[]),
        seam(3, "secrets", &[the("vault")]),
    ];
    let entry = seams[0].clone();
    let outside = [(1, Address::new(the("outside")))].into();
    let next = Role { name: "next".into(), outside, tested: true, ..role(seams.clone()) };
    workers(&mut fleet, 1, Role { gives: vec![1], finishes: false, ..role(seams) });
    workers(&mut fleet, 1, Role { gives: vec![3], ..next });
    ears::<HandOver>(&mut fleet, "vault", 1);
    let arrivals = Arrivals::Spaced { at_once: 0, gap_ns: None };
    let work = Work { count: 0, arrivals, entry, checked: true, artifact: None, first_item: 1 };
    fleet.add("outside", 1, move |_| Outside::new(work.clone())).expect("one outside");
    give(&mut fleet, 10, "worker", parcel(0, item(1)));
    prepare(&mut fleet);
    let story =
        ["injected", "received", "offered", "breach", "tainted", "Custom", "finished", "checked", "handed"];
    let shown = |line: &String| {
        let named = ["worker", "next"].map(|name| (name, format!("{:?}", the(name))));
        named.iter().fold(line.clone(), |line, (name, id)| line.replace(id, name))
    };
    play(fleet).lines(&story).iter().map(shown).collect()
}

const CHAIN: [&str; 8] = [
    "10 received 1",
    "110 offered 1 on on",
    "110 handed 1 to 1",
    "111 received 1",
    "211 offered 1 on secrets",
    "211 handed 1 to 1",
    "211 finished 1 reported true actual true",
    "212 checked 1 passed true actual true",
];

/// A reviewer looks at a faulty item, which it would catch.
fn reviewing(prepare: &Prepare<'_>) -> Vec<String> {
    let mut fleet = fleet(1);
    let given = |number, name, when, to| Seam { when, ..seam(number, name, &[the(to)]) };
    let seams = vec![
        seam(0, "work", &[]),
        given(1, "passed", When::Approved, "receiver"),
        given(2, "rework", When::Rejected, "receiver"),
    ];
    workers(&mut fleet, 1, Role { gives: vec![1, 2], finishes: false, catches: ALWAYS, ..role(seams) });
    ears::<HandOver>(&mut fleet, "receiver", 1);
    give(&mut fleet, 10, "worker", parcel(0, Item { faulty: true, ..item(1) }));
    prepare(&mut fleet);
    play(fleet).lines(&["injected", "received", "reviewed", "offered"])
}

const REVIEWING: [&str; 3] = ["10 received 1", "110 reviewed 1 false", "110 offered 1 on rework"];

/// Somebody passes two items on to three receivers in turn.
fn relaying(prepare: &Prepare<'_>) -> Vec<String> {
    let mut fleet = fleet(1);
    let receivers = [1, 2, 3].map(|ordinal| AgentId::named("receiver", ordinal));
    let relayed = Seam { chooser: Chooser::Agent(the("worker")), ..seam(0, "work", &receivers) };
    workers(&mut fleet, 1, role(vec![relayed]));
    ears::<HandOver>(&mut fleet, "receiver", 3);
    give(&mut fleet, 10, "worker", parcel(0, item(1)));
    give(&mut fleet, 11, "worker", parcel(0, item(2)));
    prepare(&mut fleet);
    play(fleet).lines(&["injected", "decided"])
}

/// A worker asks the lead before it publishes.
fn gated(prepare: &Prepare<'_>) -> Vec<String> {
    let mut fleet = fleet(1);
    let answers = Pace::Human { hours: None, answers_in_ns: Sampler::constant(1_000), day_begins_ns: 0 };
    workers(&mut fleet, 1, Role { name: "lead".into(), pace: answers, ..role(Vec::new()) });
    let gate = Some((Arc::from("sign-off"), the("lead")));
    let action = Some(Action { name: "publish".into(), reversible: false, gate });
    workers(&mut fleet, 1, Role { action, ..role(vec![seam(0, "work", &[])]) });
    give(&mut fleet, 10, "worker", parcel(0, item(1)));
    prepare(&mut fleet);
    play(fleet).lines(&["injected", "breach", "waits", "reviewed", "acted", "finished"])
}

/// Two people ask the lead, who would say yes to the first and no to the second.
fn asked(prepare: &Prepare<'_>) -> Vec<String> {
    let mut fleet = fleet(1);
    let answers = Pace::Human { hours: None, answers_in_ns: Sampler::constant(1_000), day_begins_ns: 0 };
    workers(&mut fleet, 1, Role { name: "lead".into(), pace: answers, catches: ALWAYS, ..role(Vec::new()) });
    let ask = |at_ns, item, faulty| (at_ns, Gate::Ask { item, faulty });
    let scripts = vec![vec![ask(10, 1, false)], vec![ask(20, 2, true)]];
    let heard = probes(&mut fleet, "asker", the("lead"), scripts, |_: &Gate| None);
    prepare(&mut fleet);
    let mut lines = play(fleet).lines(&["injected", "reviewed"]);
    lines.extend(heard.borrow().iter().map(|(at_ns, who, answer)| match answer {
        Gate::Answer { item, approved } => format!("{at_ns} {who} hears of {item}: {approved}"),
        Gate::Ask { .. } => format!("{at_ns} {who} is asked"),
    }));
    lines
}

const ASKED: [&str; 4] =
    ["1010 reviewed 1 true", "2010 reviewed 2 false", "1011 1 hears of 1: true", "2011 2 hears of 2: false"];

const GATED: [&str; 4] = [
    "110 waits Gate(\"sign-off\")",
    "1111 reviewed 1 true",
    "1112 acted publish on 1 reversible false gate `sign-off`",
    "1112 finished 1 reported true actual true",
];

pub(super) fn cases() -> Vec<Case> {
    let case = |site, strength, tell, without: &[&'static str], with: Vec<&'static str>| Case {
        site,
        strength,
        times: 1,
        tell,
        without: without.to_vec(),
        with,
    };
    let editing_without: Vec<&'static str> = editing(&|_| {}).into_iter().map(|line| &*line.leak()).collect();
    vec![
        // What it remembers is its own last write, and somebody else has written since.
        case(
            sites::AGENT_STALE_CONTEXT,
            0,
            editing,
            &editing_without,
            [
                &editing_without[..8],
                &[
                    "400 injected rule agent.stale-context 0",
                    "400 read page 1",
                    "502 aborted",
                    "504 read page 2",
                    "605 wrote page 2 to 3",
                    "606 committed",
                    "606 finished 3 reported true actual true",
                ],
            ]
            .concat(),
        ),
        // With an artifact, what others wrote is lost under the right version; the context is shorter.
        case(
            sites::AGENT_CONTEXT_LOST,
            0,
            adding,
            &ADDING,
            vec![
                ADDING[0],
                "112 injected rule agent.context-lost 0",
                "214 spent 10 and 5",
                ADDING[2],
                "2 is [1]",
            ],
        ),
        case(
            sites::AGENT_CONTEXT_LOST,
            0,
            turning,
            &TURNING,
            vec![
                TURNING[0],
                TURNING[1],
                "112 injected rule agent.context-lost 0",
                TURNING[2],
                "214 spent 10 and 5",
                "214 finished 1 reported true actual false",
            ],
        ),
        case(
            sites::AGENT_WRONG_TOOL_RESULT,
            0,
            turning,
            &TURNING,
            vec![
                TURNING[0],
                TURNING[1],
                "112 injected rule agent.wrong-tool-result 0",
                TURNING[2],
                TURNING[3],
                "214 finished 1 reported true actual false",
            ],
        ),
        // Tests that fail what is right.
        case(
            sites::AGENT_WRONG_TOOL_RESULT,
            0,
            chain,
            &CHAIN,
            [
                &CHAIN[..6],
                &[
                    "211 injected rule agent.wrong-tool-result 0",
                    "211 checked 1 passed false actual true",
                    "211 finished 1 reported false actual true",
                    CHAIN[7],
                ],
            ]
            .concat(),
        ),
        case(
            sites::AGENT_MALFORMED_OUTPUT,
            0,
            turning,
            &TURNING,
            vec![
                TURNING[0],
                TURNING[1],
                "112 injected rule agent.malformed-output 0",
                TURNING[2],
                "214 spent 10 and 5",
                "215 requested admitted true",
                "316 spent 17 and 5",
                "316 finished 1 reported true actual true",
            ],
        ),
        case(
            sites::AGENT_REFUSAL,
            0,
            adding,
            &ADDING,
            vec![
                ADDING[0],
                "112 injected rule agent.refusal 0",
                "112 aborted",
                "112 finished 1 reported false actual false",
                "1 is [90]",
            ],
        ),
        case(
            sites::AGENT_FALSE_DONE,
            0,
            turning,
            &TURNING,
            vec![
                "10 injected rule agent.false-done 0",
                TURNING[0],
                TURNING[1],
                "112 finished 1 reported true actual false",
            ],
        ),
        case(
            sites::AGENT_FALSE_DONE,
            0,
            adding,
            &ADDING,
            vec![
                "8 injected rule agent.false-done 0",
                "110 spent 10 and 5",
                "110 finished 1 reported true actual false",
                "1 is [90]",
            ],
        ),
        // Who reviews falsely approves.
        case(
            sites::AGENT_FALSE_DONE,
            0,
            reviewing,
            &REVIEWING,
            vec![
                REVIEWING[0],
                "10 injected rule agent.false-done 0",
                "11 reviewed 1 true",
                "11 offered 1 on passed",
            ],
        ),
        case(
            sites::AGENT_DUPLICATE_DONE,
            2,
            turning,
            &TURNING,
            [
                &TURNING[..4],
                &["214 injected rule agent.duplicate-done 2", TURNING[4], TURNING[4], TURNING[4]],
            ]
            .concat(),
        ),
        // What is not the end of an item is given on twice.
        case(
            sites::AGENT_DUPLICATE_DONE,
            0,
            chain,
            &CHAIN,
            vec![
                CHAIN[0],
                "110 injected rule agent.duplicate-done 0",
                CHAIN[1],
                CHAIN[2],
                CHAIN[1],
                CHAIN[2],
                CHAIN[3],
                CHAIN[4],
                CHAIN[5],
                CHAIN[6],
                "211 received 1",
                CHAIN[7],
                "311 offered 1 on secrets",
                "311 handed 1 to 1",
                "311 finished 1 reported true actual true",
            ],
        ),
        // Four helpers: the worker spawns one, that two, and one of those the last.
        case(
            sites::AGENT_RUNAWAY_SPAWN,
            4,
            turning,
            &TURNING,
            vec![
                "10 injected rule agent.runaway-spawn 4",
                TURNING[0],
                "12 requested admitted true",
                "13 requested admitted true",
                "13 requested admitted true",
                "14 requested admitted true",
                TURNING[1],
                "113 spent 10 and 5",
                TURNING[2],
                "114 spent 10 and 5",
                "114 spent 10 and 5",
                "115 spent 10 and 5",
                TURNING[3],
                TURNING[4],
            ],
        ),
        case(
            sites::AGENT_OVERREACH,
            1,
            chain,
            &CHAIN,
            [
                &CHAIN[..3],
                &[
                    "110 injected rule agent.overreach 1",
                    "110 breach write secrets",
                    "110 offered 1 on secrets",
                    "110 handed 1 to 1",
                ],
                &CHAIN[3..],
            ]
            .concat(),
        ),
        case(
            sites::AGENT_OVERREACH,
            0,
            gated,
            &GATED,
            vec![
                "110 injected rule agent.overreach 0",
                "110 breach do publish",
                "110 acted publish on 1 reversible false gate ``",
                "110 finished 1 reported true actual true",
            ],
        ),
        case(
            sites::AGENT_WRONG_DECISION,
            7,
            chain,
            &CHAIN,
            [
                &[
                    CHAIN[0],
                    "110 injected rule agent.wrong-decision 7",
                    "110 Custom { name: \"wrong-decision\", fields: [(\"item\", Number(1)), (\"decision\", Number(7))] }",
                ],
                &CHAIN[1..6],
                &["211 finished 1 reported false actual false", "212 checked 1 passed false actual false"],
            ]
            .concat(),
        ),
        case(
            sites::AGENT_WRONG_DECISION,
            1,
            reviewing,
            &REVIEWING,
            vec![
                REVIEWING[0],
                "110 injected rule agent.wrong-decision 1",
                "110 reviewed 1 true",
                "110 offered 1 on passed",
            ],
        ),
        // Both go to the third, who is not the next.
        Case {
            times: 2,
            ..case(
                sites::AGENT_WRONG_DECISION,
                5,
                relaying,
                &["110 decided 1 for 1", "210 decided 2 for 2"],
                vec![
                    "110 injected rule agent.wrong-decision 5",
                    "110 decided 1 for 3",
                    "210 injected rule agent.wrong-decision 5",
                    "210 decided 2 for 3",
                ],
            )
        },
        case(
            sites::AGENT_WRONG_DECISION,
            2,
            asked,
            &ASKED,
            vec![
                "1010 injected rule agent.wrong-decision 2",
                "1010 reviewed 1 false",
                ASKED[1],
                "1011 1 hears of 1: false",
                ASKED[3],
            ],
        ),
        // Two hits with one strength are the same mistake: what was right for the first is wrong for the second.
        Case {
            times: 2,
            ..case(
                sites::AGENT_WRONG_DECISION,
                1,
                asked,
                &ASKED,
                vec![
                    "1010 injected rule agent.wrong-decision 1",
                    ASKED[0],
                    "2010 injected rule agent.wrong-decision 1",
                    "2010 reviewed 2 true",
                    ASKED[2],
                    "2011 2 hears of 2: true",
                ],
            )
        },
        case(
            sites::REVIEW_ABSENT,
            300,
            asked,
            &ASKED,
            vec![
                "10 injected rule review.absent 300",
                "1310 reviewed 1 true",
                "2310 reviewed 2 false",
                "1311 1 hears of 1: true",
                "2311 2 hears of 2: false",
            ],
        ),
        case(
            sites::AGENT_TAINT,
            0,
            chain,
            &CHAIN,
            vec![
                CHAIN[0],
                "10 injected rule agent.taint 0",
                "10 tainted 1 from worker",
                CHAIN[1],
                CHAIN[2],
                "111 tainted 1 from worker",
                CHAIN[3],
                CHAIN[4],
                CHAIN[5],
                CHAIN[6],
                "212 tainted 1 from next",
                CHAIN[7],
            ],
        ),
        case(
            sites::REVIEW_ABSENT,
            5_000,
            gated,
            &GATED,
            vec![
                GATED[0],
                "111 injected rule review.absent 5000",
                "6111 reviewed 1 true",
                "6112 acted publish on 1 reversible false gate `sign-off`",
                "6112 finished 1 reported true actual true",
            ],
        ),
        case(
            sites::REVIEW_ABSENT,
            0,
            gated,
            &GATED,
            vec![GATED[0], "111 injected rule review.absent 0"],
        ),
        case(
            sites::REVIEW_ABSENT,
            90,
            reviewing,
            &REVIEWING,
            vec![
                REVIEWING[0],
                "10 injected rule review.absent 90",
                "200 reviewed 1 false",
                "200 offered 1 on rework",
            ],
        ),
    ]
}

/// Whoever approves an item vouches for it; who sends it back, or only works on it, does not.
#[test]
fn taint_stays_until_somebody_approves() {
    let given = |number, name, when| Seam { when, ..seam(number, name, &[the("receiver")]) };
    for (name, whens, rejects, stays) in [
        ("worked on", vec![When::Always], NEVER, true),
        ("approved", vec![When::Approved, When::Rejected], NEVER, false),
        ("sent back", vec![When::Approved, When::Rejected], ALWAYS, true),
    ] {
        let mut fleet = fleet(1);
        let seams: Vec<_> = core::iter::once(seam(0, "work", &[]))
            .chain((1..).zip(whens).map(|(number, when)| given(number, "given", when)))
            .collect();
        let gives = (1..seams.len() as u16).collect();
        workers(&mut fleet, 1, Role { gives, finishes: false, rejects, ..role(seams) });
        let heard = ears::<HandOver>(&mut fleet, "receiver", 1);
        give(&mut fleet, 10, "worker", parcel(0, Item { tainted: true, ..item(1) }));
        play(fleet);
        let tainted: Vec<_> =
            heard.borrow().iter().map(|(_, _, HandOver::Give(parcel))| parcel.item.tainted).collect();
        assert_eq!(tainted, [stays], "{name}");
    }
}

/// So does who says yes at the gate; without one, the outside hears that the item is tainted.
#[test]
fn a_yes_at_the_gate_takes_the_taint_away() {
    for has_gate in [true, false] {
        let mut fleet = fleet(1);
        workers(&mut fleet, 1, Role { name: "lead".into(), ..role(Vec::new()) });
        let gate = has_gate.then(|| (Arc::from("sign-off"), the("lead")));
        let action = Some(Action { name: "publish".into(), reversible: false, gate });
        let outside = [(1, Address::new(the("outside")))].into();
        workers(&mut fleet, 1, Role { action, outside, ..role(vec![seam(0, "work", &[])]) });
        let heard = ears::<Report>(&mut fleet, "outside", 1);
        give(&mut fleet, 10, "worker", parcel(0, Item { tainted: true, ..item(1) }));
        play(fleet);
        let tainted: Vec<_> =
            heard.borrow().iter().map(|(_, _, Report::Finished(item))| item.tainted).collect();
        assert_eq!(tainted, [!has_gate]);
    }
}
