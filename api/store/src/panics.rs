//! Panics of others' code that are answers: sled panics on some damaged files. They are caught, and whoever
//! catches one says what happened; the log does not show them as faults of ours.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};

thread_local! {
    static EXPECTED: Cell<bool> = const { Cell::new(false) };
}

/// `work` panicked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Panicked;

/// Runs `work`, which may panic. What it left half done, nobody must use any more.
///
/// # Errors
/// If it panicked.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    let before = EXPECTED.replace(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(work));
    EXPECTED.set(before);
    outcome.map_err(|_| Panicked)
}

/// Logs panics from now on by their place, without their message, which may quote what a client sent.
pub fn log() {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        if EXPECTED.get() {
            tracing::debug!(place, "a panic that is an answer");
        } else {
            tracing::error!(place, "panicked");
        }
    }));
}
