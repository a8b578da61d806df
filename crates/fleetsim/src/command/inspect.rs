//! `inspect`: shows what a trace holds: an overview, the steps from some moment on, or one step whole.

use std::path::PathBuf;

use fleetsim_engine::Time;
use fleetsim_trace_replay::inspect::{self, Filter};
use fleetsim_trace_replay::text::escape;
use fleetsim_trace_replay::{Header, Level, Trace};
use serde_json::{Value, json};

use super::{address, exit_of, open, parse_time};
use crate::exit::{Exit, Failure};
use crate::fault_choice;
use crate::output::{Format, Lines, show_json};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A trace, or a moment in one: FILE, FILE@TIME, FILE#EVENT
    #[arg(value_name = "ADDRESS")]
    address: PathBuf,
    /// Only steps to or from this agent, such as coder-2
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// Only steps at or after this instant
    #[arg(long, value_name = "T", value_parser = parse_time)]
    from: Option<Time>,
    /// Only steps at or before this instant
    #[arg(long, value_name = "T", value_parser = parse_time)]
    to: Option<Time>,
    /// Only steps about this kind of message, timer, event or fact, such as Crash or TaskClaimed
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Show no more than so many steps
    #[arg(long, value_name = "N", default_value = "20")]
    limit: u64,
    /// How to show it
    #[arg(long, value_name = "FORMAT", default_value = "text", value_enum)]
    format: Format,
}

pub(crate) fn execute(arguments: &Arguments) -> Result<Exit, Failure> {
    let address = address(&arguments.address)?;
    let trace = open(&address.file)?;
    let failed = |error| Failure::of_trace(&address.file, &error);
    let is_overview = address.time.is_none() && address.event.is_none();
    let mut view = View::new(arguments.format);
    if is_overview {
        view.overview(&trace);
    }
    if let Some(event) = address.event {
        trace.resolve(&address).map_err(failed)?;
        inspect::step(&trace, event).map_err(failed)?.iter().for_each(|line| view.step_line(line));
    } else if !is_overview || trace.header().level != Level::Digest || arguments.has_filter() {
        let filter = arguments.filter(address.time);
        let shown = inspect::steps(&trace, &filter, |line| view.step_line(line)).map_err(failed)?;
        view.more = shown.more;
    }
    view.finish()?;
    Ok(exit_of(&trace))
}

impl Arguments {
    fn has_filter(&self) -> bool {
        self.agent.is_some() || self.from.is_some() || self.to.is_some() || self.kind.is_some()
    }

    fn filter(&self, time: Option<Time>) -> Filter {
        Filter {
            agent: self.agent.clone(),
            from: self.from.max(time).unwrap_or(Time::ZERO),
            to: self.to.unwrap_or(Time::MAX),
            kind: self.kind.clone(),
            steps_max: self.limit,
        }
    }
}

/// What is shown: text at once, JSON in the end.
struct View {
    lines: Option<Lines>,
    header: Value,
    steps: Vec<Value>,
    more: bool,
}

impl View {
    fn new(format: Format) -> View {
        let lines = (format == Format::Text).then(Lines::stdout);
        View { lines, header: Value::Null, steps: Vec::new(), more: false }
    }

    fn overview(&mut self, trace: &Trace) {
        match &mut self.lines {
            Some(lines) => {
                inspect::overview(trace).iter().for_each(|line| lines.line(line));
                faults(trace.header()).iter().for_each(|line| lines.line(line));
            }
            None => self.header = overview(trace),
        }
    }

    /// A line of a step; what is indented belongs to the step before.
    fn step_line(&mut self, line: &str) {
        match (&mut self.lines, line.strip_prefix("    ")) {
            (Some(lines), _) => lines.line(line),
            (None, Some(effect)) => {
                if let Some(Value::Array(effects)) = self.steps.last_mut().map(|step| &mut step["effects"]) {
                    effects.push(json!(effect));
                }
            }
            (None, None) => {
                let event = line.strip_prefix("#e").and_then(|rest| rest.split(' ').next());
                let event = event.and_then(|event| event.parse::<u64>().ok());
                self.steps.push(json!({ "event": event, "text": line, "effects": [] }));
            }
        }
    }

    fn finish(self) -> Result<(), Failure> {
        match self.lines {
            Some(mut lines) => {
                if self.more {
                    lines.line("… more steps follow; a higher `--limit` shows them");
                }
                lines.finish()
            }
            None => show_json(&json!({ "header": self.header, "steps": self.steps, "more": self.more })),
        }
    }
}

/// The plan of what went wrong, a line each rule.
fn faults(header: &Header) -> Vec<String> {
    match fault_choice::of_record(header) {
        Ok(None) => Vec::new(),
        Ok(Some(plan)) if plan.is_empty() => vec!["faults     none".to_owned()],
        Ok(Some(plan)) => {
            plan.to_string().lines().map(|line| escape(&format!("fault      {line}"))).collect()
        }
        Err(failure) => vec![format!("faults     {}", failure.text.trim_end())],
    }
}

fn overview(trace: &Trace) -> Value {
    let header = trace.header();
    json!({
        "scenario": header.scenario.name,
        "seed": header.seed,
        "program": header.program,
        "format": header.format,
        "semantics": header.semantics,
        "level": header.level,
        "limits": header.limits,
        "overrides": header.overrides,
        "faults": header.faults,
        "behaviours": header.behaviours,
        "groups": header.manifest.groups.iter().map(|group| json!({ "name": group.name, "count": group.count })).collect::<Vec<_>>(),
        "external_inputs": header.external_inputs,
        "import": header.import,
        "steps": trace.steps(),
        "chunks": trace.chunks(),
        "partial": trace.is_partial(),
        "damage": trace.damage().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "ending": trace.closing().map(|closing| &closing.ending),
        "messages": trace.closing().map(|closing| closing.messages),
        "virtual_time_ns": trace.closing().map(|closing| closing.virtual_time.as_ns()),
        "digest": trace.digest().ok().map(|digest| digest.to_string()),
    })
}
