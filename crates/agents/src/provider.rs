//! The model provider: latency, rate limits with 429 and retry-after, price.

use std::sync::Arc;

use fleetsim_engine::sample::Sampler;
use fleetsim_engine::{Address, Agent, AgentId, Context, Fact, Message};
use serde::{Deserialize, Serialize};

use crate::Share;
use crate::bucket::Bucket;
use crate::{budget, sites};

pub use crate::bucket::Allowance;

/// What a provider is asked.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Request {
    /// One turn of a model.
    Complete(Turn),
}

impl Message for Request {
    const PROTOCOL: &'static str = "model";
}

/// One turn of a model. Its luck belongs to the work, not to who does it or when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// The item of work.
    pub item: u64,
    /// Which attempt at the item, from 1.
    pub attempt: u32,
    /// Distinguishes the turns of an attempt: role, round and turn.
    pub step: u64,
    /// Input tokens.
    pub tokens_in: u64,
    /// Tokens that will be generated.
    pub tokens_out: u64,
}

/// What a provider answers.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Reply {
    /// The turn is over.
    Completed {
        /// The item of the turn.
        item: u64,
        /// The step of the turn.
        step: u64,
        /// Input tokens billed in full.
        tokens_in: u64,
        /// Input tokens read from the provider's cache.
        cached: u64,
        /// Tokens generated.
        tokens_out: u64,
        /// The price in billionths of a dollar.
        nano_dollars: u64,
    },
    /// 429: a limit was reached.
    TooManyRequests {
        /// The item of the turn.
        item: u64,
        /// The step of the turn.
        step: u64,
        /// After this many nanoseconds there would be room, if nobody else took it.
        retry_after_ns: u64,
    },
    /// The request is larger than a limit will ever allow.
    TooLarge {
        /// The item of the turn.
        item: u64,
        /// The step of the turn.
        step: u64,
    },
    /// 529: everybody asks too much.
    Overloaded {
        /// The item of the turn.
        item: u64,
        /// The step of the turn.
        step: u64,
        /// How many nanoseconds to wait the first time.
        first_wait_ns: u64,
    },
    /// The provider cannot be reached: its front end, or the asker's own library, says so.
    Unreachable {
        /// The item of the turn.
        item: u64,
        /// The step of the turn.
        step: u64,
        /// How many nanoseconds to wait the first time.
        first_wait_ns: u64,
    },
    /// The turn is over, and its output was cut short.
    Truncated {
        /// The item of the turn.
        item: u64,
        /// The step of the turn.
        step: u64,
        /// Input tokens billed in full.
        tokens_in: u64,
        /// Input tokens read from the provider's cache.
        cached: u64,
        /// Tokens generated.
        tokens_out: u64,
        /// The price in billionths of a dollar.
        nano_dollars: u64,
    },
}

impl Reply {
    /// The turn that is answered: its item and step.
    #[must_use]
    pub fn answers(&self) -> (u64, u64) {
        match *self {
            Reply::Completed { item, step, .. }
            | Reply::TooManyRequests { item, step, .. }
            | Reply::TooLarge { item, step }
            | Reply::Overloaded { item, step, .. }
            | Reply::Unreachable { item, step, .. }
            | Reply::Truncated { item, step, .. } => (item, step),
        }
    }
}

impl Message for Reply {
    const PROTOCOL: &'static str = "model-reply";
}

/// A model's figures. All are the scenario's.
#[derive(Clone, Debug)]
pub struct Model {
    /// The model's name in the scenario.
    pub name: Arc<str>,
    /// Time to the first token, in nanoseconds.
    pub first_token_ns: Sampler,
    /// Time per generated token, in nanoseconds.
    pub per_token_ns: u64,
    /// How often a request hangs, and for how long in nanoseconds.
    pub hangs: (Share, Sampler),
    /// The share of the input that comes from the provider's cache.
    pub cached: Share,
    /// Billionths of a dollar per million tokens.
    pub price: Price,
    /// Requests allowed.
    pub requests: Option<Allowance>,
    /// Input tokens allowed; cached ones do not count.
    pub tokens_in: Option<Allowance>,
    /// Generated tokens allowed.
    pub tokens_out: Option<Allowance>,
    /// How many input tokens a turn may have, cached ones included; a larger one is refused for good.
    pub context_window: Option<u64>,
    /// What a 429 tells to wait at least, in nanoseconds.
    pub retry_after_ns_min: u64,
}

/// Prices in billionths of a dollar per million tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Price {
    /// Input.
    pub input: u64,
    /// Input from the cache.
    pub cached: u64,
    /// Output.
    pub output: u64,
}

impl Price {
    fn of(&self, tokens_in: u64, cached: u64, tokens_out: u64) -> u64 {
        let sum = u128::from(self.input) * u128::from(tokens_in)
            + u128::from(self.cached) * u128::from(cached)
            + u128::from(self.output) * u128::from(tokens_out);
        u64::try_from(sum / 1_000_000).unwrap_or(u64::MAX)
    }
}

/// A provider of one model.
pub struct Provider {
    model: Model,
    buckets: [Option<Bucket>; 3],
    budget: Option<Address<budget::Report>>,
}

impl Provider {
    /// A provider with full buckets, which reports what it bills to `budget`.
    #[must_use]
    pub fn new(model: Model, budget: Option<Address<budget::Report>>) -> Provider {
        let buckets = [model.requests, model.tokens_in, model.tokens_out].map(|limit| limit.map(Bucket::new));
        Provider { model, buckets, budget }
    }

    /// How long until every limit has room, in nanoseconds; `None` when one never will.
    fn wait_ns(&mut self, now: fleetsim_engine::Time, needs: [u64; 3]) -> Option<u64> {
        let mut wait_ns = 0;
        for (bucket, units) in self.buckets.iter_mut().zip(needs) {
            let Some(bucket) = bucket else { continue };
            if !bucket.can_ever_hold(units) {
                return None;
            }
            wait_ns = wait_ns.max(bucket.wait_ns(now, units));
        }
        Some(wait_ns)
    }

    /// The refusal of a request that a fault rule does not let through to the limits.
    fn turned_away(&self, ctx: &mut Context<'_, Self>, turn: &Turn) -> Option<Reply> {
        let Turn { item, step, .. } = *turn;
        let least_ns = self.model.retry_after_ns_min;
        if let Some(first_wait_ns) = ctx.fault_site(sites::MODEL_OUTAGE) {
            return Some(Reply::Unreachable { item, step, first_wait_ns: first_wait_ns.max(least_ns) });
        }
        if let Some(first_wait_ns) = ctx.fault_site(sites::MODEL_OVERLOADED) {
            return Some(Reply::Overloaded { item, step, first_wait_ns: first_wait_ns.max(least_ns) });
        }
        let retry_after_ns = ctx.fault_site(sites::MODEL_TOO_MANY_REQUESTS)?.max(least_ns);
        Some(Reply::TooManyRequests { item, step, retry_after_ns })
    }

    fn serve(&mut self, ctx: &mut Context<'_, Self>, from: AgentId, turn: Turn, cached: u64, is_whole: bool) {
        // What is never answered is never billed.
        let Some(latency_ns) = self.latency_ns(ctx, &turn) else { return };
        let tokens_in = turn.tokens_in - cached;
        let nano_dollars = self.model.price.of(tokens_in, cached, turn.tokens_out);
        let Turn { item, step, tokens_out, .. } = turn;
        let reply = if is_whole {
            Reply::Completed { item, step, tokens_in, cached, tokens_out, nano_dollars }
        } else {
            Reply::Truncated { item, step, tokens_in, cached, tokens_out, nano_dollars }
        };
        ctx.send_after(Address::new(from), reply, latency_ns);
        if let Some(budget) = self.budget {
            ctx.send(budget, budget::Report::Spent { nano_dollars });
        }
    }

    /// How long an answer takes; `None` when it never comes.
    fn latency_ns(&self, ctx: &mut Context<'_, Self>, turn: &Turn) -> Option<u64> {
        let key = [turn.item, u64::from(turn.attempt), turn.step];
        let first_token_ns = self.model.first_token_ns.sample(&mut ctx.luck_of("first token", key));
        let mut latency_ns =
            first_token_ns.saturating_add(self.model.per_token_ns.saturating_mul(turn.tokens_out));
        let (chance, hang_ns) = &self.model.hangs;
        if chance.happens(ctx.luck_of("hang", key)) {
            let hang_ns = hang_ns.sample(&mut ctx.luck_of("length of a hang", key));
            latency_ns = latency_ns.saturating_add(hang_ns);
        }
        if let Some(permille) = ctx.fault_site(sites::MODEL_SLOW) {
            latency_ns = thousandths(latency_ns, permille.max(1_000));
        }
        match ctx.fault_site(sites::MODEL_HANG) {
            None => Some(latency_ns),
            Some(0) => None,
            Some(hang_ns) => Some(latency_ns.saturating_add(hang_ns)),
        }
    }
}

fn thousandths(whole: u64, permille: u64) -> u64 {
    u64::try_from(u128::from(whole) * u128::from(permille) / 1_000).unwrap_or(u64::MAX)
}

impl Agent for Provider {
    type Inbox = Request;
    type Timer = ();

    fn on_message(&mut self, ctx: &mut Context<'_, Self>, from: AgentId, request: Request) {
        let Request::Complete(mut turn) = request;
        let Share { numerator, denominator } = self.model.cached;
        let cached = match denominator {
            0 => 0,
            _ => (u128::from(turn.tokens_in) * u128::from(numerator) / u128::from(denominator)) as u64,
        }
        .min(turn.tokens_in);
        let needs = [1, turn.tokens_in - cached, turn.tokens_out];
        let refusal = self.turned_away(ctx, &turn);
        let fits = self.model.context_window.is_none_or(|window| turn.tokens_in <= window);
        let wait_ns = if fits { self.wait_ns(ctx.now(), needs) } else { None };
        let admitted = refusal.is_none() && wait_ns == Some(0);
        let kept = if admitted { ctx.fault_site(sites::MODEL_TRUNCATED) } else { None };
        if let Some(permille) = kept {
            turn.tokens_out = thousandths(turn.tokens_out, permille.min(1_000));
        }
        ctx.fact(Fact::Requested {
            model: &self.model.name,
            by: from,
            admitted,
            first: turn.attempt == 1,
            tokens_in: turn.tokens_in,
            tokens_out: if admitted { turn.tokens_out } else { 0 },
        });
        if let Some(refusal) = refusal {
            ctx.send(Address::new(from), refusal);
            return;
        }
        match wait_ns {
            None => ctx.send(Address::new(from), Reply::TooLarge { item: turn.item, step: turn.step }),
            Some(0) => {
                for (bucket, units) in self.buckets.iter_mut().zip(needs) {
                    if let Some(bucket) = bucket {
                        bucket.take(units);
                    }
                }
                self.serve(ctx, from, turn, cached, kept.is_none());
            }
            Some(wait_ns) => {
                let retry_after_ns = wait_ns.max(self.model.retry_after_ns_min);
                let Turn { item, step, .. } = turn;
                ctx.send(Address::new(from), Reply::TooManyRequests { item, step, retry_after_ns });
            }
        }
    }
}
