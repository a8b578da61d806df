//! Seams: who gives what to whom, through which medium, chosen by whom.

use std::collections::BTreeMap;
use std::sync::Arc;

use fleetsim_engine::{Address, Agent, AgentId, Context, Fact, mix};

use crate::broker;
use crate::item::{HandOver, Item, Parcel};
use crate::shared_memory;
use crate::task_store;

/// One seam of a fleet, the same for everybody who knows it.
#[derive(Clone, Debug)]
pub struct Seam {
    /// Its number in the scenario.
    pub number: u16,
    /// Its name.
    pub name: Arc<str>,
    /// The agents at its far end.
    pub receivers: Arc<[AgentId]>,
    /// Who chooses among them.
    pub chooser: Chooser,
    /// The medium's name.
    pub medium_name: Arc<str>,
    /// The medium.
    pub medium: Medium,
    /// Which results go this way.
    pub when: When,
    /// Whether work enters the fleet here.
    pub is_entry: bool,
}

/// Who chooses the receiver of an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chooser {
    /// The giver, in turn.
    Sender,
    /// Nobody: whoever is free takes it.
    Nobody,
    /// An agent that reads every offer and passes it on.
    Agent(AgentId),
}

/// What carries offers.
#[derive(Clone, Copy, Debug)]
pub enum Medium {
    /// The receiver's own inbox.
    Inbox,
    /// A broker's queue.
    Queue(Address<broker::Request>),
    /// Cells that both sides see.
    SharedMemory(Address<shared_memory::Request>),
    /// A store whose tasks workers claim.
    TaskStore(Address<task_store::Request>),
}

/// Which results go along a seam.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// All.
    #[default]
    Always,
    /// What a reviewer approved.
    Approved,
    /// What a reviewer sent back.
    Rejected,
}

/// Gives items along seams: numbers the offers of one giver, and takes the receivers of each seam in turn.
#[derive(Clone, Debug, Default)]
pub struct Giver {
    numbers: u64,
    /// How often a receiver was chosen, by seam.
    chosen: BTreeMap<u16, u64>,
}

impl Giver {
    /// The giver of an agent that restarted. It has forgotten how far it came, and must not use a number again.
    pub(crate) fn of_a_new_life<A: Agent>(ctx: &Context<'_, A>) -> Giver {
        let key = [ctx.id().as_u64(), ctx.now().as_ns()];
        // Half of the numbers are left to count up.
        let numbers = ctx.luck_of("numbers of a new life", key).next() >> 1;
        Giver { numbers, chosen: BTreeMap::new() }
    }

    /// A number that nobody else uses, for an offer or an operation.
    pub(crate) fn number(&mut self, own: AgentId) -> u64 {
        let number = mix([own.as_u64(), self.numbers]);
        self.numbers += 1;
        number
    }

    /// Chooses the receiver of a parcel, in turn, and says so. Givers begin with different receivers.
    pub(crate) fn choose<A: Agent>(
        &mut self,
        ctx: &mut Context<'_, A>,
        seam: &Seam,
        parcel: &mut Parcel,
    ) -> AgentId {
        let turn = self.chosen.entry(seam.number).or_insert(u64::from(ctx.ordinal() - 1));
        let number = *turn;
        *turn += 1;
        self.choose_number(ctx, seam, parcel, number)
    }

    /// Chooses the receiver with this number, counted round, and says so.
    pub(crate) fn choose_number<A: Agent>(
        &self,
        ctx: &mut Context<'_, A>,
        seam: &Seam,
        parcel: &mut Parcel,
        number: u64,
    ) -> AgentId {
        let receiver = seam.receivers[(number % seam.receivers.len() as u64) as usize];
        parcel.receiver = Some(receiver);
        ctx.fact(Fact::Decided { seam: &seam.name, item: parcel.item.id, offer: parcel.offer, receiver });
        receiver
    }

    /// Offers `item` along `seam`.
    pub fn offer<A: Agent>(&mut self, ctx: &mut Context<'_, A>, seam: &Seam, item: Item) {
        let giver = ctx.id();
        let offer = self.number(giver);
        ctx.fact(Fact::Offered { seam: &seam.name, item: item.id, offer, medium: &seam.medium_name });
        let mut parcel = Parcel { seam: seam.number, offer, giver, receiver: None, item };
        if seam.chooser == Chooser::Sender {
            self.choose(ctx, seam, &mut parcel);
        }
        match seam.medium {
            Medium::Queue(broker) => ctx.send(broker, broker::Request::Publish(parcel)),
            Medium::SharedMemory(memory) => ctx.send(memory, shared_memory::Request::Put(parcel)),
            Medium::TaskStore(store) => ctx.send(store, task_store::Request::Add(parcel)),
            Medium::Inbox => match (seam.chooser, parcel.receiver) {
                (Chooser::Agent(chooser), _) => ctx.send(Address::new(chooser), HandOver::Give(parcel)),
                (_, Some(receiver)) => hand_over(ctx, seam, parcel, receiver),
                // Nobody chooses: the first of the receivers reads the inbox.
                (_, None) => hand_over(ctx, seam, parcel, seam.receivers[0]),
            },
        }
    }
}

/// Passes a parcel to its receiver as the one who carries it.
pub(crate) fn hand_over<A: Agent>(ctx: &mut Context<'_, A>, seam: &Seam, parcel: Parcel, receiver: AgentId) {
    state_hand_over(ctx, seam, &parcel, receiver);
    ctx.send(Address::new(receiver), HandOver::Give(Parcel { receiver: Some(receiver), ..parcel }));
}

/// States that a parcel was passed to its receiver.
pub(crate) fn state_hand_over<A: Agent>(
    ctx: &mut Context<'_, A>,
    seam: &Seam,
    parcel: &Parcel,
    receiver: AgentId,
) {
    ctx.fact(Fact::HandedOver {
        seam: &seam.name,
        item: parcel.item.id,
        offer: parcel.offer,
        medium: &seam.medium_name,
        receiver,
    });
}
