//! Why a rule cannot be part of a plan, or a plan not act on a fleet.

use core::fmt;

/// A rule or plan that makes no sense, with the rule's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    rule: Option<String>,
    message: String,
}

impl Error {
    pub(crate) fn of_rule(rule: &str, message: impl Into<String>) -> Error {
        Error { rule: Some(rule.to_owned()), message: message.into() }
    }

    pub(crate) fn of_plan(message: impl Into<String>) -> Error {
        Error { rule: None, message: message.into() }
    }

    /// The rule that is wrong, when it is one.
    #[must_use]
    pub fn rule(&self) -> Option<&str> {
        self.rule.as_deref()
    }

    /// What is wrong, without the rule's name.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.rule {
            Some(rule) => write!(f, "fault `{}`: {}", rule.escape_debug(), self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl core::error::Error for Error {}
