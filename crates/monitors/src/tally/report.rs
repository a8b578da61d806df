//! The tally in the form in which it is shown and written as JSON.

use serde::Serialize;

use super::faults::FaultTally;
use crate::histogram::Histogram;
use crate::ratio::Ratio;

/// The tally of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TallyReport {
    /// What became of the tasks.
    pub tasks: TaskTally,
    /// What checks of items said.
    pub checks: CheckTally,
    /// What was spent on models.
    pub cost: CostTally,
    /// The seams, in the order in which the run first used them.
    pub seams: Vec<SeamTally>,
    /// What the providers answered.
    pub requests: RequestTally,
    /// The roles that spent or waited, by name.
    pub roles: Vec<RoleTally>,
    /// How evenly tokens were granted to those that asked, by model.
    pub fairness: Vec<Fairness>,
    /// What fault rules did, by rule and kind.
    pub faults: Vec<FaultTally>,
}

/// What became of the tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TaskTally {
    /// Tasks that were added.
    pub added: u64,
    /// Tasks that a worker reported as done.
    pub done: u64,
    /// Tasks given up, or whose last attempt failed.
    pub failed: u64,
    /// The rest.
    pub pending: u64,
    /// Attempts that were reported as done and were not.
    pub falsely_done: u64,
    /// From the first task's addition to the last one's completion, in nanoseconds.
    pub makespan_ns: u64,
    /// Tasks done in an hour of the makespan, in thousandths.
    pub done_per_hour_thousandths: u64,
}

/// What checks of items said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CheckTally {
    /// Checks that passed.
    pub passed: u64,
    /// Checks that failed.
    pub failed: u64,
    /// Checks that passed what was wrong.
    pub wrongly_passed: u64,
    /// What the check of all results together said (item 0), if there was one: `passed` alone does not tell that
    /// results which are right one by one are wrong together.
    pub together: Option<bool>,
}

/// What was spent on models.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CostTally {
    /// Input tokens that were not cached.
    pub tokens_in: u64,
    /// Input tokens read from a cache.
    pub cached: u64,
    /// Generated tokens.
    pub tokens_out: u64,
    /// The price in billionths of a dollar.
    pub nano_dollars: u64,
}

/// What one seam carried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SeamTally {
    /// Its name.
    pub name: String,
    /// Offers that were made.
    pub offered: u64,
    /// Offers that were taken up, repeated ones included.
    pub handed_over: u64,
    /// Items received later than the seam's bound.
    pub late: u64,
    /// Those of them that had been taken up already.
    pub duplicated: u64,
    /// Offers lost for good.
    pub lost: u64,
    /// Offers that were still on their way.
    pub in_flight: u64,
    /// From offer to first receipt.
    pub waits: Histogram,
}

/// What the providers answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RequestTally {
    /// Requests that were admitted.
    pub admitted: u64,
    /// Requests that were refused: above a limit, too large, or by a provider in trouble.
    pub refused: u64,
    /// Requests that were admitted at their first attempt.
    pub first_admitted: u64,
    /// The input tokens of those.
    pub first_tokens_in: u64,
    /// The output tokens of those.
    pub first_tokens_out: u64,
}

/// What the members of one role spent, and how long they waited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoleTally {
    /// The role's name; `spawned` for all agents that others spawned.
    pub name: String,
    /// What its members spent, in billionths of a dollar.
    pub nano_dollars: u64,
    /// Waits that they stated and that ended.
    pub waits: Histogram,
    /// How long messages waited in their inboxes, of those that waited at all.
    pub inbox_waits: Histogram,
}

/// How evenly a model's tokens were granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fairness {
    /// The model.
    pub model: String,
    /// Agents that asked.
    pub agents: u64,
    /// Jain's index of the tokens granted to each: 1 when all are equal, 1/n when one has all.
    pub jain: Ratio,
}
