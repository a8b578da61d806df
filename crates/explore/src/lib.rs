//! Many runs of one fleet: property tests of coordination protocols under faults.
//!
//! A [`Check`] is an ordinary `#[test]`: it runs a fleet under many seeds and fault plans, judges properties over the
//! facts that agents state, and when one fails, drops fault rules one by one while it still fails, saves the trace,
//! and prints the smallest plan, the witness and the command that replays it.
//!
//! ```
//! use fleetsim_engine::{Address, Agent, AgentId, Context, Fact, Fleet, Message, SECOND};
//! use fleetsim_explore::Check;
//! use fleetsim_fault_injection::{Share, Tolerance};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! enum Job { Do { task: u64 } }
//! impl Message for Job { const PROTOCOL: &'static str = "job"; }
//!
//! /// Sends its job once, and once more in case it was lost.
//! struct Giver;
//! impl Agent for Giver {
//!     type Inbox = Job;
//!     type Timer = ();
//!     fn on_start(&mut self, ctx: &mut Context<'_, Self>) {
//!         ctx.send(Address::new(AgentId::named("worker", 1)), Job::Do { task: 1 });
//!         ctx.set_timer(SECOND, ());
//!     }
//!     fn on_timer(&mut self, ctx: &mut Context<'_, Self>, (): ()) {
//!         ctx.send(Address::new(AgentId::named("worker", 1)), Job::Do { task: 1 });
//!     }
//!     fn on_message(&mut self, _ctx: &mut Context<'_, Self>, _from: AgentId, _job: Job) {}
//! }
//!
//! /// Does whatever it is told. (It should remember what it did.)
//! struct Worker;
//! impl Agent for Worker {
//!     type Inbox = Job;
//!     type Timer = ();
//!     fn on_message(&mut self, ctx: &mut Context<'_, Self>, _from: AgentId, Job::Do { task }: Job) {
//!         ctx.fact(Fact::TaskFinished { task, attempt: 1, reported: true, actual: true });
//!     }
//! }
//!
//! let folder = std::env::temp_dir().join("fleetsim-explore-example");
//! let failed = Check::new("jobs", |fleet: &mut Fleet| {
//!     fleet.add("giver", 1, |_| Giver)?;
//!     fleet.add("worker", 1, |_| Worker).map(drop)
//! })
//! .seeds(0..50)
//! .until(10 * SECOND)
//! .save_in(&folder)
//! .swarm(Tolerance { loss: Some(Share::new(1, 4)), ..Tolerance::default() }, 5 * SECOND)
//! .never_after(
//!     "a task is done once",
//!     |fact, _| matches!(fact, Fact::TaskFinished { .. }).then_some(()),
//!     |fact, _| matches!(fact, Fact::TaskFinished { .. }).then_some(()),
//! )
//! .search()
//! .expect_err("without a loss, it is done twice");
//! assert_eq!(failed.property(), "a task is done once");
//! assert!(failed.plan().is_empty(), "no fault is needed for that");
//! # std::fs::remove_dir_all(folder)?;
//! # Ok::<(), std::io::Error>(())
//! ```

#![forbid(unsafe_code)]

mod case;
mod check;
mod failed;
mod place;
mod reduce;
mod replay;
#[cfg(feature = "proptest")]
pub mod strategies;

pub use check::{Check, Checked};
pub use failed::Failed;
