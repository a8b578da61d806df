//! The built-in workloads other than PHOLD: a fan-out storm, workers that claim tasks, a rumour that spreads.

use std::path::Path;
use std::time::Duration;

use criterion::{BatchSize, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use fleetsim::workload;
use fleetsim_benches::fleet_run::{FleetRun, Recording};

const EVENTS: u64 = 300_000;
const AGENTS: u32 = 10_000;
const SEED: u64 = 7;

fn workloads(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("workloads");
    group.sample_size(10).sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(EVENTS));
    group.warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_secs(2));
    for name in ["storm", "claim", "gossip"] {
        for (level, recording) in [("off", Recording::Off), ("digest", Recording::Digest)] {
            group.bench_function(format!("{name}/{level}"), |bencher| {
                let start = || {
                    let fleet = workload::fleet(name, AGENTS, SEED).expect("it is built in");
                    // No file is written at these levels.
                    FleetRun::start(fleet, recording, Path::new(""), 2 * u64::from(AGENTS))
                };
                bencher.iter_batched_ref(start, |run| run.finish(EVENTS), BatchSize::PerIteration);
            });
        }
    }
    group.finish();
}

criterion_group!(benches, workloads);
criterion_main!(benches);
