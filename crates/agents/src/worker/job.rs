//! One task of a worker, from taking it up to handing on what came of it.

use std::sync::Arc;

use fleetsim_engine::sample::Sampler;
use fleetsim_engine::{Address, AgentId, Context, Fact, Waited, hash_text, mix};

use super::role::{Edits, ModelPace, Pace, human_delay_ns};
use super::{Role, Task, Timer, Worker};
use crate::gate::Gate;
use crate::item::{Item, Parcel};
use crate::seam::{When, hand_over};
use crate::{artifact_store, outside, provider};

/// What a worker is doing.
#[derive(Clone, Debug)]
pub(super) struct Job {
    task: Task,
    pub(super) stage: Stage,
    /// Turns of the model: how many in all, and how many are over.
    turns: u64,
    turns_over: u64,
    /// The turn that the provider was asked for and has not answered: its item and step.
    asked: Option<(u64, u64)>,
    /// How often the current turn was refused.
    refusals: u64,
    operation: Option<Operation>,
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The artifact was asked for.
    Reading,
    /// The pace decides.
    Working,
    /// The artifact was sent back.
    Writing,
    /// Somebody was asked at the gate of the action.
    AtGate,
}

/// A read-modify-write of an artifact.
#[derive(Clone, Debug)]
struct Operation {
    edits: Edits,
    id: u64,
    based_on: u64,
    content: Vec<u64>,
}

impl Job {
    pub(super) fn new(task: Task) -> Job {
        Job {
            task,
            stage: Stage::Working,
            turns: 0,
            turns_over: 0,
            asked: None,
            refusals: 0,
            operation: None,
        }
    }
}

impl Worker {
    fn current(&mut self) -> &mut Job {
        self.job.as_mut().expect("a reply belongs to the job that asked")
    }

    pub(super) fn read_artifact(&mut self, ctx: &mut Context<'_, Self>, edits: &Edits) {
        let id = self.giver.number(ctx.id());
        let job = self.current();
        job.stage = Stage::Reading;
        job.operation = Some(Operation { edits: edits.clone(), id, based_on: 0, content: Vec::new() });
        ctx.fact(Fact::OperationBegin { operation: id });
        let artifact = edits.artifact.as_ref().to_owned();
        ctx.send(edits.store, artifact_store::Request::Read { artifact });
    }

    pub(super) fn on_artifact(&mut self, ctx: &mut Context<'_, Self>, reply: artifact_store::Reply) {
        let Some(job) = &mut self.job else { return };
        let Some(operation) = &mut job.operation else { return };
        match (job.stage, reply) {
            (Stage::Reading, artifact_store::Reply::Content { version, edits }) => {
                operation.based_on = version;
                operation.content = edits;
                let resource: &str = &operation.edits.artifact;
                ctx.fact(Fact::Read { operation: operation.id, resource, version });
                self.start_work(ctx);
            }
            (Stage::Writing, artifact_store::Reply::Written { .. }) => {
                ctx.fact(Fact::OperationCommit { operation: operation.id });
                if let Task::Parcel(parcel, _) = job.task {
                    // Its own change is there and works: seen by itself, all is well.
                    ctx.fact(Fact::Checked { item: parcel.item.id, passed: true, actual: true });
                }
                self.conclude(ctx);
            }
            (Stage::Writing, artifact_store::Reply::Conflict { .. }) => {
                ctx.fact(Fact::OperationAbort { operation: operation.id });
                let edits = operation.edits.clone();
                job.turns_over = 0;
                self.read_artifact(ctx, &edits);
            }
            _ => {}
        }
    }

    pub(super) fn start_work(&mut self, ctx: &mut Context<'_, Self>) {
        let role = Arc::clone(&self.role);
        let job = self.current();
        job.stage = Stage::Working;
        let item = match job.task {
            Task::Parcel(parcel, _) => parcel.item,
            Task::Gate { item, .. } => {
                Item { id: item, attempt: 1, rejections: 0, tokens_in: 0, tokens_out: 0, faulty: false }
            }
        };
        match &role.pace {
            Pace::Model(pace) => {
                job.turns = pace.turns.sample(&mut role.luck(ctx, "turns", &item)).max(1);
                if role.says_done_falsely.happens(role.luck(ctx, "says done falsely", &item)) {
                    job.turns = 1;
                }
                self.request_turn(ctx);
            }
            Pace::Process { each_ns } => {
                let each_ns = each_ns.sample(&mut role.luck(ctx, "handling time", &item));
                ctx.work_for(each_ns, Timer::WorkEnds);
            }
            Pace::Human { hours, answers_in_ns, day_begins_ns } => {
                let answer_ns = answers_in_ns.sample(&mut role.luck(ctx, "answering time", &item));
                let delay_ns = human_delay_ns(*hours, *day_begins_ns, ctx.now(), answer_ns);
                ctx.work_for(delay_ns, Timer::WorkEnds);
            }
        }
    }

    pub(super) fn request_turn(&mut self, ctx: &mut Context<'_, Self>) {
        let role = Arc::clone(&self.role);
        let Pace::Model(pace) = &role.pace else { return };
        let job = self.current();
        let item = match job.task {
            Task::Parcel(parcel, _) => parcel.item,
            Task::Gate { .. } => unreachable!("people answer at gates"),
        };
        let turn = turn_of(&role, pace, ctx, job, &item);
        job.asked = Some((turn.item, turn.step));
        ctx.send(pace.provider, provider::Request::Complete(turn));
    }

    pub(super) fn on_model(&mut self, ctx: &mut Context<'_, Self>, reply: provider::Reply) {
        let role = Arc::clone(&self.role);
        let (Pace::Model(pace), Some(job)) = (&role.pace, &mut self.job) else { return };
        let quota = Waited::Resource(&pace.model);
        let (item, step) = reply.answers();
        // What an earlier life had asked for concerns nobody any more.
        if job.asked != Some((item, step)) {
            return;
        }
        job.asked = None;
        match reply {
            provider::Reply::Completed { tokens_in, cached, tokens_out, nano_dollars, .. } => {
                if job.refusals > 0 {
                    ctx.fact(Fact::WaitEnd { on: quota });
                }
                ctx.fact(Fact::Spent { tokens_in, cached, tokens_out, nano_dollars });
                job.refusals = 0;
                job.turns_over += 1;
                if job.turns_over < job.turns {
                    self.request_turn(ctx);
                } else {
                    self.finish_work(ctx);
                }
            }
            provider::Reply::TooManyRequests { retry_after_ns, .. } => {
                if job.refusals == 0 {
                    ctx.fact(Fact::WaitOn { on: quota });
                }
                job.refusals += 1;
                // Up to a quarter more, so that those who were refused together do not come back together.
                let key = [ctx.id().as_u64(), job.turns_over, job.refusals];
                let jitter_ns = ctx.luck_of("retry jitter", key).next() % (retry_after_ns / 4 + 1);
                ctx.set_timer(retry_after_ns.saturating_add(jitter_ns), Timer::Retry);
            }
            provider::Reply::TooLarge { .. } => {
                let Task::Parcel(parcel, origin) = job.task else { return };
                self.fail(ctx, parcel.item);
                self.settle(ctx, origin);
                self.next(ctx);
            }
        }
    }

    /// The pace is through; what is left is to write the result down.
    pub(super) fn finish_work(&mut self, ctx: &mut Context<'_, Self>) {
        let job = self.current();
        let (Some(operation), Task::Parcel(parcel, _)) = (&job.operation, job.task) else {
            self.conclude(ctx);
            return;
        };
        let mut edits = operation.content.clone();
        if !edits.contains(&parcel.item.id) {
            edits.push(parcel.item.id);
        }
        let request = artifact_store::Request::Write {
            artifact: operation.edits.artifact.as_ref().to_owned(),
            operation: operation.id,
            based_on: operation.based_on,
            edits,
        };
        let store = operation.edits.store;
        job.stage = Stage::Writing;
        ctx.send(store, request);
    }

    /// The work is done: hands on what came of it.
    fn conclude(&mut self, ctx: &mut Context<'_, Self>) {
        let task = self.current().task;
        match task {
            Task::Gate { asker, item, faulty } => {
                let caught = faulty && self.role.catches.happens(ctx.luck_of("caught at the gate", [item]));
                ctx.fact(Fact::Reviewed { item, approved: !caught });
                ctx.send(Address::new(asker), Gate::Answer { item, approved: !caught });
            }
            Task::Parcel(parcel, origin) if self.relays(&parcel, ctx.id()) => {
                self.relay(ctx, parcel);
                self.settle(ctx, origin);
            }
            Task::Parcel(parcel, origin) => {
                if !self.deliver(ctx, parcel) {
                    return;
                }
                self.settle(ctx, origin);
            }
        }
        self.next(ctx);
    }

    fn relay(&mut self, ctx: &mut Context<'_, Self>, mut parcel: Parcel) {
        let role = Arc::clone(&self.role);
        let seam = &role.seams[usize::from(parcel.seam)];
        let receiver = self.giver.choose(ctx, seam, &mut parcel);
        hand_over(ctx, seam, parcel, receiver);
    }

    /// Judges the item and gives it to those who come next. Returns false when a gate must answer first.
    fn deliver(&mut self, ctx: &mut Context<'_, Self>, parcel: Parcel) -> bool {
        let role = Arc::clone(&self.role);
        let mut item = parcel.item;
        let verdict = self.judge(ctx, &mut item);
        if verdict == Verdict::GivenUp {
            self.fail(ctx, item);
            return true;
        }
        for number in &role.gives {
            let seam = &role.seams[usize::from(*number)];
            let fits = match seam.when {
                When::Always => true,
                When::Approved => verdict == Verdict::Good,
                When::Rejected => verdict == Verdict::SentBack,
            };
            if fits {
                self.giver.offer(ctx, seam, item);
            }
        }
        if !role.finishes || verdict == Verdict::SentBack {
            return true;
        }
        if let Some((gate, person)) = role.action.as_ref().and_then(|action| action.gate.as_ref()) {
            ctx.fact(Fact::WaitOn { on: Waited::Gate(gate) });
            ctx.send(Address::new(*person), Gate::Ask { item: item.id, faulty: item.faulty });
            let job = self.current();
            job.stage = Stage::AtGate;
            if let Task::Parcel(kept, _) = &mut job.task {
                kept.item = item;
            }
            return false;
        }
        self.complete(ctx, item);
        true
    }

    /// What came of the work, as the item's luck has it.
    fn judge(&mut self, ctx: &mut Context<'_, Self>, item: &mut Item) -> Verdict {
        let role = Arc::clone(&self.role);
        let reviews = role.gives.iter().any(|seam| role.seams[usize::from(*seam)].when == When::Rejected);
        let caught = item.faulty && role.catches.happens(role.luck(ctx, "caught", item));
        if reviews {
            let sent_back = caught || role.rejects.happens(role.luck(ctx, "rejected", item));
            ctx.fact(Fact::Reviewed { item: item.id, approved: !sent_back });
            if !sent_back {
                ctx.fact(Fact::Progress { item: item.id });
                return Verdict::Good;
            }
            item.rejections += 1;
            if role.review_rounds.is_some_and(|rounds| item.rejections >= rounds) {
                ctx.fact(Fact::GuardTripped { guard: "review-rounds", item: item.id });
                return Verdict::GivenUp;
            }
            return Verdict::SentBack;
        }
        if caught {
            ctx.fact(Fact::Checked { item: item.id, passed: false, actual: false });
        }
        let wrong = role.wrong.happens(role.luck(ctx, "wrong", item))
            || role.says_done_falsely.happens(role.luck(ctx, "says done falsely", item));
        // Work on what was sent back starts over; otherwise an error stays until somebody catches it.
        let starts_over = item.rejections > 0;
        item.faulty = wrong || (item.faulty && !caught && !starts_over);
        if item.rejections == 0 {
            ctx.fact(Fact::Progress { item: item.id });
        }
        Verdict::Good
    }

    pub(super) fn on_answer(
        &mut self,
        ctx: &mut Context<'_, Self>,
        from: AgentId,
        item: u64,
        approved: bool,
    ) {
        let role = Arc::clone(&self.role);
        let Some(Job { stage: Stage::AtGate, task: Task::Parcel(parcel, origin), .. }) = self.job else {
            return;
        };
        let Some((gate, person)) = role.action.as_ref().and_then(|action| action.gate.as_ref()) else {
            return;
        };
        // Nobody else opens the gate.
        if parcel.item.id != item || from != *person {
            return;
        }
        ctx.fact(Fact::WaitEnd { on: Waited::Gate(gate) });
        if approved {
            self.complete(ctx, parcel.item);
        } else {
            self.fail(ctx, parcel.item);
        }
        self.settle(ctx, origin);
        self.next(ctx);
    }

    /// The item leaves the fleet.
    fn complete(&mut self, ctx: &mut Context<'_, Self>, item: Item) {
        if let Some(action) = &self.role.action {
            let gate: &str = action.gate.as_ref().map_or("", |(gate, _)| gate);
            ctx.fact(Fact::Acted {
                action: &action.name,
                reversible: action.reversible,
                gate,
                item: item.id,
            });
        }
        let reported = !(self.role.tested && item.faulty);
        let (task, attempt) = (item.id, item.attempt);
        ctx.fact(Fact::TaskFinished { task, attempt, reported, actual: !item.faulty });
        self.report(ctx, item);
    }

    /// The item is given up.
    fn fail(&mut self, ctx: &mut Context<'_, Self>, item: Item) {
        let (task, attempt) = (item.id, item.attempt);
        ctx.fact(Fact::TaskFinished { task, attempt, reported: false, actual: false });
    }

    fn report(&mut self, ctx: &mut Context<'_, Self>, item: Item) {
        let after = self.role.outside.partition_point(|(first_item, _)| *first_item <= item.id);
        let home = after.checked_sub(1).and_then(|at| self.role.outside.get(at));
        if let Some((_, outside)) = home {
            ctx.send(*outside, outside::Report::Finished(item));
        }
    }
}

/// What is to become of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Good,
    SentBack,
    GivenUp,
}

fn turn_of(
    role: &Role,
    pace: &ModelPace,
    ctx: &Context<'_, Worker>,
    job: &Job,
    item: &Item,
) -> provider::Turn {
    let step = mix([hash_text(&role.name), u64::from(item.rejections), job.turns_over]);
    let own_or = |own: u64, sampler: &Sampler, purpose: &str| match own {
        0 => sampler.sample(&mut ctx.luck_of(purpose, [item.id, u64::from(item.attempt), step])),
        tokens => tokens,
    };
    // Everything that was said before is read again.
    let turns_before = u64::from(item.rejections).saturating_mul(job.turns).saturating_add(job.turns_over);
    let grown = pace.context_grows.saturating_mul(turns_before);
    provider::Turn {
        item: item.id,
        attempt: item.attempt,
        step,
        tokens_in: own_or(item.tokens_in, &pace.tokens_in, "input tokens").saturating_add(grown),
        tokens_out: own_or(item.tokens_out, &pace.tokens_out, "output tokens"),
    }
}
