//! The record of a run: steps in columns, handed on in batches.
//!
//! A step is one event and all the effects that it caused. The trace writer, the digest and the monitors read them
//! here: nothing is copied on the way. A batch holds [`STEPS_MAX`] steps, except for the last of a run.

mod view;

use crate::draft::Draft;

pub use view::{Effect, Effects, Request, Requests, Step, Steps};

/// Steps in a full batch, and between two checkpoints of the digest.
pub const STEPS_MAX: usize = 4096;

macro_rules! byte_enum {
    ($(#[$attribute:meta])* pub enum $name:ident { $($(#[$doc:meta])* $variant:ident = $value:literal),+ $(,)? }) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum $name { $($(#[$doc])* $variant = $value),+ }

        impl $name {
            /// The variant that is recorded as `byte`.
            #[must_use]
            pub const fn from_byte(byte: u8) -> Option<$name> {
                match byte { $($value => Some($name::$variant),)+ _ => None }
            }

            /// The name that tools show.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $($name::$variant => stringify!($variant)),+ }
            }
        }
    };
}

byte_enum! {
    /// What happened to an agent. The numbers are recorded and digested: append only.
    pub enum Event {
        /// It began to exist.
        Start = 0,
        /// A message arrived.
        Message = 1,
        /// A timer that it set came due.
        Timer = 2,
        /// The work that it was deaf for ended.
        WorkEnd = 3,
        /// It lost its state and its timers.
        Crash = 4,
        /// It came back, with what its disk kept.
        Restart = 5,
        /// It stopped handling events, which wait.
        Pause = 6,
        /// It handles events again, those that waited first.
        Resume = 7,
        /// Its local clock was set.
        Clock = 8,
        /// A fault rule told it something ([`Agent::on_fault`](crate::Agent::on_fault)).
        Fault = 9,
        /// It became slower, or as fast as before.
        Slow = 10,
        /// The world: a condition that a fault rule stands for began or ended.
        Announce = 11,
        /// The world: what fault rules broke is set right.
        Heal = 12,
    }
}

byte_enum! {
    /// What became of an event. The numbers are recorded and digested: append only.
    pub enum Fate {
        /// The agent's handler ran.
        Handled = 0,
        /// The bytes were not a message of the agent's inbox; `on_undecodable` ran.
        Undecodable = 1,
        /// The handler panicked: its effects are discarded and the agent counts as crashed.
        Panicked = 2,
        /// The agent was down.
        Down = 3,
        /// The agent had halted.
        Halted = 4,
        /// No such agent exists.
        Unknown = 5,
        /// The deviation table drops this message.
        Deviated = 6,
        /// A fault rule lost this message.
        Lost = 7,
        /// It was waiting in the inbox of an agent that crashed.
        Forgotten = 8,
        /// It had no effect: a restart of what is up, a crash of what is down.
        Void = 9,
    }
}

byte_enum! {
    /// What a handler asked for. The numbers are recorded and digested: append only.
    pub enum EffectKind {
        /// Send a message.
        Send = 0,
        /// Set a timer.
        SetTimer = 1,
        /// Cancel a timer.
        CancelTimer = 2,
        /// Spawn an agent.
        Spawn = 3,
        /// State a fact.
        Fact = 4,
        /// Be deaf for a while.
        Work = 5,
        /// Stop existing.
        Halt = 6,
        /// End the run.
        StopRun = 7,
    }
}

impl Event {
    /// Whether it happens to the world and not to an agent.
    #[must_use]
    pub const fn is_of_the_world(self) -> bool {
        matches!(self, Event::Announce | Event::Heal)
    }
}

impl EffectKind {
    /// Whether the effect takes a number of its agent's sequence: what later happens because of it names that.
    #[must_use]
    pub const fn is_numbered(self) -> bool {
        matches!(self, EffectKind::Send | EffectKind::SetTimer | EffectKind::Spawn | EffectKind::Work)
    }
}

/// One entry a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepColumns {
    /// When it happened, in nanoseconds of world time.
    pub time_ns: Vec<u64>,
    /// To whom.
    pub target: Vec<u64>,
    /// Who caused it; with `sequence`, the effect that did.
    pub source: Vec<u64>,
    /// The number of the causing effect among those of its agent.
    pub sequence: Vec<u32>,
    /// The [`Event`].
    pub event: Vec<u8>,
    /// The [`Fate`].
    pub fate: Vec<u8>,
    /// How long it waited at its target before it was handled, in nanoseconds.
    pub waited_ns: Vec<u64>,
    /// The message's protocol, or 0.
    pub protocol: Vec<u32>,
    /// The kind of message or timer, or 0.
    pub kind: Vec<u16>,
    /// The number that the first numbered effect of this step takes.
    pub first_sequence: Vec<u32>,
    /// How many effects it caused.
    pub effects: Vec<u32>,
}

/// One entry an effect, in the order in which they were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EffectColumns {
    /// The [`EffectKind`].
    pub effect: Vec<u8>,
    /// The receiver, the child, or the sequence number of the cancelled timer; otherwise 0.
    pub object: Vec<u64>,
    /// The message's protocol, or 0.
    pub protocol: Vec<u32>,
    /// The kind of message, timer or fact, or 0.
    pub kind: Vec<u16>,
    /// The delay that the agent asked for, in nanoseconds; 0 for a message without one. For a cancelled timer when
    /// it would have come due, for a spawn how many children the parent had before.
    pub delay_ns: Vec<u64>,
    /// The encoded length in bytes.
    pub length: Vec<u32>,
}

/// Steps of a run, in columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    first_ordinal: u64,
    steps: StepColumns,
    effects: EffectColumns,
    /// The encoded facts, one after the other.
    facts: Vec<u8>,
    /// The encoded messages, timers and spawn configurations, one after the other; `None` when not recorded.
    payloads: Option<Vec<u8>>,
}

impl Default for Batch {
    fn default() -> Self {
        Batch {
            first_ordinal: 0,
            steps: StepColumns::default(),
            effects: EffectColumns::default(),
            facts: Vec::new(),
            payloads: Some(Vec::new()),
        }
    }
}

/// Rows that columns have room for once they are used: a short run fits, and does not grow each of them over and over.
const ROWS_MIN: usize = 2048;

/// A column of any type, as far as its room goes.
trait Column {
    fn reserve(&mut self, rows: usize);
    fn clear(&mut self);
}

impl<T> Column for Vec<T> {
    fn reserve(&mut self, rows: usize) {
        Vec::reserve(self, rows);
    }

    fn clear(&mut self) {
        Vec::clear(self);
    }
}

impl StepColumns {
    fn all(&mut self) -> [&mut dyn Column; 11] {
        let StepColumns {
            time_ns,
            target,
            source,
            sequence,
            event,
            fate,
            waited_ns,
            protocol,
            kind,
            first_sequence,
            effects,
        } = self;
        [time_ns, target, source, sequence, event, fate, waited_ns, protocol, kind, first_sequence, effects]
    }
}

impl EffectColumns {
    fn all(&mut self) -> [&mut dyn Column; 6] {
        let EffectColumns { effect, object, protocol, kind, delay_ns, length } = self;
        [effect, object, protocol, kind, delay_ns, length]
    }
}

impl Batch {
    /// Assembles a batch from recorded columns.
    ///
    /// # Errors
    /// What is wrong, when the columns are not those of a batch (lengths that differ, unknown bytes, sizes that do
    /// not add up): they may come from a hostile file.
    pub fn assemble(
        first_ordinal: u64,
        steps: StepColumns,
        effects: EffectColumns,
        facts: Vec<u8>,
        payloads: Option<Vec<u8>>,
    ) -> Result<Batch, &'static str> {
        let batch = Batch { first_ordinal, steps, effects, facts, payloads };
        batch.check().map(|()| batch)
    }

    /// Steps in the batch.
    #[must_use]
    pub fn len(&self) -> usize {
        self.steps.time_ns.len()
    }

    /// Whether there are no steps.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The ordinal of the first step in the run, from 0.
    #[must_use]
    pub fn first_ordinal(&self) -> u64 {
        self.first_ordinal
    }

    /// The columns of the steps.
    #[must_use]
    pub fn step_columns(&self) -> &StepColumns {
        &self.steps
    }

    /// The columns of the effects.
    #[must_use]
    pub fn effect_columns(&self) -> &EffectColumns {
        &self.effects
    }

    /// The encoded facts.
    #[must_use]
    pub fn fact_bytes(&self) -> &[u8] {
        &self.facts
    }

    /// The encoded messages, timers and spawn configurations, unless they were not recorded.
    #[must_use]
    pub fn payload_bytes(&self) -> Option<&[u8]> {
        self.payloads.as_deref()
    }

    /// The steps, in order.
    #[must_use]
    pub fn iter(&self) -> Steps<'_> {
        Steps::of(self)
    }

    fn columns(&mut self) -> impl Iterator<Item = &mut dyn Column> {
        self.steps.all().into_iter().chain(self.effects.all())
    }

    /// Empties the batch, keeping its memory, and lets the next step have `first_ordinal`.
    pub fn reset(&mut self, first_ordinal: u64) {
        self.first_ordinal = first_ordinal;
        self.columns().for_each(Column::clear);
        self.facts.clear();
        // What is recorded next has payloads, even when what was here had none.
        self.payloads.get_or_insert_default().clear();
    }

    /// Adds the steps of a draft.
    pub(crate) fn append(&mut self, draft: &Draft) {
        let steps = &draft.steps;
        if self.steps.time_ns.capacity() == 0 {
            self.columns().for_each(|column| column.reserve(ROWS_MIN));
            self.facts.reserve(16 * ROWS_MIN);
        }
        let columns = &mut self.steps;
        columns.time_ns.extend(steps.iter().map(|step| step.time.as_ns()));
        columns.target.extend(steps.iter().map(|step| step.target.as_u64()));
        columns.source.extend(steps.iter().map(|step| step.source.as_u64()));
        columns.sequence.extend(steps.iter().map(|step| step.sequence));
        columns.event.extend(steps.iter().map(|step| step.event as u8));
        columns.fate.extend(steps.iter().map(|step| step.fate as u8));
        columns.waited_ns.extend(steps.iter().map(|step| step.waited_ns));
        columns.protocol.extend(steps.iter().map(|step| step.protocol.0));
        columns.kind.extend(steps.iter().map(|step| step.kind));
        columns.first_sequence.extend(steps.iter().map(|step| step.first_sequence));
        columns.effects.extend(steps.iter().map(|step| step.effects));
        let effects = &draft.effects;
        let columns = &mut self.effects;
        columns.effect.extend(effects.iter().map(|effect| effect.effect as u8));
        columns.object.extend(effects.iter().map(|effect| effect.object));
        columns.protocol.extend(effects.iter().map(|effect| effect.protocol.0));
        columns.kind.extend(effects.iter().map(|effect| effect.kind));
        columns.delay_ns.extend(effects.iter().map(|effect| effect.delay_ns));
        columns.length.extend(effects.iter().map(|effect| effect.length));
        self.facts.extend_from_slice(&draft.facts);
        self.payloads.get_or_insert_default().extend_from_slice(&draft.payloads);
    }

    fn check(&self) -> Result<(), &'static str> {
        let StepColumns {
            time_ns,
            target,
            source,
            sequence,
            event,
            fate,
            waited_ns,
            protocol,
            kind,
            first_sequence,
            effects,
        } = &self.steps;
        let steps = time_ns.len();
        let step_lengths = [
            target.len(),
            source.len(),
            sequence.len(),
            event.len(),
            fate.len(),
            waited_ns.len(),
            protocol.len(),
            kind.len(),
            first_sequence.len(),
            effects.len(),
        ];
        if step_lengths.iter().any(|length| *length != steps) {
            return Err("the columns of the steps differ in length");
        }
        if self.first_ordinal.checked_add(steps as u64).is_none() {
            return Err("the steps are numbered past the last number");
        }
        let columns = &self.effects;
        let count = columns.effect.len();
        let effect_lengths = [
            columns.object.len(),
            columns.protocol.len(),
            columns.kind.len(),
            columns.delay_ns.len(),
            columns.length.len(),
        ];
        if effect_lengths.iter().any(|length| *length != count) {
            return Err("the columns of the effects differ in length");
        }
        if effects.iter().map(|effects| u64::from(*effects)).sum::<u64>() != count as u64 {
            return Err("the steps do not have as many effects as are recorded");
        }
        if event.iter().any(|byte| Event::from_byte(*byte).is_none()) {
            return Err("a step is of an unknown event");
        }
        if fate.iter().any(|byte| Fate::from_byte(*byte).is_none()) {
            return Err("a step has an unknown fate");
        }
        let (mut fact_bytes, mut payload_bytes) = (0_u64, 0_u64);
        for (byte, length) in columns.effect.iter().zip(&columns.length) {
            match EffectKind::from_byte(*byte) {
                None => return Err("an effect is of an unknown kind"),
                Some(EffectKind::Fact) => fact_bytes += u64::from(*length),
                Some(_) => payload_bytes += u64::from(*length),
            }
        }
        if fact_bytes != self.facts.len() as u64 {
            return Err("the facts do not add up to their lengths");
        }
        if self.payloads.as_ref().is_some_and(|payloads| payload_bytes != payloads.len() as u64) {
            return Err("the payloads do not add up to their lengths");
        }
        Ok(())
    }
}

impl<'a> IntoIterator for &'a Batch {
    type Item = Step<'a>;
    type IntoIter = Steps<'a>;

    fn into_iter(self) -> Steps<'a> {
        self.iter()
    }
}
