//! Attempts by client address, in memory.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use password_auth_model::measure::Count;
use password_auth_model::{
    ClientNetwork, Rate, Timestamp, Verdict, client_network, client_networks,
};

use super::counts::{longest_wait, make_room};

/// When the allowance of each network is whole again (GCRA's theoretical arrival time).
type Arrivals = HashMap<ClientNetwork, Timestamp>;

/// The attempts for one purpose, by address: each [network](client_networks) of an address has a limit.
#[derive(Debug)]
pub(crate) struct IpLimiter {
    rate: Rate,
    theoretical_arrival: Mutex<Arrivals>,
    refused: Count,
}

impl IpLimiter {
    /// Counts against `rate`.
    #[must_use]
    pub(crate) fn new(rate: Rate) -> Self {
        Self {
            rate,
            theoretical_arrival: Mutex::default(),
            refused: Count::default(),
        }
    }

    /// How many attempts were refused so far.
    #[must_use]
    pub(crate) fn refused(&self) -> u64 {
        self.refused.total()
    }

    /// Counts one attempt from `address`.
    ///
    /// # Errors
    /// If it is over the limit: how long until the next one is allowed.
    pub(crate) fn count(&self, address: IpAddr, now: Timestamp) -> Result<Counted, Duration> {
        let counted = Counted(Some(client_network(address)));
        if self.rate.is_off() {
            return Ok(counted);
        }
        let mut theoretical_arrival = self.lock();
        make_room(&mut theoretical_arrival, now);
        // An attempt that is over the limit of one of them counts for none.
        let wait = self.wait_in(&theoretical_arrival, address, now);
        if wait > Duration::ZERO {
            self.refused.add_one();
            return Err(wait);
        }
        for network in client_networks(address) {
            let (_, next) = self.decide(&theoretical_arrival, network, now);
            theoretical_arrival.insert(network, next);
        }
        Ok(counted)
    }

    /// Whether an attempt from `address` would be allowed. One that is not is refused.
    ///
    /// # Errors
    /// If it is over the limit: how long until the next one is allowed.
    pub(crate) fn check(&self, address: IpAddr, now: Timestamp) -> Result<(), Duration> {
        let wait = self.wait(address, now);
        if wait > Duration::ZERO {
            self.refused.add_one();
            return Err(wait);
        }
        Ok(())
    }

    /// How long `address` has to wait. Zero if it need not.
    pub(crate) fn wait(&self, address: IpAddr, now: Timestamp) -> Duration {
        self.wait_in(&self.lock(), address, now)
    }

    fn lock(&self) -> MutexGuard<'_, Arrivals> {
        let arrivals = self.theoretical_arrival.lock();
        arrivals.unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_in(&self, theoretical_arrival: &Arrivals, address: IpAddr, now: Timestamp) -> Duration {
        longest_wait(address, |network| {
            self.decide(theoretical_arrival, network, now).0
        })
    }

    fn decide(
        &self,
        theoretical_arrival: &Arrivals,
        network: ClientNetwork,
        now: Timestamp,
    ) -> (Verdict, Timestamp) {
        let at = theoretical_arrival.get(&network).copied();
        let rate = self.rate.times(network.width.clients());
        rate.decide(at.unwrap_or(Timestamp::from_millis(0)), now)
    }
}

/// Proof that an attempt was counted by its client's address. Hashing requires it, so that no code path can forget to
/// count, and no client gets more than its share.
#[derive(Debug)]
#[must_use]
pub(crate) struct Counted(Option<IpAddr>);

impl Counted {
    /// For the operator's commands on this machine, which have no address and no limit.
    pub(crate) const fn by_operator() -> Self {
        Self(None)
    }

    /// The client's address. `None` for the operator.
    #[must_use]
    pub(crate) const fn client(&self) -> Option<IpAddr> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::IpLimiter;
    use password_auth_model::Timestamp;
    use password_auth_model::client_network;
    use std::net::IpAddr;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn one_network_of_ipv6_is_one_client_and_a_mapped_address_is_ipv4() {
        assert_eq!(
            client_network(address("2001:db8::1")),
            client_network(address("2001:db8::ffff:1"))
        );
        assert_ne!(
            client_network(address("2001:db8::1")),
            client_network(address("2001:db8:0:1::1"))
        );
        assert_eq!(
            client_network(address("::ffff:10.0.0.1")),
            address("10.0.0.1")
        );
    }

    #[test]
    fn addresses_are_counted_apart() {
        let addresses = IpLimiter::new("1/minute".parse().expect("a rate"));
        let now = Timestamp::from_millis(1_700_000_000_000);
        let is_counted = |text| addresses.count(address(text), now).is_ok();
        assert!(is_counted("10.0.0.1"));
        assert!(!is_counted("10.0.0.1"));
        assert!(is_counted("10.0.0.2"));
    }

    #[test]
    fn the_64s_of_ipv6_have_a_limit_together_in_their_56_and_48() {
        let addresses = IpLimiter::new("1/minute".parse().expect("a rate"));
        let now = Timestamp::from_millis(1_700_000_000_000);
        let allowed = |prefix: &str, number: u32| {
            (0..number)
                .filter(|n| {
                    addresses
                        .count(address(&format!("{prefix}{n:02x}::1")), now)
                        .is_ok()
                })
                .count()
        };
        assert_eq!(allowed("2001:db8:0:1", 100), 4, "a /56");
        let others = ["0", "2", "3", "4", "5", "6", "7"].map(|of_16| {
            let prefix = format!("2001:db8:0:{of_16}");
            allowed(&prefix, 100)
        });
        let others: usize = others.iter().sum();
        assert_eq!(others, 12, "a /48, with the first");
        assert_eq!(allowed("2001:db8:1:1", 100), 4, "another");
    }

    #[test]
    fn a_flood_from_very_many_frees_nobody_who_waits() {
        let addresses = IpLimiter::new("2/minute".parse().expect("a rate"));
        let now = Timestamp::from_millis(1_700_000_000_000);
        let guesser = address("203.0.113.7");
        for is_counted in [true, true, false] {
            assert_eq!(addresses.count(guesser, now).is_ok(), is_counted);
        }
        for number in 0..250_000_u32 {
            let from = IpAddr::from((0x0A00_0000 + number).to_be_bytes());
            assert!(addresses.count(from, now).is_ok());
        }
        assert!(addresses.count(guesser, now).is_err());
        let remembered = addresses
            .theoretical_arrival
            .lock()
            .expect("not poisoned")
            .len();
        assert!(
            remembered <= super::super::counts::MAX_COUNTS,
            "{remembered}"
        );
    }
}
