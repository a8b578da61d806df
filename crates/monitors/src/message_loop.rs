//! Feedback loops of messages: what the item loops cannot see, because no item is handed over.
//!
//! Every message descends from the one whose handling sent it, through timers, work and spawns, as the cause that each
//! event names (source, sequence) tells. Two forms are found, both under the kind `feedback-loop`:
//!
//! **Round.** A message of one kind goes round the same two or more agents again and again: each receiver sends the same
//! kind on, the last to the first. Found on the fly by Brent's algorithm ("An Improved Monte Carlo Factorization
//! Algorithm", 1980) in constant memory a message, up to 64 agents. It counts after four times `loop_rounds_max` rounds
//! (default 12) of which each was paid for (`Spent`): a token that goes round for nothing costs nothing. Other messages
//! in between, such as requests to a model, do not matter.
//!
//! **Cascade.** Messages of one kind, or spawns, bring about more than one of their own kind each: see the branching
//! ratio. It counts after three windows in a row of `branching_window_messages` (default 256) handled messages, together
//! above 1 with 99 % confidence, and twice as many messages as there are agents: gossip that reaches everybody once is
//! no cascade. Spawns need no such number.
//!
//! Conservative: `Progress`, a task reported done, a committed operation or an act in the outside world ends a round in
//! whose line it happens, and every cascade of the fleet. Messages in whose handling an item is offered or received are
//! left to the item loops. A window in which most messages had waited for a deaf receiver is a backlog, no growth.
//!
//! *Source.* Brent, "An Improved Monte Carlo Factorization Algorithm" (1980); branching processes (Galton and Watson,
//! 1874).
//!
//! *Parameters.* [`MonitorConfig::loop_rounds_max`], [`MonitorConfig::branching_window_messages`].
//!
//! *Limits.* A round passes each of its agents once. A timer that is set by a timer begins a new line, so that heartbeats
//! are no endless cascade; what is resent more than once without an answer begins anew too. An agent that queues work
//! inside passes lines from one piece to the next. Kinds after the 63rd are not told apart, and not judged. Lines are
//! followed only once some kind may come round or multiply (see `recurrence`): what happened before is not in a line's
//! depth, and until then messages are counted as from outside when no message was being handled.
//!
//! A step costs a look-up for its role; once lines are followed, one for its cause and one for each numbered effect.
//! Memory: one note for each message and timer that is on its way, and 16 bytes an agent.

use std::collections::{BTreeMap, BTreeSet};

use fleetsim_engine::batch::{EffectKind, Event, Fate, Step};
use fleetsim_engine::{AgentId, Fact, Manifest, Names, mix};

use crate::branching::{Branching, Streak, WINDOW_MIN, WINDOWS_MIN};
use crate::config::MonitorConfig;
use crate::finding::{Class, Evidence, Finding, Numbers, Severity};
use crate::interests::{FactKind, Interests};
use crate::lineage::Lineages;
use crate::monitor::{Moment, Monitor, RunEnd, went_down};
use crate::number_map::NumberMap;
use crate::ratio::Ratio;
use crate::recurrence::{KINDS_MAX, Kinds, Recurrence};
use crate::text::{counted, dollars, duration, shown};

const KIND: &str = "feedback-loop";
const NAME: &str = "message-loop";
/// The bit after all kinds of messages stands for spawns.
const SPAWN: usize = KINDS_MAX;
/// The most agents in a round.
const PERIOD_MAX: u16 = 64;
/// Messages of other kinds after which a round gives way to a new one.
const IDLE_MAX: u16 = 32;
const AGENTS_MAX: usize = 16;

/// Finds rounds and cascades of messages.
#[derive(Clone, Debug)]
pub struct MessageLoop {
    rounds_max: u32,
    window: u64,
    protocols: BTreeMap<u32, ProtocolNames>,
    kinds: Kinds,
    /// As long as nothing can come round or multiply, lines are not followed.
    asleep: Option<Box<Recurrence>>,
    lineages: Lineages<Line>,
    /// The kinds that each agent has received.
    received: NumberMap<AgentId, u64>,
    branching: Vec<Branching>,
    spent: u64,
    from_outside: u64,
    messages: u64,
    depth_most: u32,
    rounds: BTreeMap<(usize, u64), Round>,
    cascades: BTreeMap<usize, Cascade>,
}

type ProtocolNames = (String, Vec<String>);

/// What an effect descends from.
#[derive(Clone, Debug)]
struct Line {
    /// Messages from the one that came from outside.
    depth: u32,
    /// The kinds among them.
    kinds: u64,
    /// Few messages are sent on and on; a note on any other should stay small.
    ring: Option<Box<Ring>>,
}

/// A message that is sent on and on, as Brent's algorithm follows it.
#[derive(Clone, Copy, Debug)]
struct Ring {
    kind: usize,
    last: AgentId,
    anchor: AgentId,
    since_anchor: u16,
    power: u16,
    idle: u16,
    /// The sum of the receivers since the anchor: whom the round goes through, wherever it was entered.
    sum: u64,
    /// The length and sum of the round before.
    before: (u16, u64),
    rounds: u32,
    paid: bool,
    spent: u64,
    began: Mark,
    second: Mark,
}

/// A moment, and what had been spent in the line by then.
#[derive(Clone, Copy, Debug)]
struct Mark {
    moment: Moment,
    spent: u64,
}

/// A round that went round too often.
#[derive(Clone, Debug)]
struct Round {
    parties: u16,
    rounds: u32,
    began: Mark,
    second: Mark,
    found: Moment,
    last: Mark,
    depth: u32,
    agents: BTreeSet<AgentId>,
}

#[derive(Clone, Debug)]
struct Cascade {
    count: u64,
    first: Streak,
    depth: u32,
}

impl Ring {
    fn new(kind: usize, sender: AgentId, at: Moment) -> Ring {
        let mark = Mark { moment: at, spent: 0 };
        Ring {
            kind,
            last: sender,
            anchor: sender,
            since_anchor: 0,
            power: 2,
            idle: 0,
            sum: 0,
            before: (0, 0),
            rounds: 0,
            paid: false,
            spent: 0,
            began: mark,
            second: mark,
        }
    }

    /// `receiver` got the message. Gives whether a round is complete.
    fn hop(&mut self, receiver: AgentId, at: Moment) -> bool {
        self.last = receiver;
        self.idle = 0;
        self.since_anchor += 1;
        self.sum = self.sum.wrapping_add(mix([receiver.as_u64(), 0]));
        if receiver == self.anchor {
            let round = (self.since_anchor, self.sum);
            let goes_on = self.before == round && self.paid && self.since_anchor >= 2;
            if goes_on {
                self.rounds += 1;
            } else {
                self.rounds = 1;
                self.began = Mark { moment: at, spent: self.spent };
            }
            if self.rounds == 2 {
                self.second = Mark { moment: at, spent: self.spent };
            }
            self.before = round;
            (self.since_anchor, self.sum, self.paid) = (0, 0, false);
            return goes_on;
        }
        if self.since_anchor >= self.power {
            self.anchor = receiver;
            self.power = (self.power * 2).min(PERIOD_MAX);
            (self.since_anchor, self.sum, self.rounds, self.before) = (0, 0, 0, (0, 0));
        }
        false
    }
}

impl MessageLoop {
    /// A monitor with the bounds of `config`, for the fleet that `manifest` names.
    #[must_use]
    pub fn new(config: &MonitorConfig, manifest: &Manifest) -> MessageLoop {
        let protocol = |entry: &fleetsim_engine::ProtocolEntry| {
            let kinds = (0..KINDS_MAX as u16).map_while(|kind| entry.messages.kind_name(kind));
            (entry.id, (entry.name.clone(), kinds.map(str::to_owned).collect()))
        };
        MessageLoop {
            rounds_max: config.loop_rounds_max.max(2).saturating_mul(4),
            window: u64::from(config.branching_window_messages.max(WINDOW_MIN)),
            protocols: manifest.protocols.iter().map(protocol).collect(),
            kinds: Kinds::default(),
            asleep: Some(Box::new(Recurrence::new(config, manifest))),
            lineages: Lineages::default(),
            received: NumberMap::default(),
            branching: vec![Branching::default(); KINDS_MAX + 1],
            spent: 0,
            from_outside: 0,
            messages: 0,
            depth_most: 0,
            rounds: BTreeMap::new(),
            cascades: BTreeMap::new(),
        }
    }

    fn kind_name(&self, number: usize) -> String {
        if number == SPAWN {
            return "spawns".to_owned();
        }
        let (protocol, kind) = self.kinds.of(number);
        match self.protocols.get(&protocol) {
            Some((name, kinds)) => {
                let kind = kinds.get(usize::from(kind)).cloned().unwrap_or_else(|| kind.to_string());
                shown(&format!("{name}.{kind}"))
            }
            None => format!("{protocol:08x}.{kind}"),
        }
    }

    #[inline(never)]
    fn follow_lines(&mut self, step: &Step<'_>, facts: &[Fact<'_>]) {
        let at = Moment::of(step);
        let (mut line, received) = self.arrives(step, at);
        if !facts.is_empty() {
            self.note_facts(&mut line, facts);
        }
        self.note_effects(line, received, step, at);
        if went_down(step) {
            self.lineages.forget_timers(step.target);
        }
    }

    /// The line of what the step handles, and the kinds that its agent has received, if it was looked up.
    #[inline]
    fn arrives(&mut self, step: &Step<'_>, at: Moment) -> (Option<Line>, Option<u64>) {
        let mut line = self.lineages.take(step.source, step.sequence);
        let mut received = None;
        match step.event {
            Event::Message if handles_message(step) => {
                let mut known = line.unwrap_or(Line { depth: 0, kinds: 0, ring: None });
                known.depth = known.depth.saturating_add(1);
                self.depth_most = self.depth_most.max(known.depth);
                if let Some(kind) = self.kinds.number(step.protocol.0, step.kind) {
                    known.kinds |= 1 << kind;
                    let kinds = self.received.or_default(step.target);
                    *kinds |= 1 << kind;
                    received = Some(*kinds);
                    self.count(kind, at, step.waited_ns > 0);
                    if known.ring.is_some() {
                        self.follow(&mut known, kind, step, at);
                    }
                }
                line = Some(known);
            }
            Event::Start if step.fate == Fate::Handled => {
                if let Some(known) = &mut line {
                    known.kinds |= 1 << SPAWN;
                    self.count(SPAWN, at, false);
                }
            }
            _ => {}
        }
        (line, received)
    }

    fn count(&mut self, kind: usize, at: Moment, waited: bool) {
        let ended = self.branching[kind].handled(at, waited, self.spent, self.window);
        if let Some(streak) = ended {
            self.file(kind, streak);
        }
    }

    /// Follows a ring through the message that the step handles.
    #[inline(never)]
    fn follow(&mut self, line: &mut Line, kind: usize, step: &Step<'_>, at: Moment) {
        let Some(ring) = &mut line.ring else { return };
        if ring.kind != kind {
            ring.idle += 1;
            if ring.idle > IDLE_MAX {
                line.ring = None;
            }
            return;
        }
        // Who sends is who received before, or it is another message.
        if ring.last != step.source {
            line.ring = None;
            return;
        }
        let complete = ring.hop(step.target, at);
        if ring.rounds < self.rounds_max {
            return;
        }
        let key = (kind, ring.before.1);
        let mark = Mark { moment: at, spent: ring.spent };
        let round = self.rounds.entry(key).or_insert_with(|| Round {
            parties: ring.before.0,
            rounds: 0,
            began: ring.began,
            second: ring.second,
            found: at,
            last: mark,
            depth: line.depth,
            agents: BTreeSet::new(),
        });
        if round.agents.len() < AGENTS_MAX {
            round.agents.insert(step.target);
        }
        if complete && ring.rounds >= round.rounds && ring.began.moment <= round.began.moment {
            (round.rounds, round.last, round.depth) = (ring.rounds, mark, line.depth);
        }
    }

    #[inline(never)]
    fn note_facts(&mut self, line: &mut Option<Line>, facts: &[Fact<'_>]) {
        for fact in facts {
            match fact {
                fact if is_progress(fact) => {
                    for kind in (0..self.kinds.len()).chain([SPAWN]) {
                        if let Some(streak) = self.branching[kind].progress() {
                            self.file(kind, streak);
                        }
                    }
                    line.iter_mut().for_each(|line| line.ring = None);
                }
                Fact::Offered { .. } | Fact::Received { .. } => {
                    line.iter_mut().for_each(|line| line.ring = None);
                }
                Fact::Spent { nano_dollars, .. } => {
                    self.spent = self.spent.saturating_add(*nano_dollars);
                    if let Some(ring) = line.as_mut().and_then(|line| line.ring.as_mut()) {
                        ring.paid = true;
                        ring.spent = ring.spent.saturating_add(*nano_dollars);
                    }
                }
                _ => {}
            }
        }
    }

    fn note_effects(&mut self, mut line: Option<Line>, received: Option<u64>, step: &Step<'_>, at: Moment) {
        let mut requests = step.requests().peekable();
        while let Some(effect) = requests.next() {
            match effect.effect {
                EffectKind::Send => self.messages += 1,
                EffectKind::CancelTimer => {
                    if let Ok(sequence) = u32::try_from(effect.object) {
                        self.lineages.take(step.target, sequence);
                    }
                    continue;
                }
                _ => {}
            }
            let Some(sequence) = effect.sequence else { continue };
            // The last one takes the line over: most messages cause one, and a ring need not be copied for it.
            let own = if requests.peek().is_none() { line.take() } else { line.clone() };
            let Some(mut line) = own else {
                self.from_outside += u64::from(effect.effect == EffectKind::Send);
                // Spawns of the first generation have no line of their own, but begin one.
                if effect.effect == EffectKind::Spawn {
                    let line = Line { depth: 0, kinds: 0, ring: None };
                    self.lineages.put(step.target, sequence, line, false);
                }
                continue;
            };
            let is_timer = effect.effect == EffectKind::SetTimer;
            if is_timer && step.event == Event::Timer {
                continue;
            }
            match effect.effect {
                EffectKind::Send => {
                    if let Some(kind) = self.kinds.number(effect.protocol.0, effect.kind) {
                        self.sends(&mut line, received, kind, step.target, at);
                    }
                }
                EffectKind::Spawn if line.kinds & 1 << SPAWN != 0 => self.branching[SPAWN].child(),
                _ => {}
            }
            let dies = is_timer || effect.effect == EffectKind::Work;
            self.lineages.put(step.target, sequence, line, dies);
        }
    }

    #[inline]
    fn sends(&mut self, line: &mut Line, received: Option<u64>, kind: usize, sender: AgentId, at: Moment) {
        if line.kinds & 1 << kind == 0 {
            return;
        }
        self.branching[kind].child();
        // A ring begins where somebody sends on what it got.
        let received = received.or_else(|| self.received.get(sender).copied()).unwrap_or(0);
        if line.ring.is_none() && received & 1 << kind != 0 {
            line.ring = Some(Box::new(Ring::new(kind, sender, at)));
        }
    }

    fn is_cascade(&self, kind: usize, streak: &Streak) -> bool {
        let everybody_twice = 2 * self.received.len() as u64;
        streak.windows >= WINDOWS_MIN
            && streak.is_above_one()
            && (kind == SPAWN || streak.handled >= everybody_twice)
    }

    fn file(&mut self, kind: usize, streak: Streak) {
        if self.is_cascade(kind, &streak) {
            let depth = self.depth_most;
            let cascade = self.cascades.entry(kind).or_insert(Cascade { count: 0, first: streak, depth });
            cascade.count += 1;
        }
    }

    /// Messages for each one that no message caused.
    fn amplification(&self) -> Ratio {
        Ratio::new(self.messages, self.from_outside.max(1))
    }

    fn round_finding(&self, kind: usize, round: &Round, names: &Names) -> Finding {
        let mut agents: Vec<String> = round.agents.iter().map(|agent| names.of(*agent)).collect();
        agents.sort();
        let message = self.kind_name(kind);
        let told: Vec<String> = agents.iter().take(4).map(|agent| shown(agent)).collect();
        let more = if agents.len() > 4 { ", …" } else { "" };
        let spent = round.last.spent - round.began.spent.min(round.last.spent);
        let saved = round.last.spent - round.second.spent.min(round.last.spent);
        let text = format!(
            "the same kind of message went round {} ({}{more}) {} times without progress, for {}",
            counted(u64::from(round.parties), "agent"),
            told.join(", "),
            round.rounds,
            dollars(spent),
        );
        Finding {
            evidence: vec![
                Evidence::new(round.began.moment, "the first round was complete"),
                Evidence::new(round.second.moment, "the second round was complete"),
                Evidence::new(round.found, "the round that is one too many was complete"),
                Evidence::new(round.last.moment, "the last round was complete"),
            ],
            numbers: Numbers(vec![
                ("rounds", u64::from(round.rounds)),
                ("parties", u64::from(round.parties)),
                ("lineage_depth", u64::from(round.depth)),
                ("amplification_thousandths", self.amplification().thousandths()),
                ("nano_dollars", spent),
            ]),
            about: BTreeMap::from([
                ("form", vec!["round".to_owned()]),
                ("message", vec![message.clone()]),
                ("agent", agents.clone()),
            ]),
            agents,
            earliest_signal: Some(Evidence::new(
                round.second.moment,
                "the second round without progress was complete",
            )),
            lead_time_ns: Some(round.last.moment.at.since(round.second.moment.at)),
            saved_nano_dollars: Some(saved),
            remedy: Some(
                "answer no answer: bound the rounds, or say which message ends the exchange".to_owned(),
            ),
            ..Finding::new(KIND, Class::Liveness, Severity::High, NAME, round.found, &message, &text)
        }
    }

    fn cascade_finding(&self, kind: usize, cascade: &Cascade) -> Finding {
        let streak = &cascade.first;
        let message = self.kind_name(kind);
        let [low, ratio, high] = streak.ratio_thousandths();
        let decimal = |thousandths: u64| format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
        let (one, bred) =
            if kind == SPAWN { ("spawned agent", "spawned") } else { ("message", "brought about") };
        let text = format!(
            "each {one} {bred} {} of its kind (99 % between {} and {}) through {} handled in {}, without progress",
            decimal(ratio),
            decimal(low),
            decimal(high),
            streak.handled,
            duration(streak.end.at.since(streak.began.at)),
        );
        let saved = streak.spent[2] - streak.spent[0].min(streak.spent[2]);
        Finding {
            count: cascade.count,
            evidence: vec![
                Evidence::new(streak.began, "the first growing window began"),
                Evidence::new(streak.signal, "the first growing window was full"),
                Evidence::new(streak.end, "the last growing window was full"),
            ],
            numbers: Numbers(vec![
                ("cascades", cascade.count),
                ("branching_ratio_thousandths", ratio),
                ("branching_ratio_low_thousandths", low),
                ("branching_ratio_high_thousandths", high),
                ("handled", streak.handled),
                ("brought_about", streak.children),
                ("windows", streak.windows),
                ("lineage_depth", u64::from(cascade.depth)),
                ("amplification_thousandths", self.amplification().thousandths()),
                ("nano_dollars", saved),
            ]),
            about: BTreeMap::from([("form", vec!["cascade".to_owned()]), ("message", vec![message.clone()])]),
            earliest_signal: Some(Evidence::new(
                streak.signal,
                "a window in which each brought about more than one",
            )),
            lead_time_ns: Some(streak.end.at.since(streak.signal.at)),
            saved_nano_dollars: Some(saved),
            remedy: Some(
                "bound what one message or agent may cause: a depth, a budget, a share of all".to_owned(),
            ),
            ..Finding::new(KIND, Class::Liveness, Severity::High, NAME, streak.end, &message, &text)
        }
    }
}

/// The kinds of facts that may be progress.
const PROGRESS: Interests = Interests::facts(&[
    FactKind::Progress,
    FactKind::TaskFinished,
    FactKind::OperationCommit,
    FactKind::Acted,
]);

/// Whether something came closer to done, or can not be undone any more. Its kinds are those of [`PROGRESS`].
fn is_progress(fact: &Fact<'_>) -> bool {
    matches!(
        fact,
        Fact::Progress { .. }
            | Fact::TaskFinished { reported: true, .. }
            | Fact::OperationCommit { .. }
            | Fact::Acted { .. }
    )
}

fn handles_message(step: &Step<'_>) -> bool {
    step.event == Event::Message && matches!(step.fate, Fate::Handled | Fate::Undecodable)
}

impl Monitor for MessageLoop {
    fn name(&self) -> &'static str {
        NAME
    }

    fn interests(&self) -> Interests {
        let others = Interests::facts(&[FactKind::Offered, FactKind::Received, FactKind::Spent]);
        PROGRESS | others | Interests::STEPS
    }

    fn observe(&mut self, step: &Step<'_>, facts: &[Fact<'_>]) {
        if let Some(recurrence) = &mut self.asleep {
            let handles = handles_message(step);
            if let Some(messages) = recurrence.observe(step, handles, &mut self.kinds) {
                if Interests::stated_in(step).meets(PROGRESS) && facts.iter().any(is_progress) {
                    recurrence.progress();
                }
                self.messages += messages;
                self.from_outside += if handles { 0 } else { messages };
                return;
            }
            self.asleep = None;
        }
        self.follow_lines(step, facts);
    }

    fn findings(&self, _end: &RunEnd, names: &Names) -> Vec<Finding> {
        let mut cascades = self.cascades.clone();
        for (kind, branching) in self.branching.iter().enumerate() {
            if let Some(streak) = branching.streak().filter(|streak| self.is_cascade(kind, streak)) {
                let fresh = Cascade { count: 0, first: *streak, depth: self.depth_most };
                cascades.entry(kind).or_insert(fresh).count += 1;
            }
        }
        let rounds = self.rounds.iter().map(|((kind, _), round)| self.round_finding(*kind, round, names));
        let cascades = cascades.iter().map(|(kind, cascade)| self.cascade_finding(*kind, cascade));
        rounds.chain(cascades).collect()
    }
}
