//! A worker's read-modify-write of the artifact that its role edits.

use fleetsim_engine::{Context, Fact, Waited};

use super::job::Stage;
use super::role::Edits;
use super::{Task, Timer, Worker, turns};
use crate::{artifact_store, sites};

/// An artifact as a worker knows it.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    pub(super) version: u64,
    pub(super) content: Vec<u64>,
}

/// A read-modify-write of an artifact.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    edits: Edits,
    pub(super) id: u64,
    /// What was read; the content grows into what is written.
    pub(super) view: View,
}

impl Worker {
    /// Begins an operation with what the store has, or with what the worker takes it to have.
    pub(super) fn take_artifact_in(&mut self, ctx: &mut Context<'_, Self>, edits: &Edits) {
        if self.view.is_none() || ctx.fault_site(sites::AGENT_STALE_CONTEXT).is_none() {
            self.read_artifact(ctx, edits);
            return;
        }
        let view = self.view.take().expect("there is one");
        self.begin_operation(ctx, edits);
        self.on_content(ctx, view);
    }

    fn begin_operation(&mut self, ctx: &mut Context<'_, Self>, edits: &Edits) {
        let id = self.giver.number(ctx.id());
        let job = self.current();
        job.stage = Stage::Reading;
        job.operation = Some(Operation { edits: edits.clone(), id, view: View::default() });
        ctx.fact(Fact::OperationBegin { operation: id });
    }

    fn read_artifact(&mut self, ctx: &mut Context<'_, Self>, edits: &Edits) {
        self.begin_operation(ctx, edits);
        let artifact = edits.artifact.as_ref().to_owned();
        ctx.send(edits.store, artifact_store::Request::Read { artifact });
    }

    fn on_content(&mut self, ctx: &mut Context<'_, Self>, view: View) {
        let Some(operation) = &mut self.current().operation else { return };
        let (resource, version): (&str, _) = (&operation.edits.artifact, view.version);
        ctx.fact(Fact::Read { operation: operation.id, resource, version });
        operation.view = view;
        self.start_work(ctx);
    }

    /// Sends the artifact back with what the job adds to it.
    pub(super) fn write_artifact(&mut self, ctx: &mut Context<'_, Self>) {
        let job = self.current();
        let (Some(operation), Task::Parcel(parcel, _)) = (&mut job.operation, job.task) else { return };
        let content = &mut operation.view.content;
        if !content.contains(&parcel.item.id) {
            content.push(parcel.item.id);
        }
        let request = artifact_store::Request::Write {
            artifact: operation.edits.artifact.as_ref().to_owned(),
            operation: operation.id,
            based_on: operation.view.version,
            edits: content.clone(),
        };
        let store = operation.edits.store;
        job.stage = Stage::Writing;
        ctx.send(store, request);
    }

    pub(super) fn on_artifact(&mut self, ctx: &mut Context<'_, Self>, reply: artifact_store::Reply) {
        let Some(job) = &mut self.job else { return };
        let Some(operation) = &mut job.operation else { return };
        let reply = match (job.stage, reply) {
            (Stage::Reading, artifact_store::Reply::Content { version, edits }) => {
                self.on_content(ctx, View { version, content: edits });
                return;
            }
            (Stage::Writing, reply) => reply,
            _ => return,
        };
        let id = operation.id;
        let artifact = Waited::Resource(&operation.edits.artifact);
        if let artifact_store::Reply::Failed { first_wait_ns } = reply {
            if job.refusals == 0 {
                ctx.fact(Fact::WaitOn { on: artifact });
            }
            job.refusals += 1;
            ctx.set_timer(turns::backoff_ns(first_wait_ns, job.refusals), Timer::Retry);
            return;
        }
        if job.refusals > 0 {
            ctx.fact(Fact::WaitEnd { on: artifact });
            job.refusals = 0;
        }
        match reply {
            artifact_store::Reply::Written { version } => {
                ctx.fact(Fact::OperationCommit { operation: id });
                self.view = Some(View { version, content: core::mem::take(&mut operation.view.content) });
                if let Task::Parcel(parcel, _) = job.task {
                    // Its own change is there and works: seen by itself, all is well.
                    ctx.fact(Fact::Checked { item: parcel.item.id, passed: true, actual: true });
                }
                self.conclude(ctx);
            }
            artifact_store::Reply::Conflict { .. } => {
                ctx.fact(Fact::OperationAbort { operation: id });
                self.start_over(ctx);
            }
            // Whether it wrote it does not know; to be sure, it does what it does after a conflict.
            artifact_store::Reply::TimedOut => {
                ctx.fact(Fact::OperationIndeterminate { operation: id });
                self.start_over(ctx);
            }
            artifact_store::Reply::Content { .. } | artifact_store::Reply::Failed { .. } => {}
        }
    }

    /// Reads the artifact again, and works on what it is now.
    fn start_over(&mut self, ctx: &mut Context<'_, Self>) {
        let job = self.current();
        job.turns_over = 0;
        job.turns_forgotten = 0;
        if let Some(operation) = &job.operation {
            let edits = operation.edits.clone();
            self.read_artifact(ctx, &edits);
        }
    }
}
