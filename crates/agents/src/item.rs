//! Items of work and the parcels in which they travel.

use fleetsim_engine::{AgentId, Message};
use serde::{Deserialize, Serialize};

/// One piece of work on its way through the fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Sent", into = "Sent")]
pub struct Item {
    /// Its number, from 1 in order of arrival.
    pub id: u64,
    /// Which attempt at the whole work this is, from 1.
    pub attempt: u32,
    /// How often a reviewer sent it back.
    pub rejections: u32,
    /// Input tokens that it brings, or 0 for the role's own figure.
    pub tokens_in: u64,
    /// Tokens that it makes a model generate, or 0 for the role's own figure.
    pub tokens_out: u64,
    /// Whether it carries an error that nobody has noticed.
    pub faulty: bool,
    /// Whether it carries untrusted content that nobody has looked at and approved since.
    pub tainted: bool,
}

/// An item as it is sent: what is wrong with it takes one byte.
#[derive(Serialize, Deserialize)]
struct Sent {
    id: u64,
    attempt: u32,
    rejections: u32,
    tokens_in: u64,
    tokens_out: u64,
    flaws: u8,
}

const FAULTY: u8 = 1;
const TAINTED: u8 = 2;

impl From<Item> for Sent {
    fn from(item: Item) -> Sent {
        let Item { id, attempt, rejections, tokens_in, tokens_out, faulty, tainted } = item;
        let flaws = u8::from(faulty) * FAULTY + u8::from(tainted) * TAINTED;
        Sent { id, attempt, rejections, tokens_in, tokens_out, flaws }
    }
}

impl TryFrom<Sent> for Item {
    type Error = &'static str;

    fn try_from(sent: Sent) -> Result<Item, &'static str> {
        let Sent { id, attempt, rejections, tokens_in, tokens_out, flaws } = sent;
        if flaws & !(FAULTY | TAINTED) != 0 {
            return Err("an item has flaws that nobody knows");
        }
        let (faulty, tainted) = (flaws & FAULTY != 0, flaws & TAINTED != 0);
        Ok(Item { id, attempt, rejections, tokens_in, tokens_out, faulty, tainted })
    }
}

/// An item on its way along a seam.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parcel {
    /// The seam's number in the scenario.
    pub seam: u16,
    /// The offer: one giving of one item. Unique in a run.
    pub offer: u64,
    /// Who gave it.
    pub giver: AgentId,
    /// Who is to have it, once that is chosen.
    pub receiver: Option<AgentId>,
    /// The item.
    pub item: Item,
}

/// Hand-overs from agent to agent.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum HandOver {
    /// The receiver, or whoever chooses the receiver, gets a parcel.
    Give(Parcel),
}

impl Message for HandOver {
    const PROTOCOL: &'static str = "hand-over";
}

#[cfg(test)]
mod tests {
    use fleetsim_engine::codec;

    use super::*;

    #[test]
    fn what_is_wrong_with_an_item_travels_in_its_last_byte() {
        for (faulty, tainted, last) in
            [(false, false, 0), (true, false, 1), (false, true, 2), (true, true, 3)]
        {
            let item =
                Item { id: 7, attempt: 1, rejections: 2, tokens_in: 3, tokens_out: 4, faulty, tainted };
            let mut bytes = Vec::new();
            codec::encode(&item, &mut bytes);
            assert_eq!((bytes.len(), bytes.last()), (33, Some(&last)));
            assert_eq!(codec::decode(&bytes), Some(item));
            bytes[32] = 4;
            assert_eq!(codec::decode::<Item>(&bytes), None, "no such flaw");
        }
    }
}
