//! Limits what one account may write or read at high cost per minute. In memory.
//!
//! Each node counts by itself: a refusal only costs a lookup in a map, even during a flood, and each node protects
//! itself. With several nodes, an account has the limit on each.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use password_auth_model::measure::Count;
use password_auth_model::{Rate, SessionId, SharedClock, Timestamp, UserId, Verdict};

use super::counts::make_room;

/// What is counted together. A thief with an access token can only use up the first, and one with the password alone only
/// the last: the owner can still sign in, change the password, and end the thief's session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Spender {
    /// Requests with an access token of the account.
    Account(UserId),
    /// Requests of one session about the account's sessions.
    Session(SessionId),
    /// Requests with the account's password.
    Password(UserId),
    /// Second steps of sign-ins to the account.
    SecondStep(UserId),
}

/// Counts against a rate.
pub struct Allowance {
    rate: Rate,
    clock: SharedClock,
    theoretical_arrival: Mutex<HashMap<Spender, Timestamp>>,
    refused: Count,
}

impl Allowance {
    /// The same rate for each spender.
    #[must_use]
    pub(crate) fn new(rate: Rate, clock: SharedClock) -> Self {
        Self {
            rate,
            clock,
            theoretical_arrival: Mutex::default(),
            refused: Count::default(),
        }
    }

    /// How many actions were refused so far.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused.total()
    }

    /// Counts one action.
    pub fn spend(&self, spender: Spender) -> Verdict {
        if self.rate.is_off() {
            return Verdict::Allowed;
        }
        let now = self.clock.now();
        let mut theoretical_arrival = self
            .theoretical_arrival
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        make_room(&mut theoretical_arrival, now);
        let entry = theoretical_arrival
            .entry(spender)
            .or_insert(Timestamp::from_millis(0));
        let (verdict, next) = self.rate.decide(*entry, now);
        *entry = next;
        if verdict != Verdict::Allowed {
            self.refused.add_one();
        }
        verdict
    }
}

impl fmt::Debug for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Allowance").field(&self.rate).finish()
    }
}
