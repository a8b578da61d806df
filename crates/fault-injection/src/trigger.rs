//! What a rule waits for: a fact that an agent states.

use std::collections::BTreeMap;

use fleetsim_engine::{Fact, FactKinds, Waited, Watched};
use serde::{Deserialize, Serialize};

use crate::party::{Matcher, Party};

/// A fact that sets a rule off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// The kind of fact, such as `TaskClaimed`.
    pub fact: String,
    /// Only when somebody of this party states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Party>,
    /// Only when its named texts (`seam`, `medium`, `resource`, `action`, `gate`, `model`, `permission`, `guard`,
    /// `name`) are these.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub with: BTreeMap<String, String>,
}

/// The texts of facts by which a trigger may choose.
pub(crate) const TEXTS: [&str; 9] =
    ["seam", "medium", "resource", "action", "gate", "model", "permission", "guard", "name"];

impl Trigger {
    /// When somebody states a fact of this kind.
    #[must_use]
    pub fn on(fact: &str) -> Trigger {
        Trigger { fact: fact.to_owned(), by: None, with: BTreeMap::new() }
    }

    /// What is wrong with it, if anything.
    pub(crate) fn check(&self) -> Result<(), String> {
        if FactKinds::named(&self.fact).is_none() || self.fact == "Injected" {
            return Err(format!("there is no fact `{}`", self.fact.escape_debug()));
        }
        let unknown = self.with.keys().find(|name| !TEXTS.contains(&name.as_str()));
        unknown.map_or(Ok(()), |name| {
            let (name, known) = (name.escape_debug(), TEXTS.join(", "));
            Err(format!("facts have no text `{name}` to choose by; there are {known}"))
        })
    }

    pub(crate) fn kinds(&self) -> FactKinds {
        FactKinds::named(&self.fact).unwrap_or(FactKinds::NONE)
    }

    /// How often the step sets it off: once for every fact that fits.
    pub(crate) fn count(&self, step: &Watched<'_>) -> usize {
        let by = self.by.as_ref().map(Matcher::of);
        if !by.is_none_or(|party| party.contains(step.group, step.agent)) {
            return 0;
        }
        let kinds = self.kinds();
        step.facts.iter().filter(|(kind, fact)| kind.meets(kinds) && self.fits(fact)).count()
    }

    fn fits(&self, fact: &Fact<'_>) -> bool {
        self.with.iter().all(|(name, wanted)| text_of(fact, name) == Some(wanted.as_str()))
    }
}

/// The text called `name` of a fact that has one.
fn text_of<'a>(fact: &Fact<'a>, name: &str) -> Option<&'a str> {
    Some(match (fact, name) {
        (
            Fact::Offered { seam, .. }
            | Fact::Decided { seam, .. }
            | Fact::HandedOver { seam, .. }
            | Fact::Received { seam, .. }
            | Fact::Undelivered { seam, .. },
            "seam",
        ) => seam,
        (Fact::Offered { medium, .. } | Fact::HandedOver { medium, .. }, "medium") => medium,
        (
            Fact::Read { resource, .. }
            | Fact::Write { resource, .. }
            | Fact::Acquired { resource, .. }
            | Fact::Released { resource, .. }
            | Fact::WaitOn { on: Waited::Resource(resource) }
            | Fact::WaitEnd { on: Waited::Resource(resource) },
            "resource",
        ) => resource,
        (Fact::Acted { action, .. }, "action") => action,
        (
            Fact::Acted { gate, .. }
            | Fact::WaitOn { on: Waited::Gate(gate) }
            | Fact::WaitEnd { on: Waited::Gate(gate) },
            "gate",
        ) => gate,
        (Fact::Requested { model, .. }, "model") => model,
        (Fact::Breach { permission }, "permission") => permission,
        (Fact::GuardTripped { guard, .. }, "guard") => guard,
        (Fact::Custom { name, .. }, "name") => name,
        _ => return None,
    })
}
