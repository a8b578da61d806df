//! `why`: explains an event of a trace by what caused it, or a finding by its last witness.

use std::path::PathBuf;

use fleetsim_trace_replay::text::escape;
use fleetsim_trace_replay::{Address, Trace, Tree, why};
use serde_json::{Value, json};

use super::replay::judge_record;
use super::{Program, address, exit_of, open};
use crate::exit::{Exit, Failure};
use crate::output::{Format, Lines, Paint, report, show_json};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The moment to explain: FILE#EVENT, FILE@TIME, or FILE with --finding
    #[arg(value_name = "ADDRESS")]
    address: PathBuf,
    /// Explain the last witness of this finding, by its number in the report
    #[arg(long, value_name = "N")]
    finding: Option<usize>,
    /// How many causes to go back
    #[arg(long, value_name = "N", default_value = "12")]
    depth: usize,
    /// Of every agent on the way, how many messages that it had handled before to show as well
    #[arg(long, value_name = "N", default_value = "0")]
    context: usize,
    /// How to show it
    #[arg(long, value_name = "FORMAT", default_value = "text", value_enum)]
    format: Format,
}

pub(crate) fn execute(arguments: &Arguments, program: &Program) -> Result<Exit, Failure> {
    let address = address(&arguments.address)?;
    let trace = open(&address.file)?;
    let (event, about) = match arguments.finding {
        Some(number) => finding(&trace, program, &address, number)?,
        None if address.event.is_none() && address.time.is_none() => {
            return Err(Failure::usage("why what? write FILE#EVENT, FILE@TIME, or add --finding N"));
        }
        None => {
            (trace.resolve(&address).map_err(|error| Failure::of_trace(&address.file, &error))?, Vec::new())
        }
    };
    let tree = why(&trace, event, arguments.depth, arguments.context);
    let tree = tree.map_err(|error| Failure::of_trace(&address.file, &error))?;
    match arguments.format {
        Format::Json => show_json(&json!({ "event": event, "finding": about, "why": as_json(&tree) }))?,
        Format::Text => {
            let mut lines = Lines::stdout();
            about.iter().for_each(|line| lines.line(line));
            tree.lines().iter().for_each(|line| lines.line(&escape(line)));
            lines.finish()?;
        }
    }
    Ok(exit_of(&trace))
}

/// The last witness of a finding, and the finding itself as text.
fn finding(
    trace: &Trace,
    program: &Program,
    address: &Address,
    number: usize,
) -> Result<(u64, Vec<String>), Failure> {
    let (report, _) = judge_record(trace, program, &address.file)?;
    let position = number.checked_sub(1);
    let Some((position, finding)) = position.and_then(|at| Some((at, report.findings.get(at)?))) else {
        let count = report.findings.len();
        return Err(Failure::usage(&format!(
            "there is no finding {number}: the trace shows {count}, counted from 1"
        )));
    };
    let event = finding.evidence.last().map_or(finding.event, |witness| witness.event);
    Ok((event, report::finding(position, finding, false, Paint::stdout())))
}

fn as_json(tree: &Tree) -> Value {
    json!({
        "event": tree.event,
        "text": tree.text,
        "facts": tree.facts,
        "branches": tree.branches.iter().map(as_json).collect::<Vec<_>>(),
    })
}
