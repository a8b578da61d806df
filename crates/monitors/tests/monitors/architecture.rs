//! The honest name: fleets of every class, and those at the edge of one.

use std::collections::BTreeSet;

use fleetsim_engine::Fact;
use fleetsim_monitors::{Architecture, ArchitectureClass, Medium, MonitorConfig, NodeKind};

use crate::support::{Run, hand_over, id};

/// Articles go from the outside through five seams that the coordinator decides and redis carries, and one direct.
fn content_pipeline() -> Run {
    let mut run = Run::default();
    for item in 0..12 {
        let (second, offer) = (item * 100, item * 10);
        let writer = if item % 2 == 0 { "writer-1" } else { "writer-2" };
        let coder = if item % 2 == 0 { "coder-1" } else { "coder-2" };
        for (index, (seam, giver, receiver)) in [
            ("topics", "outside", coder),
            ("notes", coder, writer),
            ("drafts", writer, "editor"),
            ("edits", "editor", "reviewer-1"),
            ("passed", "reviewer-1", "lead"),
        ]
        .into_iter()
        .enumerate()
        {
            let ends = (giver, "coordinator", "redis", receiver);
            hand_over(
                &mut run,
                second + 10 * index as u64,
                (seam, "redis"),
                (item, offer + index as u64),
                ends,
            );
        }
        let ends = ("lead", "lead", "page", "publisher");
        hand_over(&mut run, second + 60, ("pages", "page"), (item, offer + 9), ends);
    }
    run
}

fn measured(run: &Run) -> Architecture {
    run.report().architecture
}

fn ring_of_peers(peers: u64, rounds: u64) -> Run {
    let mut run = Run::default();
    for round in 0..rounds {
        for peer in 0..peers {
            let (giver, receiver) =
                (format!("peer-{}", peer + 1), format!("peer-{}", (peer + 1) % peers + 1));
            let offer = round * peers + peer;
            hand_over(&mut run, offer * 10, ("work", ""), (offer, offer), (&giver, &giver, "", &receiver));
        }
    }
    run
}

#[test]
fn a_pipeline_with_a_coordinator_is_a_distributed_hub() {
    let architecture = measured(&content_pipeline());
    assert_eq!(architecture.class, Some(ArchitectureClass::DistributedHubAndSpoke));
    assert_eq!(architecture.hub.as_deref(), Some("coordinator"));
    assert_eq!(architecture.decides, "an active hub: coordinator");
    assert_eq!(architecture.carries, "redis");
    assert_eq!(architecture.shares.decision.to_string(), "0.833");
    assert_eq!(architecture.shares.carrier.to_string(), "0.833");
    assert_eq!((architecture.shares.logical.part, architecture.shares.logical.whole), (24, 72));
    assert_eq!(architecture.agents, 8, "neither the outside nor those that only decide or carry");
    assert!(architecture.matches(ArchitectureClass::DistributedHubAndSpoke, Some("coordinator")));
    assert!(!architecture.matches(ArchitectureClass::DistributedHubAndSpoke, Some("editor")));
    let pages = architecture.seams.iter().find(|seam| seam.name == "pages").expect("a seam");
    assert_eq!((pages.decides.as_str(), pages.media.as_slice()), ("lead", &["page".to_owned()][..]));
}

#[test]
fn a_claim_that_differs_is_a_finding_of_honesty() {
    let claim = |class| MonitorConfig { claims_to_be: Some(class), ..MonitorConfig::default() };
    let run = content_pipeline();
    let findings = run.findings_with(&claim(ArchitectureClass::PeerToPeer), "misnamed-architecture");
    assert_eq!(
        findings[0].summary,
        "MISNAMED ARCHITECTURE at 00:19:22: the fleet claims to be peer-to-peer and is distributed hub-and-spoke: \
         coordinator took 60 of 72 decisions, editor touched 24 of 72 hand-overs, redis carried 60 of 72 hand-overs"
    );
    assert!(findings[0].matches("misnamed-architecture", &[("hub", "coordinator")]));
    assert_eq!(findings[0].about["hub"], ["coordinator"], "named once, as agent and as role");
    assert_eq!(findings[0].evidence[0].event, 1, "the coordinator's first decision");
    let honest =
        run.findings_with(&claim(ArchitectureClass::DistributedHubAndSpoke), "misnamed-architecture");
    assert_eq!(honest, []);
    assert_eq!(run.findings("misnamed-architecture"), [], "nothing was claimed");
}

#[test]
fn a_ring_of_peers_is_peer_to_peer() {
    let architecture = measured(&ring_of_peers(8, 3));
    assert_eq!(architecture.class, Some(ArchitectureClass::PeerToPeer));
    assert_eq!((architecture.decides.as_str(), architecture.carries.as_str()), ("nobody", "nobody"));
    assert_eq!(architecture.hub, None);
    assert_eq!(architecture.centralisation_thousandths.logical, 0);
    assert_eq!(architecture.separators, [] as [&str; 0]);
}

#[test]
fn a_chain_of_peers_is_not_since_its_links_separate_it() {
    let mut run = Run::default();
    for round in 0..3 {
        for peer in 1..8_u64 {
            let (giver, receiver) = (format!("peer-{peer}"), format!("peer-{}", peer + 1));
            let offer = round * 8 + peer;
            hand_over(&mut run, offer * 10, ("work", ""), (offer, offer), (&giver, &giver, "", &receiver));
        }
    }
    let architecture = measured(&run);
    assert_eq!(architecture.class, Some(ArchitectureClass::Hybrid));
    assert_eq!(architecture.separators, ["peer-2", "peer-3", "peer-4", "peer-5", "peer-6", "peer-7"]);
}

#[test]
fn a_broker_between_peers_is_a_distributed_hub() {
    let mut run = Run::default();
    for offer in 0..24 {
        let (giver, receiver) = (format!("peer-{}", offer % 8 + 1), format!("peer-{}", (offer + 1) % 8 + 1));
        hand_over(
            &mut run,
            offer * 10,
            ("work", "redis"),
            (offer, offer),
            (&giver, &giver, "redis", &receiver),
        );
    }
    let architecture = measured(&run);
    assert_eq!(architecture.class, Some(ArchitectureClass::DistributedHubAndSpoke));
    assert_eq!(architecture.hub.as_deref(), Some("redis"));
    assert_eq!(architecture.decides, "nobody");
    assert_eq!(architecture.separators, ["redis"]);
    let redis = architecture.nodes.iter().find(|node| node.name == "redis").expect("a node");
    assert_eq!((redis.kind, redis.carried, redis.neighbours), (NodeKind::Medium, 24, 8));
    assert_eq!(redis.betweenness_thousandths, Some(1000));
}

/// A supervisor gives to coders and gets back from them.
fn star() -> Run {
    let mut run = Run::default();
    for item in 0..10 {
        let coder = format!("coder-{}", item % 5 + 1);
        let out = ("supervisor", "supervisor", "", coder.as_str());
        hand_over(&mut run, item * 20, ("dispatch", ""), (item, 2 * item), out);
        let back = (coder.as_str(), "supervisor", "", "supervisor");
        hand_over(&mut run, item * 20 + 10, ("finished", ""), (item, 2 * item + 1), back);
    }
    run
}

#[test]
fn who_decides_and_touches_all_is_a_hub() {
    let architecture = measured(&star());
    assert_eq!(architecture.class, Some(ArchitectureClass::HubAndSpoke));
    assert_eq!(architecture.hub.as_deref(), Some("supervisor"));
    assert_eq!(architecture.centralisation_thousandths.logical, 1000);
    assert_eq!(architecture.separators, ["supervisor"]);
}

#[test]
fn a_person_can_be_the_hub() {
    let config =
        MonitorConfig { people: BTreeSet::from(["supervisor".to_owned()]), ..MonitorConfig::default() };
    let architecture = star().report_in(&config, 4096).architecture;
    assert_eq!(architecture.decides, "a human hub: supervisor");
}

/// Coders and reviewers hand over through the supervisor's inbox, and it chooses.
#[test]
fn what_goes_through_an_inbox_touches_its_owner() {
    let mut run = Run::default();
    for offer in 0..10 {
        let ends = ("coder-1", "supervisor", "supervisor", "reviewer-1");
        hand_over(&mut run, offer * 10, ("finished", "hub"), (offer, offer), ends);
    }
    let mut config = MonitorConfig::default();
    config.media.insert("hub".to_owned(), Medium::Inbox("supervisor".to_owned()));
    let architecture = run.report_in(&config, 4096).architecture;
    assert_eq!(architecture.class, Some(ArchitectureClass::HubAndSpoke));
    assert_eq!(architecture.shares.logical.thousandths(), 1000);
    assert_eq!(architecture.carries, "supervisor");
}

#[test]
fn workers_that_claim_from_a_store_have_a_passive_hub() {
    let mut run = Run::default();
    for task in 0..15 {
        let coder = format!("coder-{}", task % 5 + 1);
        run.at(task * 10, "store", [Fact::TaskReady { task }]);
        run.at(task * 10 + 1, &coder, [Fact::TaskClaimed { task, fence: 0 }]);
    }
    let architecture = measured(&run);
    assert_eq!(architecture.class, Some(ArchitectureClass::DistributedHubAndSpoke));
    assert_eq!(architecture.decides, "a passive store: store");
    assert_eq!(architecture.hub.as_deref(), Some("store"));
    assert_eq!(architecture.agents, 5);
    assert_eq!(architecture.separators, ["store"]);
}

/// Work comes from outside; the store hands each task to whoever claims it first.
#[test]
fn a_store_that_hands_over_what_is_claimed_decides() {
    let mut run = Run::default();
    for task in 0..15 {
        let coder = format!("coder-{}", task % 5 + 1);
        run.at(task * 10, "outside", [Fact::TaskReady { task }]);
        let ends = ("outside", "", "store", coder.as_str());
        hand_over(&mut run, task * 10, ("tickets", "store"), (task, task), ends);
        run.at(task * 10 + 2, &coder, [Fact::TaskClaimed { task, fence: 1 }]);
    }
    let architecture = measured(&run);
    assert_eq!(architecture.class, Some(ArchitectureClass::DistributedHubAndSpoke));
    assert_eq!(architecture.decides, "a passive store: store");
    assert_eq!((architecture.hub.as_deref(), architecture.carries.as_str()), (Some("store"), "store"));
    assert_eq!(architecture.seams[0].decides, "store");
    assert_eq!(architecture.separators, ["store"]);
}

#[test]
fn claiming_what_somebody_assigned_is_no_choice_of_the_store() {
    let mut run = star();
    for task in 0..10 {
        let coder = format!("coder-{}", task % 5 + 1);
        run.at(1000 + task, "store", [Fact::TaskReady { task }]);
        run.at(1000 + task, &coder, [Fact::TaskClaimed { task, fence: 0 }]);
    }
    let architecture = measured(&run);
    assert_eq!((architecture.decides.as_str(), architecture.decisions), ("an active hub: supervisor", 20));
}

#[test]
fn a_choice_stays_a_choice_when_a_store_carries_it() {
    let mut run = Run::default();
    for task in 0..10 {
        let coder = format!("coder-{}", task % 5 + 1);
        let ends = ("outside", "supervisor", "store", coder.as_str());
        hand_over(&mut run, task * 10, ("tickets", "store"), (task, task), ends);
        run.at(task * 10 + 2, &coder, [Fact::TaskClaimed { task, fence: 1 }]);
    }
    let architecture = measured(&run);
    assert_eq!((architecture.decides.as_str(), architecture.decisions), ("an active hub: supervisor", 10));
}

#[test]
fn tasks_claimed_from_outside_have_no_store_in_the_fleet() {
    let mut run = Run::default();
    for task in 0..10 {
        run.at(task * 10, "outside", [Fact::TaskReady { task }]);
        run.at(task * 10 + 1, "coder-1", [Fact::TaskClaimed { task, fence: 0 }]);
    }
    assert_eq!(measured(&run).decides, "a passive store: the task store");
}

#[test]
fn who_gives_by_its_own_hand_is_no_relay() {
    let mut run = Run::default();
    for offer in 0..24 {
        let (giver, receiver) = (format!("peer-{}", offer % 8 + 1), format!("peer-{}", (offer + 1) % 8 + 1));
        hand_over(&mut run, offer * 10, ("work", ""), (offer, offer), (&giver, &giver, &giver, &receiver));
    }
    let architecture = measured(&run);
    assert_eq!(architecture.class, Some(ArchitectureClass::PeerToPeer));
    assert_eq!(architecture.shares.carrier.part, 0);
}

#[test]
fn what_is_received_twice_was_carried_twice() {
    let mut run = content_pipeline();
    for offer in 0..5 {
        run.at(2000, "editor", [Fact::Received { seam: "drafts", item: 0, offer, giver: id("writer-1") }]);
    }
    let shares = measured(&run).shares;
    assert_eq!((shares.carrier.part, shares.carrier.whole), (65, 77));
}

#[test]
fn a_medium_is_named_before_the_agent_that_empties_it() {
    let mut run = Run::default();
    for offer in 0..24 {
        let (giver, receiver) = (format!("peer-{}", offer % 7 + 1), format!("peer-{}", (offer + 1) % 7 + 1));
        let ends = (giver.as_str(), "coordinator", "coordinator", receiver.as_str());
        hand_over(&mut run, offer * 10, ("work", "redis"), (offer, offer), ends);
    }
    let architecture = measured(&run);
    assert_eq!(architecture.carries, "redis");
    assert_eq!(architecture.separators, ["coordinator", "redis"], "every way leads through both");
}

#[test]
fn a_fleet_that_hands_nothing_over_has_no_name() {
    let mut run = Run::default();
    run.at(1, "coder-1", []);
    let config = MonitorConfig { claims_to_be: Some(ArchitectureClass::Hybrid), ..MonitorConfig::default() };
    let report = run.report_in(&config, 4096);
    assert_eq!((report.architecture.class, report.findings), (None, vec![]));
}

#[test]
fn a_relay_carries_as_a_medium_does() {
    let mut run = Run::default();
    for offer in 0..24 {
        let (giver, receiver) = (format!("peer-{}", offer % 7 + 1), format!("peer-{}", (offer + 1) % 7 + 1));
        hand_over(
            &mut run,
            offer * 10,
            ("work", ""),
            (offer, offer),
            (&giver, &giver, "coordinator", &receiver),
        );
    }
    let architecture = measured(&run);
    assert_eq!(architecture.class, Some(ArchitectureClass::DistributedHubAndSpoke));
    assert_eq!(architecture.carries, "coordinator");
}

#[test]
fn what_goes_one_way_on_several_seams_is_counted_together() {
    let mut run = Run::default();
    for (offer, seam) in (0..).zip(["notes", "drafts", "notes", "drafts", "notes"]) {
        let ends = ("coder-1", "coder-1", "redis", "writer-1");
        hand_over(&mut run, offer * 10, (seam, "redis"), (offer, offer), ends);
    }
    let architecture = measured(&run);
    let edges = architecture.graphs.transport.edges.iter();
    let edges: Vec<(&str, &str, u64)> =
        edges.map(|edge| (edge.from.as_str(), edge.to.as_str(), edge.count)).collect();
    assert_eq!(edges, [("coder-1", "redis", 5), ("redis", "writer-1", 5)]);
    assert_eq!(architecture.seams.iter().map(|seam| seam.hand_overs).collect::<Vec<_>>(), [2, 3]);
}
