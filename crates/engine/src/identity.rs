//! Who is who: identities that depend on a name or a parent, never on the order in which things were made.

use core::fmt;
use core::marker::PhantomData;

use serde::{Deserialize, Serialize};

use crate::mix::{hash_text, mix};

const SPAWNED: u64 = 1 << 63;
const RULE: u64 = 1 << 62;
const GROUP_MASK: u64 = (1 << 30) - 1;
const HASH_MASK: u64 = RULE - 1;

/// The identity of an agent, of the world, or of a fault rule.
///
/// A member of a group is (group name, ordinal from 1); a spawned agent is (parent, how many the parent had
/// spawned before). Both are pure functions, so they are known before the agent exists and adding one agent
/// renames no other. Two that collide are reported as an error.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AgentId(u64);

/// What sort of entity an [`AgentId`] denotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The world outside the fleet: starts, and messages injected from outside.
    World,
    /// A member of a named group, with its ordinal from 1.
    Member {
        /// The group's 30-bit name hash.
        group: u32,
        /// The position in the group, from 1.
        ordinal: u32,
    },
    /// An agent that another agent spawned.
    Spawned,
    /// A fault rule, the source of what it does to agents.
    Rule,
}

impl AgentId {
    /// The world outside the fleet.
    pub const WORLD: AgentId = AgentId(0);

    /// Member `ordinal` (from 1) of the group `name`.
    #[inline]
    #[must_use]
    pub const fn named(name: &str, ordinal: u32) -> AgentId {
        AgentId((Self::group_hash(name) as u64) << 32 | ordinal as u64)
    }

    /// The child that `parent` spawns after `ordinal` others.
    #[must_use]
    pub const fn spawned(parent: AgentId, ordinal: u32) -> AgentId {
        AgentId(SPAWNED | mix([parent.0, ordinal as u64]) & HASH_MASK)
    }

    /// The fault rule `name`.
    #[must_use]
    pub const fn rule(name: &str) -> AgentId {
        AgentId(RULE | hash_text(name) & HASH_MASK)
    }

    /// The identity as a number, the same in every run and on every machine.
    #[inline]
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// The identity that [`as_u64`](Self::as_u64) gave.
    #[inline]
    #[must_use]
    pub const fn from_u64(number: u64) -> AgentId {
        AgentId(number)
    }

    /// What sort of entity this is.
    #[inline]
    #[must_use]
    pub const fn origin(self) -> Origin {
        if self.0 == 0 {
            Origin::World
        } else if self.0 & SPAWNED != 0 {
            Origin::Spawned
        } else if self.0 & RULE != 0 {
            Origin::Rule
        } else {
            Origin::Member { group: (self.0 >> 32) as u32, ordinal: self.0 as u32 }
        }
    }

    /// The hash under which a group's members are filed: 30 bits, never 0 (which is the world's).
    #[inline]
    pub(crate) const fn group_hash(name: &str) -> u32 {
        let hash = (hash_text(name) & GROUP_MASK) as u32;
        if hash == 0 { 1 } else { hash }
    }
}

/// Shows the bare number; tools that hold the names of a run show those instead.
impl fmt::Debug for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "agent:{:016x}", self.0)
    }
}

/// Where to send messages of protocol `M`: an [`AgentId`] that is known to understand them.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub struct Address<M> {
    id: AgentId,
    #[serde(skip)]
    protocol: PhantomData<fn(M)>,
}

impl<M> Address<M> {
    /// States that `id` understands `M`. If it does not, what arrives is recorded there as undecodable.
    #[must_use]
    pub const fn new(id: AgentId) -> Self {
        Address { id, protocol: PhantomData }
    }

    /// The agent behind the address.
    #[must_use]
    pub const fn id(self) -> AgentId {
        self.id
    }
}

impl<M> Clone for Address<M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Address<M> {}

impl<M> PartialEq for Address<M> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl<M> Eq for Address<M> {}

impl<M> fmt::Debug for Address<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_say_where_they_come_from() {
        let member = AgentId::named("coder", 2);
        assert!(matches!(member.origin(), Origin::Member { ordinal: 2, .. }));
        assert_eq!(AgentId::spawned(member, 0).origin(), Origin::Spawned);
        assert_eq!(AgentId::rule("switch-2").origin(), Origin::Rule);
        assert_eq!(AgentId::WORLD.origin(), Origin::World);
    }

    #[test]
    fn siblings_and_cousins_differ() {
        let (first, second) = (AgentId::named("coder", 1), AgentId::named("coder", 2));
        assert_ne!(AgentId::spawned(first, 0), AgentId::spawned(first, 1));
        assert_ne!(AgentId::spawned(first, 0), AgentId::spawned(second, 0));
    }
}
