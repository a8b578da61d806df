//! Progress bars for what takes longer than a moment: on stderr, and only if that is a terminal.

use std::io::{IsTerminal, stderr};
use std::time::Duration;

use fleetsim_engine::{MILLISECOND, Time};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::figures;
use crate::wall::Stopwatch;

/// Runs shorter than this show nothing.
const SHOWN_AFTER: Duration = Duration::from_secs(1);

/// Shows how far a run is.
pub(crate) struct Progress {
    is_wanted: bool,
    watch: Stopwatch,
    until: Time,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// For a run that ends at `until` at the latest.
    pub(crate) fn new(until: Time) -> Progress {
        Progress { is_wanted: stderr().is_terminal(), watch: Stopwatch::start(), until, bar: None }
    }

    /// Shows that the run has come to `now`, after so many events.
    pub(crate) fn update(&mut self, now: Time, events: u64) {
        let elapsed = self.watch.elapsed();
        if !self.is_wanted || elapsed < SHOWN_AFTER {
            return;
        }
        let until_ms = self.until.as_ns() / MILLISECOND;
        let bar = self.bar.get_or_insert_with(|| bar(until_ms));
        bar.set_position((now.as_ns() / MILLISECOND).min(until_ms));
        let (now, until) = (figures::clock(now), figures::clock(self.until));
        let rate = figures::grouped(figures::per_second(events, elapsed));
        bar.set_message(format!("{now} of {until}, {} events, {rate}/s", figures::grouped(events)));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Shows how many of a number of things are done.
pub(crate) struct Count {
    bar: Option<ProgressBar>,
}

impl Count {
    /// For `total` things.
    pub(crate) fn new(total: u64) -> Count {
        Count { bar: stderr().is_terminal().then(|| bar(total)) }
    }

    /// Shows that so many are done, and which one is next.
    pub(crate) fn update(&self, done: u64, next: &str) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            bar.set_message(next.to_owned());
        }
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(total: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:24} {msg}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
