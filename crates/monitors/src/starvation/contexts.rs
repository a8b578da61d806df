//! Turns that found no room in their model's context window, because what was said before took it.
//!
//! A turn reads its own task and all that was said about it before. Its own need is taken to be the smallest turn that the
//! role asked for about the item; what a later turn has above that was said before. A turn that the window does not hold
//! although it holds the need is crowded out. Where the need alone is too large, nobody took its place.

use std::collections::BTreeMap;

use fleetsim_engine::{AgentId, Names};

use super::KIND;
use crate::config::MonitorConfig;
use crate::finding::{Class, Evidence, Finding, Numbers, Severity};
use crate::fold::Fold;
use crate::intern::Interner;
use crate::monitor::Moment;
use crate::number_map::NumberMap;
use crate::role::Role;
use crate::text::{counted, shown};

/// How many roles' turns about an item are followed: a record may be made to be slow.
const ROLES_MAX: usize = 64;

/// The context windows of roles whose contexts grow, and what filled them.
#[derive(Clone, Debug)]
pub(super) struct Contexts {
    windows: BTreeMap<Role, u64>,
    models: Interner,
    /// What each agent took up last, and is not through with.
    holds: NumberMap<AgentId, u64>,
    /// What was said about each item that is not over, by role.
    said: NumberMap<u64, Vec<Conversation>>,
    crowded: BTreeMap<Role, Fold<Crowded>>,
}

/// The turns of one role about an item.
#[derive(Clone, Copy, Debug)]
struct Conversation {
    role: Role,
    /// Tokens of the smallest turn.
    need: u64,
    /// The first turn in which what was said before took more than half of the window.
    half_full: Option<Moment>,
}

/// A turn that found no room.
#[derive(Clone, Copy, Debug)]
struct Crowded {
    agent: AgentId,
    item: u64,
    model: u32,
    at: Moment,
    tokens: u64,
    conversation: Conversation,
}

impl Contexts {
    pub(super) fn new(config: &MonitorConfig) -> Contexts {
        let windows = config.context_windows.iter();
        Contexts {
            windows: windows.map(|(role, tokens)| (Role::named(role), *tokens)).collect(),
            models: Interner::default(),
            holds: NumberMap::default(),
            said: NumberMap::default(),
            crowded: BTreeMap::new(),
        }
    }

    /// `agent` took `item` up.
    #[inline]
    pub(super) fn took_up(&mut self, agent: AgentId, item: u64) {
        if !self.windows.is_empty() && self.windows.contains_key(&Role::of(agent)) {
            self.holds.insert(agent, item);
        }
    }

    /// `agent` ended an attempt at the item: the next one begins with a fresh context.
    #[inline]
    pub(super) fn over(&mut self, agent: AgentId, item: u64) {
        self.stopped(agent);
        if !self.said.is_empty() {
            self.said.remove(item);
        }
    }

    /// `agent` is at nothing any more.
    #[inline]
    pub(super) fn stopped(&mut self, agent: AgentId) {
        if !self.holds.is_empty() {
            self.holds.remove(agent);
        }
    }

    /// `agent` asked `model` for a turn of so many input tokens, and was refused or not.
    #[inline]
    pub(super) fn requested(
        &mut self,
        at: Moment,
        model: &str,
        agent: AgentId,
        tokens: u64,
        is_refused: bool,
    ) {
        if let Some(item) = self.holds.get(agent).copied() {
            self.turn(at, model, (agent, item), tokens, is_refused);
        }
    }

    fn turn(
        &mut self,
        at: Moment,
        model: &str,
        (agent, item): (AgentId, u64),
        tokens: u64,
        is_refused: bool,
    ) {
        let role = Role::of(agent);
        let window = self.windows[&role];
        let all = self.said.or_default(item);
        let place = all.iter().position(|known| known.role == role).unwrap_or(all.len());
        if place == ROLES_MAX {
            return;
        }
        if place == all.len() {
            all.push(Conversation { role, need: tokens, half_full: None });
        }
        let conversation = &mut all[place];
        conversation.need = conversation.need.min(tokens);
        let said_before = tokens - conversation.need;
        if said_before > window / 2 {
            conversation.half_full.get_or_insert(at);
        }
        if is_refused && tokens > window && conversation.need <= window {
            let model = self.models.number(model);
            let crowded = Crowded { agent, item, model, at, tokens, conversation: *conversation };
            self.crowded.entry(role).or_default().add(crowded, [agent]);
        }
    }

    pub(super) fn findings(&self, names: &Names) -> Vec<Finding> {
        self.crowded.iter().map(|(role, fold)| self.finding(*role, fold, names)).collect()
    }

    fn finding(&self, role: Role, fold: &Fold<Crowded>, names: &Names) -> Finding {
        let (first, window) = (fold.first(), self.windows[&role]);
        let (model, need) = (self.models.name(first.model), first.conversation.need);
        let text = format!(
            "a turn of {} about item {} found no room: {need} tokens of its own beside {} that were said before, where \
             the context window holds {window}; {} of {} crowded out so far",
            shown(&names.of(first.agent)),
            first.item,
            first.tokens - need,
            counted(fold.count, "turn"),
            shown(&role.name(names)),
        );
        let refused = |crowded: &Crowded| {
            let who = shown(&names.of(crowded.agent));
            Evidence::new(crowded.at, format!("a turn of {who} about item {} was refused", crowded.item))
        };
        let half_full = first.conversation.half_full;
        let half =
            half_full.map(|at| Evidence::new(at, "what was said before took more than half of the window"));
        let signal = half.clone().unwrap_or_else(|| refused(first));
        let agents = fold.agents(names);
        Finding {
            count: fold.count,
            evidence: half.into_iter().chain(fold.kept.iter().map(refused)).collect(),
            numbers: Numbers(vec![
                ("turns_crowded_out", fold.count),
                ("window_tokens", window),
                ("turn_tokens", first.tokens),
                ("need_tokens", need),
                ("said_before_tokens", first.tokens - need),
            ]),
            about: BTreeMap::from([
                ("resource", vec![model.to_owned()]),
                ("form", vec!["context".to_owned()]),
                ("role", vec![role.name(names)]),
                ("agent", agents.clone()),
            ]),
            agents,
            earliest_signal: Some(signal),
            lead_time_ns: Some(first.at.at.since(half_full.unwrap_or(first.at).at)),
            remedy: Some(
                "hand on a digest instead of all that was said, or bound the rounds (review-rounds)"
                    .to_owned(),
            ),
            ..Finding::new(KIND, Class::Liveness, Severity::High, KIND, first.at, model, &text)
        }
    }
}
