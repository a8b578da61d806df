//! What is known of a task so far, and the facts that follow when it changes.

use fleetsim_engine::{AgentId, Fact};

use super::event::Event;
use crate::tape::{Cause, Tape};

/// Those that closed a task and are remembered by name; tasks have few.
const CLOSERS_MAX: usize = 64;

/// A task of the log.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) number: u64,
    /// Whether the trace says what it is called.
    pub(super) is_named: bool,
    /// Whether its creation is in the log.
    pub(super) is_added: bool,
    /// The assignment that its assignee has not yet taken up.
    pub(super) offer: Option<Offer>,
    /// Whom it is assigned to.
    assignee: Option<AgentId>,
    /// Who works on it.
    pub(super) holder: Option<AgentId>,
    attempts: u32,
    pub(super) dispatches: u64,
    pub(super) closings: u64,
    pub(super) closers: Vec<AgentId>,
    /// The last change.
    pub(super) last: Option<Cause>,
}

/// An assignment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer {
    pub(super) number: u64,
    pub(super) giver: AgentId,
    pub(super) receiver: AgentId,
    /// The message of the store by which the assignee knows.
    pub(super) cause: Cause,
}

impl Task {
    pub(super) fn new(number: u64) -> Task {
        Task {
            number,
            is_named: false,
            is_added: false,
            offer: None,
            assignee: None,
            holder: None,
            attempts: 0,
            dispatches: 0,
            closings: 0,
            closers: Vec::new(),
            last: None,
        }
    }

    /// `worker` begins an attempt.
    pub(super) fn start(&mut self, worker: AgentId, tape: &mut Tape<'_>) {
        self.holder = Some(worker);
        self.attempts = self.attempts.saturating_add(1);
        tape.fact(&Fact::TaskStarted { task: self.number, attempt: self.attempts });
    }

    /// `actor` says that the task is in progress. Nothing follows when it already was, or when it is somebody else's.
    /// Returns whether that changed anything.
    pub(super) fn go_on(&mut self, actor: AgentId, tape: &mut Tape<'_>) -> bool {
        if self.holder.is_some() {
            // Perhaps the actor has just taken it up, by this very change.
            return self.holder == Some(actor);
        }
        if self.assignee.is_none_or(|assignee| assignee == actor) {
            self.start(actor, tape);
        }
        true
    }

    /// Whoever works on the task does so no longer. Returns whether anybody did.
    pub(super) fn release(&mut self, actor: AgentId, tape: &mut Tape<'_>) -> bool {
        let Some(holder) = self.holder.take() else { return false };
        let reason = if holder == actor { "given back" } else { "taken back by somebody else" };
        tape.fact(&Fact::TaskReleased { task: self.number, reason });
        true
    }

    /// The task is done, says `actor`.
    pub(super) fn close(&mut self, actor: AgentId, tape: &mut Tape<'_>) {
        self.holder = None;
        self.closings += 1;
        if !self.closers.contains(&actor) && self.closers.len() < CLOSERS_MAX {
            self.closers.push(actor);
        }
        let attempt = self.attempts.max(1);
        tape.fact(&Fact::TaskFinished { task: self.number, attempt, reported: true, actual: true });
    }

    /// The assignment that nobody has taken up is void: its offer, with the reason.
    pub(super) fn withdraw(&mut self, reason: &'static str) -> Option<(u64, &'static str)> {
        self.offer.take().map(|offer| (offer.number, reason))
    }

    /// Takes note of whom the task is assigned to after `event`.
    pub(super) fn assign(&mut self, event: &Event<'_>, assignee: Option<AgentId>) {
        if event.clears_assignee() {
            self.assignee = None;
        }
        self.assignee = assignee.or(self.assignee);
    }
}
