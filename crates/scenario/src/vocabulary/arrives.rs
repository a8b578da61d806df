//! `arrives`: when items of work come in.

use schemars::JsonSchema;
use serde::Deserialize;

use super::exactly_one;
use crate::scalar::{Count, Duration, Rate};

/// When items come in: at random at a rate, one every so often, many at once, or as a file recorded it.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("oneOf" = exactly_one(&["poisson", "every", "at-once", "from"])))]
pub struct Arrives {
    /// At random, independently of each other, at this rate on average.
    pub poisson: Option<Rate>,
    /// One every so often.
    pub every: Option<Duration>,
    /// This many at the start.
    pub at_once: Option<Count>,
    /// How the others come, after `at-once`.
    pub then: Option<Then>,
    /// As recorded in a CSV file beside the scenario, with the header
    /// `TIMESTAMP,ContextTokens,GeneratedTokens`.
    pub from: Option<String>,
}

/// How items come after the first many.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("oneOf" = exactly_one(&["poisson", "every"])))]
pub struct Then {
    /// At random, independently of each other, at this rate on average.
    pub poisson: Option<Rate>,
    /// One every so often.
    pub every: Option<Duration>,
}

/// The one way in which items arrive, as [`Arrives::arrival`] and [`Then::arrival`] tell it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Arrival<'a> {
    /// At random at a rate.
    Poisson(Rate),
    /// One every so often.
    Every(Duration),
    /// So many at the start, and the others as told.
    AtOnce(Count, Option<&'a Then>),
    /// As recorded in a file, by its path relative to the scenario.
    From(&'a str),
}

impl Arrives {
    /// The one way that is given; `None` only for a value that was not validated.
    pub fn arrival(&self) -> Option<Arrival<'_>> {
        let poisson = self.poisson.map(Arrival::Poisson);
        let every = self.every.map(Arrival::Every);
        let at_once = self.at_once.map(|count| Arrival::AtOnce(count, self.then.as_ref()));
        let from = self.from.as_deref().map(Arrival::From);
        poisson.or(every).or(at_once).or(from)
    }
}

impl Then {
    /// The one way that is given; `None` only for a value that was not validated.
    pub fn arrival(&self) -> Option<Arrival<'static>> {
        self.poisson.map(Arrival::Poisson).or(self.every.map(Arrival::Every))
    }
}
