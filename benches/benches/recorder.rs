//! The recorder: the same PHOLD run, written in full to a file, beside the run that is only digested.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use fleetsim_benches::{events, phold};
use fleetsim_engine::{DigestSink, Time};
use fleetsim_trace_replay::{Closing, Header, Recorder};

const EVENTS: u64 = 200_000;
const AGENTS: u32 = 10_000;

fn recorder(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut group = criterion.benchmark_group("recorder");
    group.sample_size(10).throughput(Throughput::Elements(EVENTS));
    let limits = events(EVENTS + u64::from(AGENTS));
    group.bench_function("digest", |bencher| {
        bencher.iter_batched(
            || phold(AGENTS, true),
            |mut simulation| simulation.run(&limits, &mut DigestSink::default()),
            BatchSize::LargeInput,
        );
    });
    group.bench_function("full", |bencher| {
        bencher.iter_batched(
            || phold(AGENTS, true),
            |mut simulation| {
                let header = Header { manifest: simulation.manifest().clone(), ..Header::default() };
                let path = folder.path().join("phold.fleet");
                let mut recorder = Recorder::create(path, &header).expect("a writable folder");
                let outcome = simulation.run(&limits, &mut recorder);
                let closing = Closing {
                    ending: "event limit".to_owned(),
                    messages: outcome.messages,
                    virtual_time: Time::ZERO,
                    summary: Default::default(),
                };
                let finished = recorder.finish(&closing);
                assert!(finished.error.is_none(), "{:?}", finished.error);
                finished.bytes
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, recorder);
criterion_main!(benches);
