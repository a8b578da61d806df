//! The first difference between two runs: where it is, in which field, and what surrounds it on either side.

use fleetsim_engine::batch::{Batch, Effect, STEPS_MAX, Step};
use fleetsim_engine::digest::Checkpoint;
use fleetsim_engine::{AgentId, Digest, Time};

use crate::render::{Payloads, Renderer};
use crate::text::{duration, escape};

/// Steps that are shown before and after a difference.
const CONTEXT_STEPS: u64 = 10;

/// Where two runs part.
///
/// The runs are called left and right: recorded and replayed in a replay, the first and the second in a comparison
/// of traces. All texts are safe to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// The ordinal of the step that differs first, or the first that may when only hashes are known.
    pub ordinal: u64,
    /// The ordinal after the last step that may be it: `ordinal + 1` when the step itself is known.
    pub ordinal_end: u64,
    /// When the step happened on the left, or on the right when the left has no such step.
    pub time: Option<Time>,
    /// To whom it happened there.
    pub agent: Option<AgentId>,
    /// That agent's name.
    pub agent_name: String,
    /// What differs: `time`, `effect 2 (Send): payload`, `end of the run`, `hash of the payloads`.
    pub field: String,
    /// What it is on the left.
    pub left: String,
    /// What it is on the right.
    pub right: String,
    /// The last steps before, which are the same on both sides.
    pub before: Vec<String>,
    /// The step and what follows on the left.
    pub left_steps: Vec<String>,
    /// The step and what follows on the right.
    pub right_steps: Vec<String>,
}

/// One side of a comparison.
pub(crate) struct Side<'a> {
    /// The steps, when they are recorded and there are any.
    pub(crate) batch: Option<&'a Batch>,
    /// The hashes of the batch, when it exists.
    pub(crate) checkpoint: Option<Checkpoint>,
    pub(crate) renderer: &'a Renderer,
}

impl Divergence {
    /// The difference as lines of text, when the sides are called `left` and `right`.
    #[must_use]
    pub fn lines(&self, left: &str, right: &str) -> Vec<String> {
        let mut lines = vec![match (self.time, self.ordinal_end - self.ordinal) {
            (Some(time), 1) => {
                format!("first difference at #e{} {time}, {}: {}", self.ordinal, self.agent_name, self.field)
            }
            _ => format!("first difference in #e{}..#e{}: {}", self.ordinal, self.ordinal_end, self.field),
        }];
        lines.push(format!("  {left}: {}", self.left));
        lines.push(format!("  {right}: {}", self.right));
        for (title, steps) in
            [("the same", &self.before), (left, &self.left_steps), (right, &self.right_steps)]
        {
            if !steps.is_empty() {
                lines.push(format!("{title}:"));
                lines.extend(steps.iter().map(|step| format!("  {step}")));
            }
        }
        lines
    }

    /// The first difference between two batches that begin with step `first` of their runs, which were the same up to
    /// there and whose hashes differ after them; `before` is the batch before them.
    pub(crate) fn between(
        first: u64,
        left: &Side<'_>,
        right: &Side<'_>,
        before: Option<&Batch>,
    ) -> Divergence {
        Self::between_steps(first, left, right, before)
            .unwrap_or_else(|| Self::between_hashes(first, left, right))
    }

    /// Whether the first `steps` steps of two batches do not differ.
    pub(crate) fn is_same_up_to(left: &Batch, right: &Batch, steps: usize, renderer: &Renderer) -> bool {
        first_difference(left, right, renderer, renderer).is_none_or(|difference| difference.at >= steps)
    }

    fn between_steps(
        first: u64,
        left: &Side<'_>,
        right: &Side<'_>,
        before: Option<&Batch>,
    ) -> Option<Divergence> {
        // A run that is over has a batch without steps.
        let empty = Batch::default();
        let is_missing = |side: &Side<'_>| side.checkpoint.is_none();
        let left_batch = left.batch.or_else(|| is_missing(left).then_some(&empty))?;
        let right_batch = right.batch.or_else(|| is_missing(right).then_some(&empty))?;
        let difference = first_difference(left_batch, right_batch, left.renderer, right.renderer)?;
        let at = difference.at;
        let (batch, renderer) =
            if at < left_batch.len() { (left_batch, left.renderer) } else { (right_batch, right.renderer) };
        let step = batch.iter().nth(at)?;
        let ordinal = first + at as u64;
        let context = |batch, renderer, from, to| context([before, Some(batch)], renderer, from, to);
        Some(Divergence {
            ordinal,
            ordinal_end: ordinal + 1,
            time: Some(step.time),
            agent: Some(step.target),
            agent_name: escape(&renderer.names().of(step.target)),
            field: difference.field,
            left: escape(&difference.left),
            right: escape(&difference.right),
            before: context(batch, renderer, ordinal.saturating_sub(CONTEXT_STEPS), ordinal),
            left_steps: context(left_batch, left.renderer, ordinal, ordinal + 1 + CONTEXT_STEPS),
            right_steps: context(right_batch, right.renderer, ordinal, ordinal + 1 + CONTEXT_STEPS),
        })
    }

    /// What can be said when the steps of one side are not recorded, or only their payloads differ.
    fn between_hashes(first: u64, left: &Side<'_>, right: &Side<'_>) -> Divergence {
        let (left_hashes, right_hashes) = (left.checkpoint, right.checkpoint);
        let headers = |hashes: Option<Checkpoint>| hashes.map(|hashes| hashes.headers);
        let (field, hash): (_, fn(Checkpoint) -> Digest) = if headers(left_hashes) != headers(right_hashes) {
            ("hash of the steps", |hashes| hashes.headers)
        } else {
            ("hash of the payloads", |hashes| hashes.payloads)
        };
        let shown = |hashes: Option<Checkpoint>| {
            hashes.map_or_else(|| "the run is over".to_owned(), |hashes| hash(hashes).to_string())
        };
        let known = left.batch.or(right.batch).map_or(STEPS_MAX, Batch::len);
        Divergence {
            ordinal: first,
            ordinal_end: first + known as u64,
            time: None,
            agent: None,
            agent_name: String::new(),
            field: field.to_owned(),
            left: shown(left_hashes),
            right: shown(right_hashes),
            before: Vec::new(),
            left_steps: Vec::new(),
            right_steps: Vec::new(),
        }
    }
}

struct Difference {
    at: usize,
    field: String,
    left: String,
    right: String,
}

/// The first field of the first step that differs. Payloads are compared where both sides have them.
fn first_difference(
    left: &Batch,
    right: &Batch,
    left_renderer: &Renderer,
    right_renderer: &Renderer,
) -> Option<Difference> {
    for (at, (left, right)) in left.iter().zip(right).enumerate() {
        let pair = Pair { left: (&left, left_renderer), right: (&right, right_renderer) };
        if let Some((field, left, right)) = pair.step_difference() {
            return Some(Difference { at, field, left, right });
        }
    }
    if left.len() == right.len() {
        return None;
    }
    let at = left.len().min(right.len());
    let shown = |batch: &Batch, renderer: &Renderer| match batch.iter().nth(at) {
        Some(step) => renderer.step(&step, None),
        None => "the run is over".to_owned(),
    };
    let (left, right) = (shown(left, left_renderer), shown(right, right_renderer));
    Some(Difference { at, field: "end of the run".to_owned(), left, right })
}

/// Two steps with the same ordinal.
struct Pair<'a> {
    left: (&'a Step<'a>, &'a Renderer),
    right: (&'a Step<'a>, &'a Renderer),
}

type Found = Option<(String, String, String)>;

impl Pair<'_> {
    fn step_difference(&self) -> Found {
        let ((left, left_renderer), (right, right_renderer)) = (self.left, self.right);
        type Show<'a> = &'a dyn Fn(&Step<'_>, &Renderer) -> String;
        let fields: [(bool, &str, Show<'_>); 8] = [
            (left.time != right.time, "time", &|step, _| step.time.to_string()),
            (left.target != right.target, "target", &|step, renderer| renderer.names().of(step.target)),
            (left.source != right.source, "source", &|step, renderer| renderer.names().of(step.source)),
            (left.sequence != right.sequence, "sequence", &|step, _| step.sequence.to_string()),
            (left.event != right.event, "event", &|step, _| step.event.name().to_owned()),
            (left.fate != right.fate, "fate", &|step, _| step.fate.name().to_owned()),
            (left.waited_ns != right.waited_ns, "waited", &|step, _| duration(step.waited_ns)),
            ((left.protocol, left.kind) != (right.protocol, right.kind), "kind", &|step, renderer| {
                renderer.kind_name(step)
            }),
        ];
        match fields.iter().find(|(differs, ..)| *differs) {
            Some((_, field, show)) => {
                Some(((*field).to_owned(), show(left, left_renderer), show(right, right_renderer)))
            }
            None => self.effects_difference(),
        }
    }

    fn effects_difference(&self) -> Found {
        let ((left, left_renderer), (right, right_renderer)) = (self.left, self.right);
        for (number, (one, other)) in left.effects.clone().zip(right.effects.clone()).enumerate() {
            let Some(field) = effect_field(&one, &other) else { continue };
            let shown = |effect: &Effect<'_>, step: &Step<'_>, renderer: &Renderer| match field {
                "sequence" => format!("{:?}", effect.sequence),
                _ => renderer.effect(effect, step.target),
            };
            return Some((
                format!("effect {} ({}): {field}", number + 1, one.effect.name()),
                shown(&one, left, left_renderer),
                shown(&other, right, right_renderer),
            ));
        }
        let (left_count, right_count) = (left.effects.len(), right.effects.len());
        if left_count == right_count {
            return None;
        }
        let shown = |step: &Step<'_>, renderer: &Renderer| {
            let extra = step.effects.clone().nth(left_count.min(right_count));
            let extra =
                extra.map_or_else(|| "no more".to_owned(), |effect| renderer.effect(&effect, step.target));
            format!("{} effects, then {extra}", left_count.min(right_count))
        };
        Some(("number of effects".to_owned(), shown(left, left_renderer), shown(right, right_renderer)))
    }
}

fn effect_field(left: &Effect<'_>, right: &Effect<'_>) -> Option<&'static str> {
    let payloads_differ = left.payload.is_some() && right.payload.is_some() && left.payload != right.payload;
    [
        (left.effect != right.effect, "what it is"),
        (left.object != right.object, "target"),
        ((left.protocol, left.kind) != (right.protocol, right.kind), "kind"),
        (left.delay_ns != right.delay_ns, "delay"),
        (left.length != right.length, "length"),
        (payloads_differ, "payload"),
        (left.sequence != right.sequence, "sequence"),
    ]
    .into_iter()
    .find_map(|(differs, field)| differs.then_some(field))
}

/// The steps `from..to` of batches that follow one another.
fn context(batches: [Option<&Batch>; 2], renderer: &Renderer, from: u64, to: u64) -> Vec<String> {
    let mut payloads = Payloads::default();
    let mut lines = Vec::new();
    for step in batches.into_iter().flatten().flatten() {
        if (from..to).contains(&step.ordinal) {
            lines.extend(renderer.step_lines(&step, payloads.of(&step)));
        }
        payloads.learn(&step);
    }
    lines
}
