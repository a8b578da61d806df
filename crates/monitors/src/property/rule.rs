//! A property as a scenario writes it, and as it goes with a trace.

use serde::{Deserialize, Serialize};

use super::Property;
use super::expression::{ExpressionError, Pattern};

/// A property in words: a name, and what is promised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PropertyRule {
    /// What it is called.
    pub name: String,
    /// What is promised.
    pub promised: Promised,
}

/// What a property promises of the facts that its patterns name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Promised {
    /// Every fact of the pattern's kind passes its condition.
    Always(Pattern),
    /// At least one fact matches.
    Sometimes(Pattern),
    /// A fact matches within `within_ns` nanoseconds of each one that `for_each` matches, or of the run's start.
    Eventually {
        /// What comes.
        pattern: Pattern,
        /// How long it may take.
        within_ns: u64,
        /// What it answers, by key.
        for_each: Option<Pattern>,
    },
    /// No fact matches: not once `after` has matched with the same key, or not at all.
    Never {
        /// What does not come.
        pattern: Pattern,
        /// What closes the key.
        after: Option<Pattern>,
    },
}

impl Promised {
    /// `eventually`, with the keys of both patterns made alike.
    ///
    /// # Errors
    /// When one pattern has a key that the other cannot have.
    pub fn eventually(
        pattern: Pattern,
        within_ns: u64,
        for_each: Option<Pattern>,
    ) -> Result<Promised, ExpressionError> {
        let (pattern, for_each) = alike(pattern, for_each)?;
        Ok(Promised::Eventually { pattern, within_ns, for_each })
    }

    /// `never`, with the keys of both patterns made alike.
    ///
    /// # Errors
    /// When one pattern has a key that the other cannot have.
    pub fn never(pattern: Pattern, after: Option<Pattern>) -> Result<Promised, ExpressionError> {
        let (pattern, after) = alike(pattern, after)?;
        Ok(Promised::Never { pattern, after })
    }
}

/// A key that one of two patterns names goes for the other as well.
fn alike(one: Pattern, other: Option<Pattern>) -> Result<(Pattern, Option<Pattern>), ExpressionError> {
    let Some(other) = other else { return Ok((one, None)) };
    let (of_one, of_other) = (one.key_field().map(str::to_owned), other.key_field().map(str::to_owned));
    let one = match of_other {
        Some(field) => one.keyed_by(&field)?,
        None => one,
    };
    let other = match of_one {
        Some(field) => other.keyed_by(&field)?,
        None => other,
    };
    Ok((one, Some(other)))
}

impl From<&PropertyRule> for Property {
    fn from(rule: &PropertyRule) -> Property {
        let name = rule.name.clone();
        match rule.promised.clone() {
            Promised::Always(pattern) => {
                let kinds = [pattern.kind()];
                Property::always(name, move |fact, step| {
                    !pattern.is_of_kind(fact) || pattern.passes(fact, step)
                })
                .over(&kinds)
            }
            Promised::Sometimes(pattern) => {
                let kinds = [pattern.kind()];
                Property::sometimes(name, move |fact, step| pattern.matches(fact, step)).over(&kinds)
            }
            Promised::Eventually { pattern, within_ns, for_each: None } => {
                let kinds = [pattern.kind()];
                Property::happens_within(name, within_ns, move |fact, step| pattern.matches(fact, step))
                    .over(&kinds)
            }
            Promised::Eventually { pattern, within_ns, for_each: Some(for_each) } => {
                let kinds = [pattern.kind(), for_each.kind()];
                Property::eventually_within(
                    name,
                    within_ns,
                    move |fact, step| for_each.key(fact, step),
                    move |fact, step| pattern.key(fact, step),
                )
                .over(&kinds)
            }
            Promised::Never { pattern, after: None } => {
                let kinds = [pattern.kind()];
                Property::always(name, move |fact, step| !pattern.matches(fact, step)).over(&kinds)
            }
            Promised::Never { pattern, after: Some(after) } => {
                let kinds = [pattern.kind(), after.kind()];
                Property::never_after(
                    name,
                    move |fact, step| after.key(fact, step),
                    move |fact, step| pattern.key(fact, step),
                )
                .over(&kinds)
            }
        }
    }
}
