//! PHOLD through the public API, by fleet size and by what is recorded, and the bare loops beside it.

use std::hint::black_box;
use std::time::Duration;

use criterion::{
    BatchSize, BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main,
};
use fleetsim::workload;
use fleetsim_benches::equal::Equal;
use fleetsim_benches::fleet_run::{FleetRun, Recording};
use fleetsim_benches::floor::Floor;

const EVENTS: u64 = 500_000;
const SEED: u64 = 7;

fn engine(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let trace = folder.path().join("phold.fleet");
    let mut group = criterion.benchmark_group("phold");
    group.sample_size(10).sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(EVENTS));
    group.warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_secs(2));
    for agents in [1_000, 10_000, 100_000, 1_000_000] {
        let warm_up = u64::from(agents);
        let recordings = [("off", Recording::Off), ("digest", Recording::Digest), ("full", Recording::Full)];
        for (name, recording) in recordings {
            group.bench_function(BenchmarkId::new(name, agents), |bencher| {
                let start = || {
                    let phold = workload::fleet("phold", agents, SEED).expect("it is built in");
                    FleetRun::start(phold, recording, &trace, 2 * warm_up)
                };
                bencher.iter_batched_ref(start, |run| run.finish(EVENTS), BatchSize::PerIteration);
            });
        }
        group.bench_function(BenchmarkId::new("floor", agents), |bencher| {
            let start = || {
                let mut floor = Floor::new(agents, SEED);
                floor.run(warm_up);
                floor
            };
            bencher.iter_batched_ref(start, |floor| floor.run(EVENTS), BatchSize::PerIteration);
        });
        group.bench_function(BenchmarkId::new("equal", agents), |bencher| {
            let run = |equal: &mut Equal, events| equal.run(events, |handled| _ = black_box(handled.token));
            let start = || {
                let mut equal = Equal::new(agents, SEED);
                run(&mut equal, warm_up);
                equal
            };
            bencher.iter_batched_ref(start, |equal| run(equal, EVENTS), BatchSize::PerIteration);
        });
    }
    group.finish();
}

criterion_group!(benches, engine);
criterion_main!(benches);
