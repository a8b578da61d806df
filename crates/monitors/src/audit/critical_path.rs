//! The critical path: from the last finished item backwards, always to whatever ended last of that which had to end
//! first, until the path leaves the fleet.
//!
//! An agent that takes an item up had to be free and had to have the item. If it was still busy when the item was
//! there, the path goes on with the job that kept it busy; otherwise with whoever passed the item on. An agent that
//! chooses receivers for others is treated alike: its earlier choices keep it busy. Follows the critical path of a
//! distributed execution by Yang and Miller ("Critical path analysis for the execution of parallel and distributed
//! programs", ICDCS 1988), with facts in the place of messages.

use std::collections::BTreeSet;

use fleetsim_engine::AgentId;

use super::journal::{Came, Choice, Finish, Job, Journal, Offer, PauseKind};
use crate::monitor::Moment;

/// What a part of the path was spent on, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Spent {
    /// Work of an agent.
    Service(AgentId),
    /// An item lay in a medium, or was on its way to an agent.
    Queue(Lay),
    /// An agent chose for others, or the choice lay with it.
    Choice(AgentId),
    /// As the agent stated.
    Pause(PauseKind),
}

/// Where an item lay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lay {
    /// In a medium, by the number of its name.
    Medium(u32),
    /// With an agent: its inbox, or the store that it is.
    Agent(AgentId),
}

/// A part of the path. The parts touch each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) from: Moment,
    pub(super) to: Moment,
    pub(super) spent: Spent,
}

/// Where the walk stands: at an instant up to which something took its time.
#[derive(Clone, Copy, Debug)]
enum Stand {
    /// An agent worked, if possible on this item.
    Agent(AgentId, Option<u64>),
    /// A job, by agent and number.
    Job(AgentId, usize),
    /// A choice, by agent and number.
    Choice(AgentId, usize),
}

/// The critical path.
#[derive(Debug)]
pub(super) struct Path {
    /// Its parts, the last one first.
    pub(super) segments: Vec<Segment>,
    /// Whether it begins where work came in, rather than where the record does not tell how it goes on.
    pub(super) leaves_fleet: bool,
}

/// The path to an item that `finish` says is done.
pub(super) fn walk(journal: &Journal, finish: Finish) -> Path {
    let (jobs, choices) = (BTreeSet::new(), BTreeSet::new());
    let mut walk = Walk { journal, segments: Vec::new(), jobs, choices, leaves_fleet: false };
    let mut next = Some((Stand::Agent(finish.agent, Some(finish.item)), finish.at));
    while let Some((stand, at)) = next {
        next = match stand {
            Stand::Agent(agent, item) => {
                let number = walk.job_at(agent, item, at);
                // Who gives and never took anything up is where work comes from.
                walk.leaves_fleet = number.is_none() && !walk.jobs.is_empty();
                number.map(|number| (Stand::Job(agent, number), at))
            }
            Stand::Job(agent, number) => walk.job(agent, number, at),
            Stand::Choice(agent, number) => walk.choice(agent, number),
        };
    }
    Path { segments: walk.segments, leaves_fleet: walk.leaves_fleet }
}

struct Walk<'a> {
    journal: &'a Journal,
    segments: Vec<Segment>,
    /// Jobs and choices on the path: each is passed once, so the walk ends.
    jobs: BTreeSet<(AgentId, usize)>,
    choices: BTreeSet<(AgentId, usize)>,
    leaves_fleet: bool,
}

impl Walk<'_> {
    /// The job that an agent was at: the last that it had begun, if possible of the item.
    fn job_at(&self, agent: AgentId, item: Option<u64>, at: Moment) -> Option<usize> {
        let jobs = self.journal.jobs.get(&agent)?;
        let begun = jobs.partition_point(|job| job.begin.event <= at.event);
        let of_item = jobs[..begun].iter().rposition(|job| Some(job.item) == item);
        of_item.or_else(|| begun.checked_sub(1))
    }

    fn job(&mut self, agent: AgentId, number: usize, at: Moment) -> Option<(Stand, Moment)> {
        if !self.jobs.insert((agent, number)) {
            return None;
        }
        let job = self.journal.jobs[&agent][number];
        let pieces = pieces(self.journal, agent, job.begin, at);
        self.segments.extend(pieces.into_iter().rev());
        let Some(came) = Arrival::of(&job, agent) else {
            // Nobody said how the item came; only what its agent did before is known.
            return self.busy_until(agent, number).map(|(stand, end)| {
                self.push(end, job.begin, Spent::Queue(Lay::Agent(agent)));
                (stand, end)
            });
        };
        if let Some((stand, end)) =
            self.busy_until(agent, number).filter(|(_, end)| end.event > came.there.event)
        {
            self.push(end, job.begin, Spent::Queue(came.lay));
            return Some((stand, end));
        }
        self.push(came.there, job.begin, Spent::Queue(came.lay));
        match came.offer {
            Some(Offer { chosen: Some((chosen, chooser)), given, giver, item, .. }) => {
                let choices = &self.journal.choices[&chooser];
                match choices
                    .iter()
                    .rposition(|choice| choice.at.event == chosen.event && choice.offer.given == given)
                {
                    Some(number) => Some((Stand::Choice(chooser, number), chosen)),
                    None => Some((Stand::Agent(giver, Some(item)), given)),
                }
            }
            Some(Offer { given, giver, item, .. }) => Some((Stand::Agent(giver, Some(item)), given)),
            None => {
                self.leaves_fleet = matches!(job.came, Came::Claimed(ready) if !ready.is_again);
                None
            }
        }
    }

    /// What an agent chose for others, back to when it could begin with that.
    fn choice(&mut self, agent: AgentId, number: usize) -> Option<(Stand, Moment)> {
        if !self.choices.insert((agent, number)) {
            return None;
        }
        let Choice { at, offer } = self.journal.choices[&agent][number];
        let before = number.checked_sub(1).map(|number| self.journal.choices[&agent][number].at);
        let job = self.journal.jobs.get(&agent).and_then(|jobs| {
            let begun = jobs.partition_point(|job| job.begin.event < at.event);
            begun.checked_sub(1).map(|number| (number, jobs[number].end))
        });
        let after_choice = before.map(|before| (Stand::Choice(agent, number.saturating_sub(1)), before));
        let after_job =
            job.filter(|(_, end)| end.event < at.event).map(|(number, end)| (Stand::Job(agent, number), end));
        let busy = [after_choice, after_job].into_iter().flatten().max_by_key(|(_, end)| end.event);
        match busy.filter(|(_, end)| end.event > offer.given.event) {
            Some((stand, end)) => {
                self.push(end, at, Spent::Choice(agent));
                Some((stand, end))
            }
            None => {
                self.push(offer.given, at, Spent::Choice(agent));
                Some((Stand::Agent(offer.giver, Some(offer.item)), offer.given))
            }
        }
    }

    /// The job before, and when it ended: no later than this one began.
    fn busy_until(&self, agent: AgentId, number: usize) -> Option<(Stand, Moment)> {
        let jobs = &self.journal.jobs[&agent];
        let before = number.checked_sub(1)?;
        let end = jobs[before].end.min(jobs[number].begin);
        Some((Stand::Job(agent, before), end))
    }

    fn push(&mut self, from: Moment, to: Moment, spent: Spent) {
        if from.at < to.at {
            self.segments.push(Segment { from, to, spent });
        }
    }
}

/// How the item of a job came to its agent.
struct Arrival {
    /// From when on only the agent itself was missing.
    there: Moment,
    lay: Lay,
    offer: Option<Offer>,
}

impl Arrival {
    fn of(job: &Job, agent: AgentId) -> Option<Arrival> {
        match job.came {
            Came::Offered(offer) => Some(Arrival {
                there: offer.chosen.map_or(offer.given, |(chosen, _)| chosen),
                lay: offer.medium.map_or(Lay::Agent(agent), Lay::Medium),
                offer: Some(offer),
            }),
            Came::Claimed(ready) => {
                Some(Arrival { there: ready.since, lay: Lay::Agent(ready.store), offer: None })
            }
            Came::Unknown => None,
        }
    }
}

/// What `agent` did from `from` to `to`: work, but for the pauses that it stated.
pub(super) fn pieces(journal: &Journal, agent: AgentId, from: Moment, to: Moment) -> Vec<Segment> {
    let all = journal.pauses.get(&agent).map_or(&[][..], Vec::as_slice);
    let first = all.partition_point(|pause| pause.to.event <= from.event);
    let within: Vec<_> = all[first..].iter().take_while(|pause| pause.from.event < to.event).collect();
    let mut bounds: Vec<Moment> = within
        .iter()
        .flat_map(|pause| [pause.from, pause.to])
        .filter(|bound| *bound > from && *bound < to)
        .chain([from, to])
        .collect();
    bounds.sort();
    bounds.dedup();
    let piece = |pair: &[Moment]| {
        let covers = within.iter().filter(|pause| pause.from <= pair[0] && pair[1] <= pause.to);
        let spent = covers.map(|pause| pause.kind).max().map_or(Spent::Service(agent), Spent::Pause);
        Segment { from: pair[0], to: pair[1], spent }
    };
    bounds.windows(2).map(piece).filter(|piece| piece.from.at < piece.to.at).collect()
}
