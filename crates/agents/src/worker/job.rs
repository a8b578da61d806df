//! One task of a worker, from taking it up to handing on what came of it.

use std::sync::Arc;

use fleetsim_engine::{Address, AgentId, Context, Fact, Waited};

use super::artifact::Operation;
use super::misbehaviour::{overreaches_the_gate, times_done};
use super::role::{Pace, human_delay_ns};
use super::{Task, Timer, Worker};
use crate::gate::Gate;
use crate::item::{Item, Parcel};
use crate::seam::{Seam, When, hand_over};
use crate::{outside, sites};

/// What a worker is doing.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) task: Task,
    pub(super) stage: Stage,
    /// Turns of the model: how many in all, and how many are over.
    pub(super) turns: u64,
    pub(super) turns_over: u64,
    /// The turns before the context was lost.
    pub(super) turns_forgotten: u64,
    /// The turn that the provider was asked for and has not answered: its item and step.
    pub(super) asked: Option<(u64, u64)>,
    /// How often the current turn or write was refused.
    pub(super) refusals: u64,
    pub(super) operation: Option<Operation>,
    /// Whether something went wrong that the worker has not noticed: what it makes is wrong, and it catches no error.
    pub(super) is_flawed: bool,
    /// Whether the worker only says that it works.
    pub(super) is_hollow: bool,
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
    /// Who should begin is not there.
    Absent,
}

impl Job {
    pub(super) fn new(task: Task) -> Job {
        Job {
            task,
            stage: Stage::Working,
            turns: 0,
            turns_over: 0,
            turns_forgotten: 0,
            asked: None,
            refusals: 0,
            operation: None,
            is_flawed: false,
            is_hollow: false,
        }
    }

    /// The turns that the item took so far, those before it was sent back included.
    pub(super) fn turns_before(&self, item: &Item) -> u64 {
        u64::from(item.rejections).saturating_mul(self.turns).saturating_add(self.turns_over)
    }
}

impl Worker {
    pub(super) fn current(&mut self) -> &mut Job {
        self.job.as_mut().expect("a reply belongs to the job that asked")
    }

    pub(super) fn start_work(&mut self, ctx: &mut Context<'_, Self>) {
        let role = Arc::clone(&self.role);
        let job = self.current();
        job.stage = Stage::Working;
        let item = match job.task {
            Task::Parcel(parcel, _) => parcel.item,
            Task::Gate { item, .. } => Item {
                id: item,
                attempt: 1,
                rejections: 0,
                tokens_in: 0,
                tokens_out: 0,
                faulty: false,
                tainted: false,
            },
        };
        let is_hollow = job.is_hollow;
        match &role.pace {
            Pace::Model(pace) => {
                job.turns = pace.turns.sample(&mut role.luck(ctx, "turns", &item)).max(1);
                if job.is_hollow || role.says_done_falsely.happens(role.luck(ctx, "says done falsely", &item))
                {
                    job.turns = 1;
                }
                self.request_turn(ctx);
            }
            Pace::Process { each_ns } => {
                let each_ns = match is_hollow {
                    true => 0,
                    false => each_ns.sample(&mut role.luck(ctx, "handling time", &item)),
                };
                ctx.work_for(each_ns, Timer::WorkEnds);
            }
            Pace::Human { hours, answers_in_ns, day_begins_ns } => {
                let answer_ns = match is_hollow {
                    true => 0,
                    false => answers_in_ns.sample(&mut role.luck(ctx, "answering time", &item)),
                };
                let delay_ns = human_delay_ns(*hours, *day_begins_ns, ctx.now(), answer_ns);
                ctx.work_for(delay_ns, Timer::WorkEnds);
            }
        }
    }

    /// The pace is through; what is left is to write the result down.
    pub(super) fn finish_work(&mut self, ctx: &mut Context<'_, Self>) {
        match self.current().operation {
            Some(_) => self.write_artifact(ctx),
            None => self.conclude(ctx),
        }
    }

    /// The work is done: hands on what came of it.
    pub(super) fn conclude(&mut self, ctx: &mut Context<'_, Self>) {
        let task = self.current().task;
        match task {
            Task::Gate { asker, item, faulty } => {
                let approved = match self.wrong_decision(ctx, item) {
                    Some(which) => which % 2 == 1,
                    None => {
                        let catches = self.role.catches;
                        !(faulty && catches.happens(ctx.luck_of("caught at the gate", [item])))
                    }
                };
                ctx.fact(Fact::Reviewed { item, approved });
                ctx.send(Address::new(asker), Gate::Answer { item, approved });
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
        let receiver = match self.wrong_decision(ctx, parcel.item.id) {
            Some(which) => self.giver.choose_number(ctx, seam, &mut parcel, which),
            None => self.giver.choose(ctx, seam, &mut parcel),
        };
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
        let fits = |seam: &&Seam| match seam.when {
            When::Always => true,
            When::Approved => verdict == Verdict::Good,
            When::Rejected => verdict == Verdict::SentBack,
        };
        let mut given =
            role.gives.iter().map(|number| &role.seams[usize::from(*number)]).filter(fits).peekable();
        let ends_here = role.finishes && verdict != Verdict::SentBack;
        // Whoever finishes an item says so when it does.
        let times = if ends_here || given.peek().is_none() { 1 } else { times_done(ctx) };
        for seam in given {
            for _ in 0..times {
                self.giver.offer(ctx, seam, item);
            }
        }
        let action = role.action.as_ref().filter(|_| ends_here);
        let gate = action.and_then(|action| Some((action, action.gate.as_ref()?)));
        let Some((action, (gate, person))) = gate else {
            self.overreach_to_a_seam(ctx, &parcel, item);
            if ends_here {
                self.complete(ctx, item, "");
            }
            return true;
        };
        if overreaches_the_gate(ctx, action) {
            self.complete(ctx, item, "");
            return true;
        }
        ctx.fact(Fact::WaitOn { on: Waited::Gate(gate) });
        ctx.send(Address::new(*person), Gate::Ask { item: item.id, faulty: item.faulty });
        let job = self.current();
        job.stage = Stage::AtGate;
        if let Task::Parcel(kept, _) = &mut job.task {
            kept.item = item;
        }
        false
    }

    /// What came of the work, as the item's luck has it.
    fn judge(&mut self, ctx: &mut Context<'_, Self>, item: &mut Item) -> Verdict {
        let role = Arc::clone(&self.role);
        let decision = self.wrong_decision(ctx, item.id);
        let is_flawed = self.current().is_flawed;
        let caught = !is_flawed && item.faulty && role.catches.happens(role.luck(ctx, "caught", item));
        if role.reviews() {
            let sent_back = match decision {
                Some(which) => which % 2 == 0,
                None => caught || role.rejects.happens(role.luck(ctx, "rejected", item)),
            };
            ctx.fact(Fact::Reviewed { item: item.id, approved: !sent_back });
            if !sent_back {
                item.tainted = false;
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
        let wrong = is_flawed
            || decision.is_some()
            || role.wrong.happens(role.luck(ctx, "wrong", item))
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
            self.complete(ctx, Item { tainted: false, ..parcel.item }, gate);
        } else {
            self.fail(ctx, parcel.item);
        }
        self.settle(ctx, origin);
        self.next(ctx);
    }

    /// The item leaves the fleet, past this gate if there is one.
    fn complete(&mut self, ctx: &mut Context<'_, Self>, item: Item, gate: &str) {
        if let Some(action) = &self.role.action {
            let (name, reversible): (&str, _) = (&action.name, action.reversible);
            ctx.fact(Fact::Acted { action: name, reversible, gate, item: item.id });
        }
        let actual = !item.faulty;
        let mut reported = !(self.role.tested && item.faulty);
        if self.role.tested && ctx.fault_site(sites::AGENT_WRONG_TOOL_RESULT).is_some() {
            reported = !actual;
            ctx.fact(Fact::Checked { item: item.id, passed: reported, actual });
        }
        let (task, attempt) = (item.id, item.attempt);
        for _ in 0..times_done(ctx) {
            ctx.fact(Fact::TaskFinished { task, attempt, reported, actual });
            self.report(ctx, item);
        }
    }

    /// The item is given up.
    pub(super) fn fail(&mut self, ctx: &mut Context<'_, Self>, item: Item) {
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
