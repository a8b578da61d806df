//! The event queue alone: so many entries wait, and each that leaves is followed by another ("hold", as queues have
//! been measured since Jones, "An empirical comparison of priority-queue and event-set implementations", 1986).
//!
//! The bucket queue beside the binary heap that is its reference, by how far ahead entries come.

use std::time::Duration;

use criterion::{
    BatchSize, BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main,
};
use fleetsim_engine::queue::{BucketQueue, Entry, HeapQueue};
use fleetsim_engine::sample::Sampler;
use fleetsim_engine::{Draw, MICROSECOND, MILLISECOND, mix};

const OPERATIONS: u64 = 500_000;
const SEED: u64 = 7;
/// Delays are drawn before the measurement and used again and again.
const DELAYS: usize = 1 << 16;

/// As large as an event of the engine with a payload that travels inline.
#[derive(Clone, Copy)]
struct Due {
    time_ns: u64,
    number: u64,
    _payload: [u64; 4],
}

impl Entry for Due {
    type Rest = (u64, u64);

    fn time_ns(&self) -> u64 {
        self.time_ns
    }

    fn rest(&self, seed: u64) -> (u64, u64) {
        (mix([seed, self.number, self.time_ns]), self.number)
    }
}

/// What both queues can do.
trait Hold: Clone {
    fn push(&mut self, due: Due);
    fn pop(&mut self) -> Option<Due>;
}

macro_rules! hold {
    ($($queue:ty),+) => {$(
        impl Hold for $queue {
            fn push(&mut self, due: Due) {
                <$queue>::push(self, due);
            }

            fn pop(&mut self) -> Option<Due> {
                <$queue>::pop(self)
            }
        }
    )+};
}
hold!(BucketQueue<Due>, HeapQueue<Due>);

/// How far ahead of its cause an entry comes.
fn delays(sampler: &Sampler, least_ns: u64) -> Vec<u64> {
    let mut luck = Draw::keyed(SEED, 0, [0]);
    (0..DELAYS).map(|_| least_ns + sampler.sample(&mut luck)).collect()
}

/// A queue in the middle of its work: every entry has been followed by another once on average.
fn filled<Q: Hold>(mut queue: Q, entries: u64, delays: &[u64]) -> Q {
    for number in 0..entries {
        queue.push(Due { time_ns: delays[number as usize % DELAYS], number, _payload: [0; 4] });
    }
    hold(&mut queue, entries, delays);
    queue
}

fn hold<Q: Hold>(queue: &mut Q, operations: u64, delays: &[u64]) {
    for operation in 0..operations {
        let due = queue.pop().expect("as many are pushed as popped");
        queue.push(Due { time_ns: due.time_ns + delays[operation as usize % DELAYS], ..due });
    }
}

fn queue(criterion: &mut Criterion) {
    let exponential = Sampler::exponential(900 * MILLISECOND).expect("a mean above zero");
    let heavy = Sampler::pareto(MICROSECOND, 500_000).expect("a minimum and a shape above zero");
    let spreads = [
        ("phold", delays(&exponential, 100 * MILLISECOND)),
        ("heavy tail", delays(&heavy, 0).into_iter().map(|delay_ns| delay_ns.min(1 << 40)).collect()),
        ("one instant", vec![MILLISECOND; DELAYS]),
    ];
    let mut group = criterion.benchmark_group("queue");
    group.sample_size(10).sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(OPERATIONS));
    group.warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_secs(1));
    for (spread, delays) in &spreads {
        for entries in [1_000, 100_000, 1_000_000] {
            let bucket = filled(BucketQueue::new(SEED), entries, delays);
            group.bench_function(BenchmarkId::new(format!("bucket/{spread}"), entries), |bencher| {
                let run = |queue: &mut BucketQueue<Due>| hold(queue, OPERATIONS, delays);
                bencher.iter_batched_ref(|| bucket.clone(), run, BatchSize::PerIteration);
            });
            let heap = filled(HeapQueue::new(SEED), entries, delays);
            group.bench_function(BenchmarkId::new(format!("heap/{spread}"), entries), |bencher| {
                let run = |queue: &mut HeapQueue<Due>| hold(queue, OPERATIONS, delays);
                bencher.iter_batched_ref(|| heap.clone(), run, BatchSize::PerIteration);
            });
        }
    }
    group.finish();
}

criterion_group!(benches, queue);
criterion_main!(benches);
