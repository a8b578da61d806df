//! Replay: a recorded run executed again and compared, and the record judged and verified without executing anything.
//!
//! `run` is what they are measured against: the same run, recorded in full, its monitors judging.

use std::path::Path;
use std::time::Duration;

use criterion::{BatchSize, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use fleetsim::workload;
use fleetsim_engine::batch::Batch;
use fleetsim_engine::{Digest, Limits, Outcome, Simulation, Sink};
use fleetsim_monitors::{MonitorConfig, Panel, RunEnd};
use fleetsim_trace_replay::{Closing, Comparison, Header, Recorder, Trace};

const EVENTS: u64 = 500_000;
const AGENTS: u32 = 10_000;
const LIMITS: Limits = Limits { until: fleetsim_engine::Time::MAX, events_max: EVENTS };

/// Monitors first, then whoever takes the record.
struct Judged<S> {
    panel: Panel,
    then: S,
}

impl<S: Sink> Judged<S> {
    fn new(simulation: &Simulation, then: S) -> Judged<S> {
        Judged { panel: panel(simulation.manifest()), then }
    }
}

impl<S: Sink> Sink for Judged<S> {
    fn accept(&mut self, batch: &mut Batch) {
        self.panel.accept(batch);
        self.then.accept(batch);
    }
}

fn panel(manifest: &fleetsim_engine::Manifest) -> Panel {
    Panel::new(&MonitorConfig::default(), manifest)
}

fn simulation(workload: &str) -> Simulation {
    let fleet = workload::fleet(workload, AGENTS, 7).expect("it is built in");
    fleet.build().expect("a valid fleet")
}

fn end(outcome: &Outcome) -> RunEnd {
    RunEnd { time: outcome.time, complete: false, quiescent: false }
}

/// Runs and records; what is left is on its way to the disk.
fn run(simulation: &mut Simulation, path: &Path) -> (usize, Recorder, Outcome) {
    let header = Header { manifest: simulation.manifest().clone(), ..Header::default() };
    let recorder = Recorder::create(path, &header).expect("a writable folder");
    let mut judged = Judged::new(simulation, recorder);
    let outcome = simulation.run(&LIMITS, &mut judged);
    (judged.panel.report(&end(&outcome)).findings.len(), judged.then, outcome)
}

fn again(simulation: &mut Simulation, trace: &Trace) -> Digest {
    let mut judged = Judged::new(simulation, Comparison::new(trace));
    let outcome = simulation.run(&LIMITS, &mut judged);
    let _ = judged.panel.report(&end(&outcome));
    let compared = judged.then.finish().expect("a sound trace");
    assert!(compared.divergence.is_none(), "the same run");
    compared.digest
}

fn detached(trace: &Trace) -> Option<Digest> {
    let mut panel = panel(&trace.header().manifest);
    let verified = trace.feed_verified(&mut panel).expect("a sound trace");
    let _ = panel.report(&RunEnd {
        time: trace.span(trace.chunks() - 1).last_time,
        complete: false,
        quiescent: false,
    });
    verified.digest
}

fn replay(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut group = criterion.benchmark_group("replay");
    group.sample_size(10).sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(EVENTS));
    group.warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_secs(2));
    for workload in ["phold", "claim"] {
        let path = folder.path().join(workload);
        let (_, recorder, outcome) = run(&mut simulation(workload), &path);
        let closing = Closing {
            ending: "event limit".to_owned(),
            messages: outcome.messages,
            virtual_time: outcome.time,
            ..Closing::default()
        };
        let finished = recorder.finish(&closing);
        assert!(finished.error.is_none(), "{:?}", finished.error);
        let trace = Trace::open(&path).expect("it was just written");

        let scratch = folder.path().join("scratch");
        group.bench_function(format!("{workload}/run"), |bencher| {
            let whole = |simulation: &mut Simulation| {
                let (findings, recorder, _) = run(simulation, &scratch);
                (findings, recorder.interrupt().bytes)
            };
            bencher.iter_batched_ref(|| simulation(workload), whole, BatchSize::PerIteration);
        });
        group.bench_function(format!("{workload}/again"), |bencher| {
            bencher.iter_batched_ref(
                || simulation(workload),
                |simulation| again(simulation, &trace),
                BatchSize::PerIteration,
            );
        });
        group.bench_function(format!("{workload}/detached"), |bencher| bencher.iter(|| detached(&trace)));
    }
    group.finish();
}

criterion_group!(benches, replay);
criterion_main!(benches);
