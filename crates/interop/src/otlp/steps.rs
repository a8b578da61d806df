//! From linked spans to steps and facts.

use std::collections::{BTreeMap, BTreeSet};

use fleetsim_engine::{AgentId, Fact, Waited};

use super::forest::Forest;
use super::message::Otlp;
use super::span::{Mail, Span, What};
use crate::error::Error;
use crate::options::Kind;
use crate::reading::{Edge, Reader, Reading, Timer, figure};
use crate::record::number_of;
use crate::tape::Cause;
use crate::trouble::Trouble;

/// The seam by which one agent calls another.
const CALLS: &str = "invoke_agent";

/// Makes the steps of `spans`, which are in order of their identifiers, each once.
pub(super) fn make(mut reader: Reader<'_>, spans: Vec<Span>) -> Result<Reading, Error> {
    let forest = Forest::new(spans);
    for line in &forest.moved {
        reader.troubles.note(Trouble::ClockBackwards, *line)?;
    }
    for line in &forest.circular {
        reader.troubles.note(Trouble::BadId, *line)?;
    }
    let order = order(&forest);
    if let Some((first, ..)) = order.first() {
        reader.instant(Some(*first), 0)?;
    }
    let mut making = Making::new(reader, &forest);
    for (unix_ns, is_start, span) in order {
        if is_start {
            making.start(unix_ns, span)?;
        } else {
            making.end(unix_ns, span)?;
        }
    }
    making.finish()
}

/// When spans start and end, in order: instant, whether it is a start, span. What ends when another begins ends first.
fn order(forest: &Forest) -> Vec<(i64, bool, usize)> {
    let mattering = (0..forest.spans.len()).filter(|span| forest.matters(*span));
    let ends = |span: usize| {
        let start = forest.starts[span];
        let end = forest.spans[span].end_unix_ns.max(start.saturating_add(1));
        [(start, true, span), (end, false, span)]
    };
    let mut order: Vec<(i64, bool, usize)> = mattering.flat_map(ends).collect();
    order.sort();
    order
}

struct Making<'a, 'f> {
    reader: Reader<'a>,
    forest: &'f Forest,
    agents: Vec<AgentId>,
    /// Spans by the one that caused them, in order of their start.
    children: BTreeMap<usize, Vec<usize>>,
    /// What each span's start goes back to, for those whose cause has been made.
    starts: BTreeMap<usize, Cause>,
    /// What each span's end goes back to.
    ends: BTreeMap<usize, Cause>,
    /// Messages that were published, by the span that did.
    published: BTreeMap<usize, Cause>,
    /// Spans in which an agent got a message: of one that is received and then worked on, the second.
    deliveries: BTreeSet<usize>,
    counts: BTreeMap<&'static str, u64>,
}

impl<'a, 'f> Making<'a, 'f> {
    fn new(mut reader: Reader<'a>, forest: &'f Forest) -> Making<'a, 'f> {
        let agents = agents(forest, &mut reader);
        let mut children: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (span, (cause, _)) in forest.causes.iter().enumerate() {
            if let Some(cause) = cause.filter(|_| forest.publishers[span].is_none()) {
                children.entry(cause).or_default().push(span);
            }
        }
        for spans in children.values_mut() {
            spans.sort_by_key(|span| (forest.starts[*span], *span));
        }
        Making {
            deliveries: deliveries(forest, &agents),
            reader,
            forest,
            agents,
            children,
            starts: BTreeMap::new(),
            ends: BTreeMap::new(),
            published: BTreeMap::new(),
            counts: BTreeMap::new(),
        }
    }

    fn start(&mut self, unix_ns: i64, at: usize) -> Result<(), Error> {
        let (forest, agent) = (self.forest, self.agents[at]);
        let span = &forest.spans[at];
        let edge = forest.causes[at].1;
        let at_ns = self.reader.instant(Some(unix_ns), span.line)?;
        let mut received = None;
        if let Some(publisher) = forest.publishers[at] {
            received = self.arrive(at_ns, at, publisher);
        } else if let Some(cause) = self.starts.remove(&at) {
            let caller = forest.causes[at].0.map(|caller| self.agents[caller]);
            match caller.filter(|caller| *caller != agent) {
                Some(caller) if span.what == What::Agent => {
                    received = Some(self.call(at_ns, at, caller, cause))
                }
                Some(caller) => {
                    // Another agent does a part of the work: the log names no call.
                    self.reader.tape.begin(at_ns, caller, cause);
                    let cause = self.reader.tape.send(agent, &Otlp::Called);
                    self.reader.tape.begin(at_ns, agent, cause);
                }
                None => self.reader.tape.begin(at_ns, agent, cause),
            }
        } else {
            self.reader.tape.begin(at_ns, agent, Cause::outside::<Otlp>(at as u64));
        }
        self.reader.record(edge, 0);
        if let Some(hand_over) = &received {
            let HandOver { seam, item, offer, giver } = hand_over;
            self.reader.tape.fact(&Fact::Received { seam, item: *item, offer: *offer, giver: *giver });
        }
        self.begin_facts(at);
        let tape = &mut self.reader.tape;
        for child in self.children.remove(&at).unwrap_or_default() {
            let delay_ns = forest.starts[child].abs_diff(forest.starts[at]);
            self.starts.insert(child, tape.timer(Timer::GoesOn as u16, delay_ns));
        }
        let end = span.end_unix_ns.max(unix_ns.saturating_add(1));
        self.ends.insert(at, tape.timer(Timer::Ends as u16, end.abs_diff(unix_ns)));
        Ok(())
    }

    /// What an agent states when a span of its begins.
    fn begin_facts(&mut self, at: usize) {
        let span = &self.forest.spans[at];
        let is_task = self.is_task(at);
        let (privacy, tape) = (self.reader.privacy, &mut self.reader.tape);
        let kind = match &span.what {
            What::Agent => {
                if is_task {
                    let task = number_of(&span.name());
                    tape.fact(&Fact::TaskAdded { task });
                    tape.fact(&Fact::TaskStarted { task, attempt: 1 });
                }
                "agent calls"
            }
            What::Model { model, .. } => {
                tape.fact(&Fact::WaitOn { on: Waited::Resource(&privacy.label(model)) });
                "model calls"
            }
            What::Tool { tool } => {
                tape.fact(&Fact::WaitOn { on: Waited::Resource(&privacy.name(tool)) });
                "tool calls"
            }
            What::Publish(mail) => {
                let medium = privacy.name(&mail.destination);
                let (item, offer) = (item(span), offer(self.forest, at));
                tape.fact(&Fact::Offered { seam: &medium, item, offer, medium: &medium });
                let carrier = self.reader.cast.thing(&medium);
                let cause = tape.send(carrier, &Otlp::Published { text: span.text.clone() });
                self.published.insert(at, cause);
                "messages published"
            }
            What::Receive(_) | What::Process(_) => "messages got",
            What::Other => return,
        };
        *self.counts.entry(kind).or_default() += 1;
    }

    /// A span begins because a message arrived. Returns the hand-over, unless that is another span's.
    fn arrive(&mut self, at_ns: u64, at: usize, publisher: usize) -> Option<HandOver> {
        let agent = self.agents[at];
        let cause = self.published[&publisher];
        let tape = &mut self.reader.tape;
        let span = &self.forest.spans[publisher];
        let What::Publish(mail) = &span.what else { unreachable!("a publisher publishes") };
        if !self.deliveries.contains(&at) {
            tape.begin(at_ns, agent, cause);
            return None;
        }
        let medium = self.reader.privacy.name(&mail.destination);
        let (item, offer) = (item(span), offer(self.forest, publisher));
        tape.begin(at_ns, self.reader.cast.thing(&medium), cause);
        tape.fact(&Fact::HandedOver { seam: &medium, item, offer, medium: &medium, receiver: agent });
        let cause = tape.send(agent, &Otlp::Delivered);
        tape.begin(at_ns, agent, cause);
        Some(HandOver { seam: medium, item, offer, giver: self.agents[publisher] })
    }

    /// A span begins because another agent called this one.
    fn call(&mut self, at_ns: u64, at: usize, caller: AgentId, cause: Cause) -> HandOver {
        let (span, agent) = (&self.forest.spans[at], self.agents[at]);
        let (item, offer) = (item(span), number_of(&span.name()));
        let waits = self.is_awaited(at);
        let tape = &mut self.reader.tape;
        tape.begin(at_ns, caller, cause);
        tape.fact(&Fact::Offered { seam: CALLS, item, offer, medium: "" });
        tape.fact(&Fact::Decided { seam: CALLS, item, offer, receiver: agent });
        if waits {
            tape.fact(&Fact::WaitOn { on: Waited::Agent(agent) });
        }
        let cause = tape.send(agent, &Otlp::Called);
        tape.begin(at_ns, agent, cause);
        HandOver { seam: CALLS.to_owned(), item, offer, giver: caller }
    }

    fn end(&mut self, unix_ns: i64, at: usize) -> Result<(), Error> {
        let (forest, agent) = (self.forest, self.agents[at]);
        let span = &forest.spans[at];
        let at_ns = self.reader.instant(Some(unix_ns), span.line)?;
        let cause = self.ends.remove(&at).expect("a span starts before it ends");
        let is_task = self.is_task(at);
        let (privacy, tape) = (self.reader.privacy, &mut self.reader.tape);
        tape.begin(at_ns, agent, cause);
        match &span.what {
            What::Agent if is_task => {
                let (task, reported) = (number_of(&span.name()), !span.has_failed);
                tape.fact(&Fact::TaskFinished { task, attempt: 1, reported, actual: reported });
            }
            What::Model { model, tokens_in, cached, tokens_out, is_admitted } => {
                let (model, admitted) = (privacy.label(model), *is_admitted);
                let (tokens_in, cached, tokens_out) = (*tokens_in, *cached, *tokens_out);
                tape.fact(&Fact::WaitEnd { on: Waited::Resource(&model) });
                tape.fact(&Fact::Requested {
                    model: &model,
                    by: agent,
                    admitted,
                    first: true,
                    tokens_in,
                    tokens_out,
                });
                tape.fact(&Fact::Spent { tokens_in, cached, tokens_out, nano_dollars: 0 });
            }
            What::Tool { tool } => {
                tape.fact(&Fact::WaitEnd { on: Waited::Resource(&privacy.name(tool)) });
            }
            _ => {}
        }
        if !span.text.is_empty() && !matches!(span.what, What::Publish(_)) {
            tape.send(AgentId::WORLD, &Otlp::Said { text: span.text.clone() });
        }
        if self.is_awaited(at) {
            let caller = forest.causes[at].0.map(|caller| self.agents[caller]).expect("somebody waits");
            let cause = self.reader.tape.send(caller, &Otlp::Returned);
            self.reader.tape.begin(at_ns, caller, cause);
            self.reader.tape.fact(&Fact::WaitEnd { on: Waited::Agent(agent) });
        }
        Ok(())
    }

    /// Whether a span is work that was given to the fleet from outside.
    fn is_task(&self, at: usize) -> bool {
        self.forest.spans[at].what == What::Agent && self.forest.causes[at].0.is_none()
    }

    /// Whether another agent called this one and went on when it was done.
    fn is_awaited(&self, at: usize) -> bool {
        let forest = self.forest;
        let caller = forest.causes[at].0.filter(|caller| self.agents[*caller] != self.agents[at]);
        let is_within = |caller: usize| forest.spans[caller].end_unix_ns >= forest.spans[at].end_unix_ns;
        forest.spans[at].what == What::Agent
            && forest.publishers[at].is_none()
            && caller.is_some_and(is_within)
    }

    fn finish(self) -> Result<Reading, Error> {
        let others = (0..self.forest.spans.len()).filter(|span| !self.forest.matters(*span)).count();
        let mut figures: Vec<_> = self.counts.iter().map(|(name, count)| figure(name, *count, [])).collect();
        figures.push(figure("spans of other kinds, used as links only", others as u64, []));
        let orphaned = self.forest.causes.iter().enumerate();
        let orphaned = orphaned.filter(|(at, (_, edge))| {
            let gets = matches!(self.forest.spans[*at].what, What::Receive(_) | What::Process(_));
            gets && *edge == Edge::Orphaned
        });
        figures.push(figure("messages got whose publisher is not in the log", orphaned.count() as u64, []));
        let untold = [
            "no dependency information: deadlock is judged only among agents that call each other; ablation unavailable",
            "who chose the receiver of a message is not recorded: only calls of agents count as decisions",
            "whether finished work was right is not recorded: false success not judged",
            "prices are not recorded: cost is told in tokens only",
            "reads and writes of shared data are not recorded: lost updates not judged",
        ];
        let untold = untold.map(str::to_owned).to_vec();
        self.reader.finish::<Otlp>(Kind::Otlp, figures, untold)
    }
}

/// What the receiver states of a hand-over.
struct HandOver {
    seam: String,
    item: u64,
    offer: u64,
    giver: AgentId,
}

/// The item of work that a span belongs to: its conversation, or else its trace.
fn item(span: &Span) -> u64 {
    span.conversation.as_ref().map_or_else(|| number_of(&span.trace_name()), |name| number_of(name))
}

/// The offer that a publisher makes: the message, if it has a name, or else the span.
fn offer(forest: &Forest, publisher: usize) -> u64 {
    let span = &forest.spans[publisher];
    match &span.what {
        What::Publish(Mail { destination, message: Some(message) }) => {
            number_of(&format!("{destination} {message}"))
        }
        _ => number_of(&span.name()),
    }
}

/// The agent of each span: whom it names, or whom the nearest span above it in the same program names, or else the
/// program itself.
fn agents(forest: &Forest, reader: &mut Reader<'_>) -> Vec<AgentId> {
    let mut names: Vec<Option<String>> = forest.spans.iter().map(|span| span.agent.clone()).collect();
    let mut by_start: Vec<usize> = (0..forest.spans.len()).filter(|span| forest.matters(*span)).collect();
    // Causes begin before what they cause.
    by_start.sort_by_key(|span| (forest.starts[*span], *span));
    for at in &by_start {
        let span = &forest.spans[*at];
        if names[*at].is_none() {
            let above = forest.causes[*at].0.filter(|_| forest.publishers[*at].is_none());
            let above = above.filter(|above| forest.spans[*above].service == span.service);
            names[*at] = above.and_then(|above| names[above].clone()).or_else(|| span.service.clone());
        }
    }
    let mut agents = vec![AgentId::WORLD; forest.spans.len()];
    for at in by_start {
        agents[at] = reader.cast.agent(names[at].as_deref().unwrap_or_default());
    }
    agents
}

/// The spans in which a message is handed over: those that work on it, and those that only receive it where the same
/// agent has none that work on it.
fn deliveries(forest: &Forest, agents: &[AgentId]) -> BTreeSet<usize> {
    let got = |at: &usize| forest.publishers[*at].map(|publisher| (publisher, agents[*at]));
    let is_work = |at: &usize| matches!(forest.spans[*at].what, What::Process(_));
    let all = || 0..forest.spans.len();
    let worked_on: BTreeSet<(usize, AgentId)> = all().filter(is_work).filter_map(|at| got(&at)).collect();
    all().filter(|at| got(at).is_some_and(|got| is_work(at) || !worked_on.contains(&got))).collect()
}
