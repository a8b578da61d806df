//! `audit`: what the fleet of a trace honestly is, where its time goes, what it cannot do without, and what of the
//! reproducibility checklist its record shows.
//!
//! Facts are enough. What only a scenario can tell is taken from the trace's own, and otherwise said to be not visible.

mod checklist;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use fleetsim_engine::batch::Batch;
use fleetsim_engine::{Digest, Sink};
use fleetsim_monitors::{
    ArchitectureClass, Audit, AuditConfig, AuditReport, MonitorConfig, Panel, Permissions, Report, RunEnd,
};
use fleetsim_scenario::Loaded;
use fleetsim_trace_replay::text::escape;
use fleetsim_trace_replay::{Error, Trace};

use super::replay::check_steps;
use super::{Program, exit_of, open};
use crate::exit::{Exit, Failure};
use crate::expectation::{Judgement, judge};
use crate::output::audit::{self as output, Picture};
use crate::output::{Format, Paint, show, show_json, tell};
use crate::recording;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The trace
    trace: PathBuf,
    /// Be content with a trace that ends early
    #[arg(long)]
    partial: bool,
    /// Print one of the graphs as Graphviz text instead: transport has the media in it, logical has not, decision says
    /// who chose whom
    #[arg(long, value_name = "GRAPH", value_enum, conflicts_with = "format")]
    dot: Option<Picture>,
    /// How to show the result
    #[arg(long, value_name = "FORMAT", default_value = "text", value_enum)]
    format: Format,
}

/// Everything that a trace shows without executing anything.
pub(crate) struct Observed {
    pub(crate) report: Report,
    pub(crate) audit: AuditReport,
    pub(crate) config: MonitorConfig,
    pub(crate) end: RunEnd,
    pub(crate) digest: Option<Digest>,
    pub(crate) damage: Vec<Error>,
    /// How the findings compare with the trace's own scenario, if it holds one that this program understands.
    pub(crate) judgement: Option<Judgement>,
}

impl Observed {
    /// What the fleet is said to be.
    pub(crate) fn claim(&self) -> Option<ArchitectureClass> {
        self.config.claims_to_be
    }
}

pub(crate) fn execute(arguments: &Arguments, program: &Program) -> Result<Exit, Failure> {
    let trace = open(&arguments.trace)?;
    let observed = observe(&trace, program, &arguments.trace)?;
    match (arguments.dot, arguments.format) {
        (Some(picture), _) => show(&output::dot(&observed.report.architecture, picture))?,
        (None, Format::Json) => show_json(&output::json(&arguments.trace, &trace, &observed))?,
        (None, Format::Text) => {
            let name = arguments.trace.display().to_string();
            show(&output::text(&name, &trace, &observed, Paint::stdout()))?;
        }
    }
    Ok(exit(&trace, &observed, arguments.partial))
}

/// How a command ends that looked at the whole of a trace.
pub(crate) fn exit(trace: &Trace, observed: &Observed, partial_is_enough: bool) -> Exit {
    observed.damage.iter().for_each(|damage| tell(&format!("error: {}\n", escape(&damage.to_string()))));
    if !observed.damage.is_empty() || (trace.is_partial() && !partial_is_enough) {
        return Exit::Damaged;
    }
    exit_of(trace)
}

/// Shows a trace to the monitors and to an audit.
pub(crate) fn observe(trace: &Trace, program: &Program, path: &Path) -> Result<Observed, Failure> {
    check_steps(trace)?;
    let header = trace.header();
    let loaded = recording::scenario(header).ok();
    let config = recording::monitors(header)?;
    let told = told(&config, loaded.as_ref());
    let mut both = Both {
        panel: program.registry.panel(&config, &header.manifest),
        audit: Audit::new(&told, &header.manifest),
    };
    trace.feed(&mut both).map_err(|error| Failure::of_trace(path, &error))?;
    let end = recording::recorded_end(trace);
    let verified = trace.verify();
    let mut audit = both.audit.report();
    audit.checklist.extend(checklist::of_header(trace, &verified, audit.first_input));
    let report = both.panel.report(&end);
    let judgement =
        loaded.as_ref().map(|loaded| judge(&loaded.scenario.document().expect, &report, end.complete));
    Ok(Observed { report, audit, config, end, digest: verified.digest, damage: verified.damage, judgement })
}

/// What the scenario declares and permits.
fn told(config: &MonitorConfig, loaded: Option<&Loaded>) -> AuditConfig {
    let mut told = AuditConfig { monitors: config.clone(), ..AuditConfig::default() };
    if let Some(loaded) = loaded {
        let document = loaded.scenario.document();
        let media = document.medium.names().map(str::to_owned);
        let artifacts = document.role.iter().filter_map(|(_, role)| role.edits.as_ref());
        told.declared = Some(media.chain(artifacts.map(|edits| edits.artifact.clone())).collect());
        let all = |names: &[String]| names.iter().cloned().collect::<BTreeSet<String>>();
        for (role, may) in document.may.iter() {
            let permissions = Permissions { read: all(&may.read), write: all(&may.write) };
            told.may.insert(role.to_owned(), permissions);
        }
    }
    told
}

/// The monitors and the audit see each batch once, in turn.
struct Both {
    panel: Panel,
    audit: Audit,
}

impl Sink for Both {
    fn accept(&mut self, batch: &mut Batch) {
        self.panel.observe_batch(batch);
        self.audit.observe_batch(batch);
    }
}
