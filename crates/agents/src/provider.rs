//! The model provider: latency, rate limits with 429 and retry-after, price.

use std::sync::Arc;

use fleetsim_engine::sample::Sampler;
use fleetsim_engine::{Address, Agent, AgentId, Context, Fact, Message};
use serde::{Deserialize, Serialize};

use crate::Share;
use crate::bucket::Bucket;
use crate::budget;

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
}

impl Reply {
    /// The turn that is answered: its item and step.
    #[must_use]
    pub fn answers(&self) -> (u64, u64) {
        match *self {
            Reply::Completed { item, step, .. }
            | Reply::TooManyRequests { item, step, .. }
            | Reply::TooLarge { item, step } => (item, step),
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

    fn serve(&mut self, ctx: &mut Context<'_, Self>, from: AgentId, turn: Turn, cached: u64) {
        let key = [turn.item, u64::from(turn.attempt), turn.step];
        let first_token_ns = self.model.first_token_ns.sample(&mut ctx.luck_of("first token", key));
        let mut latency_ns =
            first_token_ns.saturating_add(self.model.per_token_ns.saturating_mul(turn.tokens_out));
        let (chance, hang_ns) = &self.model.hangs;
        if chance.happens(ctx.luck_of("hang", key)) {
            let hang_ns = hang_ns.sample(&mut ctx.luck_of("length of a hang", key));
            latency_ns = latency_ns.saturating_add(hang_ns);
        }
        let tokens_in = turn.tokens_in - cached;
        let nano_dollars = self.model.price.of(tokens_in, cached, turn.tokens_out);
        let Turn { item, step, tokens_out, .. } = turn;
        let reply = Reply::Completed { item, step, tokens_in, cached, tokens_out, nano_dollars };
        ctx.send_after(Address::new(from), reply, latency_ns);
        if let Some(budget) = self.budget {
            ctx.send(budget, budget::Report::Spent { nano_dollars });
        }
    }
}

impl Agent for Provider {
    type Inbox = Request;
    type Timer = ();

    fn on_message(&mut self, ctx: &mut Context<'_, Self>, from: AgentId, request: Request) {
        let Request::Complete(turn) = request;
        let Share { numerator, denominator } = self.model.cached;
        let cached = match denominator {
            0 => 0,
            _ => (u128::from(turn.tokens_in) * u128::from(numerator) / u128::from(denominator)) as u64,
        }
        .min(turn.tokens_in);
        let needs = [1, turn.tokens_in - cached, turn.tokens_out];
        let wait_ns = self.wait_ns(ctx.now(), needs);
        let admitted = wait_ns == Some(0);
        ctx.fact(Fact::Requested {
            model: &self.model.name,
            by: from,
            admitted,
            first: turn.attempt == 1,
            tokens_in: turn.tokens_in,
            tokens_out: if admitted { turn.tokens_out } else { 0 },
        });
        match wait_ns {
            None => ctx.send(Address::new(from), Reply::TooLarge { item: turn.item, step: turn.step }),
            Some(0) => {
                for (bucket, units) in self.buckets.iter_mut().zip(needs) {
                    if let Some(bucket) = bucket {
                        bucket.take(units);
                    }
                }
                self.serve(ctx, from, turn, cached);
            }
            Some(wait_ns) => {
                let retry_after_ns = wait_ns.max(self.model.retry_after_ns_min);
                let Turn { item, step, .. } = turn;
                ctx.send(Address::new(from), Reply::TooManyRequests { item, step, retry_after_ns });
            }
        }
    }
}
