//! The outside world of the program: the wall clock, Ctrl-C, and the watchdog's thread. Nothing here reaches a
//! run; it only decides when to look at one and when to give it up.
#![expect(clippy::disallowed_types, reason = "how long a run takes on this machine is told, never simulated")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle, park_timeout};
use std::time::{Duration, Instant};

use fleetsim_engine::{AgentId, Heartbeat, Time};

use crate::exit::Exit;

/// Measures how long something takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    pub(crate) fn start() -> Stopwatch {
        Stopwatch(Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C is noted instead of ending the program. The second one ends it at once.
pub(crate) fn note_interrupts() {
    // It fails when it was called before, or when a user's own crate wants to handle Ctrl-C itself.
    let _ = ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(Exit::Damaged as i32);
        }
    });
}

/// Whether Ctrl-C was pressed.
pub(crate) fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Watches a run from a thread of its own, since an endless handler cannot be stopped from inside.
#[derive(Debug)]
pub(crate) struct Watchdog {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Whether handlers are running, rather than whoever takes the record.
    is_watching: AtomicBool,
    is_over: AtomicBool,
}

impl Watchdog {
    /// Calls `on_stuck` when one event takes longer than `limit`; zero is no limit.
    pub(crate) fn start(
        heartbeat: Arc<Heartbeat>,
        limit: Duration,
        on_stuck: impl FnOnce(u64, AgentId, Time) + Send + 'static,
    ) -> Watchdog {
        let shared: Arc<Shared> = Arc::default();
        let watched = Arc::clone(&shared);
        let watch = move || watch(&heartbeat, limit, &watched, on_stuck);
        // Without a thread to be had the run goes on unwatched.
        let spawn = || Builder::new().name("watchdog".to_owned()).spawn(watch).ok();
        let thread = if limit.is_zero() { None } else { spawn() };
        Watchdog { shared, thread }
    }

    /// Says whether handlers run from now on.
    pub(crate) fn set_watching(&self, is_watching: bool) {
        self.shared.is_watching.store(is_watching, Ordering::Relaxed);
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It cannot panic before it has called `on_stuck`, which ends the program.
            let _ = thread.join();
        }
    }
}

fn watch(heartbeat: &Heartbeat, limit: Duration, shared: &Shared, on_stuck: impl FnOnce(u64, AgentId, Time)) {
    let pause = (limit / 4).clamp(Duration::from_millis(1), Duration::from_millis(250));
    let mut since = Stopwatch::start();
    let mut last = None;
    while !shared.is_over.load(Ordering::Relaxed) {
        park_timeout(pause);
        let current = shared.is_watching.load(Ordering::Relaxed).then(|| heartbeat.read());
        if current != last {
            (last, since) = (current, Stopwatch::start());
        }
        if let Some((event, agent, time)) = current
            && since.elapsed() > limit
            && !shared.is_over.load(Ordering::Relaxed)
        {
            on_stuck(event, agent, time);
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn an_event_that_takes_too_long_is_named() {
        let (named, names) = channel();
        let limit = Duration::from_millis(20);
        let watchdog = Watchdog::start(Arc::default(), limit, move |event, _, _| named.send(event).unwrap());
        assert!(names.recv_timeout(Duration::from_millis(100)).is_err(), "nothing runs yet");
        watchdog.set_watching(true);
        assert_eq!(names.recv_timeout(Duration::from_secs(20)), Ok(0));
    }

    #[test]
    fn a_run_that_is_over_in_time_is_left_alone() {
        let stuck = Arc::new(AtomicBool::new(false));
        let noted = Arc::clone(&stuck);
        let limit = Duration::from_secs(3600);
        let watchdog =
            Watchdog::start(Arc::default(), limit, move |_, _, _| noted.store(true, Ordering::Relaxed));
        watchdog.set_watching(true);
        drop(watchdog);
        assert!(!stuck.load(Ordering::Relaxed));
    }
}
