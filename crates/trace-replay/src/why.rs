//! Why an event happened: the step that caused it, the one that caused that, and what its agent had been told
//! before, as a tree.
//!
//! The cause of an event is the step whose numbered effects include the one that the event names; of what a fault rule
//! did, the step that set the rule off. All causes lie earlier, so one pass over the chunks from the event backwards
//! finds the whole tree.

use std::collections::{BTreeMap, BTreeSet};

use fleetsim_engine::batch::{Batch, EffectColumns, EffectKind, Event, Step, StepColumns};
use fleetsim_engine::{AgentId, Fact, Origin};

use crate::error::Error;
use crate::render::Renderer;
use crate::text::escape;
use crate::trace::Trace;

/// The furthest that a tree goes back: deeper ones nobody reads, and drawing one takes a stack frame a level.
pub const DEPTH_MAX: usize = 256;
/// Steps of a tree that are explained; further ones are only shown, so that memory stays bounded.
const EXPLAINED_MAX: usize = 10_000;
/// Earlier messages that are shown at most for each step.
const BREADTH_MAX: u32 = 256;

/// A step that explains another, and the steps that explain it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// The step's ordinal; `None` for what is no step: the world, a fault rule, a cause that is not there.
    pub event: Option<u64>,
    /// The step on one line.
    pub text: String,
    /// The facts that were stated in it, a line each.
    pub facts: Vec<String>,
    /// Its direct cause first, then earlier steps of the same agent.
    pub branches: Vec<Tree>,
}

impl Tree {
    /// The tree as text, drawn with lines.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        self.draw("", "", &mut lines);
        lines
    }

    fn draw(&self, first_indent: &str, indent: &str, lines: &mut Vec<String>) {
        lines.push(format!("{first_indent}{}", self.text));
        let bar = if self.branches.is_empty() { "  " } else { "│ " };
        lines.extend(self.facts.iter().map(|fact| format!("{indent}{bar}  {fact}")));
        for (at, branch) in self.branches.iter().enumerate() {
            let (fork, bar) =
                if at + 1 == self.branches.len() { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            branch.draw(&format!("{indent}{fork}"), &format!("{indent}{bar}"), lines);
        }
    }
}

/// Explains event `ordinal`: its causes up to `depth` steps back, and for each step up to `breadth` messages that its
/// agent had handled before, in whose light it acted. At most [`DEPTH_MAX`] steps back and 256 messages are looked at.
///
/// # Errors
/// When there is no such event, its chunk is damaged, or the trace holds no steps. Damaged chunks before it are
/// skipped; causes in them are shown as not found.
pub fn why(trace: &Trace, ordinal: u64, depth: usize, breadth: usize) -> Result<Tree, Error> {
    let Some(last) = trace.chunk_of_event(ordinal) else {
        return Err(Error::address(format!("there is no event e{ordinal}: the trace has {}", trace.steps())));
    };
    let depth = depth.min(DEPTH_MAX);
    let mut search = Search { breadth, ..Search::default() };
    search.roots.insert(ordinal, depth);
    search.visit(&trace.batch(last)?);
    for chunk in (0..last).rev() {
        if search.is_done() {
            break;
        }
        match trace.batch(chunk) {
            Ok(batch) => search.visit(&batch),
            Err(error) if error.is_damaged() => {}
            Err(error) => return Err(error),
        }
    }
    let mut renderer = Renderer::new(&trace.header().manifest);
    if search.mentions_spawned() {
        for batch in (0..=last).map(|chunk| trace.batch(chunk)) {
            batch.iter().for_each(|batch| renderer.learn(batch));
        }
    }
    Ok(search.tree(ordinal, depth, &renderer, &mut BTreeSet::new()))
}

/// The steps found so far, and what is still looked for.
#[derive(Default)]
struct Search {
    breadth: usize,
    /// Steps that are part of the tree whatever their agent, with their depth.
    roots: BTreeMap<u64, usize>,
    // Steps are visited last first, so whoever looks is later than the step that is found.
    /// By agent: effects whose step is looked for, with the steps that they caused.
    causes: BTreeMap<AgentId, Vec<Wanted>>,
    /// By source and number: events whose step is looked for because it set off a rule.
    triggers: BTreeMap<(AgentId, u32), Vec<Wanted>>,
    /// By agent: steps before which handled messages are looked for.
    earlier: BTreeMap<AgentId, Vec<Wanted>>,
    found: BTreeMap<u64, Node>,
}

struct Wanted {
    by: u64,
    /// The number of the effect; or how many messages are still looked for.
    number: u32,
    /// How far the step that is found may go back.
    depth: usize,
}

/// A step of the tree, as it is kept until names are known.
struct Node {
    /// The step and its effects alone.
    batch: Batch,
    /// The message or timer that it handled.
    payload: Option<Vec<u8>>,
    cause: Option<u64>,
    /// Where fault rules hit its message on the way: the positions of what they stated among the cause's effects.
    hits: Vec<usize>,
    earlier: Vec<u64>,
    /// Whether its own causes were looked for.
    expanded: bool,
}

impl Search {
    fn is_done(&self) -> bool {
        self.causes.is_empty() && self.triggers.is_empty() && self.earlier.is_empty()
    }

    /// Looks at the steps of a batch, last first.
    fn visit(&mut self, batch: &Batch) {
        let steps: Vec<Step<'_>> = batch.iter().collect();
        for step in steps.iter().rev() {
            let root = self.roots.remove(&step.ordinal);
            let as_cause = self.take_as_cause(step);
            let as_trigger = self.take_as_trigger(step);
            let as_earlier = self.take_as_earlier(step);
            let Some(depth) = [root, as_cause, as_trigger, as_earlier].into_iter().flatten().max() else {
                continue;
            };
            let depth = if self.found.len() < EXPLAINED_MAX { depth } else { 0 };
            let node = Node {
                batch: single(step),
                payload: None,
                cause: None,
                hits: Vec::new(),
                earlier: Vec::new(),
                expanded: depth > 0,
            };
            self.found.insert(step.ordinal, node);
            if depth > 0 {
                self.want_causes(step, depth - 1);
            }
        }
    }

    /// If effects of this step are looked for, tells those who look and returns how far to go on from here.
    fn take_as_cause(&mut self, step: &Step<'_>) -> Option<usize> {
        let wanted = self.causes.get_mut(&step.target)?;
        let mut depth = None;
        for effect in step.effects.clone() {
            let Some(sequence) = effect.sequence else { continue };
            for taken in wanted.extract_if(.., |wanted| wanted.number == sequence) {
                depth = depth.max(Some(taken.depth));
                if let Some(node) = self.found.get_mut(&taken.by) {
                    node.cause = Some(step.ordinal);
                    node.payload = effect.payload.map(<[u8]>::to_vec);
                    node.hits = hits(step, sequence);
                }
            }
        }
        if wanted.is_empty() {
            self.causes.remove(&step.target);
        }
        depth
    }

    /// If this step set off a rule that is looked for, tells those who look.
    fn take_as_trigger(&mut self, step: &Step<'_>) -> Option<usize> {
        let taken = self.triggers.remove(&(step.source, step.sequence))?;
        for wanted in &taken {
            if let Some(node) = self.found.get_mut(&wanted.by) {
                node.cause = Some(step.ordinal);
            }
        }
        taken.iter().map(|wanted| wanted.depth).max()
    }

    /// If earlier messages of this step's agent are looked for, tells those who look.
    fn take_as_earlier(&mut self, step: &Step<'_>) -> Option<usize> {
        if step.event != Event::Message {
            return None;
        }
        let wanted = self.earlier.get_mut(&step.target)?;
        let mut depth = None;
        for looking in wanted.iter_mut() {
            looking.number -= 1;
            depth = depth.max(Some(looking.depth));
            if let Some(node) = self.found.get_mut(&looking.by) {
                node.earlier.push(step.ordinal);
            }
        }
        wanted.retain(|looking| looking.number > 0);
        if wanted.is_empty() {
            self.earlier.remove(&step.target);
        }
        depth
    }

    fn want_causes(&mut self, step: &Step<'_>, depth: usize) {
        if matches!(step.source.origin(), Origin::Member { .. } | Origin::Spawned) {
            let wanted = Wanted { by: step.ordinal, number: step.sequence, depth };
            self.causes.entry(step.source).or_default().push(wanted);
        }
        if let Some(trigger) = trigger(step) {
            let wanted = Wanted { by: step.ordinal, number: 0, depth };
            self.triggers.entry(trigger).or_default().push(wanted);
        }
        let number = u32::try_from(self.breadth).unwrap_or(BREADTH_MAX).min(BREADTH_MAX);
        if number > 0 {
            let wanted = Wanted { by: step.ordinal, number, depth };
            self.earlier.entry(step.target).or_default().push(wanted);
        }
    }

    fn mentions_spawned(&self) -> bool {
        let is_spawned = |id: &u64| AgentId::from_u64(*id).origin() == Origin::Spawned;
        self.found.values().any(|node| {
            let (steps, effects) = (node.batch.step_columns(), node.batch.effect_columns());
            steps.target.iter().chain(&steps.source).chain(&effects.object).any(is_spawned)
        })
    }

    /// The tree below a step, so many levels deep; a step that was already explained is not explained again.
    fn tree(&self, ordinal: u64, depth: usize, renderer: &Renderer, explained: &mut BTreeSet<u64>) -> Tree {
        let node = &self.found[&ordinal];
        let step = node.batch.iter().next().expect("a node is one step");
        let mut text = renderer.step(&step, node.payload.as_deref());
        let explains = node.expanded && depth > 0;
        if explains && !explained.insert(ordinal) {
            text += " (shown above)";
            return Tree { event: Some(ordinal), text, facts: Vec::new(), branches: Vec::new() };
        }
        let facts = step.effects.clone().filter(|effect| effect.fact().is_some());
        let mut facts: Vec<String> = facts.map(|effect| renderer.effect_of(&step, &effect)).collect();
        if let Some(cause) = node.cause.and_then(|cause| self.found.get(&cause)) {
            let sender = cause.batch.iter().next().expect("a node is one step");
            let hits = node.hits.iter().filter_map(|at| sender.effects.clone().nth(*at));
            let told = hits.filter_map(|effect| renderer.hit(&effect));
            facts.splice(0..0, told);
        }
        let mut branches = Vec::new();
        if explains {
            branches.push(match (node.cause, step.source.origin()) {
                (Some(cause), _) => self.tree(cause, depth - 1, renderer, explained),
                (None, Origin::World) => leaf("the world outside the fleet".to_owned()),
                (None, Origin::Rule) => leaf(format!("fault rule {}", renderer.names().of(step.source))),
                (None, _) => leaf(format!(
                    "an earlier step of {}, which this trace does not hold",
                    renderer.names().of(step.source)
                )),
            });
            for earlier in node.earlier.iter().filter(|earlier| Some(**earlier) != node.cause) {
                let mut branch = self.tree(*earlier, depth - 1, renderer, explained);
                branch.text =
                    format!("earlier at {}: {}", escape(&renderer.names().of(step.target)), branch.text);
                branches.push(branch);
            }
        }
        Tree { event: Some(ordinal), text, facts, branches }
    }
}

/// What set off the rule that did this step: the source and number of an event.
fn trigger(step: &Step<'_>) -> Option<(AgentId, u32)> {
    if step.source.origin() != Origin::Rule {
        return None;
    }
    step.facts().find_map(|fact| match fact {
        // The world's first event stands for none.
        Fact::Injected { source, sequence, .. } if (source, sequence) != (AgentId::WORLD, 0) => {
            Some((source, sequence))
        }
        _ => None,
    })
}

/// The positions among a step's effects of what fault rules did to its message with this number.
fn hits(step: &Step<'_>, number: u32) -> Vec<usize> {
    let is_hit = |fact: Option<Fact<'_>>| match fact {
        Some(Fact::Injected { source, sequence, .. }) => source == step.target && sequence == number,
        _ => false,
    };
    let effects = step.effects.clone().enumerate();
    effects.filter_map(|(at, effect)| is_hit(effect.fact()).then_some(at)).collect()
}

/// A batch of this step alone.
fn single(step: &Step<'_>) -> Batch {
    let mut effects = EffectColumns::default();
    let (mut facts, mut payloads) = (Vec::new(), Some(Vec::new()));
    for effect in step.effects.clone() {
        effects.effect.push(effect.effect as u8);
        effects.object.push(effect.object);
        effects.protocol.push(effect.protocol.0);
        effects.kind.push(effect.kind);
        effects.delay_ns.push(effect.delay_ns);
        effects.length.push(effect.length);
        match (effect.payload, effect.effect) {
            (Some(bytes), EffectKind::Fact) => facts.extend_from_slice(bytes),
            (Some(bytes), _) => payloads.iter_mut().for_each(|payloads| payloads.extend_from_slice(bytes)),
            (None, _) => payloads = None,
        }
    }
    let steps = StepColumns {
        time_ns: vec![step.time.as_ns()],
        target: vec![step.target.as_u64()],
        source: vec![step.source.as_u64()],
        sequence: vec![step.sequence],
        event: vec![step.event as u8],
        fate: vec![step.fate as u8],
        waited_ns: vec![step.waited_ns],
        protocol: vec![step.protocol.0],
        kind: vec![step.kind],
        first_sequence: vec![step.effects.clone().find_map(|effect| effect.sequence).unwrap_or(0)],
        effects: vec![effects.effect.len() as u32],
    };
    Batch::assemble(step.ordinal, steps, effects, facts, payloads).expect("a step of a batch is a batch")
}

fn leaf(text: String) -> Tree {
    Tree { event: None, text: escape(&text), facts: Vec::new(), branches: Vec::new() }
}
