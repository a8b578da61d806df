//! Three small protocols that bear what they declare, each with three bugs that can be planted.

pub(crate) mod hand_over;
pub(crate) mod lease;
pub(crate) mod queue;

use fleetsim_engine::{Agent, AgentId, Context, Fact, Fleet, Value};
use fleetsim_fault_injection::Tolerance;

/// A protocol under test.
pub(crate) struct Fixture {
    pub(crate) name: &'static str,
    pub(crate) tolerance: fn() -> Tolerance,
    /// Without a bug, or with one of three.
    pub(crate) fleet: fn(seed: u64, bug: Option<u8>) -> Fleet,
    pub(crate) bugs: [&'static str; 3],
    /// What must hold of what was stated, from first to last.
    pub(crate) property: fn(&[Said]) -> Result<(), String>,
}

/// What an agent stated: a word and two numbers.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) by: AgentId,
    pub(crate) word: String,
    pub(crate) numbers: [i64; 2],
}

pub(crate) fn say<A: Agent>(ctx: &mut Context<'_, A>, word: &str, first: u64, second: u64) {
    let number = |number: u64| Value::Number(number as i64);
    ctx.fact(Fact::Custom { name: word, fields: vec![("first", number(first)), ("second", number(second))] });
}

pub(crate) const FIXTURES: [Fixture; 3] = [lease::FIXTURE, hand_over::FIXTURE, queue::FIXTURE];
