//! The task store: workers claim tasks by compare-and-swap, for as long as a lease, under a fencing token.
//!
//! Leases follow Gray and Cheriton ("Leases", SOSP 1989); fencing tokens follow Kleppmann ("How to do distributed
//! locking", 2016). A store that does not check fences is the known bug: a holder whose lease expired unnoticed
//! completes work that somebody else holds.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use fleetsim_engine::{Address, Agent, AgentId, Context, Fact, Message};
use serde::{Deserialize, Serialize};

use crate::item::Parcel;
use crate::seam::{Seam, state_hand_over};
use crate::sites;

/// What the store is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Request {
    /// Adds a task.
    Add(Parcel),
    /// Asks for a task of these seams; the answer may take a while.
    Next {
        /// The seams' numbers.
        seams: Vec<u16>,
    },
    /// Claims a task, if it is still at this version.
    Claim {
        /// The task.
        task: u64,
        /// The version at which it was offered.
        version: u64,
    },
    /// Extends a claim by one lease.
    Renew {
        /// The task.
        task: u64,
        /// The claim's fencing token.
        fence: u64,
    },
    /// The task is done.
    Complete {
        /// The task.
        task: u64,
        /// The claim's fencing token.
        fence: u64,
    },
    /// The task is given back.
    Release {
        /// The task.
        task: u64,
        /// The claim's fencing token.
        fence: u64,
    },
}

impl Message for Request {
    const PROTOCOL: &'static str = "task-store";
}

/// What the store answers.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Reply {
    /// A task that can be claimed. Others may have been told the same.
    Offer {
        /// The task.
        task: u64,
        /// Its version.
        version: u64,
    },
    /// The claim succeeded.
    Granted {
        /// The task.
        task: u64,
        /// The fencing token: higher than that of any earlier claim of the task.
        fence: u64,
        /// How long the claim holds, in nanoseconds; 0 for ever.
        lease_ns: u64,
        /// The task's item.
        parcel: Parcel,
    },
    /// Somebody else was faster.
    Refused {
        /// The task.
        task: u64,
    },
    /// The claim was extended.
    Renewed {
        /// The task.
        task: u64,
    },
    /// The completion or release was accepted.
    Accepted {
        /// The task.
        task: u64,
    },
    /// The fencing token is that of a claim that no longer holds.
    Stale {
        /// The task.
        task: u64,
    },
    /// The call took too long: whether the claim was granted is not known.
    TimedOut {
        /// The task.
        task: u64,
    },
    /// The store could not record the completion.
    Failed {
        /// The task.
        task: u64,
    },
}

impl Message for Reply {
    const PROTOCOL: &'static str = "task-store-reply";
}

/// How a task store behaves.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long a claim holds without renewal, in nanoseconds; `None` for ever.
    pub lease_ns: Option<u64>,
    /// Whether completions and releases of claims that no longer hold are refused.
    pub checks_fence: bool,
}

/// Tasks that workers claim.
pub struct TaskStore {
    settings: Settings,
    seams: Arc<[Seam]>,
    next_task: u64,
    tasks: BTreeMap<u64, Task>,
    ready: VecDeque<u64>,
    askers: VecDeque<(AgentId, Vec<u16>)>,
}

struct Task {
    parcel: Parcel,
    version: u64,
    fence: u64,
    holder: Option<AgentId>,
    renewals: u64,
}

/// A task store's timers.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Timer {
    /// A claim's lease is over, unless it was renewed.
    LeaseEnds {
        /// The task.
        task: u64,
        /// The claim's fencing token.
        fence: u64,
        /// The number of renewals when the timer was set.
        renewals: u64,
    },
}

impl TaskStore {
    /// An empty store for the fleet's seams.
    #[must_use]
    pub fn new(settings: Settings, seams: Arc<[Seam]>) -> TaskStore {
        TaskStore {
            settings,
            seams,
            next_task: 0,
            tasks: BTreeMap::new(),
            ready: VecDeque::new(),
            askers: VecDeque::new(),
        }
    }

    fn make_ready(&mut self, ctx: &mut Context<'_, Self>, task: u64) {
        self.ready.push_back(task);
        let entry = &self.tasks[&task];
        let offer = Reply::Offer { task, version: entry.version };
        // Everybody who waits is told: the claims decide.
        let seam = entry.parcel.seam;
        self.askers.retain(|(asker, seams)| {
            let told = seams.contains(&seam);
            if told {
                ctx.send(Address::new(*asker), offer);
            }
            !told
        });
    }

    fn next(&mut self, ctx: &mut Context<'_, Self>, asker: AgentId, seams: Vec<u16>) {
        let found = self.ready.iter().find(|task| seams.contains(&self.tasks[task].parcel.seam));
        match found {
            Some(&task) => {
                let version = self.tasks[&task].version;
                ctx.send(Address::new(asker), Reply::Offer { task, version });
            }
            None => {
                self.askers.retain(|(known, _)| *known != asker);
                self.askers.push_back((asker, seams));
            }
        }
    }

    /// Answers a claim, after how many nanoseconds; `None` when the answer never comes.
    fn claim(
        &mut self,
        ctx: &mut Context<'_, Self>,
        by: AgentId,
        task: u64,
        version: u64,
    ) -> Option<(Reply, u64)> {
        let Some(entry) = self.tasks.get_mut(&task) else { return Some((Reply::Refused { task }, 0)) };
        let is_held = entry.holder.is_some_and(|holder| holder != by);
        if (entry.holder.is_some() || entry.version != version)
            && !(is_held && ctx.fault_site(sites::TASKS_STALE_CLAIM).is_some())
        {
            return Some((Reply::Refused { task }, 0));
        }
        entry.holder = Some(by);
        entry.version += 1;
        entry.fence += 1;
        entry.renewals = 0;
        let (fence, parcel) = (entry.fence, entry.parcel);
        self.ready.retain(|waiting| *waiting != task);
        if let Some(lease_ns) = self.settings.lease_ns {
            ctx.set_timer(lease_ns, Timer::LeaseEnds { task, fence, renewals: 0 });
        }
        if let Some(seam) = self.seams.get(usize::from(parcel.seam)) {
            state_hand_over(ctx, seam, &parcel, by);
        }
        match ctx.fault_site(sites::TASKS_INDETERMINATE_CLAIM) {
            None => {
                let lease_ns = self.settings.lease_ns.unwrap_or(0);
                Some((Reply::Granted { task, fence, lease_ns, parcel }, 0))
            }
            Some(0) => None,
            Some(after_ns) => Some((Reply::TimedOut { task }, after_ns)),
        }
    }

    /// Whether `fence` is that of the claim that holds.
    fn holds(&self, task: u64, by: AgentId, fence: u64) -> bool {
        self.tasks.get(&task).is_some_and(|entry| entry.holder == Some(by) && entry.fence == fence)
    }

    fn renew(&mut self, ctx: &mut Context<'_, Self>, by: AgentId, task: u64, fence: u64) -> Reply {
        if !self.holds(task, by, fence) {
            return Reply::Stale { task };
        }
        let entry = self.tasks.get_mut(&task).expect("it is held");
        entry.renewals += 1;
        if let Some(lease_ns) = self.settings.lease_ns {
            ctx.set_timer(lease_ns, Timer::LeaseEnds { task, fence, renewals: entry.renewals });
        }
        Reply::Renewed { task }
    }

    fn complete(&mut self, ctx: &mut Context<'_, Self>, by: AgentId, task: u64, fence: u64) -> Reply {
        if !self.tasks.contains_key(&task) || (self.settings.checks_fence && !self.holds(task, by, fence)) {
            return Reply::Stale { task };
        }
        if ctx.fault_site(sites::TASKS_FAILED_COMPLETION).is_some() {
            return Reply::Failed { task };
        }
        self.tasks.remove(&task);
        self.ready.retain(|waiting| *waiting != task);
        Reply::Accepted { task }
    }

    fn release(&mut self, ctx: &mut Context<'_, Self>, task: u64, reason: &str) {
        let entry = self.tasks.get_mut(&task).expect("only held tasks are released");
        entry.holder = None;
        entry.version += 1;
        let item = entry.parcel.item.id;
        ctx.fact(Fact::TaskReleased { task: item, reason });
        ctx.fact(Fact::TaskReady { task: item });
        self.make_ready(ctx, task);
    }
}

impl Agent for TaskStore {
    type Inbox = Request;
    type Timer = Timer;

    fn on_message(&mut self, ctx: &mut Context<'_, Self>, from: AgentId, request: Request) {
        let reply = match request {
            Request::Add(parcel) => {
                let task = self.next_task;
                self.next_task += 1;
                let entry = Task { parcel, version: 0, fence: 0, holder: None, renewals: 0 };
                self.tasks.insert(task, entry);
                self.make_ready(ctx, task);
                return;
            }
            Request::Next { seams } => {
                self.next(ctx, from, seams);
                return;
            }
            Request::Claim { task, version } => {
                if let Some((reply, after_ns)) = self.claim(ctx, from, task, version) {
                    ctx.send_after(Address::new(from), reply, after_ns);
                }
                return;
            }
            Request::Renew { task, fence } => self.renew(ctx, from, task, fence),
            Request::Complete { task, fence } => self.complete(ctx, from, task, fence),
            Request::Release { task, fence } => {
                if self.holds(task, from, fence) {
                    self.release(ctx, task, "given back");
                    Reply::Accepted { task }
                } else {
                    Reply::Stale { task }
                }
            }
        };
        ctx.send(Address::new(from), reply);
    }

    fn on_timer(&mut self, ctx: &mut Context<'_, Self>, timer: Timer) {
        let Timer::LeaseEnds { task, fence, renewals } = timer;
        let current =
            |entry: &Task| entry.holder.is_some() && entry.fence == fence && entry.renewals == renewals;
        if self.tasks.get(&task).is_some_and(current) {
            self.release(ctx, task, "its lease expired");
        }
    }
}
