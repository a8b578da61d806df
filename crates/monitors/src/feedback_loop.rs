//! Feedback loops: an item that goes round and round between the same roles without coming closer to done.
//!
//! An item's hand-overs are a string of (seam, role of the receiver). A loop is a repetition at the end of that
//! string, contiguous (who gives is who received before) and without progress in it. Roles rather than agents are
//! compared, since a pool hands the same loop from member to member.
//!
//! *Source.* Our own; review loops as users of coding agents report them.
//!
//! *Parameters.* [`MonitorConfig::loop_rounds_max`]; for rounds and cascades of messages, which `message_loop.rs` finds,
//! [`MonitorConfig::branching_window_messages`].

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use fleetsim_engine::batch::Step;
use fleetsim_engine::{AgentId, Fact, Names};

use crate::config::MonitorConfig;
use crate::finding::{Class, Evidence, Finding, Numbers, Severity};
use crate::fold::Fold;
use crate::interests::{FactKind, Interests};
use crate::intern::Interner;
use crate::monitor::{Moment, Monitor, RunEnd};
use crate::number_map::NumberMap;
use crate::role::Role;
use crate::text::{counted, dollars, shown};

const KIND: &str = "feedback-loop";
/// The most hand-overs in one round.
const PERIOD_MAX: usize = 8;

/// Finds feedback loops, folded by the path that they take.
#[derive(Clone, Debug)]
pub struct FeedbackLoop {
    rounds_max: usize,
    seams: Interner,
    /// Items that have been handed over since they last made progress.
    items: NumberMap<u64, Item>,
    /// What each agent received last: that is what its money is spent on.
    holds: NumberMap<AgentId, u64>,
    closed: BTreeMap<Vec<Hop>, Loops>,
}

/// One hand-over of a path: the seam, and the role that receives.
type Hop = (u32, Role);

#[derive(Clone, Debug, Default)]
struct Item {
    path: Path,
    /// Lengths at which the path repeats itself, ascending.
    repeats: Vec<Repeat>,
    /// What its holders have spent on it, in billionths of a dollar.
    spent: u64,
    /// When a guard stepped in, if the item was not handed over since.
    stopped: Option<Mark>,
}

/// The last hand-overs of an item, at most [`PERIOD_MAX`]. Most items are handed over once, and need no list.
#[derive(Clone, Debug, Default)]
struct Path {
    last: Option<HandOver>,
    before: VecDeque<HandOver>,
}

#[derive(Clone, Copy, Debug)]
struct HandOver {
    hop: Hop,
    offer: u64,
    giver: AgentId,
    receiver: AgentId,
    mark: Mark,
}

/// A moment, and what had been spent on the item by then.
#[derive(Clone, Copy, Debug)]
struct Mark {
    moment: Moment,
    spent: u64,
}

#[derive(Clone, Debug)]
struct Repeat {
    period: usize,
    /// Hand-overs since the first round that were as those one round before.
    length: usize,
    began: Mark,
    /// The end of the second round, from which on the loop can be seen.
    second: Option<Mark>,
    /// The end of the round that made it too many.
    found: Option<Mark>,
    agents: BTreeSet<AgentId>,
}

impl Repeat {
    fn rounds(&self) -> usize {
        (self.length + self.period) / self.period
    }
}

/// A loop that is over, or as far as it has come.
#[derive(Clone, Debug)]
struct Loop {
    item: u64,
    rounds: usize,
    began: Mark,
    second: Mark,
    found: Mark,
    end: Mark,
    /// The givers and receivers of the last round, in order.
    round: Vec<(AgentId, AgentId)>,
    agents: BTreeSet<AgentId>,
}

impl FeedbackLoop {
    /// A monitor with the bound of `config`.
    #[must_use]
    pub fn new(config: &MonitorConfig) -> FeedbackLoop {
        FeedbackLoop {
            rounds_max: config.loop_rounds_max.max(2) as usize,
            seams: Interner::default(),
            items: NumberMap::default(),
            holds: NumberMap::default(),
            closed: BTreeMap::new(),
        }
    }

    fn received(
        &mut self,
        moment: Moment,
        seam: &str,
        item: u64,
        offer: u64,
        giver: AgentId,
        receiver: AgentId,
    ) {
        self.holds.insert(receiver, item);
        let hop = (self.seams.number(seam), Role::of(receiver));
        let state = self.items.or_default(item);
        // A second delivery of the same offer is another monitor's business, and no step of a path.
        if state.path.back().any(|known| known.offer == offer) {
            return;
        }
        state.stopped = None;
        let mark = Mark { moment, spent: state.spent };
        let next = HandOver { hop, offer, giver, receiver, mark };
        let continues = state.path.last.is_some_and(|last| last.hop.1 == Role::of(giver));
        if continues {
            let ended = state.extend(&next, self.rounds_max);
            close(&mut self.closed, item, state, ended, mark);
        } else if state.path.last.is_some() {
            let ended = core::mem::take(&mut state.repeats);
            close(&mut self.closed, item, state, ended, mark);
            state.path = Path::default();
        }
        state.path.push(next);
    }

    /// The item came closer to done: what it went through before led somewhere, and was no loop.
    fn settle(&mut self, item: u64) {
        self.items.remove(item);
    }

    fn spend(&mut self, agent: AgentId, nano_dollars: u64) {
        if let Some(item) = self.holds.get(agent)
            && let Some(state) = self.items.get_mut(*item)
        {
            state.spent = state.spent.saturating_add(nano_dollars);
        }
    }

    fn finding(&self, path: &[Hop], Loops { loops, total }: &Loops, names: &Names) -> Finding {
        let first = loops.first();
        let mut hops: Vec<String> = first.round.iter().map(|(giver, _)| shown(&names.of(*giver))).collect();
        hops.push(first.round.last().map(|(_, receiver)| shown(&names.of(*receiver))).unwrap_or_default());
        let more = if loops.count > 1 {
            format!("; {} went round like it", counted(loops.count, "item"))
        } else {
            String::new()
        };
        let text = format!(
            "item {} went round {} {} times without progress, for {}{more}; no task was completed by it",
            first.item,
            hops.join(" -> "),
            first.rounds,
            dollars(first.end.spent - first.began.spent),
        );
        let mut seams: Vec<String> = path.iter().map(|(seam, _)| self.seams.name(*seam).to_owned()).collect();
        let mut roles: Vec<String> = path.iter().map(|(_, role)| role.name(names)).collect();
        for list in [&mut seams, &mut roles] {
            list.sort();
            list.dedup();
        }
        let subject = seams.join(", ");
        let mut evidence = vec![
            Evidence::new(first.began.moment, format!("the first round of item {} began", first.item)),
            Evidence::new(first.second.moment, "the second round was complete"),
            Evidence::new(first.found.moment, "the round that is one too many was complete"),
        ];
        evidence.extend(
            loops.kept.iter().skip(1).map(|more| {
                Evidence::new(more.found.moment, format!("item {} went round as often", more.item))
            }),
        );
        let agents = loops.agents(names);
        Finding {
            count: loops.count,
            evidence,
            numbers: Numbers(vec![
                ("rounds", first.rounds as u64),
                ("rounds_most", total.rounds_most),
                ("hand_overs_per_round", path.len() as u64),
                ("agents", first.agents.len() as u64),
                ("items", loops.count),
                ("nano_dollars", total.nano_dollars),
            ]),
            about: BTreeMap::from([("seam", seams), ("role", roles), ("agent", agents.clone())]),
            agents,
            earliest_signal: Some(Evidence::new(
                first.second.moment,
                "the second round without progress was complete",
            )),
            lead_time_ns: Some(first.end.moment.at.since(first.second.moment.at)),
            saved_nano_dollars: Some(total.saved_nano_dollars),
            remedy: Some(
                "bound the rounds (review-rounds) and send what exceeds them to a person".to_owned(),
            ),
            ..Finding::new(KIND, Class::Liveness, Severity::High, KIND, first.found.moment, &subject, &text)
        }
    }
}

/// All loops of one path.
#[derive(Clone, Debug, Default)]
struct Loops {
    loops: Fold<Loop>,
    total: Total,
}

#[derive(Clone, Copy, Debug, Default)]
struct Total {
    rounds_most: u64,
    nano_dollars: u64,
    saved_nano_dollars: u64,
}

impl Loops {
    fn add(&mut self, one: Loop) {
        let spent = |since: Mark| one.end.spent - since.spent;
        self.total.rounds_most = self.total.rounds_most.max(one.rounds as u64);
        self.total.nano_dollars = self.total.nano_dollars.saturating_add(spent(one.began));
        self.total.saved_nano_dollars = self.total.saved_nano_dollars.saturating_add(spent(one.second));
        let agents = one.agents.clone();
        self.loops.add(one, agents);
    }
}

impl Path {
    fn push(&mut self, next: HandOver) {
        let Some(last) = self.last.replace(next) else { return };
        self.before.push_back(last);
        if self.before.len() == PERIOD_MAX {
            self.before.pop_front();
        }
    }

    /// From the last one back.
    fn back(&self) -> impl Iterator<Item = &HandOver> {
        self.last.iter().chain(self.before.iter().rev())
    }

    /// The last `count`, in order.
    fn round(&self, count: usize) -> Vec<HandOver> {
        let mut round: Vec<HandOver> = self.back().take(count).copied().collect();
        round.reverse();
        round
    }
}

impl Item {
    /// Appends a hand-over; gives the repeats that it ended.
    fn extend(&mut self, next: &HandOver, rounds_max: usize) -> Vec<Repeat> {
        let mut ended = Vec::new();
        let mut kept = Vec::new();
        let mut repeats = core::mem::take(&mut self.repeats).into_iter().peekable();
        for (period, before) in (1..).zip(self.path.back()) {
            let known = repeats.next_if(|repeat| repeat.period == period);
            if before.hop != next.hop {
                ended.extend(known);
                continue;
            }
            let mut repeat = known.unwrap_or_else(|| Repeat {
                period,
                length: 0,
                began: before.mark,
                second: None,
                found: None,
                agents: self.path.back().take(period).flat_map(HandOver::ends).collect(),
            });
            repeat.length += 1;
            repeat.agents.extend(next.ends());
            if repeat.length == period {
                repeat.second = Some(next.mark);
            }
            if repeat.found.is_none() && repeat.rounds() >= rounds_max {
                repeat.found = Some(next.mark);
            }
            kept.push(repeat);
        }
        ended.extend(repeats);
        self.repeats = kept;
        ended
    }

    /// The loop that `repeat` is, if it has gone round too often: of those that are the same, the shortest.
    fn as_loop(&self, item: u64, repeat: &Repeat, end: Mark) -> Option<(Vec<Hop>, Loop)> {
        let (second, found) = (repeat.second?, repeat.found?);
        let round = self.path.round(repeat.period);
        let hops: Vec<Hop> = round.iter().map(|hand_over| hand_over.hop).collect();
        let told = Loop {
            item,
            rounds: repeat.rounds(),
            began: repeat.began,
            second,
            found,
            end,
            round: round.iter().map(|hand_over| (hand_over.giver, hand_over.receiver)).collect(),
            agents: repeat.agents.clone(),
        };
        Some((smallest_rotation(hops), told))
    }
}

impl HandOver {
    fn ends(&self) -> [AgentId; 2] {
        [self.giver, self.receiver]
    }
}

/// Files those of the ended repeats that were loops. A loop of period 2 is also one of period 4: only the shortest
/// is told.
fn close(closed: &mut BTreeMap<Vec<Hop>, Loops>, item: u64, state: &Item, ended: Vec<Repeat>, end: Mark) {
    let told = ended.iter().find_map(|repeat| state.as_loop(item, repeat, end));
    if let Some((path, told)) = told {
        closed.entry(path).or_default().add(told);
    }
}

/// The rotation of a round that comes first in order, so that a loop is the same wherever it was entered.
fn smallest_rotation(hops: Vec<Hop>) -> Vec<Hop> {
    let rotation = |start: usize| hops[start..].iter().chain(&hops[..start]).copied().collect::<Vec<Hop>>();
    (0..hops.len()).map(rotation).min().unwrap_or_default()
}

impl Monitor for FeedbackLoop {
    fn name(&self) -> &'static str {
        KIND
    }

    fn interests(&self) -> Interests {
        Interests::facts(&[
            FactKind::Received,
            FactKind::Spent,
            FactKind::Progress,
            FactKind::TaskFinished,
            FactKind::GuardTripped,
        ])
    }

    fn observe(&mut self, step: &Step<'_>, facts: &[Fact<'_>]) {
        let moment = Moment::of(step);
        for fact in facts {
            match *fact {
                Fact::Received { seam, item, offer, giver } => {
                    self.received(moment, seam, item, offer, giver, step.target);
                }
                Fact::Spent { nano_dollars, .. } => self.spend(step.target, nano_dollars),
                Fact::Progress { item } | Fact::TaskFinished { task: item, reported: true, .. } => {
                    self.settle(item);
                }
                Fact::GuardTripped { item, .. } => {
                    if let Some(state) = self.items.get_mut(item) {
                        state.stopped.get_or_insert(Mark { moment, spent: state.spent });
                    }
                }
                _ => {}
            }
        }
    }

    fn findings(&self, end: &RunEnd, names: &Names) -> Vec<Finding> {
        let mut closed = self.closed.clone();
        for (item, state) in self.items.sorted() {
            // The event at which the run ended is not this item's: its last hand-over is.
            let last = state.path.last.map_or(0, |last| last.mark.moment.event);
            let at_end = Mark { moment: Moment { event: last, at: end.time }, spent: state.spent };
            let end = state.stopped.unwrap_or(at_end);
            let open = state.repeats.iter().find_map(|repeat| state.as_loop(item, repeat, end));
            if let Some((path, told)) = open {
                closed.entry(path).or_default().add(told);
            }
        }
        closed.iter().map(|(path, loops)| self.finding(path, loops, names)).collect()
    }
}
