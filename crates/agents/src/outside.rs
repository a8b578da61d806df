//! The outside: where work comes from and where results go.

use std::collections::BTreeSet;
use std::sync::Arc;

use fleetsim_engine::sample::Sampler;
use fleetsim_engine::{Address, Agent, AgentId, Context, Fact, Message, inbox};
use serde::{Deserialize, Serialize};

use crate::artifact_store;
use crate::item::Item;
use crate::seam::{Giver, Seam};

/// What the outside hears from the fleet.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Report {
    /// An item came out of the fleet.
    Finished(Item),
}

impl Message for Report {
    const PROTOCOL: &'static str = "outside";
}

inbox! {
    /// What the outside understands.
    pub enum Inbox { Report(Report), Artifacts(artifact_store::Reply) }
}

/// When items arrive.
#[derive(Clone, Debug)]
pub enum Arrivals {
    /// So many at the start, the rest each so long after the one before (in nanoseconds).
    Spaced {
        /// How many come at once.
        at_once: u64,
        /// The gap between later ones; `None` when there are no later ones.
        gap_ns: Option<Sampler>,
    },
    /// Recorded arrivals, in order of time.
    Recorded(Arc<[Arrival]>),
}

/// A recorded arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When, in nanoseconds from the start.
    pub at_ns: u64,
    /// Input tokens.
    pub tokens_in: u64,
    /// Generated tokens.
    pub tokens_out: u64,
}

/// One kind of work.
#[derive(Clone, Debug)]
pub struct Work {
    /// How many items come.
    pub count: u64,
    /// When they come.
    pub arrivals: Arrivals,
    /// Where they enter.
    pub entry: Seam,
    /// Whether somebody checks the results.
    pub checked: bool,
    /// The artifact that must hold every item's edit in the end, and its store.
    pub artifact: Option<(Arc<str>, Address<artifact_store::Request>)>,
    /// The number of the first item; kinds of work do not share numbers.
    pub first_item: u64,
}

/// Brings one kind of work and takes its results.
pub struct Outside {
    work: Work,
    giver: Giver,
    arrived: u64,
    finished: BTreeSet<u64>,
}

/// The outside's timers.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Timer {
    /// The next item arrives.
    Arrival,
}

impl Outside {
    /// The outside of a fleet with one kind of work.
    #[must_use]
    pub fn new(work: Work) -> Outside {
        Outside { work, giver: Giver::default(), arrived: 0, finished: BTreeSet::new() }
    }

    fn arrive(&mut self, ctx: &mut Context<'_, Self>) {
        let (tokens_in, tokens_out) = match &self.work.arrivals {
            Arrivals::Recorded(arrivals) => {
                let arrival = arrivals[self.arrived as usize];
                (arrival.tokens_in, arrival.tokens_out)
            }
            Arrivals::Spaced { .. } => (0, 0),
        };
        let id = self.work.first_item + self.arrived;
        self.arrived += 1;
        ctx.fact(Fact::TaskAdded { task: id });
        ctx.fact(Fact::TaskReady { task: id });
        let item =
            Item { id, attempt: 1, rejections: 0, tokens_in, tokens_out, faulty: false, tainted: false };
        self.giver.offer(ctx, &self.work.entry, item);
    }

    /// Brings everything that is due, then waits for the next arrival.
    fn arrive_all_due(&mut self, ctx: &mut Context<'_, Self>) {
        while self.arrived < self.work.count {
            let wait_ns = match &self.work.arrivals {
                Arrivals::Recorded(arrivals) => {
                    arrivals[self.arrived as usize].at_ns.saturating_sub(ctx.now().as_ns())
                }
                Arrivals::Spaced { at_once, .. } if self.arrived < *at_once => 0,
                Arrivals::Spaced { gap_ns: None, .. } => return,
                Arrivals::Spaced { gap_ns: Some(gap_ns), .. } => {
                    // The luck of a gap belongs to the item that it precedes.
                    let key = [self.work.first_item + self.arrived];
                    let gap_ns = gap_ns.sample(&mut ctx.luck_of("gap before an arrival", key));
                    ctx.set_timer(gap_ns, Timer::Arrival);
                    return;
                }
            };
            if wait_ns > 0 {
                ctx.set_timer(wait_ns, Timer::Arrival);
                return;
            }
            self.arrive(ctx);
        }
    }
}

impl Agent for Outside {
    type Inbox = Inbox;
    type Timer = Timer;

    fn on_start(&mut self, ctx: &mut Context<'_, Self>) {
        self.arrive_all_due(ctx);
    }

    fn on_timer(&mut self, ctx: &mut Context<'_, Self>, Timer::Arrival: Timer) {
        self.arrive(ctx);
        self.arrive_all_due(ctx);
    }

    fn on_message(&mut self, ctx: &mut Context<'_, Self>, from: AgentId, message: Inbox) {
        match message {
            Inbox::Report(Report::Finished(item)) => {
                let is_new = self.finished.insert(item.id);
                if item.tainted {
                    ctx.fact(Fact::Tainted { item: item.id, origin: from });
                }
                if self.work.checked && is_new {
                    ctx.fact(Fact::Checked { item: item.id, passed: !item.faulty, actual: !item.faulty });
                }
                let is_last = is_new && self.finished.len() as u64 == self.work.count;
                if let (true, Some((artifact, store))) = (is_last, &self.work.artifact) {
                    let artifact = artifact.as_ref().to_owned();
                    ctx.send(*store, artifact_store::Request::Read { artifact });
                }
            }
            Inbox::Artifacts(artifact_store::Reply::Content { edits, .. }) => {
                // Item 0 stands for all of them together.
                let whole = self.finished.iter().all(|item| edits.contains(item));
                ctx.fact(Fact::Checked { item: 0, passed: whole, actual: whole });
            }
            Inbox::Artifacts(_) => {}
        }
    }
}
