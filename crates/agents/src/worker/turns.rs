//! The turns of a worker that runs on a model.

use std::sync::Arc;

use fleetsim_engine::sample::Sampler;
use fleetsim_engine::{Context, Fact, Waited, hash_text, mix};

use super::job::Job;
use super::misbehaviour::Output;
use super::role::{ModelPace, Pace};
use super::{Role, Task, Timer, Worker};
use crate::item::Item;
use crate::provider;

impl Worker {
    pub(super) fn request_turn(&mut self, ctx: &mut Context<'_, Self>) {
        let role = Arc::clone(&self.role);
        let Pace::Model(pace) = &role.pace else { return };
        let job = self.current();
        let item = match job.task {
            Task::Parcel(parcel, _) => parcel.item,
            Task::Gate { .. } => unreachable!("people answer at gates"),
        };
        let turn = turn_of(&role, pace, ctx, job, &item);
        job.asked = Some((turn.item, turn.step));
        ctx.send(pace.provider, provider::Request::Complete(turn));
    }

    pub(super) fn on_model(&mut self, ctx: &mut Context<'_, Self>, reply: provider::Reply) {
        let role = Arc::clone(&self.role);
        let (Pace::Model(pace), Some(job)) = (&role.pace, &mut self.job) else { return };
        let quota = Waited::Resource(&pace.model);
        let (item, step) = reply.answers();
        // What an earlier life had asked for concerns nobody any more.
        if job.asked != Some((item, step)) {
            return;
        }
        job.asked = None;
        match reply {
            provider::Reply::Completed { tokens_in, cached, tokens_out, nano_dollars, .. }
            | provider::Reply::Truncated { tokens_in, cached, tokens_out, nano_dollars, .. } => {
                if job.refusals > 0 {
                    ctx.fact(Fact::WaitEnd { on: quota });
                }
                ctx.fact(Fact::Spent { tokens_in, cached, tokens_out, nano_dollars });
                job.refusals = 0;
                // It does not look at why the output ended.
                job.is_flawed |= matches!(reply, provider::Reply::Truncated { .. });
                self.on_output(ctx);
            }
            provider::Reply::TooManyRequests { retry_after_ns, .. } => {
                wait_for_model(ctx, job, quota, retry_after_ns);
            }
            provider::Reply::Overloaded { first_wait_ns, .. }
            | provider::Reply::Unreachable { first_wait_ns, .. } => {
                let wait_ns = backoff_ns(first_wait_ns, job.refusals + 1);
                wait_for_model(ctx, job, quota, wait_ns);
            }
            provider::Reply::TooLarge { .. } => self.give_up(ctx),
        }
    }

    /// A turn is over.
    fn on_output(&mut self, ctx: &mut Context<'_, Self>) {
        match self.output(ctx) {
            Output::Fine => {
                let job = self.current();
                job.turns_over += 1;
                if job.turns_over < job.turns {
                    self.misbehave_between_turns(ctx);
                    self.request_turn(ctx);
                } else {
                    self.finish_work(ctx);
                }
            }
            Output::Malformed => self.request_turn(ctx),
            Output::Refused => {
                if let Some(operation) = self.current().operation.as_ref().map(|operation| operation.id) {
                    ctx.fact(Fact::OperationAbort { operation });
                }
                self.give_up(ctx);
            }
        }
    }

    /// The model will not do it.
    fn give_up(&mut self, ctx: &mut Context<'_, Self>) {
        let Task::Parcel(parcel, origin) = self.current().task else { return };
        self.fail(ctx, parcel.item);
        self.settle(ctx, origin);
        self.next(ctx);
    }
}

fn wait_for_model(ctx: &mut Context<'_, Worker>, job: &mut Job, quota: Waited<'_>, wait_ns: u64) {
    if job.refusals == 0 {
        ctx.fact(Fact::WaitOn { on: quota });
    }
    job.refusals += 1;
    // Up to a quarter more, so that those who were refused together do not come back together.
    let key = [ctx.id().as_u64(), job.turns_over, job.refusals];
    let jitter_ns = ctx.luck_of("retry jitter", key).next() % (wait_ns / 4 + 1);
    ctx.set_timer(wait_ns.saturating_add(jitter_ns), Timer::Retry);
}

/// How long to wait after so many refusals in a row, from 1, that name no time: each wait is twice the last, so that all
/// of them together are at most twice what they had to be.
pub(super) fn backoff_ns(first_wait_ns: u64, refusals: u64) -> u64 {
    let doublings = u32::try_from(refusals.saturating_sub(1)).unwrap_or(u32::MAX).min(63);
    first_wait_ns.max(1).saturating_mul(1 << doublings)
}

/// The next turn of a job.
pub(super) fn turn_of(
    role: &Role,
    pace: &ModelPace,
    ctx: &Context<'_, Worker>,
    job: &Job,
    item: &Item,
) -> provider::Turn {
    let step = mix([hash_text(&role.name), u64::from(item.rejections), job.turns_over]);
    let own_or = |own: u64, sampler: &Sampler, purpose: &str| match own {
        0 => sampler.sample(&mut ctx.luck_of(purpose, [item.id, u64::from(item.attempt), step])),
        tokens => tokens,
    };
    // Everything that was said before and not forgotten is read again.
    let remembered = job.turns_before(item).saturating_sub(job.turns_forgotten);
    let grown = pace.context_grows.saturating_mul(remembered);
    provider::Turn {
        item: item.id,
        attempt: item.attempt,
        step,
        tokens_in: own_or(item.tokens_in, &pace.tokens_in, "input tokens").saturating_add(grown),
        tokens_out: own_or(item.tokens_out, &pace.tokens_out, "output tokens"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wait_is_twice_the_last() {
        for (first_wait_ns, refusals, wait_ns) in [
            (5, 1, 5),
            (5, 2, 10),
            (5, 5, 80),
            (0, 1, 1),
            (0, 4, 8),
            (1, 64, 1 << 63),
            (1, u64::MAX, 1 << 63),
            (3, 64, u64::MAX),
            (u64::MAX, 2, u64::MAX),
        ] {
            assert_eq!(backoff_ns(first_wait_ns, refusals), wait_ns, "{first_wait_ns}, refusal {refusals}");
        }
    }
}
