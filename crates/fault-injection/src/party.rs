//! Whom a rule is about.

use core::fmt;

use fleetsim_engine::{AgentId, Fleet, GroupId, Origin};
use serde::{Deserialize, Serialize};

/// A role (a group of agents, or a medium, whose agents are a group as well), or one member of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// The group's name.
    pub role: String,
    /// Which member, from 1; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<u32>,
}

/// To whom a rule does something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Who {
    /// To everybody in a party.
    Each(Party),
    /// To one of a party, drawn anew every time.
    OneOf(Party),
    /// To whoever stated the fact that triggered the rule.
    Whoever,
}

impl Party {
    /// Everybody in a role.
    #[must_use]
    pub fn role(role: &str) -> Party {
        Party { role: role.to_owned(), member: None }
    }

    /// One member of a role, from 1.
    #[must_use]
    pub fn member(role: &str, member: u32) -> Party {
        Party { role: role.to_owned(), member: Some(member) }
    }

    /// Whether some agent is in both.
    pub(crate) fn meets(&self, other: &Party) -> bool {
        let either_is_whole = self.member.is_none() || other.member.is_none();
        self.role == other.role && (either_is_whole || self.member == other.member)
    }

    pub(crate) fn group(&self) -> GroupId {
        GroupId::named(&self.role)
    }

    /// The agents of the party, or what is wrong with its name.
    pub(crate) fn members(&self, fleet: &Fleet) -> Result<Vec<AgentId>, String> {
        let Some(count) = fleet.members(&self.role) else {
            return Err(format!("there is no role or medium `{}`", self.role.escape_debug()));
        };
        match self.member {
            None => Ok((1..=count).map(|member| AgentId::named(&self.role, member)).collect()),
            Some(member) if (1..=count).contains(&member) => Ok(vec![AgentId::named(&self.role, member)]),
            Some(member) => Err(format!(
                "there is no agent `{self}`: `{}` has {count}, not {member}",
                self.role.escape_debug()
            )),
        }
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.role.escape_debug())?;
        self.member.map_or(Ok(()), |member| write!(f, "-{member}"))
    }
}

/// A party, ready to be compared with agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Matcher {
    group: GroupId,
    member: Option<u32>,
}

impl Matcher {
    pub(crate) fn of(party: &Party) -> Matcher {
        Matcher { group: party.group(), member: party.member }
    }

    pub(crate) fn group(self) -> GroupId {
        self.group
    }

    pub(crate) fn contains(self, group: GroupId, agent: AgentId) -> bool {
        self.group == group
            && match (self.member, agent.origin()) {
                (None, _) => true,
                (Some(wanted), Origin::Member { ordinal, .. }) => wanted == ordinal,
                (Some(_), _) => false,
            }
    }
}
