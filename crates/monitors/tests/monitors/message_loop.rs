//! Feedback loops of messages: rounds and cascades, and traffic that only looks like them.

use fleetsim_engine::batch::{Event, Fate};
use fleetsim_engine::{AgentId, Fact, SECOND};
use fleetsim_monitors::{Finding, MonitorConfig};
use proptest::prelude::*;

use crate::mutations::Fixture;
use crate::support::{Run, Sent, id};

const KIND: &str = "feedback-loop";

fn spent() -> Fact<'static> {
    Fact::Spent { tokens_in: 1, cached: 0, tokens_out: 1, nano_dollars: 1_000_000_000 }
}

/// A message that goes along `path`, a hop a minute, each receiver paying a dollar if `paid`.
fn path(path: &[&str], paid: bool, facts: impl Fn(usize) -> Vec<Fact<'static>>) -> Run {
    let mut run = Run::default();
    let mut cause = (AgentId::WORLD, 0);
    for (hop, agent) in path.iter().enumerate() {
        let mut stated = facts(hop);
        stated.extend(paid.then(spent));
        let number = 1 + hop as u32;
        let next = path.get(hop + 1).map(|next| Sent::Message(id(next), 5));
        run.at(hop as u64 * 60, agent, stated).caused(cause, 5, number, next);
        cause = (id(agent), number);
    }
    run
}

fn round_of<'a>(agents: &[&'a str], hops: usize) -> Vec<&'a str> {
    agents.iter().copied().cycle().take(hops).collect()
}

/// An exchange of four rounds.
fn four_rounds() -> Run {
    path(&round_of(&["coder-1", "coder-2"], 8), true, |_| Vec::new())
}

/// Each message makes one.
fn each_makes_one() -> Run {
    cascade(1100, |_| 1, |_| None)
}

pub(crate) fn fixtures() -> Vec<Fixture> {
    vec![
        Fixture {
            kind: KIND,
            config: MonitorConfig::default,
            correct: four_rounds,
            mutations: &[("forty rounds", |run| {
                *run = path(&round_of(&["coder-1", "coder-2"], 80), true, |_| Vec::new());
            })],
        },
        Fixture {
            kind: KIND,
            config: MonitorConfig::default,
            correct: each_makes_one,
            mutations: &[
                ("every fourth message makes two", |run| {
                    *run = cascade(1100, |number| 1 + usize::from(number % 4 == 0), |_| None);
                }),
                ("each message makes two", |run| *run = cascade(1100, |_| 2, |_| None)),
            ],
        },
    ]
}

#[test]
fn a_message_that_goes_round_for_money_is_a_loop() {
    let run = path(&round_of(&["coder-1", "reviewer-1", "editor"], 60), true, |_| Vec::new());
    let finding = run.finding(KIND);
    assert!(
        finding
            .summary
            .contains("the same kind of message went round 3 agents (coder-1, editor, reviewer-1) 19 times"),
        "{}",
        finding.summary
    );
    assert_eq!(finding.agents, ["coder-1", "editor", "reviewer-1"]);
    assert_eq!(finding.numbers.get("parties"), Some(3));
    assert_eq!(finding.numbers.get("lineage_depth"), Some(60));
    assert!(finding.saved_nano_dollars > Some(40_000_000_000));
    assert!(finding.matches(KIND, &[("form", "round")]));
}

#[test]
fn other_messages_in_between_do_not_matter() {
    // Each asks its provider before it passes the message on.
    let mut run = Run::default();
    let mut cause = (AgentId::WORLD, 0);
    for hop in 0..60_u32 {
        let (agent, next) = if hop % 2 == 0 { ("coder-1", "coder-2") } else { ("coder-2", "coder-1") };
        let (second, own, provider) = (u64::from(hop) * 60, id(agent), id("provider"));
        let first = 1 + 3 * hop;
        run.at(second, agent, []).caused(cause, 5, first, [Sent::Message(provider, 1)]);
        run.at(second + 1, "provider", []).caused((own, first), 1, first, [Sent::Message(own, 2)]);
        let send = [Sent::Message(id(next), 5)];
        run.at(second + 2, agent, [spent()]).caused((provider, first), 2, first + 1, send);
        cause = (own, first + 1);
    }
    assert_eq!(run.finding(KIND).numbers.get("parties"), Some(2));
}

#[test]
fn rounds_that_are_none_stay_silent() {
    let two = ["coder-1", "coder-2"];
    let round = |hops| round_of(&two, hops);
    let offered = Fact::Offered { seam: "notes", item: 1, offer: 1, medium: "" };
    for (name, run) in [
        ("a token that costs nothing", path(&round(500), false, |_| Vec::new())),
        ("eleven rounds", path(&round(24), true, |_| Vec::new())),
        (
            "progress in every fifth round",
            path(&round(200), true, |hop| {
                if hop % 10 == 0 { vec![Fact::Progress { item: 1 }] } else { Vec::new() }
            }),
        ),
        ("hand-overs of items, which are judged as such", path(&round(200), true, |_| vec![offered.clone()])),
        (
            "one after the other, never the same way",
            path(
                &(0..200)
                    .map(|hop| ["coder-1", "coder-2", "editor", "lead"][hop * hop / 3 % 4])
                    .collect::<Vec<_>>(),
                true,
                |_| Vec::new(),
            ),
        ),
    ] {
        assert_eq!(run.findings(KIND), [], "{name}");
    }
}

/// Each round of a request and its answer, many times, within one line: long work, no loop.
#[test]
fn many_turns_at_a_provider_are_no_loop() {
    let mut run = Run::default();
    let mut cause = (AgentId::WORLD, 0);
    let (coder, provider) = (id("coder-1"), id("provider"));
    for turn in 1..400_u32 {
        let second = u64::from(turn) * 10;
        run.at(second, "coder-1", [spent()]).caused(cause, 2, turn, [Sent::Message(provider, 1)]);
        run.at(second + 5, "provider", []).caused((coder, turn), 1, turn, [Sent::Message(coder, 2)]);
        cause = (provider, turn);
    }
    assert_eq!(run.findings(KIND), []);
}

/// A broadcast: every handled message makes `children(number)` more, up to `most` in all. Receivers are peers.
fn cascade(
    most: usize,
    children: impl Fn(usize) -> usize,
    facts: impl Fn(usize) -> Option<Fact<'static>>,
) -> Run {
    let mut run = Run::default();
    let mut waiting = std::collections::VecDeque::from([(AgentId::WORLD, 0, 0)]);
    let mut next = [1_u32; 8];
    for number in 0..most {
        let Some((source, sequence, receiver)) = waiting.pop_front() else { break };
        let name = ["peer-1", "peer-2", "peer-3", "peer-4", "peer-5", "peer-6", "peer-7", "peer-8"][receiver];
        let count = children(number);
        let sends: Vec<Sent> = (0..count).map(|child| Sent::Message(peer(receiver + child + 1), 9)).collect();
        run.step(number as u64 * SECOND, name, Event::Message, Fate::Handled, facts(number));
        run.caused((source, sequence), 9, next[receiver], sends);
        for child in 0..count as u32 {
            waiting.push_back((id(name), next[receiver] + child, (receiver + child as usize + 1) % 8));
        }
        next[receiver] += count as u32;
    }
    run
}

fn peer(number: usize) -> AgentId {
    AgentId::named("peer", 1 + (number % 8) as u32)
}

fn cascades(run: &Run) -> Vec<Finding> {
    let mut findings = run.findings(KIND);
    findings.retain(|finding| finding.matches(KIND, &[("form", "cascade")]));
    findings
}

#[test]
fn messages_that_breed_more_of_their_kind_are_a_cascade() {
    let run = cascade(1100, |number| 1 + usize::from(number % 4 == 0), |_| None);
    let findings = cascades(&run);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    let numbers = &findings[0].numbers;
    let ratio = numbers.get("branching_ratio_thousandths").expect("a ratio");
    assert!((1240..=1260).contains(&ratio), "{ratio}");
    assert!(numbers.get("branching_ratio_low_thousandths") > Some(1000));
    assert_eq!(numbers.get("windows"), Some(4));
    assert!(
        numbers.get("amplification_thousandths") > Some(1_000_000),
        "one message from outside made all of them"
    );
}

#[test]
fn traffic_that_is_no_cascade_stays_silent() {
    for (name, run) in [
        ("each makes one", cascade(2000, |_| 1, |_| None)),
        ("a fan-out that ends", cascade(2000, |number| if number < 300 { 3 } else { 0 }, |_| None)),
        (
            "barely more than one: chance",
            cascade(1100, |number| 1 + usize::from(number % 100 == 0), |_| None),
        ),
        (
            "something gets done",
            cascade(1100, |_| 2, |number| (number % 200 == 0).then_some(Fact::Progress { item: 1 })),
        ),
        ("fewer than three windows", cascade(760, |_| 2, |_| None)),
    ] {
        assert_eq!(cascades(&run), [], "{name}");
    }
}

#[test]
fn gossip_that_reaches_a_large_fleet_once_is_no_cascade() {
    // Three to each, as long as there is somebody who has not heard; 3,000 agents.
    let agents = 3000_u32;
    let mut run = Run::default();
    let mut waiting = std::collections::VecDeque::from([(AgentId::WORLD, 0, 0_u32)]);
    let (mut heard, mut told) = (std::collections::BTreeSet::from([0]), 1);
    let mut number = 0;
    while let Some((source, sequence, receiver)) = waiting.pop_front() {
        let agent = AgentId::named("node", receiver + 1);
        let fresh: Vec<u32> = (told..(told + 3).min(agents)).collect();
        told = (told + 3).min(agents);
        let sends: Vec<Sent> =
            fresh.iter().map(|to| Sent::Message(AgentId::named("node", to + 1), 9)).collect();
        run.at(number, "peer-1", []).by(agent).caused((source, sequence), 9, 1, sends);
        for (child, to) in fresh.into_iter().enumerate() {
            heard.insert(to);
            waiting.push_back((agent, 1 + child as u32, to));
        }
        number += 1;
    }
    assert_eq!(heard.len(), 3000);
    assert_eq!(cascades(&run), []);
}

/// A lead that is told breaks work down into questions, each answered to the lead; no role ever sends what it receives.
fn questions_and_answers(most: usize, questions: impl Fn(usize) -> usize) -> Run {
    let (lead, coder) = (id("lead"), id("coder-1"));
    let mut run = Run::default();
    let mut waiting = std::collections::VecDeque::from([(AgentId::WORLD, 0, true)]);
    let mut next = [1_u32; 2];
    for number in 0..most {
        let Some((source, sequence, is_answer)) = waiting.pop_front() else { break };
        let (own, to, kind) = if is_answer { (lead, coder, 9) } else { (coder, lead, 8) };
        let count = if is_answer { questions(number) } else { 1 };
        let first = next[usize::from(is_answer)];
        run.step(number as u64 * SECOND, "lead", Event::Message, Fate::Handled, []).by(own);
        run.caused((source, sequence), kind, first, (0..count).map(|_| Sent::Message(to, 17 - kind)));
        waiting.extend((0..count as u32).map(|child| (own, first + child, !is_answer)));
        next[usize::from(is_answer)] += count as u32;
    }
    run
}

#[test]
fn a_cascade_through_two_roles_is_found_although_neither_sends_what_it_gets() {
    assert!(!cascades(&questions_and_answers(6000, |number| 1 + usize::from(number % 4 == 0))).is_empty());
    assert_eq!(cascades(&questions_and_answers(6000, |_| 1)), []);
}

#[test]
fn a_round_in_which_everybody_waits_before_it_sends_is_found() {
    let mut run = Run::default();
    let (mut cause, agents) = ((AgentId::WORLD, 0), ["coder-1", "coder-2"]);
    for hop in 0..80_u32 {
        let (agent, next) = (agents[hop as usize % 2], agents[(hop as usize + 1) % 2]);
        let (second, own, first) = (u64::from(hop) * 60, id(agent), 1 + 2 * hop);
        run.at(second, agent, [spent()]).caused(cause, 5, first, [Sent::Timer]);
        run.step((second + 30) * SECOND, agent, Event::Timer, Fate::Handled, []);
        run.caused((own, first), 0, first + 1, [Sent::Message(id(next), 5)]);
        cause = (own, first + 1);
    }
    assert!(run.finding(KIND).matches(KIND, &[("form", "round")]));
}

#[test]
fn agents_that_spawn_agents_that_spawn_are_a_cascade() {
    for (each, found) in [(2_u64, 1), (1, 0)] {
        let mut run = Run::default();
        let mut waiting = std::collections::VecDeque::from([(AgentId::WORLD, 0_u32, id("lead"))]);
        for number in 0..1000 {
            let Some((source, sequence, agent)) = waiting.pop_front() else { break };
            let children: Vec<AgentId> =
                (0..each as u32).map(|child| AgentId::spawned(agent, child)).collect();
            run.step(number * SECOND, "lead", Event::Start, Fate::Handled, []).by(agent);
            run.caused((source, sequence), 0, 1, children.iter().map(|child| Sent::Spawn(*child)));
            for (ordinal, child) in children.into_iter().enumerate() {
                waiting.push_back((agent, 1 + ordinal as u32, child));
            }
        }
        assert_eq!(cascades(&run).len(), found, "{each} each");
    }
}

/// Finds rounds by looking back at the whole path: what Brent's algorithm must find in constant memory.
fn twin(path: &[u8]) -> Option<usize> {
    (2..=8_usize).find(|period| {
        let needed = period * 40;
        path.len() >= needed
            && path[path.len() - needed..].windows(period + 1).all(|window| window[0] == window[*period])
    })
}

proptest! {
    #[test]
    fn rounds_equal_those_of_the_twin(
        before in prop::collection::vec(0_u8..8, 0..20),
        round in prop::sample::subsequence((0_u8..8).collect::<Vec<_>>(), 2..=6),
        closes in any::<bool>(),
    ) {
        let mut agents = before.clone();
        let mut random = 7_usize;
        for hop in 0..round.len() * 45 {
            // One that never closes takes another way each time.
            random = (random * 1_103_515_245 + 12_345) % (1 << 31);
            let off = if closes { 0 } else { random >> 16 };
            agents.push(round[(hop + off) % round.len()]);
        }
        // Nobody sends to itself here.
        agents.dedup();
        let names = ["peer-1", "peer-2", "peer-3", "peer-4", "peer-5", "peer-6", "peer-7", "peer-8"];
        let hops: Vec<&str> = agents.iter().map(|agent| names[usize::from(*agent)]).collect();
        let found = path(&hops, true, |_| Vec::new()).findings(KIND);
        match twin(&agents) {
            Some(period) => {
                prop_assert_eq!(found.len(), 1);
                prop_assert_eq!(found[0].numbers.get("parties"), Some(period as u64));
            }
            None if round.len() > 2 => prop_assert_eq!(found, []),
            None => {}
        }
    }
}

#[test]
fn the_bounds_are_the_scenarios() {
    let run = path(&round_of(&["coder-1", "coder-2"], 40), true, |_| Vec::new());
    for (rounds, found) in [(4, 1), (5, 0)] {
        let config = MonitorConfig { loop_rounds_max: rounds, ..MonitorConfig::default() };
        assert_eq!(run.findings_with(&config, KIND).len(), found, "{rounds}");
    }
}
