//! Bottlenecks, single points of failure and the checklist, on hand-made runs.

use std::collections::{BTreeMap, BTreeSet};

use fleetsim_engine::batch::{Event, Fate};
use fleetsim_engine::{Fact, SECOND, Waited};
use fleetsim_monitors::{
    Audit, AuditConfig, AuditReport, BottleneckKind, MonitorConfig, Permissions, SinglePointKind, Verdict,
};
use proptest::prelude::*;

use crate::support::{Run, hand_over, id, manifest};

fn audited_with(run: &Run, config: &AuditConfig, size: usize) -> AuditReport {
    let mut audit = Audit::new(config, &manifest());
    run.batches(size).iter().for_each(|batch| audit.observe_batch(batch));
    audit.report()
}

fn audited(run: &Run) -> AuditReport {
    audited_with(run, &AuditConfig::default(), 4096)
}

fn offered(item: u64, offer: u64) -> Fact<'static> {
    Fact::Offered { seam: "work", item, offer, medium: "" }
}

fn received(item: u64, offer: u64, giver: &str) -> Fact<'static> {
    Fact::Received { seam: "work", item, offer, giver: id(giver) }
}

fn finished(task: u64) -> Fact<'static> {
    Fact::TaskFinished { task, attempt: 1, reported: true, actual: true }
}

/// One item comes to the editor, who says `facts` in between.
fn one_item(facts: &[(u64, Fact<'static>)], done: u64) -> Run {
    let mut run = Run::default();
    run.at(0, "outside", [offered(1, 1)]);
    run.at(1, "editor", [received(1, 1, "outside")]);
    for (second, fact) in facts {
        run.at(*second, "editor", [fact.clone()]);
    }
    run.at(done, "editor", [finished(1)]);
    run
}

/// What most of the path is spent on, and how long.
fn largest(report: &AuditReport) -> (Option<BottleneckKind>, &str, u64) {
    let path = report.bottleneck.critical_path.as_ref().expect("something was finished");
    (report.bottleneck.kind, path.parts[0].spent_on, path.parts[0].time_ns / SECOND)
}

/// Three items wait for the coordinator, who takes `each` seconds; the editor takes `work` seconds.
fn chosen_one_by_one(each: u64, work: u64) -> Run {
    let mut facts = Vec::new();
    let mut free = 0;
    for item in 0..3 {
        facts.push((0, "outside", offered(item, item)));
        let chosen = each * (item + 1);
        let receiver = id("editor");
        facts.push((chosen, "coordinator", Fact::Decided { seam: "work", item, offer: item, receiver }));
        let begins = free.max(chosen + 1);
        free = begins + work;
        facts.push((begins, "editor", received(item, item, "outside")));
        facts.push((free, "editor", finished(item)));
    }
    // Whoever is done is done before it begins with the next.
    facts.sort_by_key(|(second, _, fact)| (*second, !matches!(fact, Fact::TaskFinished { .. })));
    let mut run = Run::default();
    for (second, agent, fact) in facts {
        run.at(second, agent, [fact]);
    }
    run
}

#[test]
fn a_chooser_that_is_waited_for_is_a_decision_and_one_that_is_not_is_none() {
    let slow = audited(&chosen_one_by_one(100, 10));
    assert_eq!(largest(&slow), (Some(BottleneckKind::Decision), "choice", 300));
    assert_eq!(slow.bottleneck.at, "coordinator");
    assert_eq!(
        slow.bottleneck.summary,
        "decision that only one node may take: coordinator chose receivers for 5m (96 %) of the 5m 11s to the last \
         finished item"
    );
    let quick = audited(&chosen_one_by_one(1, 100));
    assert_eq!(largest(&quick), (Some(BottleneckKind::ThroughputLimit), "service", 300));
    assert_eq!(quick.bottleneck.at, "editor");
}

#[test]
fn waits_and_wasted_work_are_told_apart() {
    let gate = Waited::Gate("release");
    let quota = Waited::Resource("sonnet");
    let operation = 7;
    let conflict = [
        (2, Fact::OperationBegin { operation }),
        (2, Fact::Read { operation, resource: "plan.md", version: 1 }),
        (90, Fact::OperationAbort { operation }),
    ];
    let held = Fact::Acquired { resource: "sonnet", fence: 1 };
    let waits = |on: Waited<'static>| vec![(2, Fact::WaitOn { on }), (90, Fact::WaitEnd { on })];
    for (facts, kind, spent_on, at) in [
        (waits(gate), BottleneckKind::Decision, "gate", "release"),
        (waits(quota), BottleneckKind::ThroughputLimit, "resource", "sonnet"),
        ([vec![(1, held)], waits(quota)].concat(), BottleneckKind::StateSynchronisation, "lock", "sonnet"),
        (waits(Waited::Join("all")), BottleneckKind::StateSynchronisation, "join", "all"),
        (conflict.to_vec(), BottleneckKind::StateSynchronisation, "conflict", "plan.md"),
    ] {
        let report = audited(&one_item(&facts, 100));
        assert_eq!(largest(&report), (Some(kind), spent_on, 88), "{facts:?}");
        assert_eq!(report.bottleneck.at, at);
        let times = report.bottleneck.critical_path.expect("it was finished").times;
        assert_eq!(
            (times.service_ns, times.queue_ns),
            (11 * SECOND, SECOND),
            "the rest is work and one second's wait"
        );
    }
    // The near miss: half as long a wait, and the work is what takes long.
    let report = audited(&one_item(&[(2, Fact::WaitOn { on: gate }), (40, Fact::WaitEnd { on: gate })], 100));
    assert_eq!(largest(&report), (Some(BottleneckKind::ThroughputLimit), "service", 61));
}

#[test]
fn a_fleet_that_waits_for_work_has_no_bottleneck() {
    let mut run = Run::default();
    for (item, second) in [(1, 0), (2, 1000)] {
        run.at(second, "outside", [offered(item, item)]);
        run.at(second, "editor", [received(item, item, "outside")]);
        run.at(second + 5, "editor", [finished(item)]);
    }
    let report = audited(&run);
    assert_eq!(largest(&report), (Some(BottleneckKind::None), "arrival", 1000));
    assert!(report.bottleneck.summary.starts_with("none: for 16m 40s (99 %) of the 16m 45s"), "{report:?}");
}

#[test]
fn what_is_not_recorded_is_not_visible() {
    let nothing = audited(&Run::default()).bottleneck;
    assert_eq!((nothing.kind, nothing.critical_path), (None, None));
    assert_eq!(nothing.summary, "not visible: no item was reported as finished");
    // Nobody says how the item came to the editor, a thousand seconds after the first.
    let mut run = one_item(&[], 5);
    run.at(1000, "publisher", [Fact::TaskStarted { task: 9, attempt: 1 }]);
    run.at(1010, "publisher", [finished(9)]);
    let report = audited(&run);
    assert_eq!(largest(&report), (None, "unknown", 1000));
    // What was given back and is ready again was not waited for outside.
    let mut run = Run::default();
    run.at(0, "store", [Fact::TaskReady { task: 1 }]);
    run.at(1, "coder-1", [Fact::TaskClaimed { task: 1, fence: 1 }]);
    run.at(500, "store", [Fact::TaskReleased { task: 1, reason: "lease" }, Fact::TaskReady { task: 1 }]);
    run.at(501, "coder-2", [Fact::TaskClaimed { task: 1, fence: 2 }]);
    run.at(510, "coder-2", [finished(1)]);
    let path = audited(&run).bottleneck.critical_path.expect("it was finished");
    assert_eq!(path.times.arrival_ns, 0);
}

/// Stations in a row, each doing one item at a time in order of arrival.
#[derive(Clone, Debug)]
struct Tandem {
    /// The gaps between arrivals.
    gaps: Vec<u64>,
    /// How long each item takes, by station.
    takes: Vec<Vec<u64>>,
}

const STATIONS: [&str; 4] = ["editor", "publisher", "supervisor", "lead"];

impl Tandem {
    fn arrivals(&self) -> Vec<u64> {
        let mut now = 0;
        let later = |gap: &u64| {
            now += gap;
            now
        };
        self.gaps.iter().map(later).collect()
    }

    /// When each item is done, by station: as soon as it is there and the one before is done, it begins.
    fn ends(&self) -> Vec<Vec<u64>> {
        let mut there = self.arrivals();
        let mut all = Vec::new();
        for takes in &self.takes {
            let mut free = 0;
            let ends: Vec<u64> = there
                .iter()
                .zip(takes)
                .map(|(there, takes)| {
                    free = free.max(*there) + takes;
                    free
                })
                .collect();
            there.clone_from(&ends);
            all.push(ends);
        }
        all
    }

    /// How long each station is on the longest way to the last end, and when that way begins: Bellman's recursion,
    /// read backwards.
    fn longest_way(&self) -> (Vec<u64>, u64) {
        let (arrivals, ends) = (self.arrivals(), self.ends());
        let mut served = vec![0; self.takes.len()];
        let (mut station, mut item) = (self.takes.len() - 1, arrivals.len() - 1);
        loop {
            served[station] += self.takes[station][item];
            let there = if station == 0 { arrivals[item] } else { ends[station - 1][item] };
            let free = if item == 0 { 0 } else { ends[station][item - 1] };
            if item > 0 && free > there {
                item -= 1;
            } else if station > 0 {
                station -= 1;
            } else {
                return (served, there);
            }
        }
    }

    fn run(&self) -> Run {
        let (arrivals, ends) = (self.arrivals(), self.ends());
        let offer = |station: usize, item: usize| (item * STATIONS.len() + station) as u64;
        // What ends comes before what begins at the same time.
        let mut all: Vec<(u64, u8, &str, Fact<'static>)> = Vec::new();
        for item in 0..arrivals.len() {
            all.push((arrivals[item], 0, "outside", offered(item as u64, offer(0, item))));
            for station in 0..self.takes.len() {
                let (end, name) = (ends[station][item], STATIONS[station]);
                let giver = if station == 0 { "outside" } else { STATIONS[station - 1] };
                let begin = end - self.takes[station][item];
                all.push((begin, 1, name, received(item as u64, offer(station, item), giver)));
                let is_last = station + 1 == self.takes.len();
                let given = || offered(item as u64, offer(station + 1, item));
                all.push((end, 0, name, if is_last { finished(item as u64) } else { given() }));
            }
        }
        all.sort_by_key(|(at, order, ..)| (*at, *order));
        let mut run = Run::default();
        for (at, _, agent, fact) in all {
            run.step(at, agent, Event::Message, Fate::Handled, [fact]);
        }
        run
    }
}

fn tandems() -> impl Strategy<Value = Tandem> {
    (1_usize..5, 1_usize..9).prop_flat_map(|(stations, items)| {
        // Wide enough that no two ways are equally long.
        let times = || prop::collection::vec(1_u64..1_000_000_000_000, items);
        (times(), prop::collection::vec(times(), stations)).prop_map(|(gaps, takes)| Tandem { gaps, takes })
    })
}

/// Facts that fit together badly or not at all.
fn nonsense() -> impl Strategy<Value = Run> {
    let fact = (0_u8..10, 0_u64..3, 0_u64..4, 0_usize..4).prop_map(|(what, item, offer, other)| {
        let on = [Waited::Gate("release"), Waited::Resource("sonnet"), Waited::Join("all")][item as usize];
        match what {
            0 => offered(item, offer),
            1 => Fact::Decided { seam: "work", item, offer, receiver: id(STATIONS[other]) },
            2 | 3 => received(item, offer, STATIONS[other]),
            4 => finished(item),
            5 => Fact::WaitOn { on },
            6 => Fact::WaitEnd { on },
            7 => Fact::TaskReady { task: item },
            8 => Fact::TaskClaimed { task: item, fence: 0 },
            _ => Fact::OperationBegin { operation: offer },
        }
    });
    let step = (0_u64..4, 0_usize..5, prop::collection::vec(fact, 0..3));
    prop::collection::vec(step, 0..60).prop_map(|steps| {
        let (mut run, mut now) = (Run::default(), 0);
        for (gap, agent, facts) in steps {
            now += gap;
            run.at(now, STATIONS.get(agent).unwrap_or(&"outside"), facts);
        }
        run
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn the_path_is_the_longest_way_through_stations_in_a_row(tandem in tandems()) {
        let report = audited(&tandem.run());
        let path = report.bottleneck.critical_path.expect("all were finished");
        let (served, begins) = tandem.longest_way();
        let mut expected: BTreeMap<(&str, &str), u64> =
            STATIONS.iter().zip(&served).map(|(name, served_ns)| (("service", *name), *served_ns)).collect();
        expected.insert(("arrival", "outside"), begins - tandem.arrivals()[0]);
        expected.retain(|_, time_ns| *time_ns > 0);
        let found: BTreeMap<(&str, &str), u64> =
            path.parts.iter().map(|part| ((part.spent_on, part.at.as_str()), part.time_ns)).collect();
        prop_assert_eq!(found, expected);
        // What all items waited, counted in another way.
        let (arrivals, ends) = (tandem.arrivals(), tandem.ends());
        let stayed: u64 = arrivals.iter().zip(&ends[ends.len() - 1]).map(|(came, left)| left - came).sum();
        let worked: u64 = tandem.takes.iter().flatten().sum();
        let times = report.bottleneck.finished_items;
        prop_assert_eq!((times.service_ns, times.queue_ns), (worked, stayed - worked));
    }

    #[test]
    fn parts_add_up_whatever_is_stated_and_however_it_is_cut(run in nonsense()) {
        let report = audited(&run);
        if let Some(path) = &report.bottleneck.critical_path {
            let sum: u64 = path.parts.iter().map(|part| part.time_ns).sum();
            prop_assert_eq!(sum, path.to.since(path.from));
        }
        for size in [1, 7] {
            prop_assert_eq!(&audited_with(&run, &AuditConfig::default(), size), &report);
        }
    }
}

#[test]
fn what_every_item_needed_is_a_single_point_of_failure() {
    let mut run = Run::default();
    for item in 0..6 {
        let coder = format!("coder-{}", item % 2 + 1);
        let second = item * 100;
        hand_over(&mut run, second, ("tickets", "redis"), (item, item * 2), ("outside", "", "redis", &coder));
        let model = if item == 3 { "haiku" } else { "sonnet" };
        let by = id(&coder);
        let admitted =
            Fact::Requested { model, by, admitted: true, first: true, tokens_in: 1, tokens_out: 1 };
        run.at(second + 10, "provider", [admitted]);
        run.at(second + 11, &coder, [Fact::Read { operation: item, resource: "plan.md", version: 1 }]);
        hand_over(&mut run, second + 20, ("done", "page"), (item, item * 2 + 1), (&coder, "", "", "editor"));
        let gate = Fact::Acted { action: "publish", reversible: false, gate: "lead", item };
        run.at(second + 30, "editor", [gate, finished(item)]);
    }
    let points = audited(&run).single_points_of_failure;
    let found: Vec<(&str, SinglePointKind)> =
        points.iter().map(|point| (point.name.as_str(), point.kind)).collect();
    assert_eq!(
        found,
        [
            ("page", SinglePointKind::Medium),
            ("redis", SinglePointKind::Medium),
            ("plan.md", SinglePointKind::Resource),
            ("lead", SinglePointKind::Gate),
            ("editor", SinglePointKind::Agent),
        ],
        "one item went by another model, and coders can stand in for each other"
    );
    assert!(points.iter().all(|point| point.finished_items == 6));
    let people = MonitorConfig { people: BTreeSet::from(["editor".to_owned()]), ..MonitorConfig::default() };
    let config = AuditConfig { monitors: people, ..AuditConfig::default() };
    let points = audited_with(&run, &config, 4096).single_points_of_failure;
    assert!(points.iter().any(|point| point.name == "editor" && point.kind == SinglePointKind::Person));
    assert_eq!(audited(&one_item(&[], 5)).single_points_of_failure, [], "one item proves nothing");
}

/// Two coders read and write `resource`.
fn sharing(resource: &'static str) -> Run {
    let mut run = Run::default();
    for (operation, coder) in [(1, "coder-1"), (2, "coder-2")] {
        let second = operation * 10;
        run.at(second, coder, [Fact::OperationBegin { operation }]);
        run.at(second + 1, coder, [Fact::Read { operation, resource, version: 0 }]);
        run.at(
            second + 2,
            "store",
            [Fact::Write { operation, resource, based_on: 0, version: operation, fence: 0 }],
        );
        run.at(second + 3, coder, [Fact::OperationCommit { operation }]);
    }
    run
}

fn verdict(report: &AuditReport, check: &str) -> (Verdict, Option<u64>, String) {
    let check = report.checklist.iter().find(|known| known.check == check).expect("a check");
    (check.verdict, check.event, check.reason.clone())
}

#[test]
fn shared_state_has_to_be_declared() {
    const CHECK: &str = "shared state is declared";
    let declaring = |names: &[&str]| AuditConfig {
        declared: Some(names.iter().map(|name| (*name).to_owned()).collect()),
        ..AuditConfig::default()
    };
    for (run, config, expected, event) in [
        (sharing("plan.md"), AuditConfig::default(), Verdict::NotVisible, None),
        (Run::default(), declaring(&[]), Verdict::NotVisible, None),
        (sharing("plan.md"), declaring(&["plan.md"]), Verdict::Pass, None),
        (sharing("page/7"), declaring(&["page"]), Verdict::Pass, None),
        (sharing("plan.md"), declaring(&["page"]), Verdict::Fail, Some(5)),
    ] {
        let (verdict, shown_by, reason) = verdict(&audited_with(&run, &config, 7), CHECK);
        assert_eq!((verdict, shown_by), (expected, event), "{reason}");
    }
    let report = audited_with(&sharing("plan.md"), &declaring(&[]), 4096);
    assert_eq!(verdict(&report, CHECK).2, "plan.md is touched by coder-1 and coder-2, and declared nowhere");
    // One agent's own is nobody else's business.
    let mut alone = Run::default();
    alone.at(1, "coder-1", [Fact::Read { operation: 1, resource: "notes", version: 0 }]);
    alone.at(2, "coder-1", [Fact::Read { operation: 2, resource: "notes", version: 0 }]);
    assert_eq!(verdict(&audited_with(&alone, &declaring(&[]), 4096), CHECK).0, Verdict::Pass);
}

#[test]
fn roles_do_what_they_may() {
    const CHECK: &str = "permissions are kept";
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<String>>();
    let coder = |read: &[&str], write: &[&str]| AuditConfig {
        may: BTreeMap::from([("coder".to_owned(), Permissions { read: names(read), write: names(write) })]),
        ..AuditConfig::default()
    };
    let mut run = sharing("plan.md");
    hand_over(&mut run, 50, ("results", "redis"), (1, 1), ("coder-1", "", "", "editor"));
    for (config, expected, event) in [
        (AuditConfig::default(), Verdict::NotVisible, None),
        (coder(&["plan.md"], &["plan.md", "results"]), Verdict::Pass, None),
        // The store that keeps the plan, and the medium that carries the results.
        (coder(&["plan.md"], &["store", "redis"]), Verdict::Pass, None),
        (coder(&[], &["plan.md", "results"]), Verdict::Fail, Some(1)),
        (coder(&["plan.md"], &["results"]), Verdict::Fail, Some(2)),
        (coder(&["plan.md"], &["plan.md"]), Verdict::Fail, Some(8)),
    ] {
        let (verdict, shown_by, reason) = verdict(&audited_with(&run, &config, 4096), CHECK);
        assert_eq!((verdict, shown_by), (expected, event), "{reason}");
    }
    run.at(90, "editor", [Fact::Breach { permission: "publish at \u{1b}[31mnight" }]);
    let (verdict, event, reason) = verdict(&audited(&run), CHECK);
    assert_eq!((verdict, event), (Verdict::Fail, Some(10)));
    assert_eq!(reason, "editor may not publish at \\u{1b}[31mnight");
}
