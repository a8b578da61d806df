//! The model provider: latency, limits with a 429 whose retry-after is exact, price, cache, hangs.

use fleetsim_agents::Share;
use fleetsim_agents::budget::Budget;
use fleetsim_agents::provider::{Allowance, Model, Price, Provider, Reply, Request, Turn};
use fleetsim_engine::sample::Sampler;
use fleetsim_engine::{Address, AgentId, Ending};
use proptest::prelude::*;

use crate::support::{ALWAYS, LATENCY_NS, NEVER, Run, fleet, play, play_until, probes};

/// A model without limits that answers at once and costs nothing.
pub(crate) fn model() -> Model {
    Model {
        name: "model".into(),
        first_token_ns: Sampler::constant(0),
        per_token_ns: 0,
        hangs: (NEVER, Sampler::constant(0)),
        cached: NEVER,
        price: Price::default(),
        requests: None,
        tokens_in: None,
        tokens_out: None,
        context_window: None,
        retry_after_ns_min: 0,
    }
}

fn turn(item: u64, tokens_in: u64, tokens_out: u64) -> Turn {
    Turn { item, attempt: 1, step: 0, tokens_in, tokens_out }
}

/// Asks for turns at instants and returns what is heard, in the order of hearing.
fn ask(model: &Model, asks: &[(u64, u64, u64)]) -> (Vec<(u64, Reply)>, Run) {
    let mut fleet = fleet(1);
    let made = model.clone();
    fleet.add("provider", 1, move |_| Provider::new(made.clone(), None)).expect("one provider");
    let request = |(item, (at_ns, tokens_in, tokens_out)): (u64, &(u64, u64, u64))| {
        (*at_ns, Request::Complete(turn(item, *tokens_in, *tokens_out)))
    };
    let script = (1..).zip(asks).map(request).collect();
    let provider = AgentId::named("provider", 1);
    let heard = probes(&mut fleet, "asker", provider, vec![script], |_: &Reply| None);
    let run = play(fleet);
    let heard = heard.borrow().iter().map(|(at_ns, _, reply)| (*at_ns, *reply)).collect();
    (heard, run)
}

/// What the last of some requests, which come at different instants, is told.
fn last_reply(model: &Model, asks: &[(u64, u64, u64)]) -> Reply {
    ask(model, asks).0.last().expect("every request is answered").1
}

fn refusal_ns(reply: Reply) -> Option<u64> {
    match reply {
        Reply::TooManyRequests { retry_after_ns, .. } => Some(retry_after_ns),
        Reply::Completed { .. } => None,
        other => panic!("nothing of the kind happens here: {other:?}"),
    }
}

#[test]
fn a_refusal_says_exactly_when_there_is_room() {
    let per_second = |units| Some(Allowance { units, period_ns: 1_000 });
    let two_requests = Model { requests: per_second(2), ..model() };
    let three_requests = Model { requests: per_second(3), ..model() };
    let tokens = Model { tokens_in: per_second(100), tokens_out: per_second(10), ..model() };
    for (name, model, asks, wait_ns) in [
        ("half a period for the third of two", &two_requests, vec![(10, 0, 0), (10, 0, 0), (10, 0, 0)], 500),
        ("a third of a period, rounded up", &three_requests, vec![(10, 0, 0); 4], 334),
        ("less what has come in", &two_requests, vec![(10, 0, 0), (20, 0, 0), (30, 0, 0)], 480),
        ("input tokens", &tokens, vec![(10, 100, 0), (20, 5, 0)], 40),
        ("generated tokens", &tokens, vec![(10, 0, 10), (20, 0, 1)], 90),
        ("the scarcer of both", &tokens, vec![(10, 100, 10), (20, 5, 1)], 90),
        (
            "what is refused uses nothing up",
            &two_requests,
            vec![(10, 0, 0), (20, 0, 0), (30, 0, 0), (31, 0, 0)],
            479,
        ),
    ] {
        let refused_at_ns = asks.last().expect("some").0;
        assert_eq!(refusal_ns(last_reply(model, &asks)), Some(wait_ns), "{name}");
        let again = |after_ns: u64| {
            let mut asks = asks.clone();
            let (_, tokens_in, tokens_out) = *asks.last().expect("some");
            asks.push((refused_at_ns + after_ns, tokens_in, tokens_out));
            refusal_ns(last_reply(model, &asks))
        };
        assert_eq!(again(wait_ns - 1), Some(1), "{name}: 1 ns earlier");
        assert_eq!(again(wait_ns), None, "{name}: then");
    }
    let patient = Model { retry_after_ns_min: 800, ..two_requests };
    let asks = [(10, 0, 0), (20, 0, 0), (30, 0, 0)];
    assert_eq!(refusal_ns(last_reply(&patient, &asks)), Some(800), "the least that a 429 tells to wait");
}

#[test]
fn what_no_period_allows_is_too_large() {
    let limit = Some(Allowance { units: 100, period_ns: 1_000 });
    for (model, tokens_in, tokens_out, too_large) in [
        (Model { tokens_in: limit, ..model() }, 100, 900, false),
        (Model { tokens_in: limit, ..model() }, 101, 0, true),
        (Model { tokens_out: limit, ..model() }, 900, 100, false),
        (Model { tokens_out: limit, ..model() }, 0, 101, true),
        (Model { context_window: Some(100), ..model() }, 100, 900, false),
        (Model { context_window: Some(100), cached: ALWAYS, ..model() }, 101, 0, true),
        // What is cached does not count against a limit.
        (
            Model { tokens_in: limit, cached: Share { numerator: 1, denominator: 2 }, ..model() },
            200,
            0,
            false,
        ),
        (Model { tokens_in: limit, cached: Share { numerator: 1, denominator: 2 }, ..model() }, 201, 0, true),
        (Model { requests: Some(Allowance { units: 0, period_ns: 1 }), ..model() }, 0, 0, true),
    ] {
        let reply = last_reply(&model, &[(10, tokens_in, tokens_out)]);
        assert_eq!(
            matches!(reply, Reply::TooLarge { .. }),
            too_large,
            "{tokens_in} in, {tokens_out} out: {reply:?}"
        );
    }
}

#[test]
fn usage_is_billed_by_its_kind() {
    // Three, a third and fifteen dollars for a million tokens.
    let price = Price { input: 3_000_000_000, cached: 333_333_333, output: 15_000_000_000 };
    for (share, tokens_in, tokens_out, billed) in [
        ((0, 1), 1_000, 100, (1_000, 0, 100, 3_000_000 + 1_500_000)),
        ((1, 1), 1_000, 0, (0, 1_000, 0, 333_333)),
        ((1, 2), 1_001, 1, (501, 500, 1, 501 * 3_000 + 500 * 333_333_333 / 1_000_000 + 15_000)),
        ((2, 3), 10, 0, (4, 6, 0, 12_000 + 1_999)),
        ((0, 0), 7, 0, (7, 0, 0, 21_000)),
        ((5, 1), 7, 0, (0, 7, 0, 2_333)),
        ((0, 1), 0, 0, (0, 0, 0, 0)),
    ] {
        let cached = Share { numerator: share.0, denominator: share.1 };
        let reply = last_reply(&Model { price, cached, ..model() }, &[(10, tokens_in, tokens_out)]);
        let Reply::Completed { tokens_in: full, cached, tokens_out, nano_dollars, .. } = reply else {
            panic!("a model without limits serves everybody")
        };
        assert_eq!((full, cached, tokens_out, nano_dollars), billed, "{share:?} of {tokens_in} cached");
    }
}

#[test]
fn an_answer_takes_the_first_token_the_others_and_what_it_hangs() {
    for (share, answered_after_ns) in [(NEVER, 500 + 30 * 7), (ALWAYS, 500 + 30 * 7 + 4_000)] {
        let hangs = (share, Sampler::constant(4_000));
        let slow = Model { first_token_ns: Sampler::constant(500), per_token_ns: 7, hangs, ..model() };
        let (heard, _) = ask(&slow, &[(10, 0, 30)]);
        assert_eq!(heard[0].0, 10 + answered_after_ns + LATENCY_NS);
    }
}

#[test]
fn the_budget_ends_the_run_with_the_bill_that_spends_it() {
    for (limit_nano_dollars, bills) in [(1, 1), (3_000, 1), (3_001, 2), (9_000, 3)] {
        let mut fleet = fleet(1);
        let price = Price { input: 3_000_000_000, ..Price::default() };
        let model = Model { price, ..model() };
        let budget = Address::new(AgentId::named("budget", 1));
        fleet.add("budget", 1, move |_| Budget::new(limit_nano_dollars)).expect("one budget");
        fleet.add("provider", 1, move |_| Provider::new(model.clone(), Some(budget))).expect("one provider");
        let script = (1..10).map(|number| (10 * number, Request::Complete(turn(number, 1, 0)))).collect();
        let provider = AgentId::named("provider", 1);
        probes(&mut fleet, "asker", provider, vec![script], |_: &Reply| None);
        let run = play_until(fleet, 1_000);
        assert!(matches!(run.outcome.ending, Ending::Stopped { by, .. } if by == budget.id()));
        assert_eq!(run.outcome.time.as_ns(), 10 * bills + LATENCY_NS, "a budget of {limit_nano_dollars}");
        assert_eq!(
            run.lines(&["guard"]),
            [format!("{} guard fleet-cost-breaker 0", 10 * bills + LATENCY_NS)]
        );
    }
}

proptest! {
    /// Over any window, no more is admitted than a full bucket and what came in meanwhile; and every 429 is exact.
    #[test]
    fn limits_hold_over_any_window(
        units in prop::array::uniform3(1_u64..40),
        period_ns in 50_u64..5_000,
        gaps in prop::collection::vec((1_u64..200, 0_u64..40, 0_u64..40), 1..60),
    ) {
        let limit = |units| Some(Allowance { units, period_ns });
        let [requests, tokens_in, tokens_out] = units.map(limit);
        let limited = Model { requests, tokens_in, tokens_out, ..model() };
        let mut now_ns = 0;
        let asks: Vec<_> = gaps
            .iter()
            .map(|(gap_ns, tokens_in, tokens_out)| {
                now_ns += gap_ns;
                (now_ns, *tokens_in, *tokens_out)
            })
            .collect();
        let (heard, run) = ask(&limited, &asks);
        prop_assert_eq!(heard.len(), asks.len());
        prop_assert_eq!(run.lines(&["requested"]).len(), asks.len());
        let mut admitted = Vec::new();
        for ((at_ns, tokens_in, tokens_out), (_, reply)) in asks.iter().zip(&heard) {
            let needs = [1, *tokens_in, *tokens_out];
            let fits = needs.iter().zip(units).all(|(need, units)| *need <= units);
            prop_assert_eq!(fits, !matches!(reply, Reply::TooLarge { .. }));
            if matches!(reply, Reply::Completed { .. }) {
                admitted.push((*at_ns, needs));
            }
        }
        for (first, (from_ns, _)) in admitted.iter().enumerate() {
            let mut taken = [0; 3];
            for (to_ns, needs) in &admitted[first..] {
                for ((taken, need), units) in taken.iter_mut().zip(needs).zip(units) {
                    *taken += need;
                    let allowed = units + (to_ns - from_ns) * units / period_ns;
                    prop_assert!(*taken <= allowed, "{taken} of {units} from {from_ns} to {to_ns}");
                }
            }
        }
        if let (Some((_, Reply::TooManyRequests { retry_after_ns, .. })), Some(last)) = (heard.last(), asks.last()) {
            let again = |after_ns| {
                let mut asks = asks.clone();
                asks.push((last.0 + after_ns, last.1, last.2));
                last_reply(&limited, &asks)
            };
            prop_assert_eq!(refusal_ns(again(*retry_after_ns)), None);
            prop_assert!(*retry_after_ns == 1 || refusal_ns(again(retry_after_ns - 1)) == Some(1));
        }
    }
}
