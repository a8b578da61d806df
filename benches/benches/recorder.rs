//! The recorder alone: batches that were recorded before, to the digest, and to a file at each level.
//!
//! What a level costs more than the one before it is what the encoding of its part costs: `digest` writes hashes,
//! `headers` all columns but the payloads, `full` everything, `full to nowhere` everything to a device that forgets it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::{BatchSize, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use fleetsim::workload;
use fleetsim_engine::batch::Batch;
use fleetsim_engine::{DigestSink, Limits, Manifest, Sink};
use fleetsim_trace_replay::{Header, Level, Recorder};

const EVENTS: u64 = 500_000;
const AGENTS: u32 = 10_000;
const SEED: u64 = 7;

#[derive(Default)]
struct Keep(Vec<Batch>);

impl Sink for Keep {
    fn accept(&mut self, batch: &mut Batch) {
        self.0.push(core::mem::take(batch));
    }
}

fn recorded() -> (Manifest, Vec<Batch>) {
    let fleet = workload::fleet("phold", AGENTS, SEED).expect("it is built in");
    let mut simulation = fleet.build().expect("a valid fleet");
    let mut keep = Keep::default();
    simulation.run(&Limits { events_max: EVENTS, ..Limits::default() }, &mut keep);
    (simulation.manifest().clone(), keep.0)
}

fn recorder(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("phold.fleet");
    let (manifest, batches) = recorded();
    let mut group = criterion.benchmark_group("recorder");
    group.sample_size(10).sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(EVENTS));
    group.warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_secs(2));
    group.bench_function("digest alone", |bencher| {
        let copy = || batches.clone();
        let digest = |batches: &mut Vec<Batch>| {
            let mut sink = DigestSink::default();
            batches.iter_mut().for_each(|batch| sink.accept(batch));
            sink.value()
        };
        bencher.iter_batched_ref(copy, digest, BatchSize::PerIteration);
    });
    let nowhere = PathBuf::from("/dev/null");
    let mut ways = vec![
        ("digest", Level::Digest, &file),
        ("headers", Level::Headers, &file),
        ("full", Level::Full, &file),
    ];
    if nowhere.exists() {
        ways.push(("full to nowhere", Level::Full, &nowhere));
    }
    for (name, level, path) in ways {
        group.bench_function(name, |bencher| {
            let start = || (batches.clone(), begin(path, &manifest, level));
            bencher.iter_batched(
                start,
                |(batches, recorder)| record(batches, recorder),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

fn begin(path: &Path, manifest: &Manifest, level: Level) -> Recorder {
    let header = Header { manifest: manifest.clone(), level, ..Header::default() };
    Recorder::create(path, &header).expect("a writable folder")
}

/// Without waiting for the disk, which is what an interrupted recording does not.
fn record(mut batches: Vec<Batch>, mut recorder: Recorder) -> (u64, Vec<Batch>) {
    batches.iter_mut().for_each(|batch| recorder.accept(batch));
    let finished = recorder.interrupt();
    assert!(finished.error.is_none(), "{:?}", finished.error);
    (finished.bytes, batches)
}

criterion_group!(benches, recorder);
criterion_main!(benches);
