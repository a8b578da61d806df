//! Where in a scenario something is: `role.coder.count`, `expect.0.finding`. Keys and list positions are
//! kept apart, so that a role called `0` is not mistaken for the first item of a list.

use std::fmt;

/// One step from a table or list to what it holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// Into a table, by name.
    Key(String),
    /// Into a list, by position from 0.
    Index(usize),
}

/// The way from the top of the file to one value.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Path(Vec<Step>);

impl Path {
    /// The top of the file.
    pub(crate) fn top() -> Self {
        Self::default()
    }

    /// The path of the entry `name` of the table here.
    pub(crate) fn key(&self, name: &str) -> Self {
        self.then(Step::Key(name.to_owned()))
    }

    /// The path of item `position` of the list here.
    pub(crate) fn index(&self, position: usize) -> Self {
        self.then(Step::Index(position))
    }

    /// The steps from the top.
    pub(crate) fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Every path above this one, from the top on, and this one.
    pub(crate) fn prefixes(&self) -> impl Iterator<Item = Self> {
        (0..=self.0.len()).map(|length| Self(self.0[..length].to_vec()))
    }

    /// The path of the table or list that this one is in; the top's own is the top.
    pub(crate) fn parent(&self) -> Self {
        Self(self.0[..self.0.len().saturating_sub(1)].to_vec())
    }

    /// Whether the last step is into the entry `name`.
    pub(crate) fn ends_with(&self, name: &str) -> bool {
        matches!(self.0.last(), Some(Step::Key(last)) if last == name)
    }

    /// Whether `above` is this path or leads to it.
    pub(crate) fn starts_with(&self, above: &Self) -> bool {
        self.0.starts_with(&above.0)
    }

    /// Whether this is the top of the file.
    pub(crate) fn is_top(&self) -> bool {
        self.0.is_empty()
    }

    /// The path as in a table header: without list positions, which a header does not write.
    pub(crate) fn header(&self) -> String {
        let in_list = matches!(self.0.last(), Some(Step::Index(_)));
        let keys: Vec<&str> = self
            .0
            .iter()
            .filter_map(|step| match step {
                Step::Key(name) => Some(name.as_str()),
                Step::Index(_) => None,
            })
            .collect();
        let keys = keys.join(".");
        if in_list { format!("[[{keys}]]") } else { format!("[{keys}]") }
    }

    fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            if position > 0 {
                formatter.write_str(".")?;
            }
            match step {
                Step::Key(name) => formatter.write_str(name)?,
                Step::Index(index) => write!(formatter, "{index}")?,
            }
        }
        Ok(())
    }
}
