//! Panics of agents' handlers: the engine makes them part of the run, and here what they said is kept, so that it
//! is told once after the run instead of being written into it.

use std::cell::RefCell;
use std::panic::{PanicHookInfo, set_hook, take_hook};
use std::sync::Once;

use crate::output::tell;

/// Different messages that are kept.
const KEPT_MAX: usize = 5;

thread_local! {
    static CAUGHT: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}
static INSTALL: Once = Once::new();

/// Runs `body`, during which panics on this thread are silent, and returns what the first few of them said.
pub(crate) fn quietly<T>(body: impl FnOnce() -> T) -> (T, Vec<String>) {
    INSTALL.call_once(install);
    CAUGHT.set(Some(Vec::new()));
    let guard = Guard;
    let result = body();
    let said = CAUGHT.take().unwrap_or_default();
    drop(guard);
    (result, said)
}

/// A panic that leaves `quietly` is a mistake of ours, and must not go unheard.
struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        let said = CAUGHT.take().unwrap_or_default();
        if std::thread::panicking() {
            said.iter().for_each(|line| tell(&format!("panicked: {line}\n")));
        }
    }
}

fn install() {
    let earlier = take_hook();
    set_hook(Box::new(move |info| {
        if !keep(info) {
            earlier(info);
        }
    }));
}

/// Whether the panic belongs to a run on this thread.
fn keep(info: &PanicHookInfo<'_>) -> bool {
    CAUGHT.with(|caught| {
        let Ok(mut caught) = caught.try_borrow_mut() else { return false };
        let Some(said) = caught.as_mut() else { return false };
        let payload = info.payload();
        let text = payload.downcast_ref::<&str>().copied();
        let text =
            text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("(no text)");
        let place = info.location().map(|location| format!(", at {}:{}", location.file(), location.line()));
        let line = format!("{text}{}", place.unwrap_or_default());
        if said.len() < KEPT_MAX && !said.contains(&line) {
            said.push(line);
        }
        true
    })
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    #[test]
    fn what_handlers_say_is_kept_once_and_in_bounds() {
        let ((), said) = quietly(|| {
            for number in [1, 1, 2, 3, 4, 5, 6, 7] {
                let _ = catch_unwind(|| panic!("number {number}"));
            }
        });
        assert_eq!(said.len(), KEPT_MAX);
        assert!(said[0].starts_with("number 1, at ") && said[1].starts_with("number 2, at "), "{said:?}");
    }
}
