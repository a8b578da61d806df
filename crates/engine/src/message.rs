//! Protocols: what agents say to each other, typed at the edge and bytes in between.

use core::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec;
use crate::identity::AgentId;
use crate::mix::hash_text;
use crate::schema::Shape;

/// A protocol's messages: an enum whose variants are the message kinds.
///
/// ```
/// use fleetsim_engine::{AgentId, Message};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// enum Lease { Acquire { holder: AgentId }, Granted { fence: u64 }, Refused }
/// impl Message for Lease { const PROTOCOL: &'static str = "lease"; }
/// ```
pub trait Message: Serialize + DeserializeOwned + 'static {
    /// The protocol's name, unique in a fleet; tools show it.
    const PROTOCOL: &'static str;
    /// What travels with each message in the name's place.
    const ID: ProtocolId = ProtocolId::of(Self::PROTOCOL);
}

/// A protocol's name, hashed to 32 bits. Names that collide are refused when a fleet is built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProtocolId(pub u32);

impl ProtocolId {
    /// What is not a message: timers and facts.
    pub const NONE: ProtocolId = ProtocolId(0);

    /// The identifier of the protocol called `name`.
    #[must_use]
    pub const fn of(name: &str) -> ProtocolId {
        ProtocolId(hash_text(name) as u32)
    }
}

/// A message as it travels: kind and encoded fields.
#[derive(Clone, Copy, Debug)]
pub struct Wire<'a> {
    /// The protocol.
    pub protocol: ProtocolId,
    /// The index of the variant in the protocol's enum.
    pub kind: u16,
    /// The variant's fields, as [`codec`] encodes them.
    pub bytes: &'a [u8],
}

/// What arrived is not a message of the receiver's inbox. It is recorded, and `on_undecodable` is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undecodable {
    /// The protocol that was claimed.
    pub protocol: ProtocolId,
    /// The kind that was claimed.
    pub kind: u16,
    /// Who sent it.
    pub from: AgentId,
}

/// What an agent understands: one protocol, or a union of several made with [`inbox!`](crate::inbox).
pub trait Inbox: Sized + 'static {
    /// Restores a message, or `None` when it is of another protocol or its bytes are not one.
    fn decode(wire: Wire<'_>) -> Option<Self>;

    /// Adds the protocols and their kinds to a fleet's table.
    fn describe(protocols: &mut Protocols);
}

/// Holds for every inbox that understands protocol `M`.
pub trait Accepts<M: Message>: Inbox {}

impl<M: Message> Inbox for M {
    fn decode(wire: Wire<'_>) -> Option<Self> {
        if wire.protocol != M::ID {
            return None;
        }
        codec::decode_kind(wire.kind, wire.bytes)
    }

    fn describe(protocols: &mut Protocols) {
        protocols.add::<M>();
    }
}

impl<M: Message> Accepts<M> for M {}

/// The protocols of a fleet with the shapes of their messages, in order of their identifiers.
#[derive(Debug, Default)]
pub struct Protocols {
    entries: Vec<(ProtocolId, &'static str, Shape)>,
    pub(crate) mistakes: Vec<String>,
}

impl Protocols {
    /// Adds protocol `M`. Adding it again does nothing.
    pub fn add<M: Message>(&mut self) {
        match self.entries.binary_search_by_key(&M::ID, |entry| entry.0) {
            Ok(at) if self.entries[at].1 == M::PROTOCOL => {}
            Ok(at) => self.mistakes.push(format!(
                "the protocol names `{}` and `{}` collide; rename one of them",
                self.entries[at].1,
                M::PROTOCOL
            )),
            Err(at) => {
                let shape = Shape::of::<M>();
                if !matches!(shape, Shape::Enum { .. }) {
                    self.mistakes.push(format!(
                        "protocol `{}` is not an enum; a message type is an enum whose variants are its kinds",
                        M::PROTOCOL
                    ));
                }
                self.entries.insert(at, (M::ID, M::PROTOCOL, shape));
            }
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &(ProtocolId, &'static str, Shape)> {
        self.entries.iter()
    }
}

impl fmt::Display for Undecodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "kind {} of protocol {:08x} from {:?}", self.kind, self.protocol.0, self.from)
    }
}

/// Declares an inbox that understands several protocols.
///
/// ```
/// # use fleetsim_engine::Message;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize)] pub enum Lease { Granted }
/// # impl Message for Lease { const PROTOCOL: &'static str = "lease"; }
/// # #[derive(Serialize, Deserialize)] pub enum Job { Assigned }
/// # impl Message for Job { const PROTOCOL: &'static str = "job"; }
/// fleetsim_engine::inbox! {
///     /// What a worker understands.
///     pub enum WorkerInbox { Lease(Lease), Job(Job) }
/// }
/// ```
#[macro_export]
macro_rules! inbox {
    ($(#[$attribute:meta])* $visibility:vis enum $name:ident { $($variant:ident($message:ty)),+ $(,)? }) => {
        $(#[$attribute])*
        $visibility enum $name {
            $(
                #[doc = concat!("A message of [`", stringify!($message), "`].")]
                $variant($message)
            ),+
        }

        impl $crate::Inbox for $name {
            fn decode(wire: $crate::Wire<'_>) -> Option<Self> {
                $(
                    if wire.protocol == <$message as $crate::Message>::ID {
                        return <$message as $crate::Inbox>::decode(wire).map($name::$variant);
                    }
                )+
                None
            }

            fn describe(protocols: &mut $crate::Protocols) {
                $(<$message as $crate::Inbox>::describe(protocols);)+
            }
        }

        $(impl $crate::Accepts<$message> for $name {})+
    };
}
