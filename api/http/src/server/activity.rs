//! What a connection is doing, and for how long: which of its time limits counts.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::Limits;

/// What a connection is doing.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// Nothing was sent yet.
    New(Instant),
    /// The last response is complete, or still being sent.
    Idle(Instant),
    /// The first byte of a request arrived.
    Head(Instant),
    /// A handler is running; it has its own limits.
    Answering,
}

/// Shared between the socket, the service and the watch.
#[derive(Debug)]
pub(super) struct Activity {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// Since when the peer reads nothing.
    blocked: Option<Instant>,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                phase: Phase::New(Instant::now()),
                blocked: None,
            }),
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn request_begins(&self) {
        self.change(|state| state.phase = Phase::Answering);
    }

    pub(super) fn request_ends(&self) {
        self.change(|state| state.phase = Phase::Idle(Instant::now()));
    }

    /// TLS is ready: a request may begin.
    pub(super) fn begins_anew(&self) {
        self.change(|state| state.phase = Phase::New(Instant::now()));
    }

    pub(super) fn bytes_came(&self) {
        self.change(|state| {
            if let Phase::New(_) | Phase::Idle(_) = state.phase {
                state.phase = Phase::Head(Instant::now());
            }
        });
    }

    pub(super) fn write_blocks(&self) {
        self.change(|state| {
            state.blocked.get_or_insert_with(Instant::now);
        });
    }

    pub(super) fn write_moves(&self) {
        self.change(|state| {
            state.blocked = None;
            if let Phase::Idle(since) = &mut state.phase {
                *since = Instant::now();
            }
        });
    }

    /// Whether the connection exceeds a time limit.
    pub(super) fn overstays(&self, limits: Limits, crowded: bool) -> bool {
        let at_most = |limit| limits.shortened(limit, crowded);
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let late = match state.phase {
            Phase::New(since) => since.elapsed() > at_most(limits.first),
            Phase::Idle(since) => since.elapsed() > at_most(limits.idle),
            Phase::Head(since) => since.elapsed() > at_most(limits.head),
            Phase::Answering => false,
        };
        late || state
            .blocked
            .is_some_and(|since| since.elapsed() > at_most(limits.stalled))
    }
}
