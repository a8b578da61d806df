//! The fault sites of the built-in agents: points at which a fault rule may make something go wrong.
//!
//! An agent passes a site with [`Context::fault_site`](fleetsim_engine::Context::fault_site) exactly when the thing could
//! happen to it, so that rates count occasions: a store passes [`STORE_STALE_READ`] at a read for which it has an older
//! version, and not at others. A rule that hits answers with a strength, whose meaning each site states. Where a
//! strength is a delay, 0 stands for "never".

/// A store answers a read with an older version. Strength: how many versions back, as far as there are.
pub const STORE_STALE_READ: &str = "store.stale-read";
/// A store refuses a write and writes nothing. Strength: the writer's first wait in nanoseconds; each is twice the last.
pub const STORE_FAILED_WRITE: &str = "store.failed-write";
/// A store writes, but the writer's call times out. Strength: after how many nanoseconds; 0: never.
pub const STORE_INDETERMINATE_WRITE: &str = "store.indeterminate-write";

/// A task store grants a claim that it should refuse, from an old view of the task: two workers then hold it.
pub const TASKS_STALE_CLAIM: &str = "tasks.stale-claim";
/// A task store grants a claim, but the claimer's call times out. Strength: after how many nanoseconds; 0: never.
pub const TASKS_INDETERMINATE_CLAIM: &str = "tasks.indeterminate-claim";
/// A task store does not record a completion, and the worker does not care: the task stays claimed until its lease ends.
pub const TASKS_FAILED_COMPLETION: &str = "tasks.failed-completion";

/// A provider refuses a request with 429. Strength: the nanoseconds that it tells to wait.
pub const MODEL_TOO_MANY_REQUESTS: &str = "model.too-many-requests";
/// A provider refuses a request with 529. Strength: the first wait of the asker in nanoseconds; each is twice the last.
pub const MODEL_OVERLOADED: &str = "model.overloaded";
/// A provider cannot be reached. Strength: the first wait of the asker in nanoseconds; each is twice the last.
pub const MODEL_OUTAGE: &str = "model.outage";
/// A provider takes longer. Strength: thousandths of the time that it would take, 1,000 or more.
pub const MODEL_SLOW: &str = "model.slow";
/// A provider does not answer. Strength: for how many nanoseconds; 0: never.
pub const MODEL_HANG: &str = "model.hang";
/// A provider cuts an output short, and the asker takes it for whole. Strength: the thousandths that are left.
pub const MODEL_TRUNCATED: &str = "model.truncated";

/// A queue that delivers at least once delivers again what was just acknowledged. Strength: after how many nanoseconds.
pub const QUEUE_REDELIVER: &str = "queue.redeliver";
/// A queue loses a message that was published. Strength: none.
pub const QUEUE_LOSE: &str = "queue.lose";

/// Whoever is asked at a gate, or is to review an item, is not there. Strength: for how many nanoseconds; 0: for ever.
pub const REVIEW_ABSENT: &str = "review.absent";

/// A worker that is to read an artifact uses what it saw of it with its last item instead. Strength: none.
pub const AGENT_STALE_CONTEXT: &str = "agent.stale-context";
/// A model's context is compacted between two turns: what the worker had read is gone, and it works on. Strength: none.
pub const AGENT_CONTEXT_LOST: &str = "agent.context-lost";
/// A tool tells a worker something wrong, between two turns of a model or as the tests at the end. Strength: none.
pub const AGENT_WRONG_TOOL_RESULT: &str = "agent.wrong-tool-result";
/// A model's turn gives something that cannot be read, and is asked for again. Strength: none.
pub const AGENT_MALFORMED_OUTPUT: &str = "agent.malformed-output";
/// A model refuses in a turn, and the item is given up. Strength: none.
pub const AGENT_REFUSAL: &str = "agent.refusal";
/// A worker says that an item is done and has done next to nothing. Strength: none.
pub const AGENT_FALSE_DONE: &str = "agent.false-done";
/// A worker says again that an item is done, or gives it on again. Strength: how often, from 1 to 1,000.
pub const AGENT_DUPLICATE_DONE: &str = "agent.duplicate-done";
/// A worker that takes an item up spawns helpers, which spawn helpers. Strength: how many in all, from 1 to 10,000. The
/// fleet must know the kind: [`Helper::declare`](crate::helper::Helper::declare).
pub const AGENT_RUNAWAY_SPAWN: &str = "agent.runaway-spawn";
/// A worker acts without asking at its gate or, without a gate, gives an item along a seam that is not its own.
/// Strength: which of those seams, counted round.
pub const AGENT_OVERREACH: &str = "agent.overreach";
/// A worker takes a wrong decision: about whom it passes an item on to, a verdict, or a result. Strength: which one, so
/// that all who are hit with the same strength make the same mistake.
pub const AGENT_WRONG_DECISION: &str = "agent.wrong-decision";
/// An item picks up untrusted content at a worker that takes it up. It keeps it until somebody reviews it, or answers at
/// a gate, and approves. Strength: none.
pub const AGENT_TAINT: &str = "agent.taint";

/// Every site of the built-in agents: its name, and who passes it, when, and what the strength means.
pub const ALL: &[(&str, &str)] = &[
    (
        STORE_STALE_READ,
        "an artifact store or shared memory, at a read for which it has an older version, answers with that; \
         strength: how many versions back, at most 8 (shared memory: 1)",
    ),
    (
        STORE_FAILED_WRITE,
        "an artifact store or shared memory, at a write, writes nothing; strength: the writer's first wait in \
         nanoseconds, doubled each time (shared memory: the item is lost)",
    ),
    (
        STORE_INDETERMINATE_WRITE,
        "an artifact store, at a write, writes but lets the call time out; strength: after how many nanoseconds, 0 for \
         never",
    ),
    (TASKS_STALE_CLAIM, "a task store, at a claim of a task that another holds, grants it; no strength"),
    (
        TASKS_INDETERMINATE_CLAIM,
        "a task store, at a claim that it grants, lets the call time out; strength: after how many nanoseconds, 0 for \
         never",
    ),
    (
        TASKS_FAILED_COMPLETION,
        "a task store, at a completion that it would accept, does not record it; no strength",
    ),
    (
        MODEL_TOO_MANY_REQUESTS,
        "a provider, at a request, refuses it with 429; strength: the nanoseconds that it tells to wait",
    ),
    (
        MODEL_OVERLOADED,
        "a provider, at a request, refuses it with 529; strength: the asker's first wait in nanoseconds, doubled each \
         time",
    ),
    (
        MODEL_OUTAGE,
        "a provider, at a request, cannot be reached; strength: the asker's first wait in nanoseconds, doubled each time",
    ),
    (
        MODEL_SLOW,
        "a provider, at a request that it serves, takes longer; strength: thousandths of its time, 1,000 or more",
    ),
    (
        MODEL_HANG,
        "a provider, at a request that it serves, does not answer; strength: for how many nanoseconds, 0 for never",
    ),
    (
        MODEL_TRUNCATED,
        "a provider, at a request that it serves, cuts the output short; strength: the thousandths that are left",
    ),
    (
        QUEUE_REDELIVER,
        "a queue, at the acknowledgement of a message that it holds, delivers it again; strength: after how many \
         nanoseconds",
    ),
    (QUEUE_LOSE, "a queue, at a message that it takes, loses it; no strength"),
    (
        REVIEW_ABSENT,
        "a worker, when it is asked at a gate or takes up an item to review, is not there; strength: for how many \
         nanoseconds, 0 for ever",
    ),
    (
        AGENT_STALE_CONTEXT,
        "a worker, at the reading of an artifact that it has seen before, uses that view instead; no strength",
    ),
    (
        AGENT_CONTEXT_LOST,
        "a worker on a model, between two turns, forgets what it has read and works on; no strength",
    ),
    (
        AGENT_WRONG_TOOL_RESULT,
        "a worker, between two turns of a model or at the tests that end an item, is told something wrong; no strength",
    ),
    (
        AGENT_MALFORMED_OUTPUT,
        "a worker on a model, after a turn, cannot read what it gave and asks again; no strength",
    ),
    (AGENT_REFUSAL, "a worker on a model, after a turn, gives the item up; no strength"),
    (
        AGENT_FALSE_DONE,
        "a worker, when it begins with an item, does next to nothing and says that it is done; no strength",
    ),
    (
        AGENT_DUPLICATE_DONE,
        "a worker, when it is done with an item, says so or gives it on again; strength: how often, 1 to 1,000",
    ),
    (
        AGENT_RUNAWAY_SPAWN,
        "a worker, when it begins with an item, spawns helpers that spawn helpers; strength: how many in all, 1 to 10,000",
    ),
    (
        AGENT_OVERREACH,
        "a worker, when it is done with an item, acts without asking at its gate or gives the item along a seam that is \
         not its own; strength: which of those seams, counted round",
    ),
    (
        AGENT_WRONG_DECISION,
        "a worker, when it passes an item on, gives a verdict or ends its work on an item, decides wrongly; strength: \
         which receiver, which verdict (odd: yes), which mistake",
    ),
    (
        AGENT_TAINT,
        "a worker, when it begins with an item that is clean, takes untrusted content into it; no strength",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_site_is_listed_once() {
        let source = include_str!("sites.rs");
        let declared =
            source.lines().filter(|line| line.starts_with("pub const") && line.contains(": &str ="));
        let names: BTreeSet<_> = ALL.iter().map(|(name, _)| *name).collect();
        assert_eq!((names.len(), declared.count()), (ALL.len(), ALL.len()));
        for (name, meaning) in ALL {
            let lower = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
            assert!(
                name.split_once('.').is_some_and(|(family, what)| lower(family) && lower(what)),
                "{name}"
            );
            assert!(meaning.contains("strength"), "{name} does not say what its strength means");
        }
    }
}
