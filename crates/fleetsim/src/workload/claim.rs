//! A claim fleet: teams of the built-in workers claim tasks from the built-in task stores by compare-and-swap.
//!
//! Every free worker of a team is told of a new task and tries to claim it, and one succeeds: a team is as large as
//! such a crowd may be without doing little else.

use std::sync::Arc;

use fleetsim_agents::Share;
use fleetsim_agents::outside::{Arrivals, Outside, Work};
use fleetsim_agents::seam::{Chooser, Medium, Seam, When};
use fleetsim_agents::task_store::{Settings, TaskStore};
use fleetsim_agents::worker::{Pace, Pull, Role, Worker};
use fleetsim_engine::sample::Sampler;
use fleetsim_engine::{Address, AgentId, Birth, Fleet, Link, MILLISECOND, SECOND};

const WORKER: &str = "worker";
const STORE: &str = "store";
const OUTSIDE: &str = "outside";
/// Workers that share a store.
const TEAM: u32 = 64;
/// How long a task takes: a median, and what 99 of 100 take at most. That is 29 s on average.
const WORK_MEDIAN_NS: u64 = 25 * SECOND;
const WORK_P99_NS: u64 = 90 * SECOND;
const WORK_MEAN_NS: u64 = 29 * SECOND;
/// How much of its workers' time the tasks of a team need, in percent.
const LOAD_PERCENT: u64 = 80;
/// How long a claim holds: a few tasks in ten thousand take longer, and are done again.
const LEASE_NS: u64 = 180 * SECOND;
/// The shortest latency.
const LATENCY_MINIMUM_NS: u64 = MILLISECOND;
/// What is added to it on average, exponentially.
const LATENCY_EXTRA_MEAN_NS: u64 = 4 * MILLISECOND;
/// So many tasks come for each team, numbered apart: more than anybody waits for.
const TASKS_PER_TEAM: u64 = 1 << 32;

const NEVER: Share = Share { numerator: 0, denominator: 1 };

/// One store, its workers, and the source of its tasks.
struct Team {
    /// Its number, from 1.
    number: u32,
    workers: u32,
    seams: Arc<[Seam]>,
}

impl Team {
    fn new(number: u32, agents: u32) -> Team {
        let first = (number - 1) * TEAM + 1;
        let last = number.saturating_mul(TEAM).min(agents);
        let seam = Seam {
            number: 0,
            name: "tasks".into(),
            receivers: (first..=last).map(|ordinal| AgentId::named(WORKER, ordinal)).collect(),
            chooser: Chooser::Nobody,
            medium_name: STORE.into(),
            medium: Medium::TaskStore(Address::new(AgentId::named(STORE, number))),
            when: When::Always,
            is_entry: true,
        };
        Team { number, workers: last - first + 1, seams: Arc::new([seam]) }
    }

    fn first_task(&self) -> u64 {
        u64::from(self.number - 1) * TASKS_PER_TEAM + 1
    }

    fn role(&self) -> Role {
        Role {
            name: WORKER.into(),
            pace: Pace::Process {
                each_ns: Sampler::lognormal(WORK_MEDIAN_NS, WORK_P99_NS).expect("a median below its p99"),
            },
            seams: Arc::clone(&self.seams),
            gives: Vec::new(),
            pulls: vec![Pull::Store {
                store: Address::new(AgentId::named(STORE, self.number)),
                seams: vec![0],
            }],
            wrong: NEVER,
            says_done_falsely: NEVER,
            catches: NEVER,
            rejects: NEVER,
            edits: None,
            finishes: true,
            action: None,
            tested: false,
            review_rounds: None,
            dedupes: false,
            outside: Arc::new([(self.first_task(), Address::new(AgentId::named(OUTSIDE, self.number)))]),
        }
    }

    fn work(&self) -> Work {
        let gap_ns = WORK_MEAN_NS * 100 / (LOAD_PERCENT * u64::from(self.workers));
        Work {
            count: TASKS_PER_TEAM,
            // One task a worker to begin with, so that a run is as busy at its start as later.
            arrivals: Arrivals::Spaced {
                at_once: u64::from(self.workers),
                gap_ns: Some(Sampler::exponential(gap_ns).expect("a gap above zero")),
            },
            entry: self.seams[0].clone(),
            checked: false,
            artifact: None,
            first_item: self.first_task(),
        }
    }
}

pub(super) fn fleet(agents: u32, seed: u64) -> Fleet {
    let mut fleet = Fleet::new(seed);
    let extra = Sampler::exponential(LATENCY_EXTRA_MEAN_NS).expect("a mean above zero");
    fleet.default_link(Link::new(LATENCY_MINIMUM_NS, extra).expect("a minimum above zero"));
    let count = agents.div_ceil(TEAM);
    let teams: Arc<[Team]> = (1..=count).map(|number| Team::new(number, agents)).collect();

    let roles: Vec<Arc<Role>> = teams.iter().map(|team| Arc::new(team.role())).collect();
    let worker = move |birth: &Birth| Worker::new(Arc::clone(&roles[((birth.ordinal - 1) / TEAM) as usize]));
    fleet.add(WORKER, agents, worker).expect("another name");

    let of_stores = Arc::clone(&teams);
    let settings = Settings { lease_ns: Some(LEASE_NS), checks_fence: true };
    let store = move |birth: &Birth| {
        TaskStore::new(settings, Arc::clone(&of_stores[birth.ordinal as usize - 1].seams))
    };
    fleet.add(STORE, count, store).expect("another name");

    let outside = move |birth: &Birth| Outside::new(teams[birth.ordinal as usize - 1].work());
    fleet.add(OUTSIDE, count, outside).expect("another name");
    fleet
}
