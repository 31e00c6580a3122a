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
/// An attempt is taken for a failure until it is [forgiven](Self::forgive). A success forgives what was tried at its own
/// account just before, and nothing else: otherwise, whoever has an account would sign in to it between guesses at
/// others.
#[derive(Debug)]
pub struct FailureLimiter {
    rate: Rate,
    counters: Mutex<HashMap<ClientNetwork, Counter>>,
    refused: Count,
}

#[derive(Debug)]
struct Counter {
    tally: Tally,
    /// The account that was tried last, and how much longer failures are remembered for the attempts at it.
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
pub struct Failure {
    account: Attempt,
    /// By network: the tally before it and after it.
    counted: Vec<(ClientNetwork, Tally, Tally)>,
    at: Timestamp,
}

impl FailureLimiter {
    /// Counts against `rate`, which grows.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        Self {
            rate: rate.growing(),
            counters: Mutex::default(),
            refused: Count::default(),
        }
    }

    /// How many attempts were refused so far.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused.total()
    }

    /// How long `address` has to wait. Zero if it need not.
    pub fn wait(&self, address: IpAddr, now: Timestamp) -> Duration {
        let counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        self.wait_in(&counters, address, now)
    }

    /// Counts an attempt at `account` from `address`.
    ///
    /// # Errors
    /// If it is over the limit: how long until the next one is allowed.
    pub fn count(
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
            let longer = longer(before, after, now);
            if counter.last.0 == account {
                counter.last.1 += longer;
            } else {
                counter.last = (account, longer);
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

    /// It was a success.
    pub fn forgive(&self, failure: Failure, now: Timestamp) {
        self.take_back(failure, Some(now));
    }

    /// It was refused after all, or nothing was tried.
    pub fn undo(&self, failure: Failure) {
        self.take_back(failure, None);
    }

    /// Takes an attempt back, and if it was a success, those at the same account just before.
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
            if last.0 == account {
                match success {
                    Some(_) => longer = std::mem::take(&mut last.1),
                    None => last.1 = last.1.saturating_sub(longer),
                }
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
mod tests {
    use std::net::IpAddr;
    use std::time::Duration;

    use password_auth_model::{Attempt, SignInAttempt, Timestamp, UsernameKey};

    use super::{Failure, FailureLimiter};

    const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
    const GUESSER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 7));

    fn limiter() -> FailureLimiter {
        FailureLimiter::new("5/minute".parse().expect("a rate"))
    }

    fn at(name: &str) -> Attempt {
        SignInAttempt::new(&UsernameKey::of(name), GUESSER).counter()
    }

    /// Fails at these accounts in turn, as soon as it is allowed, so often. Returns the last failure and the next moment.
    fn fails(
        limiter: &FailureLimiter,
        accounts: &[&str],
        times: usize,
        mut now: Timestamp,
    ) -> (Failure, Timestamp) {
        let mut last = None;
        for name in accounts.iter().cycle().take(times) {
            now = now.plus(limiter.wait(GUESSER, now));
            last = Some(limiter.count(GUESSER, at(name), now).expect("allowed"));
        }
        (last.expect("an attempt"), now)
    }

    #[test]
    fn waits_double_from_one_address_whatever_accounts_it_tries_and_others_do_not_wait() {
        let limiter = limiter();
        let (_, mut now) = fails(&limiter, &["alice", "bob", "carol"], 5, START);
        for seconds in [12, 24, 48, 96] {
            let wait = limiter.wait(GUESSER, now);
            assert_eq!(wait, Duration::from_secs(seconds));
            let early = limiter.count(GUESSER, at("dora"), now);
            assert_eq!(
                early.map(|_| ()),
                Err(wait),
                "and a refused try costs nothing"
            );
            (_, now) = fails(&limiter, &["dora"], 1, now);
        }
        assert_eq!(
            limiter.wait(IpAddr::from([203, 0, 113, 8]), now),
            Duration::ZERO
        );
    }

    #[test]
    fn a_success_forgives_what_was_tried_at_its_account() {
        let limiter = limiter();
        let (success, now) = fails(&limiter, &["alice"], 9, START);
        limiter.forgive(success, now);
        assert_eq!(limiter.wait(GUESSER, now), Duration::from_secs(12));
        let later = now.plus(Duration::from_secs(60));
        let (_, now) = fails(&limiter, &["alice"], 5, later);
        assert_eq!(now, later);
        assert_eq!(limiter.wait(GUESSER, now), Duration::from_secs(12));
    }

    #[test]
    fn what_is_undone_was_never_tried_and_takes_nothing_else_back() {
        let limiter = limiter();
        let (_, now) = fails(&limiter, &["alice"], 8, START);
        let (wait, now) = (limiter.wait(GUESSER, now), now);
        for name in ["alice", "bob"] {
            let then = now.plus(wait);
            let refused = limiter.count(GUESSER, at(name), then).expect("allowed");
            limiter.undo(refused);
            assert_eq!(limiter.wait(GUESSER, now), wait);
        }
        let (_, then) = fails(&limiter, &["carol"], 1, now);
        assert_eq!(limiter.wait(GUESSER, then), wait * 2);
    }

    #[test]
    fn whoever_signs_in_to_their_own_account_between_guesses_waits_as_long_as_others() {
        let (honest, cunning) = (limiter(), limiter());
        let (_, honest_end) = fails(&honest, &["alice"], 11, START);
        let mut now = START;
        for number in 0..11 {
            (_, now) = fails(&cunning, &["alice"], 1, now);
            if number >= 4 {
                // Now and then, with wrong passwords before.
                let (success, then) = fails(&cunning, &["mallory"], 1 + number % 3, now);
                cunning.forgive(success, then);
                now = then;
            }
        }
        assert!(now >= honest_end, "{now:?} {honest_end:?}");
    }

    #[test]
    fn many_who_succeed_from_one_address_never_wait_longer_than_the_rate_says() {
        let limiter = limiter();
        let mut now = START;
        for number in 0..200 {
            let wait = limiter.wait(GUESSER, now);
            assert!(wait <= Duration::from_secs(12), "{wait:?}");
            now = now.plus(wait);
            // Two at once.
            let first = limiter.count(GUESSER, at(&format!("user{number}")), now);
            let second = limiter.count(GUESSER, at("another"), now);
            for success in [first, second].into_iter().flatten() {
                limiter.forgive(success, now);
            }
        }
    }
}
