//! A worker: takes items up one at a time, works on them at its pace, and hands them over.
//!
//! An LLM, a plain process and a person differ only in their [`Pace`]. A worker that is named as the chooser of a
//! seam relays: it reads every offer and passes it to a receiver.

mod artifact;
mod job;
mod misbehaviour;
mod role;
mod turns;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use fleetsim_engine::{Address, Agent, AgentId, Context, Fact, inbox};
use serde::{Deserialize, Serialize};

use crate::gate::Gate;
use crate::item::{HandOver, Item, Parcel};
use crate::seam::{Chooser, Giver, Seam};
use crate::{artifact_store, broker, provider, task_store};

use artifact::View;
use job::{Job, Stage};
pub use role::{Edits, ModelPace, Pace, Pull, Role};

inbox! {
    /// What a worker understands.
    pub enum Inbox {
        HandOver(HandOver),
        Queue(broker::Delivery),
        Store(task_store::Reply),
        Model(provider::Reply),
        Artifact(artifact_store::Reply),
        Gate(Gate),
    }
}

/// A worker's timers.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Timer {
    /// The deaf time of a process or a person is over.
    WorkEnds,
    /// The wait after a refusal is over.
    Retry,
    /// Who was absent is back.
    Returns,
}

/// Something to do.
#[derive(Clone, Copy, Debug)]
enum Task {
    /// An item came, to be worked on or passed on.
    Parcel(Parcel, Origin),
    /// Somebody asks at this worker's gate.
    Gate { asker: AgentId, item: u64, faulty: bool },
}

/// Where a parcel came from, and what must be told when it is dealt with.
#[derive(Clone, Copy, Debug)]
enum Origin {
    Inbox,
    Queue { broker: Address<broker::Request>, message: u64 },
    Store { store: Address<task_store::Request>, task: u64, fence: u64 },
}

/// A worker. Its memory is volatile: a restart loses its inbox and whatever it was doing.
pub struct Worker {
    role: Arc<Role>,
    giver: Giver,
    inbox: VecDeque<Task>,
    job: Option<Job>,
    /// Offers that were dealt with, and whether that was passing them on: who chooses itself does both. Kept only
    /// under the guard `dedupe-hand-overs`.
    seen: BTreeSet<(u64, bool)>,
    /// The artifact as it was after this worker's last write.
    view: Option<View>,
}

impl Worker {
    /// A worker of a role.
    #[must_use]
    pub fn new(role: Arc<Role>) -> Worker {
        let (inbox, seen) = (VecDeque::new(), BTreeSet::new());
        Worker { role, giver: Giver::default(), inbox, job: None, seen, view: None }
    }

    /// Takes a task up, or keeps it for later: a worker looks into its inbox only between tasks.
    fn accept(&mut self, ctx: &mut Context<'_, Self>, task: Task) {
        if self.job.is_some() {
            self.inbox.push_back(task);
        } else {
            self.begin(ctx, task);
        }
    }

    fn begin(&mut self, ctx: &mut Context<'_, Self>, task: Task) {
        if let Task::Parcel(parcel, origin) = task {
            let relays = self.relays(&parcel, ctx.id());
            if self.role.dedupes && !self.seen.insert((parcel.offer, relays)) {
                ctx.fact(Fact::GuardTripped { guard: "dedupe-hand-overs", item: parcel.item.id });
                self.settle(ctx, origin);
                self.next(ctx);
                return;
            }
            if !relays {
                self.take_up(ctx, &parcel, origin);
            }
        }
        self.job = Some(Job::new(task));
        if !self.is_absent(ctx) {
            self.open(ctx);
        }
    }

    /// Turns to the task that was taken up.
    fn open(&mut self, ctx: &mut Context<'_, Self>) {
        self.misbehave_at_start(ctx);
        match self.edits_of_job(ctx.id()) {
            Some(edits) => self.take_artifact_in(ctx, &edits),
            None => self.start_work(ctx),
        }
    }

    fn take_up(&self, ctx: &mut Context<'_, Self>, parcel: &Parcel, origin: Origin) {
        let seam = self.seam(parcel);
        let (item, offer, giver) = (parcel.item.id, parcel.offer, parcel.giver);
        if parcel.item.tainted {
            // As far as this worker knows, it came in with who gave it.
            ctx.fact(Fact::Tainted { item, origin: giver });
        }
        ctx.fact(Fact::Received { seam: &seam.name, item, offer, giver });
        if let Origin::Store { fence, .. } = origin {
            ctx.fact(Fact::TaskClaimed { task: item, fence });
        }
        if seam.is_entry {
            ctx.fact(Fact::TaskStarted { task: item, attempt: parcel.item.attempt });
        }
    }

    /// Goes on to the next task, or says that it is free.
    fn next(&mut self, ctx: &mut Context<'_, Self>) {
        self.job = None;
        match self.inbox.pop_front() {
            Some(task) => self.begin(ctx, task),
            None => self.pull(ctx),
        }
    }

    fn pull(&self, ctx: &mut Context<'_, Self>) {
        for pull in &self.role.pulls {
            match pull {
                Pull::Queue { broker, seams } => {
                    ctx.send(*broker, broker::Request::Ready { seams: seams.clone() })
                }
                Pull::Store { store, seams } => {
                    ctx.send(*store, task_store::Request::Next { seams: seams.clone() })
                }
            }
        }
    }

    /// Tells whoever delivered a parcel that it is dealt with.
    fn settle(&self, ctx: &mut Context<'_, Self>, origin: Origin) {
        match origin {
            Origin::Inbox => {}
            Origin::Queue { broker, message } => ctx.send(broker, broker::Request::Acknowledge { message }),
            Origin::Store { store, task, fence } => {
                ctx.send(store, task_store::Request::Complete { task, fence });
            }
        }
    }

    fn seam(&self, parcel: &Parcel) -> &Seam {
        &self.role.seams[usize::from(parcel.seam)]
    }

    /// Whether this worker is to pass the parcel on rather than to work on it.
    fn relays(&self, parcel: &Parcel, own: AgentId) -> bool {
        parcel.receiver.is_none() && self.seam(parcel).chooser == Chooser::Agent(own)
    }

    /// The item that the current job works on, unless it only passes it on or answers at a gate.
    fn item_of_job(&self, own: AgentId) -> Option<Item> {
        match self.job.as_ref()?.task {
            Task::Parcel(parcel, _) if !self.relays(&parcel, own) => Some(parcel.item),
            _ => None,
        }
    }

    fn edits_of_job(&self, own: AgentId) -> Option<Edits> {
        let edits = self.role.edits.as_ref()?;
        let is_hollow = self.job.as_ref().is_some_and(|job| job.is_hollow);
        (self.item_of_job(own).is_some() && !is_hollow).then(|| edits.clone())
    }

    fn on_store(&mut self, ctx: &mut Context<'_, Self>, from: AgentId, reply: task_store::Reply) {
        let store = Address::new(from);
        match reply {
            // A busy worker asks again when it is free.
            task_store::Reply::Offer { task, version } if self.job.is_none() => {
                ctx.send(store, task_store::Request::Claim { task, version });
            }
            task_store::Reply::Granted { task, fence, parcel, .. } => {
                self.accept(ctx, Task::Parcel(parcel, Origin::Store { store, task, fence }));
            }
            task_store::Reply::Refused { .. } | task_store::Reply::TimedOut { .. } if self.job.is_none() => {
                self.pull(ctx)
            }
            _ => {}
        }
    }
}

impl Agent for Worker {
    type Inbox = Inbox;
    type Timer = Timer;

    fn on_start(&mut self, ctx: &mut Context<'_, Self>) {
        self.pull(ctx);
    }

    fn on_restart(&mut self, ctx: &mut Context<'_, Self>) {
        self.giver = Giver::of_a_new_life(ctx);
        self.on_start(ctx);
    }

    fn on_message(&mut self, ctx: &mut Context<'_, Self>, from: AgentId, message: Inbox) {
        match message {
            Inbox::HandOver(HandOver::Give(parcel)) => self.accept(ctx, Task::Parcel(parcel, Origin::Inbox)),
            Inbox::Queue(broker::Delivery::Deliver { message, parcel }) => {
                let origin = Origin::Queue { broker: Address::new(from), message };
                self.accept(ctx, Task::Parcel(parcel, origin));
            }
            Inbox::Store(reply) => self.on_store(ctx, from, reply),
            Inbox::Model(reply) => self.on_model(ctx, reply),
            Inbox::Artifact(reply) => self.on_artifact(ctx, reply),
            Inbox::Gate(Gate::Ask { item, faulty }) => {
                self.accept(ctx, Task::Gate { asker: from, item, faulty })
            }
            Inbox::Gate(Gate::Answer { item, approved }) => self.on_answer(ctx, from, item, approved),
        }
    }

    fn on_timer(&mut self, ctx: &mut Context<'_, Self>, timer: Timer) {
        // A timer belongs to the job that set it: there is no other before it is done.
        match (timer, self.job.as_ref().map(|job| job.stage)) {
            (Timer::WorkEnds, Some(Stage::Working)) => self.finish_work(ctx),
            (Timer::Retry, Some(Stage::Working)) => self.request_turn(ctx),
            (Timer::Retry, Some(Stage::Writing)) => self.write_artifact(ctx),
            (Timer::Returns, Some(Stage::Absent)) => self.open(ctx),
            _ => {}
        }
    }
}
