//! Whole scenarios in one process: reading the file, running with monitors and digest.

use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use fleetsim_engine::batch::Batch;
use fleetsim_engine::{DigestSink, Sink};
use fleetsim_monitors::{Panel, RunEnd};
use fleetsim_scenario::{Behaviours, Overrides, Plan, Scenario};

struct Judged {
    panel: Panel,
    digest: DigestSink,
}

impl Sink for Judged {
    fn accept(&mut self, batch: &mut Batch) {
        self.panel.accept(batch);
        self.digest.accept(batch);
    }
}

fn scenario(criterion: &mut Criterion) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
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
                let mut judged = Judged { panel, digest: DigestSink::default() };
                let outcome = simulation.run(&plan.limits(), &mut judged);
                judged.panel.report(&RunEnd { time: outcome.time, complete: true })
            });
        });
    }
    group.finish();
}

criterion_group!(benches, scenario);
criterion_main!(benches);
