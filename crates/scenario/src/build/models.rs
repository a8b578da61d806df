//! Model providers, and the budget that they report to.

use fleetsim_agents::Share;
use fleetsim_agents::budget::Budget;
use fleetsim_agents::provider::{Allowance, Model, Price, Provider};
use fleetsim_engine::{Address, AgentId, Fleet, SECOND};

use super::{BuildError, sampler};
use crate::scalar::{self, Rate};
use crate::vocabulary::{self, Document};

const BUDGET: &str = "budget";

pub(super) fn share(share: Option<scalar::Share>) -> Share {
    share.map_or(Share::default(), |share| Share {
        numerator: share.numerator(),
        denominator: share.denominator(),
    })
}

pub(super) fn add(fleet: &mut Fleet, document: &Document) -> Result<(), BuildError> {
    let limit = document.guard.fleet_cost_breaker;
    if let Some(limit) = limit {
        fleet.add(BUDGET, 1, move |_birth| Budget::new(limit.nano_dollars()))?;
    }
    let budget = limit.map(|_| Address::new(AgentId::named(BUDGET, 1)));
    for (name, model) in document.model.iter() {
        let plan = plan(name, model)?;
        fleet.add(name, 1, move |_birth| Provider::new(plan.clone(), budget))?;
    }
    Ok(())
}

fn plan(name: &str, model: &vocabulary::Model) -> Result<Model, BuildError> {
    let allowance = |rate: Rate| Allowance { units: rate.count(), period_ns: rate.period_ns() };
    let (hang_share, hang_ns) = match &model.hangs {
        Some(hangs) => (share(Some(hangs.chance)), sampler::of_durations(&hangs.lasts)?),
        None => (Share::default(), fleetsim_engine::sample::Sampler::constant(0)),
    };
    let price = model.dollars_per_million.as_ref().map_or(Price::default(), |price| Price {
        input: price.input.nano_dollars(),
        // What has no price of its own costs as much as any other input.
        cached: price.cached_input.unwrap_or(price.input).nano_dollars(),
        output: price.output.nano_dollars(),
    });
    Ok(Model {
        name: name.into(),
        first_token_ns: sampler::of_durations(&model.first_token)?,
        per_token_ns: model.per_token.nanoseconds(),
        hangs: (hang_share, hang_ns),
        cached: share(model.cached),
        price,
        requests: model.allows.requests.map(allowance),
        tokens_in: model.allows.input_tokens.map(allowance),
        tokens_out: model.allows.output_tokens.map(allowance),
        context_window: model.context_window.map(|window| window.get()),
        retry_after_ns_min: model.retry_after.map_or(SECOND, |least| least.nanoseconds()),
    })
}
