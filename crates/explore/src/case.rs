//! One run of a fleet: a seed and a plan in, what was found out.

use std::collections::BTreeMap;
use std::path::Path;

use fleetsim_engine::batch::Batch;
use fleetsim_engine::{
    Digest, DigestSink, Ending, Error, Fact, Fleet, Limits, Manifest, Outcome, Sink, Time,
};
use fleetsim_fault_injection::Plan;
use fleetsim_monitors::{Finding, Monitor, MonitorConfig, Panel, Property, RunEnd};
use fleetsim_trace_replay::{Closing, Comparison, Header, Recorder, RunLimits, ScenarioText, Trace};

/// Adds groups, links and messages from outside to an empty fleet.
pub(crate) type Build<'a> = dyn Fn(&mut Fleet) -> Result<(), Error> + 'a;

/// Makes a monitor for a run.
pub(crate) type MakeMonitor<'a> = dyn Fn() -> Box<dyn Monitor> + 'a;

/// What stays the same in all runs of a check.
pub(crate) struct Subject<'a> {
    pub(crate) name: String,
    pub(crate) build: Box<Build<'a>>,
    pub(crate) limits: Limits,
    pub(crate) properties: Vec<Property>,
    /// The titles of those that must happen in some run.
    pub(crate) sometimes: Vec<String>,
    pub(crate) monitors: Vec<Box<MakeMonitor<'a>>>,
    /// Kinds of findings of built-in monitors that no run may have.
    pub(crate) forbidden: Vec<&'static str>,
}

/// What came of a run.
pub(crate) struct Case {
    /// Unless the record went somewhere else.
    pub(crate) digest: Option<Digest>,
    pub(crate) events: u64,
    /// What fails: the property's title or the kind of finding, and the finding.
    pub(crate) failure: Option<(String, Finding)>,
    /// The titles of properties that were to happen and did not.
    pub(crate) missed: Vec<String>,
    /// How often each kind of fault was injected.
    pub(crate) injected: BTreeMap<String, u64>,
}

/// Where the record of a run goes, beside the monitors.
pub(crate) enum Tap<'a> {
    Digest(DigestSink),
    Recorder(Box<Recorder>),
    Comparison(Box<Comparison<'a>>),
}

impl Sink for Tap<'_> {
    fn accept(&mut self, batch: &mut Batch) {
        match self {
            Tap::Digest(sink) => sink.accept(batch),
            Tap::Recorder(recorder) => recorder.accept(batch),
            Tap::Comparison(comparison) => comparison.accept(batch),
        }
    }
}

struct Taps<'a, 'b> {
    panel: Panel,
    injected: BTreeMap<String, u64>,
    counts: bool,
    tap: &'a mut Tap<'b>,
}

impl Sink for Taps<'_, '_> {
    fn accept(&mut self, batch: &mut Batch) {
        self.panel.observe_batch(batch);
        if self.counts {
            for fact in batch.iter().flat_map(|step| step.facts()) {
                if let Fact::Injected { fault, .. } = fact {
                    *self.injected.entry(fault.to_owned()).or_default() += 1;
                }
            }
        }
        self.tap.accept(batch);
    }
}

impl Subject<'_> {
    /// The fleet of a seed, with the plan's rules installed.
    ///
    /// # Panics
    /// When the fleet or the plan is not valid: mistakes in the test.
    pub(crate) fn fleet(&self, seed: u64, plan: &Plan) -> Fleet {
        let mut fleet = Fleet::new(seed);
        (self.build)(&mut fleet)
            .unwrap_or_else(|error| panic!("{}: the fleet is not valid: {error}", self.name));
        plan.install(&mut fleet).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        fleet
    }

    /// Runs a seed under a plan, past the monitors into `tap`.
    pub(crate) fn run(&self, seed: u64, plan: &Plan, tap: &mut Tap<'_>) -> Case {
        let fleet = self.fleet(seed, plan);
        let mut simulation =
            fleet.build().unwrap_or_else(|error| panic!("{}: the fleet is not valid: {error}", self.name));
        let heal = plan.healing().filter(|_| !plan.is_empty());
        let config = MonitorConfig {
            heals_at: heal.map(|heal| heal.at),
            converges_within_ns: heal.map(|heal| heal.converges_within_ns),
            ..MonitorConfig::default()
        };
        let mut panel = Panel::new(&config, simulation.manifest());
        self.properties.iter().for_each(|property| panel.add(Box::new(property.clone())));
        let mut own: Vec<&'static str> = Vec::new();
        for monitor in self.monitors.iter().map(|make| make()) {
            own.push(monitor.name());
            panel.add(monitor);
        }
        let mut taps = Taps { panel, injected: BTreeMap::new(), counts: !plan.is_empty(), tap };
        let outcome = simulation.run(&self.limits, &mut taps);
        if let Ending::Failed(error) = &outcome.ending {
            panic!("{}: the run of seed {seed} cannot go on: {error}", self.name);
        }
        let Taps { panel, injected, .. } = taps;
        let digest = match tap {
            Tap::Digest(sink) => Some(sink.value()),
            Tap::Recorder(_) | Tap::Comparison(_) => None,
        };
        self.judge(&outcome, &panel, &own, digest, injected)
    }

    fn judge(
        &self,
        outcome: &Outcome,
        panel: &Panel,
        own: &[&'static str],
        digest: Option<Digest>,
        injected: BTreeMap<String, u64>,
    ) -> Case {
        let report = panel.report(&end(outcome));
        let mut case = Case { digest, events: outcome.events, failure: None, missed: Vec::new(), injected };
        for finding in report.findings {
            let title = finding.about.get("property").and_then(|titles| titles.first()).cloned();
            match (finding.kind, title) {
                ("property-never-happened", Some(title)) if self.sometimes.contains(&title) => {
                    case.missed.push(title);
                }
                ("property-violated" | "property-never-happened", Some(title)) => {
                    case.failure.get_or_insert((title, finding));
                }
                (kind, _) if self.forbidden.contains(&kind) || own.contains(&finding.monitor) => {
                    case.failure.get_or_insert((kind.to_owned(), finding));
                }
                _ => {}
            }
        }
        case
    }

    /// What a trace of a run says of it.
    pub(crate) fn header(&self, seed: u64, plan: &Plan, manifest: &Manifest) -> Header {
        let until = Some(self.limits.until).filter(|until| *until < Time::MAX);
        let events_max = Some(self.limits.events_max).filter(|events| *events < u64::MAX);
        let text =
            format!("# The fleet of a property test; only that test can run it again: {}\n", self.name);
        Header {
            seed,
            scenario: ScenarioText { name: self.name.clone(), text, files: Vec::new() },
            manifest: manifest.clone(),
            faults: serde_json::to_value(plan).expect("a plan is data"),
            limits: RunLimits { until, events_max },
            ..Header::default()
        }
    }

    /// Runs a case again and records it in full. Returns why it could not, if it could not.
    pub(crate) fn record(&self, seed: u64, plan: &Plan, path: &Path) -> Result<(), String> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
        }
        let simulation = self.fleet(seed, plan).build().expect("it was built before");
        let header = self.header(seed, plan, simulation.manifest());
        let recorder = Recorder::create(path, &header).map_err(|error| error.to_string())?;
        let mut tap = Tap::Recorder(Box::new(recorder));
        let case = self.run(seed, plan, &mut tap);
        let Tap::Recorder(recorder) = tap else { unreachable!("it is a recorder") };
        let summary = serde_json::json!({ "failed": case.failure.map(|(what, _)| what) });
        let closing = Closing { ending: "the check's end".to_owned(), summary, ..Closing::default() };
        recorder.finish(&closing).error.map_or(Ok(()), |error| Err(error.to_string()))
    }

    /// Runs a case again and compares it with a trace of it: `None` when both are the same.
    pub(crate) fn compare(
        &self,
        seed: u64,
        plan: &Plan,
        trace: &Trace,
    ) -> (Case, Result<Option<String>, String>) {
        let mut tap = Tap::Comparison(Box::new(Comparison::new(trace)));
        let case = self.run(seed, plan, &mut tap);
        let Tap::Comparison(comparison) = tap else { unreachable!("it is a comparison") };
        let compared = comparison.finish().map_err(|error| error.to_string());
        let parts = compared.map(|compared| {
            compared.divergence.map(|divergence| divergence.lines("first run", "second run").join("\n"))
        });
        (case, parts)
    }
}

/// A limit that the check sets is where its runs are meant to end.
fn end(outcome: &Outcome) -> RunEnd {
    RunEnd {
        time: outcome.time,
        complete: !matches!(outcome.ending, Ending::EventLimit | Ending::Interrupted),
        quiescent: outcome.ending == Ending::Quiescent,
    }
}
