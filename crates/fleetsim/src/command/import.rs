//! `import`: makes a trace of the log of a fleet that this program did not run.
//!
//! What is wrong with single records is counted and told, and fails nothing unless that is asked for.

use std::path::PathBuf;

use fleetsim_interop::{Imported, Kind, Options, Trouble};
use fleetsim_trace_replay::Program as Recorded;
use fleetsim_trace_replay::text::escape;
use serde_json::{Value, json};

use super::{Program, shell_word};
use crate::exit::{Exit, Failure};
use crate::output::{Format, figures, json, show, show_json};
use crate::recording;

const EXAMPLES: &str = "\
Examples:
  fleetsim import beads events.jsonl dependencies.jsonl -o town.fleet
  fleetsim import otlp spans.jsonl -o spans.fleet --rename
  fleetsim import ndjson facts.jsonl -o facts.fleet --strict
  fleetsim inspect town.fleet
  fleetsim replay town.fleet --detached

Texts of the log do not enter the trace, only their lengths and hashes. What is wrong with a record is counted and told
with the first line that has it. docs/import.md says which facts follow from which record.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// What kind of log it is
    #[arg(value_name = "KIND", value_enum)]
    kind: LogKind,
    /// The log, as a file: it is read twice
    #[arg(value_name = "FILE")]
    log: PathBuf,
    /// For beads: what depends on what, as the task store exports it
    #[arg(value_name = "DEPENDENCIES")]
    dependencies: Option<PathBuf>,
    /// The trace to write
    #[arg(short, long, value_name = "TRACE")]
    output: PathBuf,
    /// Keep the texts of the log, and names that look like an address or a key
    #[arg(long)]
    keep_text: bool,
    /// Replace names of agents, tasks, media and resources by pseudonyms, the same in every trace
    #[arg(long)]
    rename: bool,
    /// Fail at the first record that is not as it should be, naming its line
    #[arg(long)]
    strict: bool,
    /// Overwrite a file that is no trace
    #[arg(long)]
    force: bool,
    /// How to show the result
    #[arg(long, value_name = "FORMAT", default_value = "text", value_enum)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum LogKind {
    /// Events of a task store, a JSON object a line
    Beads,
    /// OpenTelemetry spans, an export request in JSON a line
    Otlp,
    /// Facts, a JSON object a line: fleetsim's own plain format
    Ndjson,
}

impl LogKind {
    fn kind(self) -> Kind {
        match self {
            LogKind::Beads => Kind::Beads,
            LogKind::Otlp => Kind::Otlp,
            LogKind::Ndjson => Kind::Ndjson,
        }
    }
}

pub(crate) fn execute(arguments: &Arguments, program: &Program) -> Result<Exit, Failure> {
    if !arguments.force {
        recording::check_target(&arguments.output)?;
    }
    let sources = [Some(&arguments.log), arguments.dependencies.as_ref()];
    if sources.into_iter().flatten().any(|source| recording::is_same_file(source, &arguments.output)) {
        return Err(Failure::usage("the trace would replace the log; name another file"));
    }
    let options =
        Options { keep_text: arguments.keep_text, rename: arguments.rename, strict: arguments.strict };
    let recorded = Recorded { name: program.name.clone(), version: env!("CARGO_PKG_VERSION").to_owned() };
    let imported = fleetsim_interop::import(
        arguments.kind.kind(),
        &arguments.log,
        arguments.dependencies.as_deref(),
        options,
        &arguments.output,
        recorded,
    );
    let imported = imported.map_err(|error| {
        let exit = if error.is_usage() { Exit::Usage } else { Exit::Damaged };
        Failure::new(exit, &error.to_string())
    })?;
    match arguments.format {
        Format::Text => show(&(as_text(program, &imported).join("\n") + "\n"))?,
        Format::Json => show_json(&as_json(arguments, &imported))?,
    }
    match &imported.finished.error {
        Some(error) => Err(Failure::of_trace(&imported.finished.path, error)),
        None => Ok(Exit::Expected),
    }
}

fn as_text(program: &Program, imported: &Imported) -> Vec<String> {
    let (reading, finished) = (&imported.reading, &imported.finished);
    let path = finished.path.to_string_lossy();
    let mut lines = vec![format!(
        "{path}: {} steps of {} agents over {}, {} bytes",
        reading.steps,
        reading.manifest.groups.len(),
        figures::clock(reading.end),
        finished.bytes
    )];
    for line in reading.import.lines() {
        // The header holds no lines, since they depend on the order of a log; here they help.
        let first = reading.troubles.iter().find(|(trouble, _)| is_line_of(&line, *trouble));
        let first = first.filter(|(_, found)| found.first_line > 0);
        lines.push(match first {
            Some((_, found)) => format!("{line}, first in line {}", found.first_line),
            None => line,
        });
    }
    if reading.import.records == 0 {
        lines.push(format!("nothing was imported: is this a log of the kind {}?", reading.import.kind));
    }
    let name = shell_word(&program.name);
    lines.push(format!("next: {name} replay {} --detached", shell_word(&path)));
    lines.iter().map(|line| escape(line)).collect()
}

fn is_line_of(line: &str, trouble: Trouble) -> bool {
    line.strip_prefix("trouble")
        .is_some_and(|rest| rest.trim_start().starts_with(&format!("{} (", trouble.name())))
}

fn as_json(arguments: &Arguments, imported: &Imported) -> Value {
    let (reading, finished) = (&imported.reading, &imported.finished);
    let import = &reading.import;
    let troubles = reading.troubles.iter().map(|(trouble, found)| {
        json!({ "kind": trouble.name(), "count": found.count, "first_line": found.first_line })
    });
    json!({
        "kind": import.kind,
        "log": arguments.log.to_string_lossy(),
        "trace": finished.path.to_string_lossy(),
        "version": json::versions(),
        "digest": finished.digest.to_string(),
        "began": import.began,
        "records": import.records,
        "steps": reading.steps,
        "messages": reading.messages,
        "agents": reading.manifest.groups.len(),
        "virtual_time_ns": reading.end.as_ns(),
        "trace_bytes": finished.bytes,
        "keeps_text": import.keeps_text,
        "renames": import.renames,
        "edges": import.edges,
        "troubles": troubles.collect::<Vec<_>>(),
        "figures": import.figures,
        "not_told": import.untold,
    })
}
