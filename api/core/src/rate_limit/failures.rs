//! Failed attempts by client address, in memory: waits double.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use password_auth_model::measure::Count;
use password_auth_model::{Attempt, ClientNetwork, Rate, Tally, Timestamp, client_networks};

use super::counts::{Remembered, longest_wait, make_room};

/// The failures by address: each [network](client_networks) of an address has its own tally.
///
/// An attempt is taken for a failure until it is [forgiven](Self::forgive). A success forgives what [failed](Self::fail) at
/// its own account just before, and nothing else: otherwise, whoever has an account would sign in to it between guesses
/// at others. What is under way is forgiven by its own success alone, so nothing is forgiven twice.
#[derive(Debug)]
pub(crate) struct FailureLimiter {
    rate: Rate,
    counters: Mutex<HashMap<ClientNetwork, Counter>>,
    refused: Count,
}

#[derive(Debug)]
struct Counter {
    tally: Tally,
    /// The account that was tried last, and how much longer failures are remembered for those at it.
    last: (Attempt, Duration),
}

impl Remembered for Counter {
    fn until(&self) -> Timestamp {
        self.tally.until()
    }
}

/// An attempt that is taken for a failure.
#[derive(Debug)]
#[must_use]
pub(crate) struct Failure {
    account: Attempt,
    /// By network: the tally before it and after it.
    counted: Vec<(ClientNetwork, Tally, Tally)>,
    at: Timestamp,
}

impl FailureLimiter {
    /// Counts against `rate`, which grows.
    #[must_use]
    pub(crate) fn new(rate: Rate) -> Self {
        Self {
            rate: rate.growing(),
            counters: Mutex::default(),
            refused: Count::default(),
        }
    }

    /// How many attempts were refused so far.
    #[must_use]
    pub(crate) fn refused(&self) -> u64 {
        self.refused.total()
    }

    /// How long `address` has to wait. Zero if it need not.
    pub(crate) fn wait(&self, address: IpAddr, now: Timestamp) -> Duration {
        let counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        self.wait_in(&counters, address, now)
    }

    /// Counts an attempt at `account` from `address`.
    ///
    /// # Errors
    /// If it is over the limit: how long until the next one is allowed.
    pub(crate) fn count(
        &self,
        address: IpAddr,
        account: Attempt,
        now: Timestamp,
    ) -> Result<Failure, Duration> {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        make_room(&mut counters, now);
        // An attempt that is over the limit of one of them counts for none.
        let wait = self.wait_in(&counters, address, now);
        if wait > Duration::ZERO {
            self.refused.add_one();
            return Err(wait);
        }
        let counted = client_networks(address).map(|network| {
            let counter = counters.entry(network).or_insert(Counter {
                tally: Tally::NONE,
                last: (account, Duration::ZERO),
            });
            let before = counter.tally;
            let (_, after) = self.rate_of(network).count(before, now);
            counter.tally = after;
            if counter.last.0 != account {
                counter.last = (account, Duration::ZERO);
            }
            (network, before, after)
        });
        let counted = counted.collect();
        Ok(Failure {
            account,
            counted,
            at: now,
        })
    }

    /// It was a failure.
    pub(crate) fn fail(&self, failure: Failure) {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        for (network, before, after) in failure.counted {
            if let Some(counter) = counters.get_mut(&network)
                && counter.last.0 == failure.account
            {
                counter.last.1 += longer(before, after, failure.at);
            }
        }
    }

    /// It was a success.
    pub(crate) fn forgive(&self, failure: Failure, now: Timestamp) {
        self.take_back(failure, Some(now));
    }

    /// It was refused after all, or nothing was tried.
    pub(crate) fn undo(&self, failure: Failure) {
        self.take_back(failure, None);
    }

    /// Takes an attempt back, and if it was a success, the failures at the same account just before.
    fn take_back(&self, failure: Failure, success: Option<Timestamp>) {
        let Failure {
            account,
            counted,
            at,
        } = failure;
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        for (network, before, after) in counted {
            let Some(counter) = counters.get_mut(&network) else {
                continue;
            };
            let Counter { tally, last } = counter;
            // An attempt that came since has to wait for its own sake.
            let is_latest = *tally == after;
            let mut longer = longer(before, after, at);
            if success.is_some() && last.0 == account {
                longer += std::mem::take(&mut last.1);
            }
            tally.grown_until = tally.grown_until.minus(longer);
            if is_latest {
                tally.whole_at = match success {
                    Some(now) => self.rate_of(network).forgiven(after, now).whole_at,
                    None => before.whole_at,
                };
            }
        }
    }

    fn rate_of(&self, network: ClientNetwork) -> Rate {
        self.rate.times(network.width.clients())
    }

    fn wait_in(
        &self,
        counters: &HashMap<ClientNetwork, Counter>,
        address: IpAddr,
        now: Timestamp,
    ) -> Duration {
        longest_wait(address, |network| {
            let tally = counters
                .get(&network)
                .map_or(Tally::NONE, |counter| counter.tally);
            self.rate_of(network).count(tally, now).0
        })
    }
}

/// How much longer failures are remembered for an attempt at `now`.
fn longer(before: Tally, after: Tally, now: Timestamp) -> Duration {
    after.grown_until.since(before.grown_until.max(now))
}

#[cfg(test)]
mod tests;
