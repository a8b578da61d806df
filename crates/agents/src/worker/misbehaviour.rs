//! What goes wrong with a worker in ways that only agents have, where a fault rule says so.
//!
//! Each function is a moment of a job at which some sites are passed. [`sites`] says what each means.

use std::sync::Arc;

use fleetsim_engine::{Context, Fact, Value};

use super::job::Stage;
use super::role::Pace;
use super::turns::turn_of;
use super::{Task, Timer, Worker};
use crate::gate::Action;
use crate::helper::{Errand, HELPERS_MAX, Helper};
use crate::item::{Item, Parcel};
use crate::sites;

/// What a turn of a model gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Output {
    Fine,
    Malformed,
    Refused,
}

/// How often one "done" is said at most beyond the first.
const REPEATS_MAX: u64 = 1_000;

impl Worker {
    /// Whether the current job has to wait because who is asked for a judgement is not there.
    pub(super) fn is_absent(&mut self, ctx: &mut Context<'_, Self>) -> bool {
        let judges = match self.current().task {
            Task::Gate { .. } => true,
            Task::Parcel(..) => self.role.reviews() && self.item_of_job(ctx.id()).is_some(),
        };
        if !judges {
            return false;
        }
        let Some(absent_ns) = ctx.fault_site(sites::REVIEW_ABSENT) else { return false };
        self.current().stage = Stage::Absent;
        if absent_ns > 0 {
            ctx.work_for(absent_ns, Timer::Returns);
        }
        true
    }

    /// The job begins.
    pub(super) fn misbehave_at_start(&mut self, ctx: &mut Context<'_, Self>) {
        let Some(item) = self.item_of_job(ctx.id()) else { return };
        if !item.tainted && ctx.fault_site(sites::AGENT_TAINT).is_some() {
            let origin = ctx.id();
            ctx.fact(Fact::Tainted { item: item.id, origin });
            if let Task::Parcel(parcel, _) = &mut self.current().task {
                parcel.item.tainted = true;
            }
        }
        if let Some(helpers) = ctx.fault_site(sites::AGENT_RUNAWAY_SPAWN) {
            self.spawn_helpers(ctx, &item, helpers.clamp(1, HELPERS_MAX));
        }
        if ctx.fault_site(sites::AGENT_FALSE_DONE).is_some() {
            let job = self.current();
            (job.is_flawed, job.is_hollow) = (true, true);
        }
    }

    fn spawn_helpers(&mut self, ctx: &mut Context<'_, Self>, item: &Item, helpers: u64) {
        let role = Arc::clone(&self.role);
        let turn = match &role.pace {
            Pace::Model(pace) => {
                let turn = turn_of(&role, pace, ctx, self.current(), item);
                Some((pace.provider, turn))
            }
            Pace::Process { .. } | Pace::Human { .. } => None,
        };
        ctx.spawn::<Helper>(Errand { below: helpers - 1, turn });
    }

    /// A turn of a model is over.
    pub(super) fn output(&mut self, ctx: &mut Context<'_, Self>) -> Output {
        if self.item_of_job(ctx.id()).is_none() {
            Output::Fine
        } else if ctx.fault_site(sites::AGENT_REFUSAL).is_some() {
            Output::Refused
        } else if ctx.fault_site(sites::AGENT_MALFORMED_OUTPUT).is_some() {
            Output::Malformed
        } else {
            Output::Fine
        }
    }

    /// A turn of a model is over and another is to come.
    pub(super) fn misbehave_between_turns(&mut self, ctx: &mut Context<'_, Self>) {
        let Some(item) = self.item_of_job(ctx.id()) else { return };
        let is_lost = ctx.fault_site(sites::AGENT_CONTEXT_LOST).is_some();
        let is_misled = ctx.fault_site(sites::AGENT_WRONG_TOOL_RESULT).is_some();
        let job = self.current();
        job.is_flawed |= is_misled;
        if is_lost {
            job.turns_forgotten = job.turns_before(&item);
            match &mut job.operation {
                // It still knows which version it had read, but not what was in it.
                Some(operation) => operation.view.content.clear(),
                None => job.is_flawed = true,
            }
        }
    }

    /// A decision about an item is due: which wrong one is taken, if one is.
    pub(super) fn wrong_decision(&mut self, ctx: &mut Context<'_, Self>, item: u64) -> Option<u64> {
        let which = ctx.fault_site(sites::AGENT_WRONG_DECISION)?;
        let number = |value: u64| Value::Number(i64::try_from(value).unwrap_or(i64::MAX));
        let fields = vec![("item", number(item)), ("decision", number(which))];
        ctx.fact(Fact::Custom { name: "wrong-decision", fields });
        Some(which)
    }

    /// The work on an item that came with this parcel is done: perhaps it goes where this role may not give.
    pub(super) fn overreach_to_a_seam(&mut self, ctx: &mut Context<'_, Self>, came: &Parcel, item: Item) {
        let role = Arc::clone(&self.role);
        let may_not = || {
            let others = role.seams.iter().filter(|seam| !role.gives.contains(&seam.number));
            others.filter(|seam| seam.number != came.seam && !seam.receivers.is_empty())
        };
        if may_not().next().is_none() {
            return;
        }
        let Some(which) = ctx.fault_site(sites::AGENT_OVERREACH) else { return };
        let at = which % may_not().count() as u64;
        let seam = may_not().nth(at as usize).expect("it was counted round");
        ctx.fact(Fact::Breach { permission: &format!("write {}", seam.name) });
        self.giver.offer(ctx, seam, item);
    }
}

/// The action is due for which the worker has to ask at a gate: whether it goes ahead without.
pub(super) fn overreaches_the_gate(ctx: &mut Context<'_, Worker>, action: &Action) -> bool {
    let is_hit = ctx.fault_site(sites::AGENT_OVERREACH).is_some();
    if is_hit {
        ctx.fact(Fact::Breach { permission: &format!("do {}", action.name) });
    }
    is_hit
}

/// An item is done: how often that is said.
pub(super) fn times_done(ctx: &mut Context<'_, Worker>) -> u64 {
    1 + ctx.fault_site(sites::AGENT_DUPLICATE_DONE).map_or(0, |repeats| repeats.clamp(1, REPEATS_MAX))
}
