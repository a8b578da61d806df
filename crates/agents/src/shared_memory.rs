//! Shared memory: cells that givers write and receivers read, each version seen once.

use std::collections::BTreeMap;
use std::sync::Arc;

use fleetsim_engine::{Address, Agent, AgentId, Context, Fact, Message};
use serde::{Deserialize, Serialize};

use crate::item::{HandOver, Item, Parcel};
use crate::seam::{Chooser, Seam, hand_over};
use crate::sites;

/// What shared memory is asked.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Request {
    /// Writes an item into its cell and tells its receiver.
    Put(Parcel),
}

impl Message for Request {
    const PROTOCOL: &'static str = "shared-memory";
}

/// The cells, one per seam and item, with their versions and contents.
pub struct SharedMemory {
    seams: Arc<[Seam]>,
    /// Whether every write is stated with its version.
    versioned: bool,
    cells: BTreeMap<(u16, u64), (u64, Item)>,
}

impl SharedMemory {
    /// Empty memory that knows the fleet's seams. If it is `versioned`, every write is stated as a fact.
    #[must_use]
    pub fn new(versioned: bool, seams: Arc<[Seam]>) -> SharedMemory {
        SharedMemory { seams, versioned, cells: BTreeMap::new() }
    }
}

impl Agent for SharedMemory {
    type Inbox = Request;
    type Timer = ();

    fn on_message(&mut self, ctx: &mut Context<'_, Self>, _from: AgentId, request: Request) {
        let Request::Put(mut parcel) = request;
        let seams = Arc::clone(&self.seams);
        let seam = &seams[usize::from(parcel.seam)];
        if ctx.fault_site(sites::STORE_FAILED_WRITE).is_some() {
            let (item, offer, reason) = (parcel.item.id, parcel.offer, "the write failed");
            ctx.fact(Fact::Undelivered { seam: &seam.name, item, offer, reason });
            return;
        }
        let (version, content) = self.cells.entry((parcel.seam, parcel.item.id)).or_insert((0, parcel.item));
        *version += 1;
        let version_before = *version - 1;
        if self.versioned {
            let resource = format!("{}/{}", seam.medium_name, parcel.item.id);
            let (operation, based_on, version) = (parcel.offer, version_before, *version);
            ctx.fact(Fact::Write { operation, resource: &resource, based_on, version, fence: 0 });
        }
        let before = core::mem::replace(content, parcel.item);
        if version_before > 0 && ctx.fault_site(sites::STORE_STALE_READ).is_some() {
            parcel.item = before;
        }
        match (parcel.receiver, seam.chooser) {
            (Some(receiver), _) => hand_over(ctx, seam, parcel, receiver),
            (None, Chooser::Agent(chooser)) => ctx.send(Address::new(chooser), HandOver::Give(parcel)),
            // A cell that nobody assigns is read by the first of the receivers.
            (None, _) => hand_over(ctx, seam, parcel, seam.receivers[0]),
        }
    }
}
