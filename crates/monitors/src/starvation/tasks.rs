//! Tasks that are ready, by the store that offers them; and how long somebody who takes from it lay idle meanwhile.

use std::collections::BTreeMap;

use fleetsim_engine::{AgentId, Names, Time};

use super::idle_time::IdleTime;
use super::tickets::{Ticket, Tickets};
use super::waits::{Waits, finding};
use crate::finding::Finding;
use crate::monitor::{Moment, RunEnd};
use crate::number_map::NumberMap;
use crate::role::Role;
use crate::tally::jain_index;
use crate::text::duration;

/// Lines of tasks, by the agent that offers them.
#[derive(Clone, Debug, Default)]
pub(super) struct TaskLines {
    lines: NumberMap<AgentId, TaskLine>,
    /// Tasks that wait, with the agent that offers each.
    waiting: NumberMap<u64, (AgentId, Ticket)>,
    /// Those who took a task.
    workers: NumberMap<AgentId, Worker>,
}

#[derive(Clone, Debug, Default)]
struct TaskLine {
    tickets: Tickets,
    waits: Waits<u64>,
    idle_time: IdleTime,
    /// How many tasks each worker took.
    taken: NumberMap<AgentId, u64>,
}

#[derive(Clone, Copy, Debug)]
struct Worker {
    /// From which it took last.
    store: AgentId,
    is_idle: bool,
}

const IN_LINE: &str = "whatever waits or was taken was in a line";

impl TaskLines {
    /// `task` waits at `store` from now on, and nowhere else.
    pub(super) fn join(&mut self, task: u64, store: AgentId, at: Moment) {
        let line = self.lines.or_default(store);
        line.idle_time.ready(1, at.at);
        let before = self.waiting.insert(task, (store, line.tickets.draw(at)));
        self.give_up(before, at);
    }

    /// `task` waits no more, and was not served.
    pub(super) fn leave(&mut self, task: u64, at: Moment) {
        let before = self.waiting.remove(task);
        self.give_up(before, at);
    }

    fn give_up(&mut self, waiting: Option<(AgentId, Ticket)>, at: Moment) {
        let Some((store, ticket)) = waiting else { return };
        let line = self.lines.get_mut(store).expect(IN_LINE);
        line.tickets.give_up(ticket);
        line.idle_time.ready(-1, at.at);
    }

    /// `worker` took `task`.
    pub(super) fn serve(&mut self, task: u64, worker: AgentId, at: Moment, bound_ns: u64) {
        let Some((store, ticket)) = self.waiting.remove(task) else { return };
        let before = self.workers.insert(worker, Worker { store, is_idle: false });
        if let Some(Worker { store, is_idle: true }) = before {
            self.lines.get_mut(store).expect(IN_LINE).idle_time.idle(-1, at.at);
        }
        let TaskLine { tickets, waits, idle_time, taken } = self.lines.get_mut(store).expect(IN_LINE);
        idle_time.ready(-1, at.at);
        *taken.or_default(worker) += 1;
        waits.add(task, tickets.serve(ticket), Some(at), at.at, bound_ns);
    }

    /// `worker` is through with what it took, or at something again, or gone.
    pub(super) fn set_idle(&mut self, worker: AgentId, is_idle: bool, now: Time) {
        let Some(known) = self.workers.get_mut(worker).filter(|known| known.is_idle != is_idle) else {
            return;
        };
        known.is_idle = is_idle;
        let line = self.lines.get_mut(known.store).expect(IN_LINE);
        line.idle_time.idle(if is_idle { 1 } else { -1 }, now);
    }

    pub(super) fn findings(&self, bound_ns: u64, end: &RunEnd, names: &Names) -> Vec<Finding> {
        let mut all: BTreeMap<AgentId, Waits<u64>> =
            self.lines.sorted().map(|(store, line)| (store, line.waits.clone())).collect();
        for (task, (store, ticket)) in self.waiting.sorted() {
            let line = self.lines.get(*store).expect(IN_LINE);
            let waits = all.get_mut(store).expect("it is one of the lines");
            waits.add(task, line.tickets.wait_of(*ticket), None, end.time, bound_ns);
        }
        let finding = |(store, waits): (AgentId, Waits<u64>)| {
            let store_name = names.of(store);
            let mut finding = finding(&store_name, "tasks", &waits, bound_ns, |task| format!("task {task}"));
            let line = self.lines.get(store).expect(IN_LINE);
            let idle_ns = line.idle_time.total_ns(end.time);
            if idle_ns > 0 {
                finding.summary += &format!("; some worker was idle for {} meanwhile", duration(idle_ns));
            }
            finding.numbers.0.push(("idle_while_ready_ns", idle_ns));
            let taken = line.taken.values().copied();
            finding.numbers.0.push(("jain_taken_thousandths", jain_index(taken).thousandths()));
            finding.agents = vec![store_name.clone()];
            finding.about = BTreeMap::from([
                ("resource", vec![store_name.clone()]),
                ("role", vec![Role::of(store).name(names)]),
                ("agent", vec![store_name]),
            ]);
            finding
        };
        all.into_iter().filter(|(_, waits)| waits.starved > 0).map(finding).collect()
    }
}
