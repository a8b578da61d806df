//! What the workers of a role have in common.

use std::sync::Arc;

use fleetsim_engine::sample::Sampler;
use fleetsim_engine::{Address, Draw, HOUR, Time, hash_text};

use crate::gate::Action;
use crate::item::Item;
use crate::seam::{Seam, When};
use crate::{Share, artifact_store, broker, outside, provider, task_store};

/// A role. Figures are the scenario's.
#[derive(Clone, Debug)]
pub struct Role {
    /// The role's name.
    pub name: Arc<str>,
    /// How long work takes, and what it costs.
    pub pace: Pace,
    /// All seams of the fleet, by number.
    pub seams: Arc<[Seam]>,
    /// The numbers of the seams along which this role gives.
    pub gives: Vec<u16>,
    /// Where free workers ask for work.
    pub pulls: Vec<Pull>,
    /// How often work goes wrong unnoticed.
    pub wrong: Share,
    /// How often a worker says "done" without having done anything; the result is wrong.
    pub says_done_falsely: Share,
    /// How often an error in an item is caught.
    pub catches: Share,
    /// How often a reviewer sends an item back whatever it is like.
    pub rejects: Share,
    /// The artifact that each item changes.
    pub edits: Option<Edits>,
    /// Whether items end here, unless they are sent back.
    pub finishes: bool,
    /// What is done to the world when an item ends here.
    pub action: Option<Action>,
    /// Whether a wrong result is found by tests when an item ends here.
    pub tested: bool,
    /// After so many rejections an item is given up, if the guard is on.
    pub review_rounds: Option<u32>,
    /// Whether a second delivery of the same offer is dropped, if the guard is on.
    pub dedupes: bool,
    /// Where results go: the first item of each kind of work and who wants to hear, in order of items.
    pub outside: Arc<[(u64, Address<outside::Report>)]>,
}

/// How long work takes.
#[derive(Clone, Debug)]
pub enum Pace {
    /// Turns of a language model.
    Model(ModelPace),
    /// A program that handles one thing at a time, deaf meanwhile; nanoseconds each.
    Process {
        /// How long one takes.
        each_ns: Sampler,
    },
    /// A person, deaf meanwhile.
    Human {
        /// Office hours as offsets from midnight in nanoseconds; `None` for always.
        hours: Option<(u64, u64)>,
        /// How long an answer takes, in nanoseconds.
        answers_in_ns: Sampler,
        /// The time of day at which the run begins, as an offset from midnight in nanoseconds.
        day_begins_ns: u64,
    },
}

/// The figures of a worker that runs on a model.
#[derive(Clone, Debug)]
pub struct ModelPace {
    /// The model's name.
    pub model: Arc<str>,
    /// Its provider.
    pub provider: Address<provider::Request>,
    /// Turns per item, at least 1.
    pub turns: Sampler,
    /// Input tokens per turn.
    pub tokens_in: Sampler,
    /// Generated tokens per turn.
    pub tokens_out: Sampler,
    /// Input tokens that each earlier turn of the item adds.
    pub context_grows: u64,
}

/// Where a free worker asks for work.
#[derive(Clone, Debug)]
pub enum Pull {
    /// At a queue without a reader of its own.
    Queue {
        /// The queue.
        broker: Address<broker::Request>,
        /// The seams that end at this role.
        seams: Vec<u16>,
    },
    /// At a task store.
    Store {
        /// The store.
        store: Address<task_store::Request>,
        /// The seams that end at this role.
        seams: Vec<u16>,
    },
}

/// An artifact that each item changes: read when the item is taken up, written when it is done.
#[derive(Clone, Debug)]
pub struct Edits {
    /// The artifact's name.
    pub artifact: Arc<str>,
    /// Where it is kept.
    pub store: Address<artifact_store::Request>,
}

impl Role {
    /// Whether this role judges items rather than working on them: it can send them back.
    pub(super) fn reviews(&self) -> bool {
        self.gives.iter().any(|seam| self.seams[usize::from(*seam)].when == When::Rejected)
    }

    /// The luck of this role with an item, which is the item's: the same whichever worker has it.
    pub(super) fn luck<A: fleetsim_engine::Agent>(
        &self,
        ctx: &fleetsim_engine::Context<'_, A>,
        purpose: &str,
        item: &Item,
    ) -> Draw {
        let role = hash_text(&self.name);
        ctx.luck_of(purpose, [item.id, u64::from(item.attempt), role, u64::from(item.rejections)])
    }
}

/// How long a person takes who is asked at `now`: until the office opens, then the answer.
pub(super) fn human_delay_ns(
    hours: Option<(u64, u64)>,
    day_begins_ns: u64,
    now: Time,
    answer_ns: u64,
) -> u64 {
    const DAY: u64 = 24 * HOUR;
    let Some((opens_ns, closes_ns)) = hours else { return answer_ns };
    let of_day_ns = (now.as_ns() % DAY + day_begins_ns) % DAY;
    let open_for_ns = closes_ns.saturating_sub(opens_ns).max(1);
    let mut waits_ns = 0;
    let mut left_today_ns = open_for_ns;
    if of_day_ns < opens_ns {
        waits_ns = opens_ns - of_day_ns;
    } else if of_day_ns >= closes_ns {
        waits_ns = DAY - of_day_ns + opens_ns;
    } else {
        left_today_ns = closes_ns - of_day_ns;
    }
    if answer_ns <= left_today_ns {
        return waits_ns + answer_ns;
    }
    // What does not fit into today goes on when the office opens again.
    let rest_ns = answer_ns - left_today_ns;
    let (days, last_ns) = ((rest_ns - 1) / open_for_ns, (rest_ns - 1) % open_for_ns + 1);
    let closed_ns = DAY - open_for_ns;
    waits_ns
        .saturating_add(left_today_ns)
        .saturating_add(closed_ns)
        .saturating_add(days.saturating_mul(DAY))
        .saturating_add(last_ns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_answer_in_office_hours() {
        let office = Some((9 * HOUR, 17 * HOUR));
        for (begins, now, answer, expected) in [
            (9, 0, 1, 1),
            (9, 7, 1, 1),
            (9, 7, 2, 1 + 16 + 1),
            (0, 0, 1, 9 + 1),
            (0, 20, 1, 13 + 1),
            (9, 0, 8, 8),
            (9, 0, 17, 8 + 16 + 8 + 16 + 1),
        ] {
            let delay = human_delay_ns(office, begins * HOUR, Time::from_ns(now * HOUR), answer * HOUR);
            assert_eq!(delay, expected * HOUR, "a day from {begins}, asked at {now}, {answer} hours of work");
        }
        assert_eq!(human_delay_ns(None, 0, Time::ZERO, 5), 5);
    }
}
