//! A panic inside sled becomes an error: sled panics on some damaged files. The caller reports what happened, and the
//! log does not show such a panic as a fault of this program.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};

thread_local! {
    static EXPECTED: Cell<bool> = const { Cell::new(false) };
}

/// `work` panicked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Panicked;

/// Runs `work`, which may panic. If it does, do not use what it was working on.
///
/// # Errors
/// If it panicked.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    let before = EXPECTED.replace(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(work));
    EXPECTED.set(before);
    outcome.map_err(|_| Panicked)
}

/// From now on, logs the location of a panic without its message, which may quote what a client sent.
pub fn log() {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        if EXPECTED.get() {
            tracing::debug!(place, "a panic that was caught as an error");
        } else {
            tracing::error!(place, "panicked");
        }
    }));
}
