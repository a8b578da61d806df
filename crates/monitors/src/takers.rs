//! Who takes tasks from which store, and how long somebody lay idle while tasks were ready there.

use fleetsim_engine::{AgentId, Time};

use crate::number_map::NumberMap;

/// Workers by the store that they took from last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Takers {
    stores: NumberMap<AgentId, Store>,
    workers: NumberMap<AgentId, Worker>,
}

#[derive(Clone, Debug, Default)]
struct Store {
    ready: u64,
    idle: u64,
    /// Up to when `idle_ns` is counted.
    counted: Time,
    idle_ns: u64,
    /// How many tasks each worker took.
    taken: NumberMap<AgentId, u64>,
}

#[derive(Clone, Copy, Debug)]
struct Worker {
    store: AgentId,
    is_idle: bool,
}

impl Store {
    fn count(&mut self, now: Time) {
        self.idle_ns = self.idle_ns_at(now);
        self.counted = now;
    }

    fn idle_ns_at(&self, now: Time) -> u64 {
        let since = if self.idle > 0 && self.ready > 0 { now.since(self.counted) } else { 0 };
        self.idle_ns.saturating_add(since)
    }
}

impl Takers {
    /// Tasks became ready at `store`, or left it.
    pub(crate) fn ready(&mut self, store: AgentId, change: i64, now: Time) {
        let store = self.stores.or_default(store);
        store.count(now);
        store.ready = store.ready.saturating_add_signed(change);
    }

    /// `worker` took a task from `store`.
    pub(crate) fn took(&mut self, worker: AgentId, store: AgentId, now: Time) {
        self.busy(worker, now);
        self.workers.insert(worker, Worker { store, is_idle: false });
        *self.stores.or_default(store).taken.or_default(worker) += 1;
    }

    /// `worker` is through with what it took.
    pub(crate) fn free(&mut self, worker: AgentId, now: Time) {
        self.set(worker, true, now);
    }

    /// `worker` is at something, or gone.
    pub(crate) fn busy(&mut self, worker: AgentId, now: Time) {
        self.set(worker, false, now);
    }

    fn set(&mut self, worker: AgentId, is_idle: bool, now: Time) {
        let Some(known) = self.workers.get_mut(worker).filter(|known| known.is_idle != is_idle) else {
            return;
        };
        known.is_idle = is_idle;
        let store = self.stores.get_mut(known.store).expect("a worker took from a store");
        store.count(now);
        store.idle = store.idle.saturating_add_signed(if is_idle { 1 } else { -1 });
    }

    /// Whether `worker` ever took a task.
    pub(crate) fn knows(&self, worker: AgentId) -> bool {
        self.workers.contains(worker)
    }

    /// How long at least one worker of `store` lay idle while at least one task was ready, in nanoseconds.
    pub(crate) fn idle_ns(&self, store: AgentId, now: Time) -> u64 {
        self.stores.get(store).map_or(0, |store| store.idle_ns_at(now))
    }

    /// How many tasks each worker took from `store`.
    pub(crate) fn taken(&self, store: AgentId) -> impl Iterator<Item = u64> + Clone {
        self.stores.get(store).into_iter().flat_map(|store| store.taken.values().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_time_counts_only_while_work_is_ready() {
        let (store, worker, other) =
            (AgentId::named("store", 1), AgentId::named("coder", 1), AgentId::named("coder", 2));
        let at = Time::from_ns;
        let mut takers = Takers::default();
        takers.ready(store, 1, at(0));
        takers.ready(store, -1, at(10));
        takers.took(worker, store, at(10));
        takers.free(worker, at(20));
        assert_eq!(takers.idle_ns(store, at(30)), 0, "nothing is ready");
        takers.ready(store, 2, at(30));
        takers.free(other, at(35));
        assert_eq!(takers.idle_ns(store, at(40)), 10, "who never took from the store is not known");
        takers.ready(store, -1, at(40));
        takers.took(worker, store, at(40));
        assert_eq!(takers.idle_ns(store, at(50)), 10, "it is at work");
        takers.free(worker, at(60));
        takers.busy(worker, at(65));
        assert_eq!(takers.idle_ns(store, at(90)), 15);
        assert_eq!(takers.taken(store).collect::<Vec<_>>(), [2]);
    }
}
