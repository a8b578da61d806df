//! The role of an agent: its group, as far as its identity tells.

use fleetsim_engine::{AgentId, Names, Origin};

use crate::number_map::Number;

/// What agents of one kind have in common: their group's hash, or one of two numbers that no group has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Role(u64);

impl Number for Role {
    #[inline]
    fn number(self) -> u64 {
        self.0
    }
}

impl Role {
    /// Agents that other agents spawned.
    pub(crate) const SPAWNED: Role = Role(1 << 32);
    /// The world and the fault rules.
    pub(crate) const OUTSIDE: Role = Role(1 << 33);

    /// The role of `agent`.
    #[inline]
    pub(crate) fn of(agent: AgentId) -> Role {
        match agent.origin() {
            Origin::Member { group, .. } => Role(u64::from(group)),
            Origin::Spawned => Role::SPAWNED,
            Origin::World | Origin::Rule => Role::OUTSIDE,
        }
    }

    /// The role whose members are called `name`.
    pub(crate) fn named(name: &str) -> Role {
        Role::of(AgentId::named(name, 1))
    }

    /// The name that tools show.
    pub(crate) fn name(self, names: &Names) -> String {
        match self {
            Role::SPAWNED => "spawned".to_owned(),
            Role::OUTSIDE => "world".to_owned(),
            Role(group) => {
                let member = AgentId::from_u64(group << 32 | 1);
                names.group(member).map_or_else(|| format!("group:{group:08x}"), str::to_owned)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_groups() {
        assert_eq!(Role::of(AgentId::named("coder", 7)), Role::named("coder"));
        assert_ne!(Role::named("writer"), Role::named("coder"));
        assert_eq!(Role::of(AgentId::spawned(AgentId::WORLD, 0)), Role::SPAWNED);
        assert_eq!(Role::of(AgentId::WORLD), Role::OUTSIDE);
        assert_ne!(Role::SPAWNED, Role::OUTSIDE);
    }
}
