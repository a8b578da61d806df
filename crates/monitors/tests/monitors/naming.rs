//! The honest name on fleets of known class. A generator makes their facts: it knows what it builds, and nothing of how
//! that is measured.

use std::collections::{BTreeMap, BTreeSet};

use fleetsim_engine::schema::Shape;
use fleetsim_engine::{Fact, GroupEntry, Manifest, Time};
use fleetsim_monitors::{Architecture, ArchitectureClass, Medium, MonitorConfig, Panel, RunEnd};

use crate::support::{Run, id};

/// Seeds that were not looked at while the classifier was made.
const SEEDS: core::ops::Range<u64> = 1_000_000..1_000_020;

/// A fleet in the making.
struct Builder {
    seed: u64,
    draws: u64,
    second: u64,
    offers: u64,
    run: Run,
    groups: BTreeMap<&'static str, u32>,
    config: MonitorConfig,
}

impl Builder {
    fn new(seed: u64) -> Builder {
        Builder {
            seed,
            draws: 0,
            second: 0,
            offers: 0,
            run: Run::default(),
            groups: BTreeMap::from([("outside", 1)]),
            config: MonitorConfig::default(),
        }
    }

    /// A number from `range`, by SplitMix64.
    fn draw(&mut self, range: core::ops::Range<u64>) -> u64 {
        self.draws += 1;
        let mut z = self
            .seed
            .wrapping_mul(0xD129_0D3B_2A1C_33F5)
            .wrapping_add(self.draws.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        range.start + (z ^ (z >> 31)) % (range.end - range.start)
    }

    fn group(&mut self, name: &'static str, count: u64) -> Vec<String> {
        self.groups.insert(name, count as u32);
        match count {
            1 => vec![name.to_owned()],
            _ => (1..=count).map(|ordinal| format!("{name}-{ordinal}")).collect(),
        }
    }

    fn shuffled(&mut self, names: &[String]) -> Vec<String> {
        let mut names = names.to_vec();
        for at in (1..names.len()).rev() {
            let other = self.draw(0..at as u64 + 1) as usize;
            names.swap(at, other);
        }
        names
    }

    fn say(&mut self, agent: &str, fact: Fact<'static>) {
        self.second += 1;
        let at = self.second;
        self.run.at(at, agent, [fact]);
    }

    /// One item goes from `giver` to `receiver`. Nobody need choose, and nobody need carry.
    fn pass(
        &mut self,
        seam: &'static str,
        medium: &'static str,
        ends: [&str; 2],
        chooser: &str,
        carrier: &str,
    ) {
        let [giver, receiver] = ends;
        let offer = 1_000 + self.offers;
        let item = self.offers / 3;
        self.offers += 1;
        self.say(giver, Fact::Offered { seam, item, offer, medium });
        if !chooser.is_empty() {
            self.say(chooser, Fact::Decided { seam, item, offer, receiver: id(receiver) });
        }
        if !carrier.is_empty() {
            self.say(carrier, Fact::HandedOver { seam, item, offer, medium, receiver: id(receiver) });
        }
        self.say(receiver, Fact::Received { seam, item, offer, giver: id(giver) });
    }

    /// Every agent gives to the next of a ring in random order, as it chose.
    fn ring(&mut self, members: &[String]) {
        let ring = self.shuffled(members);
        for at in 0..ring.len() {
            let (giver, receiver) = (ring[at].clone(), ring[(at + 1) % ring.len()].clone());
            self.pass("work", "", [&giver, &receiver], &giver, "");
        }
    }

    fn measured(&self) -> Architecture {
        let group = |(name, count): (&&str, &u32)| GroupEntry {
            name: (*name).to_owned(),
            count: *count,
            timers: Shape::default(),
        };
        let manifest = Manifest { groups: self.groups.iter().map(group).collect(), ..Manifest::default() };
        let mut panel = Panel::new(&self.config, &manifest);
        self.run.batches(4096).iter().for_each(|batch| panel.observe_batch(batch));
        panel.report(&RunEnd { time: Time::ZERO, complete: true, quiescent: true }).architecture
    }
}

/// What a fleet was built to be.
struct Truth {
    class: ArchitectureClass,
    decides: &'static str,
    hub: Option<&'static str>,
}

const fn truth(class: ArchitectureClass, decides: &'static str, hub: Option<&'static str>) -> Truth {
    Truth { class, decides, hub }
}

type Kind = (&'static str, fn(&mut Builder), Truth);

/// The kinds of fleets, each with what it is by the way in which it is built.
const KINDS: &[Kind] = &[
    ("star", star, truth(ArchitectureClass::HubAndSpoke, "an active hub: boss", Some("boss"))),
    (
        "star whose workers sometimes talk",
        talkative_star,
        truth(ArchitectureClass::HubAndSpoke, "an active hub: boss", Some("boss")),
    ),
    (
        "star around a person",
        human_star,
        truth(ArchitectureClass::HubAndSpoke, "a human hub: boss", Some("boss")),
    ),
    (
        "star around an inbox",
        inbox_star,
        truth(ArchitectureClass::HubAndSpoke, "an active hub: boss", Some("boss")),
    ),
    (
        "star disguised by a queue",
        disguised_star,
        truth(ArchitectureClass::DistributedHubAndSpoke, "an active hub: boss", Some("boss")),
    ),
    (
        "star disguised as peers that report",
        reporting_peers,
        truth(ArchitectureClass::DistributedHubAndSpoke, "an active hub: boss", Some("boss")),
    ),
    (
        "relay without a medium",
        relay,
        truth(ArchitectureClass::DistributedHubAndSpoke, "an active hub: boss", Some("boss")),
    ),
    (
        "relay that is a person",
        human_relay,
        truth(ArchitectureClass::DistributedHubAndSpoke, "a human hub: boss", Some("boss")),
    ),
    (
        "person who accepts every result",
        human_acceptor,
        truth(ArchitectureClass::DistributedHubAndSpoke, "a human hub: boss", Some("boss")),
    ),
    (
        "claims on one store",
        claims,
        truth(ArchitectureClass::DistributedHubAndSpoke, "a passive store: store", Some("store")),
    ),
    (
        "claims on a store that hands over",
        claims_handed_over,
        truth(ArchitectureClass::DistributedHubAndSpoke, "a passive store: store", Some("store")),
    ),
    (
        "peers on one queue",
        one_queue,
        truth(ArchitectureClass::DistributedHubAndSpoke, "nobody", Some("redis")),
    ),
    (
        "peers on one queue that only offers tell of",
        one_silent_queue,
        truth(ArchitectureClass::DistributedHubAndSpoke, "nobody", Some("redis")),
    ),
    ("two teams and peers", two_teams, truth(ArchitectureClass::Hybrid, "nobody", None)),
    ("two rings with one agent in both", bow_tie, truth(ArchitectureClass::Hybrid, "nobody", None)),
    ("ring of peers", peers, truth(ArchitectureClass::PeerToPeer, "nobody", None)),
    ("crowd of peers", crowd, truth(ArchitectureClass::PeerToPeer, "nobody", None)),
    ("peers with inboxes", peers_with_inboxes, truth(ArchitectureClass::PeerToPeer, "nobody", None)),
    ("peers on many queues", many_queues, truth(ArchitectureClass::PeerToPeer, "nobody", None)),
    ("peers that review each other", reviewing_peers, truth(ArchitectureClass::PeerToPeer, "nobody", None)),
];

fn star(fleet: &mut Builder) {
    let boss = fleet.group("boss", 1).remove(0);
    let count = fleet.draw(5..13);
    let workers = fleet.group("worker", count);
    for _ in 0..fleet.draw(20..60) {
        let worker = workers[fleet.draw(0..count) as usize].clone();
        fleet.pass("dispatch", "", [&boss, &worker], &boss, "");
        fleet.pass("results", "", [&worker, &boss], "", "");
    }
}

fn talkative_star(fleet: &mut Builder) {
    star(fleet);
    let count = u64::from(fleet.groups["worker"]);
    // One in eighteen hand-overs, and one in ten decisions, at the most.
    for _ in 0..fleet.offers / 18 {
        let giver = fleet.draw(0..count);
        let receiver = (giver + fleet.draw(1..count)) % count;
        let [giver, receiver] = [giver, receiver].map(|number| format!("worker-{}", number + 1));
        fleet.pass("asides", "", [&giver, &receiver], &giver, "");
    }
}

fn human_star(fleet: &mut Builder) {
    fleet.config.people.insert("boss".to_owned());
    star(fleet);
}

fn inbox_star(fleet: &mut Builder) {
    fleet.config.media.insert("desk".to_owned(), Medium::Inbox("boss".to_owned()));
    through_boss(fleet, "desk");
}

fn disguised_star(fleet: &mut Builder) {
    through_boss(fleet, "redis");
}

fn relay(fleet: &mut Builder) {
    through_boss(fleet, "");
}

fn human_relay(fleet: &mut Builder) {
    fleet.config.people.insert("boss".to_owned());
    through_boss(fleet, "");
}

/// Workers hand over to each other; the boss has every item in its hands and says who gets it.
fn through_boss(fleet: &mut Builder, medium: &'static str) {
    let boss = fleet.group("boss", 1).remove(0);
    let count = fleet.draw(6..14);
    let workers = fleet.group("worker", count);
    for _ in 0..fleet.draw(4..9) {
        let order = fleet.shuffled(&workers);
        for pair in order.windows(2) {
            fleet.pass("work", medium, [&pair[0], &pair[1]], &boss, &boss);
        }
    }
}

/// Each worker chooses the boss, the boss chooses the next worker: half of the decisions are the boss's.
fn reporting_peers(fleet: &mut Builder) {
    let boss = fleet.group("boss", 1).remove(0);
    let count = fleet.draw(5..13);
    let workers = fleet.group("worker", count);
    for _ in 0..fleet.draw(3..8) {
        for worker in fleet.shuffled(&workers) {
            let next = workers[fleet.draw(0..count) as usize].clone();
            fleet.pass("reports", "", [&worker, &boss], &worker, "");
            fleet.pass("tasks", "", [&boss, &next], &boss, "");
        }
    }
}

/// Peers choose each other, but twice as often a person says whether it is good.
fn human_acceptor(fleet: &mut Builder) {
    fleet.config.people.insert("boss".to_owned());
    let boss = fleet.group("boss", 1).remove(0);
    let count = fleet.draw(8..16);
    let peers = fleet.group("peer", count);
    for _ in 0..fleet.draw(3..6) {
        fleet.ring(&peers);
        for _ in 0..2 * count {
            let item = fleet.draw(0..fleet.offers / 3);
            let approved = fleet.draw(0..4) > 0;
            fleet.say(&boss, Fact::Reviewed { item, approved });
        }
    }
}

fn claims(fleet: &mut Builder) {
    let store = fleet.group("store", 1).remove(0);
    let count = fleet.draw(3..13);
    let workers = fleet.group("worker", count);
    for task in 0..fleet.draw(20..60) {
        fleet.say(&store, Fact::TaskReady { task });
        let worker = workers[fleet.draw(0..count) as usize].clone();
        fleet.say(&worker, Fact::TaskClaimed { task, fence: 0 });
        if fleet.draw(0..3) > 0 {
            fleet.say(&worker, Fact::TaskFinished { task, attempt: 1, reported: true, actual: true });
        }
    }
}

fn claims_handed_over(fleet: &mut Builder) {
    fleet.group("store", 1);
    let count = fleet.draw(3..13);
    let workers = fleet.group("worker", count);
    for task in 0..fleet.draw(20..60) {
        let worker = workers[fleet.draw(0..count) as usize].clone();
        fleet.say("outside", Fact::TaskReady { task });
        let (offer, medium, seam) = (task, "store", "tickets");
        fleet.say("outside", Fact::Offered { seam, item: task, offer, medium });
        fleet.say("store", Fact::HandedOver { seam, item: task, offer, medium, receiver: id(&worker) });
        fleet.say(&worker, Fact::Received { seam, item: task, offer, giver: id("outside") });
        fleet.say(&worker, Fact::TaskClaimed { task, fence: 1 });
    }
}

fn one_queue(fleet: &mut Builder) {
    fleet.group("redis", 1);
    let count = fleet.draw(6..20);
    let peers = fleet.group("peer", count);
    for _ in 0..fleet.draw(3..8) {
        let ring = fleet.shuffled(&peers);
        for at in 0..ring.len() {
            let (giver, receiver) = (ring[at].clone(), ring[(at + 1) % ring.len()].clone());
            fleet.pass("work", "redis", [&giver, &receiver], &giver, "redis");
        }
    }
}

/// No carrier states anything, as in a log that only senders and receivers write.
fn one_silent_queue(fleet: &mut Builder) {
    let count = fleet.draw(6..20);
    let peers = fleet.group("peer", count);
    for _ in 0..fleet.draw(3..8) {
        let ring = fleet.shuffled(&peers);
        for at in 0..ring.len() {
            let (giver, receiver) = (ring[at].clone(), ring[(at + 1) % ring.len()].clone());
            fleet.pass("work", "redis", [&giver, &receiver], &giver, "");
        }
    }
}

/// Two bosses with a team each, and members of the teams that also work as peers: each boss has about a third.
fn two_teams(fleet: &mut Builder) {
    fleet.group("boss", 2);
    let count = 2 * fleet.draw(7..12);
    let workers = fleet.group("worker", count);
    for _ in 0..fleet.draw(3..7) {
        for (at, worker) in workers.iter().enumerate() {
            let boss = format!("boss-{}", at % 2 + 1);
            fleet.pass("tasks", "", [&boss, worker], &boss, "");
        }
        fleet.ring(&workers);
    }
}

/// Each ring is as peer-like as can be, but only one agent is in both.
fn bow_tie(fleet: &mut Builder) {
    let half = fleet.draw(11..17);
    let peers = fleet.group("peer", 2 * half - 1);
    let (left, right) = (peers[..half as usize].to_vec(), peers[half as usize - 1..].to_vec());
    for _ in 0..fleet.draw(3..7) {
        fleet.ring(&left);
        fleet.ring(&right);
    }
}

fn peers(fleet: &mut Builder) {
    let count = fleet.draw(5..24);
    let peers = fleet.group("peer", count);
    for _ in 0..fleet.draw(3..8) {
        fleet.ring(&peers);
    }
}

/// Anybody gives to anybody.
fn crowd(fleet: &mut Builder) {
    let count = fleet.draw(24..48);
    let peers = fleet.group("peer", count);
    for _ in 0..12 * count {
        let giver = fleet.draw(0..count);
        let receiver = (giver + fleet.draw(1..count)) % count;
        let [giver, receiver] = [giver, receiver].map(|number| peers[number as usize].clone());
        fleet.pass("work", "", [&giver, &receiver], &giver, "");
    }
}

fn peers_with_inboxes(fleet: &mut Builder) {
    fleet.config.media.insert("inbox".to_owned(), Medium::Direct);
    let count = fleet.draw(6..24);
    let peers = fleet.group("peer", count);
    for _ in 0..fleet.draw(3..8) {
        let ring = fleet.shuffled(&peers);
        for at in 0..ring.len() {
            let (giver, receiver) = (ring[at].clone(), ring[(at + 1) % ring.len()].clone());
            fleet.pass("work", "inbox", [&giver, &receiver], &giver, &giver);
        }
    }
}

/// Eight queues in turn: the loss of one is the loss of an eighth.
fn many_queues(fleet: &mut Builder) {
    const QUEUES: [&str; 8] = ["q1", "q2", "q3", "q4", "q5", "q6", "q7", "q8"];
    for queue in QUEUES {
        fleet.group(queue, 1);
    }
    let count = fleet.draw(12..30);
    let peers = fleet.group("peer", count);
    let mut turn = 0;
    for _ in 0..fleet.draw(10..16) {
        let ring = fleet.shuffled(&peers);
        for at in 0..ring.len() {
            let (giver, receiver) = (ring[at].clone(), ring[(at + 1) % ring.len()].clone());
            let queue = QUEUES[turn % QUEUES.len()];
            turn += 1;
            fleet.pass("work", queue, [&giver, &receiver], &giver, queue);
        }
    }
}

/// Whoever receives says whether it is good: everybody decides as much as everybody else.
fn reviewing_peers(fleet: &mut Builder) {
    let count = fleet.draw(5..24);
    let peers = fleet.group("peer", count);
    for _ in 0..fleet.draw(3..8) {
        let ring = fleet.shuffled(&peers);
        for at in 0..ring.len() {
            let (giver, receiver) = (ring[at].clone(), ring[(at + 1) % ring.len()].clone());
            let item = fleet.offers / 3;
            fleet.pass("work", "", [&giver, &receiver], &giver, "");
            fleet.say(&receiver, Fact::Reviewed { item, approved: true });
        }
    }
}

#[test]
fn fleets_are_named_for_what_they_are() {
    let mut wrong = Vec::new();
    let mut named = 0;
    for (kind, build, truth) in KINDS {
        for seed in SEEDS {
            let mut fleet = Builder::new(seed);
            build(&mut fleet);
            let measured = fleet.measured();
            let is_right = measured.class == Some(truth.class)
                && measured.decides == truth.decides
                && truth.hub.is_none_or(|hub| measured.hub.as_deref() == Some(hub));
            named += 1;
            if !is_right || measured.caution.is_some() {
                wrong.push(format!(
                    "{kind}, seed {seed}: {:?}, decides {}, hub {:?}, {:?}, {:?}, separators {:?}, caution {:?}",
                    measured.class,
                    measured.decides,
                    measured.hub,
                    measured.largest,
                    measured.agents,
                    measured.separators,
                    measured.caution
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {named} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(named >= 50);
}

/// The generator makes different fleets, or it would prove nothing.
#[test]
fn seeds_make_different_fleets() {
    for (kind, build, _) in KINDS {
        let measured = SEEDS.map(|seed| {
            let mut fleet = Builder::new(seed);
            build(&mut fleet);
            let measured = fleet.measured();
            (measured.agents, measured.hand_overs, measured.decisions)
        });
        let different: BTreeSet<_> = measured.collect();
        assert!(different.len() >= 5, "{kind}: {different:?}");
    }
}

#[test]
fn a_fleet_too_small_for_the_cuts_is_said_to_be() {
    for (agents, rounds, is_small) in
        [(2, 1, true), (2, 40, true), (4, 1, true), (4, 40, true), (5, 40, false)]
    {
        let mut fleet = Builder::new(0);
        let peers = fleet.group("peer", agents);
        for _ in 0..rounds {
            fleet.ring(&peers);
        }
        let measured = fleet.measured();
        assert_eq!(
            measured.caution.is_some(),
            is_small,
            "{agents} agents, {rounds} rounds: {:?}",
            measured.caution
        );
        assert_eq!(measured.class == Some(ArchitectureClass::PeerToPeer), !is_small, "by the cuts");
    }
    // Two agents that each get one item from outside: half of all touch each of them.
    let mut fleet = Builder::new(0);
    let workers = fleet.group("worker", 2);
    workers.iter().for_each(|worker| fleet.pass("work", "", ["outside", worker], "", ""));
    let caution = fleet.measured().caution.expect("two hand-overs tell nothing");
    assert!(caution.starts_with("too few hand-overs to tell: among 2 agents with 2 hand-overs"), "{caution}");
}
