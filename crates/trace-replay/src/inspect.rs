//! What a trace holds, as lines of text: its header, how it ended, its steps, or one of them.

use fleetsim_engine::batch::{Batch, Event, Step};
use fleetsim_engine::{AgentId, Time};

use crate::error::Error;
use crate::render::{Payloads, Renderer};
use crate::text::escape;
use crate::trace::Trace;

/// Chunks that are read before the first one shown, for the messages that arrive in it.
const CHUNKS_BEFORE: usize = 4;

/// Which steps to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Those to or from the agent of this name.
    pub agent: Option<String>,
    /// Those at or after this instant.
    pub from: Time,
    /// Those at or before this instant.
    pub to: Time,
    /// Those about this kind of message, timer, event or fact: `queue.Delivery`, `Delivery`, `Crash`, `TaskClaimed`.
    pub kind: Option<String>,
    /// No more than so many.
    pub steps_max: u64,
}

/// What was shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Steps that were shown.
    pub steps: u64,
    /// Whether there are more that fit the filter.
    pub more: bool,
}

impl Default for Filter {
    /// All steps.
    fn default() -> Filter {
        Filter { agent: None, from: Time::ZERO, to: Time::MAX, kind: None, steps_max: u64::MAX }
    }
}

/// What the header says and how the run ended, a line each.
#[must_use]
pub fn overview(trace: &Trace) -> Vec<String> {
    let header = trace.header();
    let mut lines = vec![
        format!("scenario   {}", header.scenario.name),
        format!("seed       {}", header.seed),
        format!("program    {}", header.program),
        format!("versions   format {}, semantics {}", header.format, header.semantics),
        format!("level      {}", header.level.name()),
        format!("limits     {}", header.limits),
    ];
    for (path, value) in &header.overrides {
        lines.push(format!("override   {path}={value}"));
    }
    for behaviour in &header.behaviours {
        lines.push(format!("behaviour  {} {}", behaviour.name, behaviour.version));
    }
    for group in &header.manifest.groups {
        lines.push(format!("agents     {} ({})", group.name, group.count));
    }
    for protocol in &header.manifest.protocols {
        lines.push(format!("protocol   {}", protocol.name));
    }
    if let Some(import) = &header.import {
        lines.extend(import.lines());
    } else if header.external_inputs {
        lines.push("inputs     from outside: the run cannot be executed again".to_owned());
    }
    lines.push(format!("steps      {} in {} chunks", trace.steps(), trace.chunks()));
    match trace.closing() {
        Some(closing) => {
            lines.push(format!("messages   {}", closing.messages));
            lines.push(format!("ending     {} at {}", closing.ending, closing.virtual_time));
        }
        None => lines.push("ending     not recorded".to_owned()),
    }
    if let Ok(digest) = trace.digest() {
        lines.push(format!("digest     {digest}"));
    }
    lines.iter().map(|line| escape(line)).collect()
}

/// Hands the steps that fit `filter`, with their effects, line by line to `line`.
///
/// Reading begins shortly before `from`, so agents spawned and messages sent long before it are shown by number and
/// by kind alone.
///
/// # Errors
/// At the first chunk that cannot be read.
pub fn steps(trace: &Trace, filter: &Filter, mut line: impl FnMut(&str)) -> Result<Shown, Error> {
    let mut renderer = Renderer::new(&trace.header().manifest);
    let mut payloads = Payloads::default();
    let mut shown = Shown::default();
    let Some(first) = trace.chunk_at_time(filter.from) else {
        return Ok(shown);
    };
    for chunk in first.saturating_sub(CHUNKS_BEFORE)..trace.chunks() {
        if trace.span(chunk).first_time > filter.to {
            break;
        }
        let batch = trace.batch(chunk)?;
        renderer.learn(&batch);
        for step in &batch {
            if filter.fits(&step, &renderer) {
                if shown.steps == filter.steps_max {
                    shown.more = true;
                    return Ok(shown);
                }
                shown.steps += 1;
                renderer.step_lines(&step, payloads.of(&step)).iter().for_each(|text| line(text));
            }
            payloads.learn(&step);
        }
    }
    Ok(shown)
}

/// One step with its effects. The message that arrived is looked for in the chunks before.
///
/// # Errors
/// When there is no such event, or a chunk that is needed cannot be read.
pub fn step(trace: &Trace, ordinal: u64) -> Result<Vec<String>, Error> {
    let tree = crate::why::why(trace, ordinal, 1, 0)?;
    let chunk = trace.chunk_of_event(ordinal).expect("it was explained");
    let batch: Batch = trace.batch(chunk)?;
    let mut renderer = Renderer::new(&trace.header().manifest);
    renderer.learn(&batch);
    let step = batch.iter().nth((ordinal - batch.first_ordinal()) as usize).expect("it was explained");
    let mut lines = renderer.step_lines(&step, None);
    lines[0] = tree.text;
    Ok(lines)
}

impl Filter {
    fn fits(&self, step: &Step<'_>, renderer: &Renderer) -> bool {
        let is_called = |id: AgentId, name: &String| renderer.names().of(id) == *name;
        let has_agent = |name: &String| is_called(step.target, name) || is_called(step.source, name);
        (self.from..=self.to).contains(&step.time)
            && self.agent.as_ref().is_none_or(has_agent)
            && self.kind.as_ref().is_none_or(|kind| is_about(step, kind, renderer))
    }
}

/// Whether `kind` names the message, timer or event of a step, or a fact that it states.
fn is_about(step: &Step<'_>, kind: &str, renderer: &Renderer) -> bool {
    let name = renderer.kind_name(step);
    let is_short_name = || {
        step.event == Event::Message
            && name.rsplit_once('.').is_some_and(|(_, name)| name.eq_ignore_ascii_case(kind))
    };
    let is_fact = |fact: Option<&str>| fact.is_some_and(|fact| fact.eq_ignore_ascii_case(kind));
    name.eq_ignore_ascii_case(kind)
        || step.event.name().eq_ignore_ascii_case(kind)
        || is_short_name()
        || step.effects.clone().any(|effect| is_fact(renderer.fact_name(&effect)))
}
