//! The role of an agent: its group, as far as its identity tells.

use fleetsim_engine::{AgentId, Names, Origin};

use crate::number_map::Number;

/// What agents of one kind have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// The members of a named group.
    Group(u32),
    /// Agents that other agents spawned.
    Spawned,
    /// The world and the fault rules.
    Outside,
}

impl Number for Role {
    #[inline]
    fn number(self) -> u64 {
        match self {
            Role::Group(group) => u64::from(group),
            Role::Spawned => 1 << 32,
            Role::Outside => 1 << 33,
        }
    }
}

impl Role {
    /// The role of `agent`.
    pub(crate) fn of(agent: AgentId) -> Role {
        match agent.origin() {
            Origin::Member { group, .. } => Role::Group(group),
            Origin::Spawned => Role::Spawned,
            Origin::World | Origin::Rule => Role::Outside,
        }
    }

    /// The role whose members are called `name`.
    pub(crate) fn named(name: &str) -> Role {
        Role::of(AgentId::named(name, 1))
    }

    /// The name that tools show.
    pub(crate) fn name(self, names: &Names) -> String {
        match self {
            Role::Group(group) => {
                let member = AgentId::from_u64(u64::from(group) << 32 | 1);
                names.group(member).map_or_else(|| format!("group:{group:08x}"), str::to_owned)
            }
            Role::Spawned => "spawned".to_owned(),
            Role::Outside => "world".to_owned(),
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
        assert_eq!(Role::of(AgentId::spawned(AgentId::WORLD, 0)), Role::Spawned);
        assert_eq!(Role::of(AgentId::WORLD), Role::Outside);
    }
}
