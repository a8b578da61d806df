//! Whole scenarios in one process: reading the file, running with monitors and digest, and the whole way from the file
//! to a report and a full trace on disk. And many short runs of one scenario, as a sweep over seeds makes them.

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fleetsim_engine::batch::Batch;
use fleetsim_engine::{DigestSink, Sink};
use fleetsim_monitors::{Panel, RunEnd};
use fleetsim_scenario::{Behaviours, Loaded, Overrides, Plan, Scenario};
use fleetsim_trace_replay::{Closing, Header, Recorder};

struct Judged<S> {
    panel: Panel,
    then: S,
}

impl<S: Sink> Sink for Judged<S> {
    fn accept(&mut self, batch: &mut Batch) {
        self.panel.accept(batch);
        self.then.accept(batch);
    }
}

/// From the file to the report, with a full trace beside it: what one call of `fleetsim run --trace` does.
fn whole(scenario: &Path, trace: &Path) -> u64 {
    let loaded = Scenario::load(scenario, &Overrides::none()).expect("a shipped scenario");
    let behaviours = Behaviours::default();
    let plan = Plan::new(&loaded, &behaviours).expect("built-in behaviours");
    let mut simulation = plan.simulation(plan.own_seed()).expect("a valid fleet");
    let header = Header { manifest: simulation.manifest().clone(), ..Header::default() };
    let recorder = Recorder::create(trace, &header).expect("a writable folder");
    let mut judged = Judged { panel: Panel::new(&plan.monitors(), simulation.manifest()), then: recorder };
    let outcome = simulation.run(&plan.limits(), &mut judged);
    let report = judged.panel.report(&RunEnd { time: outcome.time, complete: true, quiescent: true });
    let closing = Closing {
        ending: "bench".to_owned(),
        messages: outcome.messages,
        virtual_time: outcome.time,
        summary: Default::default(),
    };
    let finished = judged.then.finish(&closing);
    assert!(finished.error.is_none(), "{:?}", finished.error);
    finished.bytes + report.findings.len() as u64
}

fn scenario(criterion: &mut Criterion) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let traces = tempfile::tempdir().expect("a temporary folder");
    let mut group = criterion.benchmark_group("scenario");
    group.sample_size(10);
    for name in ["content-pipeline", "azure-code-hour"] {
        let path = folder.join(name).with_extension("toml");
        group.bench_function(format!("{name}/load"), |bencher| {
            bencher.iter(|| Scenario::load(&path, &Overrides::none()).expect("a shipped scenario"));
        });
        let loaded = Scenario::load(&path, &Overrides::none()).expect("a shipped scenario");
        let behaviours = Behaviours::default();
        let plan = Plan::new(&loaded, &behaviours).expect("built-in behaviours");
        group.bench_function(format!("{name}/run"), |bencher| {
            bencher.iter(|| {
                let mut simulation = plan.simulation(plan.own_seed()).expect("a valid fleet");
                let panel = Panel::new(&plan.monitors(), simulation.manifest());
                let mut judged = Judged { panel, then: DigestSink::default() };
                let outcome = simulation.run(&plan.limits(), &mut judged);
                judged.panel.report(&RunEnd { time: outcome.time, complete: true, quiescent: true })
            });
        });
        let trace = traces.path().join(name).with_extension("fleet");
        group.bench_function(format!("{name}/whole"), |bencher| bencher.iter(|| whole(&path, &trace)));
    }
    group.finish();
}

/// Runs so many seeds from `first`, with monitors and digest, and returns how many messages were sent in all.
fn sweep(loaded: &Loaded, first: u64, seeds: u64) -> u64 {
    let behaviours = Behaviours::default();
    let plan = Plan::new(loaded, &behaviours).expect("built-in behaviours");
    let (limits, monitors) = (plan.limits(), plan.monitors());
    let messages = (first..first + seeds).map(|seed| {
        let mut simulation = plan.simulation(seed).expect("a valid fleet");
        let panel = Panel::new(&monitors, simulation.manifest());
        let mut judged = Judged { panel, then: DigestSink::default() };
        let outcome = simulation.run(&limits, &mut judged);
        let report = judged.panel.report(&RunEnd { time: outcome.time, complete: true, quiescent: true });
        black_box((report.findings.len(), judged.then.value()));
        outcome.messages
    });
    messages.sum()
}

#[expect(clippy::disallowed_methods, reason = "runs that share nothing; what each computes is its own")]
fn sweep_on_two_threads(loaded: &Loaded, seeds: u64) -> u64 {
    std::thread::scope(|scope| {
        let other = scope.spawn(|| sweep(loaded, seeds / 2, seeds - seeds / 2));
        sweep(loaded, 0, seeds / 2) + other.join().expect("no run panics")
    })
}

/// Eight agents and a coordinator, some 500 messages: ten articles through the content pipeline, whose queue here
/// never delivers twice, so that all seeds give runs of one size.
fn short_runs(criterion: &mut Criterion) {
    const RUNS: u64 = 200;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/content-pipeline.toml");
    let mut overrides = Overrides::none();
    for change in ["work.article.count=10", "medium.redis.redelivers-after=8h"] {
        overrides.push(change).expect("a path and a value");
    }
    let loaded = Scenario::load(&path, &overrides).expect("a shipped scenario");
    let messages = sweep(&loaded, 0, RUNS) / RUNS;
    assert!((450..=600).contains(&messages), "{messages} messages a run");

    let mut group = criterion.benchmark_group("short runs");
    group.sample_size(10).throughput(Throughput::Elements(RUNS));
    group.bench_function("one thread", |bencher| bencher.iter(|| sweep(&loaded, 0, RUNS)));
    group.bench_function("two threads", |bencher| bencher.iter(|| sweep_on_two_threads(&loaded, RUNS)));
    group.finish();
}

criterion_group!(benches, scenario, short_runs);
criterion_main!(benches);
