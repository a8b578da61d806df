//! Plans: named rules, checked when they are added.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::fault::Fault;
use crate::heal::Heal;
use crate::party::{Party, Who};
use crate::when::When;

/// What goes wrong in a run, and when it is over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The rules by name.
    rules: BTreeMap<String, Rule>,
    /// When the world heals, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    heal: Option<Heal>,
}

/// One thing that goes wrong, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What.
    pub fault: Fault,
    /// When.
    pub when: When,
}

impl Rule {
    /// That fault, then.
    #[must_use]
    pub fn new(fault: Fault, when: When) -> Rule {
        Rule { fault, when }
    }
}

/// Names go into the record whenever a rule acts.
const NAME_BYTES_MAX: usize = 200;
/// The name under which the world heals.
pub(crate) const HEAL: &str = "heal";

impl Plan {
    /// Adds a rule.
    ///
    /// # Errors
    /// When the name is taken, empty or too long, a share is above one, a time ends before it begins, the sides of a
    /// partition overlap, or something else in the rule makes no sense by itself.
    pub fn add(&mut self, name: &str, rule: Rule) -> Result<(), Error> {
        check(name, &rule).map_err(|message| Error::of_rule(name, message))?;
        if self.rules.contains_key(name) {
            return Err(Error::of_rule(name, "another fault has this name"));
        }
        self.rules.insert(name.to_owned(), rule);
        Ok(())
    }

    /// Takes a rule out.
    pub fn remove(&mut self, name: &str) -> Option<Rule> {
        self.rules.remove(name)
    }

    /// Lets the world heal.
    pub fn heal(&mut self, heal: Option<Heal>) {
        self.heal = heal;
    }

    /// When the world heals, if it does.
    #[must_use]
    pub fn healing(&self) -> Option<&Heal> {
        self.heal.as_ref()
    }

    /// The rules, in order of their names.
    pub fn rules(&self) -> impl Iterator<Item = (&str, &Rule)> {
        self.rules.iter().map(|(name, rule)| (name.as_str(), rule))
    }

    /// Whether nothing goes wrong. A world that is sound does not heal either.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Adds the rules of another plan; its healing, if it has one, replaces this one's.
    ///
    /// # Errors
    /// When a name is in both.
    pub fn extend(&mut self, other: Plan) -> Result<(), Error> {
        for (name, rule) in other.rules {
            self.add(&name, rule)?;
        }
        self.heal = other.heal.or(self.heal.take());
        Ok(())
    }
}

/// As [`Plan::add`] does it, so that a plan that was edited by hand is checked as well.
impl<'de> Deserialize<'de> for Plan {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Plan, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Written {
            rules: BTreeMap<String, Rule>,
            #[serde(default)]
            heal: Option<Heal>,
        }
        let written = Written::deserialize(deserializer)?;
        let mut plan = Plan { rules: BTreeMap::new(), heal: written.heal };
        for (name, rule) in written.rules {
            plan.add(&name, rule).map_err(serde::de::Error::custom)?;
        }
        Ok(plan)
    }
}

fn check(name: &str, rule: &Rule) -> Result<(), String> {
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return Err(format!("a fault needs a name of at most {NAME_BYTES_MAX} bytes"));
    }
    if name == HEAL {
        return Err("this name is what healing is called".to_owned());
    }
    rule.when.check()?;
    let Rule { fault, when } = rule;
    if fault.share().is_some_and(|share| !share.is_share()) {
        return Err("a share is between 0% and 100%".to_owned());
    }
    if let Some(spread) = fault.spread() {
        spread.sampler().map_err(|invalid| invalid.to_string())?;
    }
    if fault.who() == Some(&Who::Whoever) && !matches!(when, When::Triggered { .. }) {
        return Err("`whoever` is who set a trigger off, and this rule has none".to_owned());
    }
    if fault.is_momentary() && matches!(when, When::Always) {
        return Err("it happens at an instant: say when".to_owned());
    }
    match fault {
        Fault::Partition { groups, .. } => check_sides(groups),
        Fault::Hold { .. } if !ends(when) => {
            Err("messages are held until a time that is known when they are sent: say for how long"
                .to_owned())
        }
        Fault::Reorder { within_ns: 0, .. } => Err("it must hold messages up for some time".to_owned()),
        Fault::Slow { permille, .. } if !(1..=1_000_000_000).contains(permille) => {
            Err("an agent is between a thousand times faster and a million times slower".to_owned())
        }
        Fault::Site { armed, .. } if !armed.is_share() => Err("a share is between 0% and 100%".to_owned()),
        Fault::Pause { .. } | Fault::Zombie { .. } if matches!(when, When::Always) => {
            Err("whoever stands still from the beginning never takes part: say when".to_owned())
        }
        _ => Ok(()),
    }
}

fn check_sides(groups: &[Vec<Party>]) -> Result<(), String> {
    if groups.is_empty() || groups.iter().any(Vec::is_empty) {
        return Err("every side of a partition has somebody on it".to_owned());
    }
    for (at, side) in groups.iter().enumerate() {
        for party in side {
            if groups[at + 1..].iter().flatten().any(|other| party.meets(other)) {
                return Err(format!("{party} is on two sides of the partition"));
            }
        }
    }
    Ok(())
}

fn ends(when: &When) -> bool {
    match when {
        When::Always | When::At { .. } => false,
        When::Triggered { lasts_ns, .. } => lasts_ns.is_some(),
        When::Window { .. } | When::Periodic { .. } | When::Random { .. } => true,
    }
}
