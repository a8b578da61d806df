//! What a trace must know of a fleet to show names: groups, protocols, facts, rules.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::batch::{Batch, EffectKind};
use crate::identity::{AgentId, Origin};
use crate::message::ProtocolId;
use crate::schema::{Resolver, Shape};

/// The names and shapes of a fleet, as they go into a trace's header.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The groups of agents, in the order in which they were added.
    pub groups: Vec<GroupEntry>,
    /// The protocols that some agent understands, in order of their identifiers.
    pub protocols: Vec<ProtocolEntry>,
    /// The shape of facts.
    pub facts: Shape,
    /// The names of fault rules.
    pub rules: Vec<String>,
}

/// A group of agents of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupEntry {
    /// The group's name.
    pub name: String,
    /// Its members at the start; 0 for a kind that only spawns.
    pub count: u32,
    /// The shape of its agents' timers.
    pub timers: Shape,
}

/// A protocol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProtocolEntry {
    /// The name's hash, as it stands in messages.
    pub id: u32,
    /// The name.
    pub name: String,
    /// The shape of its messages: an enum.
    pub messages: Shape,
}

/// Looks names up; learns those of spawned agents from the steps it is shown.
#[derive(Clone, Debug, Default)]
pub struct Names {
    groups: BTreeMap<u32, (String, u32)>,
    rules: BTreeMap<u64, String>,
    spawned: BTreeMap<AgentId, String>,
}

/// Spawned agents whose names are kept; later ones are shown by number, so that memory stays bounded.
const SPAWNED_MAX: usize = 1 << 20;

impl Names {
    /// The names of a manifest.
    #[must_use]
    pub fn new(manifest: &Manifest) -> Names {
        let group =
            |entry: &GroupEntry| (AgentId::group_hash(&entry.name), (entry.name.clone(), entry.count));
        let rule = |name: &String| (AgentId::rule(name).as_u64(), name.clone());
        Names {
            groups: manifest.groups.iter().map(group).collect(),
            rules: manifest.rules.iter().map(rule).collect(),
            spawned: BTreeMap::new(),
        }
    }

    /// Learns the names of the agents that were spawned in a batch: `coder-2/1` is the first child of `coder-2`.
    pub fn learn(&mut self, batch: &Batch) {
        if !batch.effect_columns().effect.contains(&(EffectKind::Spawn as u8)) {
            return;
        }
        for step in batch {
            for effect in step.effects.clone().filter(|effect| effect.effect == EffectKind::Spawn) {
                if self.spawned.len() < SPAWNED_MAX {
                    // A hostile record may hold any number.
                    let ordinal = effect.delay_ns.saturating_add(1);
                    let name = format!("{}/{ordinal}", self.of(step.target));
                    self.spawned.insert(AgentId::from_u64(effect.object), name);
                }
            }
        }
    }

    /// The name of `id`: `coder-2`, `coordinator` (the only member of its group), `coder-2/1`, `world`.
    #[must_use]
    pub fn of(&self, id: AgentId) -> String {
        let known = match id.origin() {
            Origin::World => Some("world".to_owned()),
            Origin::Member { group, ordinal } => self.groups.get(&group).map(|(name, count)| {
                if *count == 1 && ordinal == 1 { name.clone() } else { format!("{name}-{ordinal}") }
            }),
            Origin::Spawned => self.spawned.get(&id).cloned(),
            Origin::Rule => self.rules.get(&id.as_u64()).cloned(),
        };
        known.unwrap_or_else(|| format!("{id:?}"))
    }

    /// The group of `id`, which in scenarios is its role; `None` for spawned agents, rules and the world.
    #[must_use]
    pub fn group(&self, id: AgentId) -> Option<&str> {
        match id.origin() {
            Origin::Member { group, .. } => self.groups.get(&group).map(|(name, _)| name.as_str()),
            _ => None,
        }
    }

    /// The agent called `name`, if it is a member of a group or the world.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<AgentId> {
        if name == "world" {
            return Some(AgentId::WORLD);
        }
        let whole = self.groups.values().find(|(group, count)| group == name && *count == 1);
        if whole.is_some() {
            return Some(AgentId::named(name, 1));
        }
        let (group, written) = name.rsplit_once('-')?;
        let ordinal: u32 = written.parse().ok()?;
        // One spelling each: `coder-02` and `coder-+2` are nobody.
        if ordinal.to_string() != written {
            return None;
        }
        let (_, count) = self.groups.values().find(|(known, _)| known == group)?;
        (1..=*count).contains(&ordinal).then(|| AgentId::named(group, ordinal))
    }
}

impl Resolver for Names {
    fn name(&self, id: AgentId) -> String {
        self.of(id)
    }
}

impl Manifest {
    /// The protocol whose identifier is `id`.
    #[must_use]
    pub fn protocol(&self, id: ProtocolId) -> Option<&ProtocolEntry> {
        self.protocols.iter().find(|entry| entry.id == id.0)
    }
}
