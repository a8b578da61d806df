//! A lease whose holder trusts its own clock, and a monitor that catches it working past the lease's end.
//!
//! `cargo run --release -- run lease.toml --trace lease.fleet`, then `replay`, `inspect` and `why` with the trace.

mod monitor;

use fleetsim::agents::task_store::{Reply, Request};
use fleetsim::{Address, Agent, AgentId, Context, Fact, Registry, Time};
use serde::Deserialize;

/// The protocol. A holder claims a job for the length of a lease and completes it if, by its own clock, the lease
/// still holds. That is the bug: nobody but the store knows whether it does.
struct Holder {
    store: Address<Request>,
    works_for_ns: u64,
    claim: Option<Claim>,
}

#[derive(Clone, Copy)]
struct Claim {
    item: u64,
    task: u64,
    fence: u64,
    ends: Time,
}

impl Agent for Holder {
    type Inbox = Reply;
    type Timer = ();

    fn on_start(&mut self, ctx: &mut Context<'_, Self>) {
        self.claim = None;
        ctx.send(self.store, Request::Next { seams: vec![0] });
    }

    fn on_message(&mut self, ctx: &mut Context<'_, Self>, _from: AgentId, reply: Reply) {
        match (reply, self.claim) {
            (Reply::Offer { task, version }, _) => ctx.send(self.store, Request::Claim { task, version }),
            (Reply::Granted { task, fence, lease_ns, parcel }, _) => {
                let ends = ctx.now().checked_add(lease_ns).unwrap_or(Time::MAX);
                self.claim = Some(Claim { item: parcel.item.id, task, fence, ends });
                ctx.fact(Fact::TaskClaimed { task: parcel.item.id, fence });
                ctx.set_timer(self.works_for_ns, ());
            }
            (Reply::Accepted { .. }, Some(Claim { item, fence, ends, .. })) if ctx.now() < ends => {
                let attempt = fence as u32;
                ctx.fact(Fact::TaskFinished { task: item, attempt, reported: true, actual: true });
                self.on_start(ctx);
            }
            _ => self.on_start(ctx),
        }
    }

    fn on_timer(&mut self, ctx: &mut Context<'_, Self>, (): ()) {
        let Some(Claim { task, fence, ends, .. }) = self.claim else { return };
        let holds = ctx.now() < ends;
        let request =
            if holds { Request::Complete { task, fence } } else { Request::Release { task, fence } };
        ctx.send(self.store, request);
    }
}

/// The `params` of a role in the scenario.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Params {
    store: String,
    works_for_seconds: u64,
}

fn main() -> std::process::ExitCode {
    let registry = Registry::default().behaviour("lease-holder", 1, |fleet, role| {
        let params: Params = role.params()?;
        let store = role.address(&params.store, 1)?;
        let works_for_ns = params.works_for_seconds * fleetsim::SECOND;
        let make = move |_birth: &fleetsim::Birth| Holder { store, works_for_ns, claim: None };
        fleet.add(role.name(), role.count(), make).map(drop).map_err(|error| error.to_string())
    });
    fleetsim::cli::main(registry.monitor(|| Box::new(monitor::ExpiredLease::default())))
}
