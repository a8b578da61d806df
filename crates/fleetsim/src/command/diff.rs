//! `diff`: compares two traces and shows where the runs part.

use std::path::{Path, PathBuf};

use fleetsim_trace_replay::{Trace, diff};
use serde_json::json;

use super::{exit_of, open};
use crate::exit::{Exit, Failure};
use crate::output::{Format, figures, show, show_json};
use crate::reexecution::divergence_json;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// One trace
    #[arg(value_name = "A")]
    left: PathBuf,
    /// The other
    #[arg(value_name = "B")]
    right: PathBuf,
    /// How to show it
    #[arg(long, value_name = "FORMAT", default_value = "text", value_enum)]
    format: Format,
}

/// Whether the steps of a trace are what their hashes say. Damage that hides no step (of the index) was told when the
/// trace was opened, and decides the exit code alone.
fn verified(path: &Path, trace: &Trace) -> Result<(), Failure> {
    let told: Vec<String> = trace.damage().iter().map(ToString::to_string).collect();
    match trace.verify().damage.iter().find(|damage| !told.contains(&damage.to_string())) {
        None => Ok(()),
        Some(damage) => Err(Failure::new(Exit::Damaged, &format!("{}: {damage}", path.display()))),
    }
}

pub(crate) fn execute(arguments: &Arguments) -> Result<Exit, Failure> {
    let (left, right) = (open(&arguments.left)?, open(&arguments.right)?);
    let found = diff(&left, &right)
        .map_err(|error| Failure::new(Failure::exit_of_trace(&error), &error.to_string()))?;
    let divergence = found.divergence.as_ref();
    if divergence.is_none() {
        // Equal hashes say that the runs were the same; only reading says that the files still hold them.
        verified(&arguments.left, &left)?;
        verified(&arguments.right, &right)?;
    }
    match arguments.format {
        Format::Json => show_json(&json!({
            "identical": divergence.is_none(),
            "same": found.same,
            "partial": found.partial,
            "headers": found.headers,
            "first_divergence": divergence.map(|divergence| divergence_json(divergence, "left", "right")),
        }))?,
        Format::Text => {
            let mut lines = found.headers.clone();
            let same = figures::counted(found.same, "event");
            match divergence {
                Some(divergence) => {
                    lines.push(format!("the same for {same}"));
                    lines.extend(divergence.lines("left", "right"));
                }
                None if found.partial => lines.push(format!("identical as far as both go: {same}")),
                None => lines.push(format!("identical: {same}")),
            }
            show(&(lines.join("\n") + "\n"))?;
        }
    }
    let damage = exit_of(&left).max(exit_of(&right));
    Ok(if divergence.is_some() { damage.max(Exit::Diverged) } else { damage })
}
