//! The branching ratio: how many messages of a kind each message of that kind brings about.
//!
//! A process in which each event causes R others on average dies out below 1 and grows without end above (Galton and
//! Watson, 1874; for cascades of events Hawkes, 1971). Messages descend from the message whose handling sent them,
//! through timers and work. R is counted for each kind by itself, in windows of handled messages: a fan-out to a
//! thousand workers has many descendants, but none of its own kind. The interval is that of a Poisson count at 99 %
//! (normal approximation, z = 2.58), in integers.

use crate::monitor::Moment;

/// z squared, in ten thousandths.
const Z_SQUARED: u128 = 66_564;
/// The smallest window, in handled messages.
pub(crate) const WINDOW_MIN: u32 = 16;
/// Windows in a row.
pub(crate) const WINDOWS_MIN: u64 = 3;

/// Counts of one kind.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Branching {
    current: Window,
    streak: Option<Streak>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Window {
    first: Option<Moment>,
    handled: u64,
    children: u64,
    /// Handled messages that had waited for a deaf receiver: a backlog, which looks like growth.
    waited: u64,
    progress: bool,
}

/// Windows in a row in which each message brought about more than one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Streak {
    pub(crate) began: Moment,
    /// The end of the first window.
    pub(crate) signal: Moment,
    pub(crate) end: Moment,
    pub(crate) windows: u64,
    pub(crate) handled: u64,
    pub(crate) children: u64,
    /// What the fleet had spent when it began, at the first signal, and at the end, in billionths of a dollar.
    pub(crate) spent: [u64; 3],
}

/// Whether so many children of so many messages are more than one each, beyond chance.
pub(crate) fn is_above_one(children: u64, handled: u64) -> bool {
    let (children, handled) = (u128::from(children), u128::from(handled));
    let surplus = children.saturating_sub(handled);
    surplus > 0 && surplus * surplus * 10_000 > Z_SQUARED * children
}

impl Streak {
    /// Whether the ratio is above 1 beyond chance.
    pub(crate) fn is_above_one(&self) -> bool {
        is_above_one(self.children, self.handled)
    }

    /// The ratio and its interval, in thousandths: low, ratio, high.
    pub(crate) fn ratio_thousandths(&self) -> [u64; 3] {
        let (children, handled) = (u128::from(self.children), u128::from(self.handled.max(1)));
        let spread = (Z_SQUARED * children * 100).isqrt() / 1000;
        let of = |count: u128| u64::try_from(count * 1000 / handled).unwrap_or(u64::MAX);
        [of(children.saturating_sub(spread)), of(children), of(children + spread)]
    }
}

impl Branching {
    /// A message was handled; `waited` when its receiver had been deaf. Gives the streak, once it ends in this window.
    pub(crate) fn handled(&mut self, at: Moment, waited: bool, spent: u64, size: u64) -> Option<Streak> {
        let window = &mut self.current;
        window.first.get_or_insert(at);
        let over = (window.handled >= size).then(|| core::mem::take(window));
        let ended = over.and_then(|window| self.close(&window, at, spent));
        let window = &mut self.current;
        window.first.get_or_insert(at);
        window.handled += 1;
        window.waited += u64::from(waited);
        ended
    }

    /// A message of the kind was sent that descends from another one.
    pub(crate) fn child(&mut self) {
        self.current.children += 1;
    }

    /// Something came closer to done: what branches has a purpose.
    pub(crate) fn progress(&mut self) -> Option<Streak> {
        self.current.progress = true;
        self.streak.take()
    }

    /// The streak so far, without the window that is not full.
    pub(crate) fn streak(&self) -> Option<&Streak> {
        self.streak.as_ref()
    }

    fn close(&mut self, window: &Window, at: Moment, spent: u64) -> Option<Streak> {
        let grows =
            window.children > window.handled && 2 * window.waited <= window.handled && !window.progress;
        if !grows {
            return self.streak.take();
        }
        let began = window.first.unwrap_or(at);
        let fresh =
            Streak { began, signal: at, end: at, windows: 0, handled: 0, children: 0, spent: [spent; 3] };
        let streak = self.streak.get_or_insert(fresh);
        streak.windows += 1;
        streak.handled += window.handled;
        streak.children += window.children;
        streak.end = at;
        streak.spent[2] = spent;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(children_of: impl Fn(u64) -> u64, waited: bool, messages: u64) -> Option<Streak> {
        let mut branching = Branching::default();
        for number in 0..messages {
            let at = Moment { event: number, ..Moment::ZERO };
            assert_eq!(branching.handled(at, waited, 0, 100), None);
            (0..children_of(number)).for_each(|_| branching.child());
        }
        branching.streak().copied()
    }

    #[test]
    fn only_what_breeds_more_than_itself_makes_a_streak() {
        let streak = run(|number| 1 + number % 2, false, 401).expect("one and a half each");
        assert_eq!((streak.windows, streak.handled, streak.children), (4, 400, 600));
        assert!(streak.is_above_one());
        assert_eq!(streak.ratio_thousandths(), [1342, 1500, 1657], "600 - 63 and 600 + 63 of 400");
        assert_eq!(run(|_| 1, false, 401), None, "each brings about one");
        assert_eq!(run(|number| 2 * (number % 2), false, 401), None, "every other brings about two");
        assert_eq!(run(|_| 2, true, 401), None, "a backlog before a deaf receiver");
    }

    #[test]
    fn chance_is_not_growth() {
        let streak = run(|number| 1 + u64::from(number % 50 == 0), false, 401).expect("a fiftieth more");
        assert!(!streak.is_above_one(), "{streak:?}");
    }

    #[test]
    fn progress_ends_a_streak() {
        let mut branching = Branching::default();
        for number in 0..401 {
            branching.handled(Moment { event: number, ..Moment::ZERO }, false, 0, 100);
            (0..2).for_each(|_| branching.child());
        }
        assert!(branching.progress().is_some());
        assert_eq!(branching.streak(), None);
    }
}
