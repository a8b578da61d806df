//! Which messages a rule looks at.

use fleetsim_engine::{Fleet, GroupId, Outgoing, ProtocolId};
use serde::{Deserialize, Serialize};

use crate::party::{Matcher, Party};

/// Which messages a rule looks at: those that fit everything that is given. By default all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Messages {
    /// Only those that this party sends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Party>,
    /// Only those to this party.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Party>,
    /// Only those that this party sends or receives: a medium, or a role with all its links.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub touching: Option<Party>,
    /// Only those of this protocol, such as `store`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// Only those of this kind, such as `Write`; needs `protocol`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

impl Messages {
    /// Those from one role to another.
    #[must_use]
    pub fn between(from: &str, to: &str) -> Messages {
        Messages { from: Some(Party::role(from)), to: Some(Party::role(to)), ..Messages::default() }
    }

    pub(crate) fn parties(&self) -> impl Iterator<Item = &Party> {
        [&self.from, &self.to, &self.touching].into_iter().flatten()
    }

    /// The same, ready to be compared with messages, or what is wrong with it.
    pub(crate) fn filter(&self, fleet: &Fleet) -> Result<Filter, String> {
        for party in self.parties() {
            party.members(fleet)?;
        }
        let matcher = |party: &Option<Party>| party.as_ref().map(Matcher::of);
        let (protocol, kind) = match &self.protocol {
            None if self.kind.is_some() => return Err("a kind of message needs its protocol".to_owned()),
            None => (None, None),
            Some(protocol) => {
                let (id, kind) = find_kind(fleet, protocol, self.kind.as_deref())?;
                (Some(id), kind)
            }
        };
        Ok(Filter {
            from: matcher(&self.from),
            to: matcher(&self.to),
            touching: matcher(&self.touching),
            protocol,
            kind,
        })
    }
}

fn find_kind(fleet: &Fleet, protocol: &str, kind: Option<&str>) -> Result<(ProtocolId, Option<u16>), String> {
    let Some((id, _, kinds)) = fleet.protocols().find(|(_, name, _)| *name == protocol) else {
        let known: Vec<&str> = fleet.protocols().map(|(_, name, _)| name).collect();
        let (known, protocol) = (known.join(", "), protocol.escape_debug());
        return Err(format!("nobody understands the protocol `{protocol}`; there are {known}"));
    };
    let Some(kind) = kind else { return Ok((id, None)) };
    match kinds.iter().position(|known| *known == kind) {
        Some(at) => Ok((id, Some(at as u16))),
        None => {
            let (known, kind) = (kinds.join(", "), kind.escape_debug());
            Err(format!("the protocol `{protocol}` has no message `{kind}`; it has {known}"))
        }
    }
}

/// [`Messages`], with names resolved.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Filter {
    from: Option<Matcher>,
    to: Option<Matcher>,
    touching: Option<Matcher>,
    protocol: Option<ProtocolId>,
    kind: Option<u16>,
}

impl Filter {
    pub(crate) fn contains(&self, message: &Outgoing) -> bool {
        let from = |matcher: Matcher| matcher.contains(message.from, message.source);
        let to = |matcher: Matcher| matcher.contains(message.to, message.target);
        self.from.is_none_or(from)
            && self.to.is_none_or(to)
            && self.touching.is_none_or(|matcher| from(matcher) || to(matcher))
            && self.protocol.is_none_or(|protocol| protocol == message.protocol)
            && self.kind.is_none_or(|kind| kind == message.kind)
    }

    /// Whether some message from one group to another may be in it.
    pub(crate) fn may_contain(&self, from: GroupId, to: GroupId) -> bool {
        self.from.is_none_or(|matcher| matcher.group() == from)
            && self.to.is_none_or(|matcher| matcher.group() == to)
            && self.touching.is_none_or(|matcher| [from, to].contains(&matcher.group()))
    }
}
