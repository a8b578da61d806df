//! Whole scenarios in one process: reading the file, running with monitors and digest, and the whole way from the file
//! to a report and a full trace on disk.

use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use fleetsim_engine::batch::Batch;
use fleetsim_engine::{DigestSink, Sink};
use fleetsim_monitors::{Panel, RunEnd};
use fleetsim_scenario::{Behaviours, Overrides, Plan, Scenario};
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
    let report = judged.panel.report(&RunEnd { time: outcome.time, complete: true });
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
                judged.panel.report(&RunEnd { time: outcome.time, complete: true })
            });
        });
        let trace = traces.path().join(name).with_extension("fleet");
        group.bench_function(format!("{name}/whole"), |bencher| bencher.iter(|| whole(&path, &trace)));
    }
    group.finish();
}

criterion_group!(benches, scenario);
criterion_main!(benches);
