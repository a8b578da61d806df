//! Colour: on terminals only, and not where `NO_COLOR` is set.

use std::io::{IsTerminal, stderr, stdout};

use anstyle::{AnsiColor, Style};

/// Whether and how text is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paint {
    is_on: bool,
}

impl Paint {
    /// For stdout.
    pub(crate) fn stdout() -> Paint {
        Paint { is_on: stdout().is_terminal() && is_welcome() }
    }

    /// For stderr.
    pub(crate) fn stderr() -> Paint {
        Paint { is_on: stderr().is_terminal() && is_welcome() }
    }

    /// For text that is compared.
    #[cfg(test)]
    pub(crate) fn none() -> Paint {
        Paint { is_on: false }
    }

    pub(crate) fn is_on(self) -> bool {
        self.is_on
    }

    /// What needs attention.
    pub(crate) fn bad(self, text: &str) -> String {
        self.with(Style::new().bold().fg_color(Some(AnsiColor::Red.into())), text)
    }

    /// What is as it should be.
    pub(crate) fn good(self, text: &str) -> String {
        self.with(Style::new().fg_color(Some(AnsiColor::Green.into())), text)
    }

    /// What holds a part of the text together.
    pub(crate) fn strong(self, text: &str) -> String {
        self.with(Style::new().bold(), text)
    }

    /// What is there for who looks for it.
    pub(crate) fn dim(self, text: &str) -> String {
        self.with(Style::new().dimmed(), text)
    }

    fn with(self, style: Style, text: &str) -> String {
        if self.is_on { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// Whether the user has not asked to be spared. This reaches no run.
fn is_welcome() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_added_only_if_wanted() {
        assert_eq!(Paint { is_on: false }.bad("x"), "x");
        assert_eq!(Paint { is_on: true }.strong("x"), "\u{1b}[1mx\u{1b}[0m");
    }
}
