//! The panel as a whole: batches of any size, as a sink, with a monitor of a user's own.

use fleetsim_engine::batch::{Event, Fate, Step};
use fleetsim_engine::{AgentId, Fact, Names, Sink, Time, Waited};
use fleetsim_monitors::{
    Class, FactKind, Finding, KINDS, Moment, Monitor, MonitorConfig, Panel, RunEnd, Severity,
};
use proptest::prelude::*;

use crate::support::{Run, Sent, id, manifest};

const AGENTS: [&str; 6] = ["coder-1", "coder-2", "reviewer-1", "store", "coordinator", "outside"];
const SEAMS: [&str; 2] = ["notes", "drafts"];
const MEDIA: [&str; 3] = ["redis", "page", ""];

/// Any fact over few names and numbers, so that facts meet.
fn fact() -> impl Strategy<Value = Fact<'static>> {
    let number = || 0_u64..4;
    let agent = || prop::sample::select(&AGENTS[..]).prop_map(id);
    let seam = || prop::sample::select(&SEAMS[..]);
    let medium = || prop::sample::select(&MEDIA[..]);
    prop_oneof![
        number().prop_map(|task| Fact::TaskAdded { task }),
        number().prop_map(|task| Fact::TaskReady { task }),
        number().prop_map(|task| Fact::TaskClaimed { task, fence: 0 }),
        number().prop_map(|task| Fact::TaskStarted { task, attempt: 1 }),
        (number(), any::<bool>(), any::<bool>()).prop_map(|(task, reported, actual)| Fact::TaskFinished {
            task,
            attempt: 1,
            reported,
            actual
        }),
        number().prop_map(|task| Fact::TaskReleased { task, reason: "why not" }),
        (seam(), number(), number(), medium()).prop_map(|(seam, item, offer, medium)| Fact::Offered {
            seam,
            item,
            offer,
            medium
        }),
        (seam(), number(), number(), agent()).prop_map(|(seam, item, offer, receiver)| Fact::Decided {
            seam,
            item,
            offer,
            receiver
        }),
        (seam(), number(), number(), medium(), agent()).prop_map(|(seam, item, offer, medium, receiver)| {
            Fact::HandedOver { seam, item, offer, medium, receiver }
        }),
        (seam(), number(), 0_u64..1000, agent()).prop_map(|(seam, item, offer, giver)| Fact::Received {
            seam,
            item,
            offer,
            giver
        }),
        (seam(), number(), number()).prop_map(|(seam, item, offer)| Fact::Undelivered {
            seam,
            item,
            offer,
            reason: "lost"
        }),
        number().prop_map(|operation| Fact::OperationBegin { operation }),
        number().prop_map(|operation| Fact::OperationCommit { operation }),
        number().prop_map(|operation| Fact::OperationAbort { operation }),
        number().prop_map(|operation| Fact::OperationIndeterminate { operation }),
        (number(), seam(), number()).prop_map(|(operation, resource, version)| Fact::Read {
            operation,
            resource,
            version
        }),
        (number(), seam(), number(), number()).prop_map(|(operation, resource, based_on, version)| {
            Fact::Write { operation, resource, based_on, version, fence: 0 }
        }),
        seam().prop_map(|name| Fact::WaitOn { on: Waited::Resource(name) }),
        seam().prop_map(|name| Fact::WaitEnd { on: Waited::Resource(name) }),
        any::<u64>().prop_map(|spent| Fact::Spent {
            tokens_in: spent,
            cached: spent,
            tokens_out: spent,
            nano_dollars: spent,
        }),
        (agent(), any::<bool>(), any::<u64>()).prop_map(|(by, admitted, tokens)| Fact::Requested {
            model: "sonnet",
            by,
            admitted,
            first: true,
            tokens_in: tokens,
            tokens_out: tokens,
        }),
        number().prop_map(|item| Fact::Acted { action: "publish", reversible: false, gate: "", item }),
        (agent(), any::<bool>()).prop_map(|(agent, ends)| {
            let on = Waited::Agent(agent);
            if ends { Fact::WaitEnd { on } } else { Fact::WaitOn { on } }
        }),
        (prop::sample::select(&["coder", "coder-2", "lead", "nobody"][..]), 0_u8..4).prop_map(
            |(name, what)| {
                match what {
                    0 => Fact::WaitOn { on: Waited::Gate(name) },
                    1 => Fact::WaitEnd { on: Waited::Gate(name) },
                    2 => Fact::WaitOn { on: Waited::Join(name) },
                    _ => Fact::WaitEnd { on: Waited::Join(name) },
                }
            }
        ),
        (seam(), number()).prop_map(|(resource, fence)| Fact::Acquired { resource, fence }),
        (seam(), number()).prop_map(|(resource, fence)| Fact::Released { resource, fence }),
        number().prop_map(|item| Fact::Progress { item }),
        (number(), agent()).prop_map(|(item, origin)| Fact::Tainted { item, origin }),
        (number(), any::<bool>()).prop_map(|(item, approved)| Fact::Reviewed { item, approved }),
        (number(), any::<bool>(), any::<bool>()).prop_map(|(item, passed, actual)| Fact::Checked {
            item,
            passed,
            actual
        }),
        Just(Fact::Breach { permission: "write page" }),
        prop::sample::select(&["tell", "site", "loss"][..]).prop_map(|fault| Fact::Injected {
            rule: "r",
            fault,
            source: AgentId::WORLD,
            sequence: 0,
            amount: 0,
            since_ns: None,
        }),
        number().prop_map(|item| Fact::GuardTripped { guard: "g", item }),
    ]
}

/// Any run, however little sense it makes: a trace may hold anything.
fn runs() -> impl Strategy<Value = Run> {
    let fate = prop_oneof![6 => Just((Event::Message, Fate::Handled)), 1 => Just((Event::Crash, Fate::Handled)),
        8 => Just((Event::Timer, Fate::Handled)), 1 => Just((Event::WorkEnd, Fate::Handled)),
        1 => Just((Event::Timer, Fate::Panicked)), 1 => Just((Event::Restart, Fate::Handled)),
        1 => Just((Event::Start, Fate::Handled)), 1 => Just((Event::Message, Fate::Lost)),
        1 => Just((Event::Pause, Fate::Handled)), 1 => Just((Event::Resume, Fate::Handled))];
    let sent = prop_oneof![
        (prop::sample::select(&AGENTS[..]), 0_u16..3).prop_map(|(to, kind)| Sent::Message(id(to), kind)),
        Just(Sent::Timer),
        (0_u32..3).prop_map(|child| Sent::Spawn(AgentId::spawned(id("store"), child))),
    ];
    let cause = (prop::sample::select(&AGENTS[..]), 0_u32..40, prop::collection::vec(sent, 0..3));
    let facts = prop::collection::vec(fact(), 0..4);
    let step = (prop::sample::select(&AGENTS[..]), fate, facts, 0_u64..1 << 44, cause);
    prop::collection::vec(step, 0..60).prop_map(|steps| {
        let (mut run, mut time_ns) = (Run::default(), 0);
        for (number, (agent, (event, fate), facts, pause_ns, (source, sequence, sends))) in
            steps.into_iter().enumerate()
        {
            time_ns += pause_ns;
            run.step(time_ns, agent, event, fate, facts);
            run.caused((id(source), sequence), sequence as u16 % 3, number as u32 / 2, sends);
        }
        run
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn any_run_is_judged_alike_in_batches_of_any_size(run in runs()) {
        let config = crate::support::eager();
        let whole = format!("{:?}", run.report_in(&config, 4096));
        for size in [1, 7] {
            prop_assert_eq!(&format!("{:?}", run.report_in(&config, size)), &whole);
        }
    }

    #[test]
    fn steps_are_found_by_number_and_facts_by_kind(run in runs(), place in 0_usize..80, wanted in 0_u16..40) {
        for batch in run.batches(4096) {
            let (one, all) = (batch.iter().nth(place), batch.iter().collect::<Vec<Step<'_>>>());
            let shown = |step: Option<&Step<'_>>| step.map(|step| format!("{step:?}"));
            prop_assert_eq!(shown(one.as_ref()), shown(all.get(place)));
            for step in &all {
                let kinds = |fact: &Fact<'_>| FactKind::of(fact) as u16 == wanted;
                let expected: Vec<Fact<'_>> = step.facts().filter(kinds).collect();
                prop_assert_eq!(step.facts_of(|kind| kind == wanted).collect::<Vec<Fact<'_>>>(), expected);
            }
        }
    }

    #[test]
    fn what_each_monitor_says_that_it_wants_is_all_that_it_needs(run in runs()) {
        let config = crate::support::eager();
        prop_assert_eq!(told(&run, &config, false), told(&run, &config, true));
    }

    #[test]
    fn findings_come_in_their_order_and_each_kind_is_known(run in runs()) {
        let findings = run.report_in(&crate::support::eager(), 4096).findings;
        let keys: Vec<_> = findings.iter().map(|finding| (finding.class, finding.event, finding.kind)).collect();
        prop_assert!(keys.is_sorted());
        for finding in &findings {
            prop_assert!(KINDS.iter().any(|(kind, _)| *kind == finding.kind));
            prop_assert!(!finding.evidence.is_empty() && finding.count > 0);
            prop_assert!(finding.agents.is_sorted() && finding.agents.len() <= 16);
        }
    }
}

/// What a panel reports, where each monitor is shown what it wants, or everything.
fn told(run: &Run, config: &MonitorConfig, everything: bool) -> String {
    let mut panel = Panel::new(config, &manifest());
    if everything {
        panel.show_everything();
    }
    run.batches(4096).iter().for_each(|batch| panel.observe_batch(batch));
    format!("{:?}", panel.report(&run.end()))
}

#[test]
fn what_each_monitor_says_that_it_wants_is_all_that_its_fixtures_need() {
    for fixture in crate::mutations::all() {
        let config = (fixture.config)();
        for (what, mutate) in fixture.mutations {
            let mut run = (fixture.correct)();
            mutate(&mut run);
            assert_eq!(told(&run, &config, false), told(&run, &config, true), "{}: {what}", fixture.kind);
        }
    }
}

#[test]
fn as_a_sink_it_leaves_the_batch_alone() {
    let mut run = Run::default();
    run.at(1, "publisher", [Fact::Acted { action: "publish", reversible: false, gate: "", item: 1 }]);
    let mut batch = run.batches(4096).remove(0);
    let before = batch.clone();
    let mut panel = Panel::new(&MonitorConfig::default(), &manifest());
    panel.accept(&mut batch);
    assert_eq!(batch, before);
    let end = RunEnd { time: Time::ZERO, complete: false, quiescent: false };
    assert_eq!(panel.report(&end).findings.len(), 1);
    assert_eq!(panel.report(&end), panel.report(&end), "asking changes nothing");
}

#[test]
fn a_monitor_of_a_users_own_is_shown_every_step() {
    #[derive(Default)]
    struct Crashes(u64);

    impl Monitor for Crashes {
        fn name(&self) -> &'static str {
            "crashes"
        }

        fn observe(&mut self, step: &Step<'_>, _facts: &[Fact<'_>]) {
            self.0 += u64::from(step.event == Event::Crash);
        }

        fn findings(&self, _end: &RunEnd, _names: &Names) -> Vec<Finding> {
            let text = format!("{} crashes", self.0);
            vec![Finding::new("crashed", Class::Cost, Severity::Low, "crashes", Moment::ZERO, "", &text)]
        }
    }

    let mut run = Run::default();
    run.crash(1, "coder-1").at(2, "coder-1", []).crash(3, "coder-2");
    let mut panel = Panel::new(&MonitorConfig::default(), &manifest());
    panel.add(Box::new(Crashes::default()));
    for batch in run.batches(2) {
        panel.observe_batch(&batch);
    }
    let report = panel.report(&RunEnd { time: Time::ZERO, complete: true, quiescent: true });
    assert_eq!(report.findings[0].summary, "CRASHED at 00:00:00: 2 crashes");
}

#[test]
fn a_thousand_versions_back_a_lost_update_is_still_found() {
    let mut run = Run::default();
    let write = |operation, based_on, version| Fact::Write {
        operation,
        resource: "log",
        based_on,
        version,
        fence: 0,
    };
    run.at(0, "coder-1", [Fact::Read { operation: 0, resource: "log", version: 0 }]);
    for version in 1..3000 {
        let read = Fact::Read { operation: version, resource: "log", version: version - 1 };
        run.at(version, "coder-2", [read]);
        run.at(version, "store", [write(version, version - 1, version)]);
        run.at(version, "coder-2", [Fact::OperationCommit { operation: version }]);
    }
    run.at(3001, "store", [write(0, 0, 3000)]).at(3002, "coder-1", [Fact::OperationCommit { operation: 0 }]);
    let findings = run.findings("lost-update");
    assert_eq!(
        findings[0].numbers.get("versions_lost"),
        Some(1023),
        "as many as are remembered beside the last"
    );
}
