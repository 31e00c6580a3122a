//! What one account may do in a minute that grows something or costs much, in memory.
//!
//! A node counts for itself: a refusal costs nothing but a look at a map, also while somebody floods, and what a node
//! takes in is what is to be bounded. On several nodes an account has so much on each.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use password_auth_model::{Rate, SessionId, SharedClock, Timestamp, UserId, Verdict};

/// The most counts that are remembered. Past it, those without debt go, then all: an account costs more than a count.
const MAX_COUNTS: usize = 100_000;

/// What is counted together. Three, so that whoever has an access token alone can use up only the first of its owner's:
/// the owner can still sign in, change the password, and end the thief's sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Spender {
    /// Whoever has an access token of the account.
    Account(UserId),
    /// One sign-in, about the account's sign-ins.
    Session(SessionId),
    /// Whoever knows the account's password.
    Password(UserId),
}

/// Counts against a rate.
pub struct Allowance {
    rate: Rate,
    clock: SharedClock,
    theoretical_arrival: Mutex<HashMap<Spender, Timestamp>>,
}

impl Allowance {
    /// So much for each spender.
    #[must_use]
    pub fn new(rate: Rate, clock: SharedClock) -> Self {
        Self {
            rate,
            clock,
            theoretical_arrival: Mutex::default(),
        }
    }

    /// Counts one deed.
    pub fn spend(&self, spender: Spender) -> Verdict {
        if self.rate.is_off() {
            return Verdict::Allowed;
        }
        let now = self.clock.now();
        let mut theoretical_arrival = self
            .theoretical_arrival
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if theoretical_arrival.len() >= MAX_COUNTS {
            theoretical_arrival.retain(|_, at| *at > now);
            if theoretical_arrival.len() >= MAX_COUNTS {
                theoretical_arrival.clear();
            }
        }
        let entry = theoretical_arrival
            .entry(spender)
            .or_insert(Timestamp::from_millis(0));
        let (verdict, next) = self.rate.decide(*entry, now);
        *entry = next;
        verdict
    }
}

impl fmt::Debug for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Allowance").field(&self.rate).finish()
    }
}
