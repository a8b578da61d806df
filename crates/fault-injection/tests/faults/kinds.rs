//! Every kind of fault: it happens, at the stated rate, has its effect, and is not there when it is off.

use fleetsim_engine::batch::{Event, Fate};
use fleetsim_engine::{AgentId, ClockChange, MILLISECOND, SECOND, Time};
use fleetsim_fault_injection::{Damage, Fault, Luck, Messages, Party, Rule, Share, Spread, When, Who};

use crate::stage::{Seen, all_messages, always, at, run, tenth, window};

/// Six standard deviations of a binomial on either side.
#[track_caller]
fn assert_rate(what: &str, count: u64, of: u64, numerator: u64, denominator: u64) {
    let expected = of * numerator / denominator;
    let variance = expected * (denominator - numerator) / denominator;
    let tolerated = 6 * variance.isqrt() + 1;
    assert!(
        count.abs_diff(expected) <= tolerated,
        "{what}: {count} of {of}, expected {expected} ± {tolerated}"
    );
}

/// A rule that hits a share of what it looks at.
fn at_a_rate(kind: &str, share: Share) -> Fault {
    let messages = all_messages();
    match kind {
        "loss" => Fault::Loss { messages, share },
        "latency" => Fault::Latency { messages, share, takes_ns: Spread::Constant(5 * MILLISECOND) },
        "delay" => Fault::Delay { messages, share, by_ns: Spread::Constant(5 * MILLISECOND) },
        "reorder" => Fault::Reorder { messages, share, within_ns: 9 * MILLISECOND },
        "duplicate" => Fault::Duplicate { messages, share, after_ns: Spread::Constant(3) },
        "flip" => Fault::Corrupt { messages, share, damage: Damage::Flip },
        "truncate" => Fault::Corrupt { messages, share, damage: Damage::Truncate },
        "site" => site(share, Luck::Visit, Share::ALL),
        other => panic!("{other}"),
    }
}

fn site(share: Share, luck: Luck, armed: Share) -> Fault {
    let strength = Spread::Uniform { low: 1, high: 1_000_000 };
    Fault::Site { site: "busy.*".to_owned(), who: None, share, luck, strength, armed }
}

const RATED: [&str; 8] = ["loss", "latency", "delay", "reorder", "duplicate", "flip", "truncate", "site"];

fn recorded_as(kind: &str) -> &str {
    match kind {
        "flip" | "truncate" => "corrupt",
        "site" => "busy.slip",
        kind => kind,
    }
}

#[test]
fn a_share_is_hit_at_its_rate_and_not_when_off() {
    let sound = run(&[]);
    assert_eq!(sound.injected.len(), 0);
    for kind in RATED {
        let seen = run(&[("rule", always(at_a_rate(kind, tenth())))]);
        let looked_at = match kind {
            "flip" | "truncate" => seen.sent_with_content,
            "site" => seen.ticks,
            _ => seen.sent,
        };
        assert_rate(kind, seen.count(recorded_as(kind)), looked_at, 1, 10);
        let off = run(&[("rule", always(at_a_rate(kind, Share::new(0, 10))))]);
        assert_eq!(off.digest(), sound.digest(), "{kind} at a rate of nothing");
    }
}

fn at_rate(kind: &str) -> Seen {
    run(&[("rule", always(at_a_rate(kind, tenth())))])
}

#[test]
fn what_is_lost_does_not_arrive() {
    let seen = at_rate("loss");
    // The last messages are still under way when the time is up.
    let hit = seen.count("loss");
    assert!(hit - seen.fate(Event::Message, Fate::Lost) <= 6);
    assert!(seen.fate(Event::Message, Fate::Handled) <= seen.sent - hit);
}

#[test]
fn what_is_late_is_overtaken() {
    let overtaken = |seen: &Seen| {
        let mut last = std::collections::BTreeMap::new();
        let mut overtaken = 0;
        for (from, to, sequence, _) in &seen.arrived {
            let last = last.entry((*from, *to)).or_insert(0);
            overtaken += u64::from(*sequence < *last);
            *last = (*last).max(*sequence);
        }
        overtaken
    };
    assert_eq!(overtaken(&run(&[])), 0);
    for kind in ["latency", "delay", "reorder"] {
        let seen = at_rate(kind);
        assert!(overtaken(&seen) > seen.count(kind) / 2, "{kind}: {}", overtaken(&seen));
        assert_eq!(seen.arrived.len() as u64, seen.fate(Event::Message, Fate::Handled));
    }
}

#[test]
fn what_is_duplicated_arrives_twice() {
    let seen = at_rate("duplicate");
    let mut times = std::collections::BTreeMap::new();
    for (from, to, sequence, _) in &seen.arrived {
        *times.entry((from, to, sequence)).or_insert(0) += 1;
    }
    let twice = times.values().filter(|times| **times == 2).count() as u64;
    assert!(twice.abs_diff(seen.count("duplicate")) <= 6, "{twice}");
    let handled = seen.fate(Event::Message, Fate::Handled);
    assert!(handled.abs_diff(seen.sent + seen.count("duplicate")) <= 14, "{handled}");
}

#[test]
fn what_is_damaged_is_often_not_understood() {
    let cut = at_rate("truncate");
    // All that is cut short: a text without its end is no text.
    assert!(cut.count("corrupt") - cut.fate(Event::Message, Fate::Undecodable) <= 6);
    let flipped = at_rate("flip");
    let not_understood = flipped.fate(Event::Message, Fate::Undecodable);
    // A flipped bit of a number is another number; one of a length is nonsense.
    assert!(not_understood > 0 && not_understood < flipped.count("corrupt") / 4, "{not_understood}");
}

#[test]
fn sites_have_the_luck_of_a_visit_or_of_an_agent() {
    let by_visit = run(&[("rule", always(site(tenth(), Luck::Visit, Share::ALL)))]);
    assert_eq!(by_visit.customs["slipped"], by_visit.count("busy.slip"));
    assert_eq!(by_visit.strengths.len(), 6);

    // Half of the agents in the mean; whoever is hit is always hit, and all equally hard.
    let half = Share::new(1, 2);
    let mut agents = 0;
    for seed in 0..100 {
        let plan = crate::stage::plan(&[("rule", always(site(half, Luck::Agent, Share::ALL)))]);
        let seen = crate::stage::run_until(seed, &plan, Time::from_ns(SECOND / 5));
        let strengths: Vec<&Vec<u64>> = seen.strengths.values().collect();
        agents += strengths.len() as u64;
        assert!(strengths.iter().all(|all| (199..=200).contains(&all.len())));
        assert!(strengths.iter().copied().flatten().all(|strength| *strength == strengths[0][0]));
    }
    assert_rate("agents", agents, 600, 1, 2);
}

#[test]
fn a_site_is_armed_in_a_share_of_the_seeds() {
    let plan = crate::stage::plan(&[("rule", always(site(Share::ALL, Luck::Visit, Share::new(1, 4))))]);
    let soon = Time::from_ns(SECOND / 50);
    let armed =
        (0..200).filter(|seed| crate::stage::run_until(*seed, &plan, soon).count("busy.slip") > 0).count();
    assert_rate("seeds", armed as u64, 200, 1, 4);
}

#[test]
fn a_partition_cuts_what_is_sent_or_arrives_meanwhile() {
    let groups = vec![vec![Party::role("left")], vec![Party::member("right", 1), Party::member("right", 2)]];
    let partition = |one_way| Fault::Partition { groups: groups.clone(), one_way };
    for (one_way, links) in [(false, 4), (true, 2)] {
        let seen = run(&[("switch-2", Rule::new(partition(one_way), window(4, 6)))]);
        // One message a link and millisecond, and the one that was under way.
        let cut = seen.count("partition") - 1;
        assert!((1_999..=2_001).contains(&((cut + links / 2) / links)), "{cut}");
        assert_eq!(seen.fate(Event::Message, Fate::Lost), cut);
        let told: Vec<_> =
            seen.events.iter().map(|(at, _, fault, _)| (*at / SECOND, fault.as_str())).collect();
        assert_eq!(told, [(4, "partition"), (6, "partition-ends")]);
    }
    // With one side, everybody else is the other.
    let alone = Fault::Partition { groups: vec![vec![Party::member("left", 1)]], one_way: false };
    let seen = run(&[("alone", Rule::new(alone, window(4, 6)))]);
    assert!((3_998..=4_002).contains(&seen.fate(Event::Message, Fate::Lost)));
}

#[test]
fn an_isolated_agent_neither_hears_nor_is_heard() {
    let isolate = Fault::Isolate { who: Who::Each(Party::member("left", 2)) };
    let seen = run(&[("rule", Rule::new(isolate, window(4, 6)))]);
    let lost = seen.fate(Event::Message, Fate::Lost);
    assert!((3_998..=4_002).contains(&lost), "{lost}");
    assert_eq!(seen.count("isolate"), lost + 1);
}

#[test]
fn what_is_held_arrives_together_and_in_order() {
    let messages = Messages { from: Some(Party::member("left", 1)), ..Messages::default() };
    let seen = run(&[("rule", Rule::new(Fault::Hold { messages }, window(4, 6)))]);
    let released: Vec<u32> = seen
        .arrived
        .iter()
        .filter(|(from, _, _, at_ns)| *from == AgentId::named("left", 1) && *at_ns == 6 * SECOND)
        .map(|(_, _, sequence, _)| *sequence)
        .collect();
    // What is held, and perhaps the one that would have come just then.
    assert!((1_998..=2_001).contains(&released.len()), "{}", released.len());
    assert!(released.is_sorted());
    assert_eq!(seen.fate(Event::Message, Fate::Lost), 0);
}

#[test]
fn agents_crash_and_restart() {
    let who = Who::Each(Party::member("left", 1));
    let seen = run(&[("rule", Rule::new(Fault::Crash { who: who.clone() }, window(2, 3)))]);
    assert_eq!((seen.count("crash"), seen.count("restart")), (1, 1));
    // One message a millisecond; those at either edge depend on the tie with the rule.
    let down = seen.fate(Event::Message, Fate::Down);
    assert!((999..=1_001).contains(&down), "{down}");
    let seen = run(&[
        ("cut", Rule::new(Fault::Crash { who: who.clone() }, When::At { at: at(2) })),
        ("back", Rule::new(Fault::Restart { who }, When::At { at: at(4) })),
    ]);
    let down = seen.fate(Event::Message, Fate::Down);
    assert!((1_999..=2_001).contains(&down), "{down}");
}

#[test]
fn a_paused_agent_catches_up_and_a_zombie_has_missed_it() {
    let who = || Who::Each(Party::member("left", 1));
    let paused = run(&[("rule", Rule::new(Fault::Pause { who: who() }, window(5, 6)))]);
    assert!(paused.waited >= 999, "{}", paused.waited);
    assert_eq!(paused.fate(Event::Message, Fate::Lost), 0);
    let zombie = run(&[("rule", Rule::new(Fault::Zombie { who: who() }, window(5, 6)))]);
    let missed = zombie.fate(Event::Message, Fate::Lost);
    assert!((999..=1_001).contains(&missed), "{missed}");
    // One pause, one resume, and every message that it missed.
    assert_eq!(zombie.count("pause") + zombie.count("resume"), 2);
    assert_eq!(zombie.count("zombie"), missed);
    assert_eq!(zombie.fate(Event::Crash, Fate::Handled), 0);
}

#[test]
fn a_slow_agent_gets_less_done() {
    let slow = Fault::Slow { who: Who::Each(Party::role("left")), permille: 40_000 };
    let (sound, seen) = (run(&[]), run(&[("rule", Rule::new(slow, window(0, 5)))]));
    assert_eq!(seen.count("slow"), 6, "three begin and three end");
    // Every tenth tick is followed by half a millisecond of work, which now takes 20 ms.
    assert!(seen.work_ends < sound.work_ends - 600, "{} of {}", seen.work_ends, sound.work_ends);
}

#[test]
fn a_clock_drifts_or_jumps_and_is_set_right() {
    let who = || Who::Each(Party::member("left", 1));
    let drift = ClockChange { drift_ppb: -500_000_000, jump_ns: 0 };
    let (sound, slow) =
        (run(&[]), run(&[("rule", Rule::new(Fault::Clock { who: who(), change: drift }, window(0, 10)))]));
    let missing = sound.ticks - slow.ticks;
    assert!((4_998..=5_000).contains(&missing), "{missing}");
    let jump = ClockChange { drift_ppb: 0, jump_ns: 3_000_000_000 };
    let seen = run(&[("rule", Rule::new(Fault::Clock { who: who(), change: jump }, window(2, 3)))]);
    assert_eq!(seen.count("clock"), 2);
}

#[test]
fn an_agent_is_told() {
    let tell = Fault::Tell { who: Who::Each(Party::role("right")), name: "sulk".to_owned() };
    let seen = run(&[("rule", Rule::new(tell, When::At { at: at(3) }))]);
    assert_eq!((seen.count("tell"), seen.customs["told"]), (3, 3));
}

#[test]
fn churn_hits_one_of_a_role_at_a_time() {
    let crash = Fault::Crash { who: Who::OneOf(Party::role("left")) };
    let when = When::Random { mean_gap_ns: SECOND / 10, lasts_ns: MILLISECOND, from: at(0), until: at(10) };
    let seen = run(&[("churn", Rule::new(crash, when))]);
    // 100 expected, standard deviation 10, less what overlaps.
    assert!((40..=160).contains(&seen.count("crash")), "{}", seen.count("crash"));
    assert!(seen.count("restart").abs_diff(seen.count("crash")) <= 1);
    let whom: std::collections::BTreeSet<&str> =
        seen.events.iter().map(|(_, _, _, whom)| whom.as_str()).collect();
    assert_eq!(whom.into_iter().collect::<Vec<_>>(), ["left-1", "left-2", "left-3"]);
}
