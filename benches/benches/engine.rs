//! The engine loop: PHOLD through the public API, without a record and with a digest.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use fleetsim_benches::{events, phold};
use fleetsim_engine::DigestSink;

const EVENTS: u64 = 200_000;

fn engine(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("engine");
    group.sample_size(10).throughput(Throughput::Elements(EVENTS));
    for agents in [1_000, 10_000, 100_000] {
        for (name, recording) in [("off", false), ("digest", true)] {
            group.bench_function(format!("phold/{agents}/{name}"), |bencher| {
                bencher.iter_batched(
                    || phold(agents, recording),
                    |mut simulation| {
                        simulation.run(&events(EVENTS + u64::from(agents)), &mut DigestSink::default())
                    },
                    BatchSize::LargeInput,
                );
            });
        }
    }
    group.finish();
}

criterion_group!(benches, engine);
criterion_main!(benches);
