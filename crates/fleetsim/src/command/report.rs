//! `report`: writes up what a trace shows, in the five parts in which incidents are told: context, observation,
//! hypothesis, mitigation, open questions. What a trace cannot tell is left blank and marked.

use std::path::PathBuf;

use fleetsim_trace_replay::text::escape;
use fleetsim_trace_replay::why;

use super::audit::{exit, observe};
use super::{Program, open, shell_word};
use crate::exit::{Exit, Failure};
use crate::output::show;
use crate::output::write_up::{self, Chain};

/// Findings whose causes are looked up.
const CHAINS_MAX: usize = 3;
/// Causes that are shown of each.
const DEPTH: usize = 4;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The trace
    trace: PathBuf,
    /// Be content with a trace that ends early
    #[arg(long)]
    partial: bool,
    /// How to write it
    #[arg(long, value_name = "FORMAT", default_value = "md", value_enum)]
    format: Written,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Written {
    /// Markdown.
    Md,
}

pub(crate) fn execute(arguments: &Arguments, program: &Program) -> Result<Exit, Failure> {
    let trace = open(&arguments.trace)?;
    let observed = observe(&trace, program, &arguments.trace)?;
    let mut chains = Vec::new();
    for (at, finding) in observed.report.findings.iter().enumerate().take(CHAINS_MAX) {
        let event = finding.evidence.last().map_or(finding.event, |witness| witness.event);
        let tree = why(&trace, event, DEPTH, 0);
        let tree = tree.map_err(|error| Failure::of_trace(&arguments.trace, &error))?;
        chains.push(Chain { finding: at, lines: tree.lines().iter().map(|line| escape(line)).collect() });
    }
    let word = shell_word(&arguments.trace.to_string_lossy());
    let Written::Md = arguments.format;
    show(&write_up::markdown(&program.name, &word, &trace, &observed, &chains))?;
    Ok(exit(&trace, &observed, arguments.partial))
}
