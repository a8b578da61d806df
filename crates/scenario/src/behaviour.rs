//! Behaviours of users' own crates, registered by name and version.

use std::collections::BTreeMap;
use std::fmt;

use fleetsim_engine::{Address, AgentId, Fleet, Message};
use serde::de::DeserializeOwned;

use crate::vocabulary::{Document, MediumKind, Role};

type Adder = Box<dyn Fn(&mut Fleet, &RolePlan<'_>) -> Result<(), String>>;

/// The behaviours that a program knows beside the built-in ones.
#[derive(Default)]
pub struct Behaviours {
    known: BTreeMap<String, (u32, Adder)>,
}

impl fmt::Debug for Behaviours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.known.iter().map(|(name, (version, _))| (name, version))).finish()
    }
}

impl Behaviours {
    /// Registers a behaviour. `add` adds the agents of a role to a fleet; raise `version` when they behave
    /// differently, so that old traces are not replayed with new agents.
    ///
    /// # Panics
    /// When the name is registered already.
    pub fn register(
        &mut self,
        name: &str,
        version: u32,
        add: impl Fn(&mut Fleet, &RolePlan<'_>) -> Result<(), String> + 'static,
    ) {
        let earlier = self.known.insert(name.to_owned(), (version, Box::new(add)));
        assert!(earlier.is_none(), "the behaviour `{name}` is registered twice");
    }

    /// The version of a behaviour, if it is known.
    #[must_use]
    pub fn version(&self, name: &str) -> Option<u32> {
        self.known.get(name).map(|(version, _)| *version)
    }

    /// The names of the behaviours, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.known.keys().map(String::as_str)
    }

    pub(crate) fn add(&self, name: &str, fleet: &mut Fleet, role: &RolePlan<'_>) -> Result<(), String> {
        let (_, add) =
            self.known.get(name).ok_or_else(|| format!("this program has no behaviour `{name}`"))?;
        add(fleet, role)
    }
}

/// A role of a scenario that names a behaviour.
#[derive(Debug)]
pub struct RolePlan<'a> {
    name: &'a str,
    count: u32,
    role: &'a Role,
    document: &'a Document,
}

impl<'a> RolePlan<'a> {
    pub(crate) fn new(name: &'a str, count: u32, role: &'a Role, document: &'a Document) -> RolePlan<'a> {
        RolePlan { name, count, role, document }
    }

    /// The role's name: the name of the group to add.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name
    }

    /// How many agents to add.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The role's `params`, as a type of the behaviour's own.
    ///
    /// # Errors
    /// What does not fit, for the user to read.
    pub fn params<T: DeserializeOwned>(&self) -> Result<T, String> {
        let params = self.role.params.clone().unwrap_or_default();
        serde_json::from_value(params.into()).map_err(|error| format!("params: {error}"))
    }

    /// The address of member `ordinal` (from 1) of a role, or of a medium or model, for messages of protocol `M`.
    ///
    /// # Errors
    /// When there is no such member, or it is a built-in one that does not understand `M`.
    pub fn address<M: Message>(&self, name: &str, ordinal: u32) -> Result<Address<M>, String> {
        let understood: &[&str] = match self.document.medium.get(name).map(|medium| medium.kind) {
            Some(MediumKind::Queue) => &["queue"],
            Some(MediumKind::SharedMemory) => &["shared-memory"],
            Some(MediumKind::TaskStore) => &["task-store"],
            Some(MediumKind::ArtifactStore) => &["artifact-store"],
            Some(kind) => return Err(format!("medium `{name}` is a {}, which is no agent", kind.as_str())),
            None if self.document.model.contains(name) => &["model"],
            None => match self.document.role.get(name) {
                Some(role) if u64::from(ordinal) <= role.count.get() && ordinal > 0 => &[],
                Some(role) => return Err(format!("role `{name}` has {} agents", role.count.get())),
                None => return Err(format!("there is no role, medium or model `{name}`")),
            },
        };
        if !understood.is_empty() && !understood.contains(&M::PROTOCOL) {
            return Err(format!("`{name}` understands `{}`, not `{}`", understood.join("`, `"), M::PROTOCOL));
        }
        Ok(Address::new(AgentId::named(name, ordinal)))
    }
}
