//! Attempts by client address, in memory.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use password_auth_model::measure::Count;
use password_auth_model::{Rate, Timestamp, Verdict, client_network};

/// The most addresses in memory. Beyond that, counters that have run out are removed, then all: counting does not stop
/// a flood from that many addresses.
const MAX_ADDRESSES: usize = 100_000;

/// The attempts for one purpose, by address.
#[derive(Debug)]
pub struct IpLimiter {
    rate: Rate,
    theoretical_arrival: Mutex<HashMap<IpAddr, Timestamp>>,
    refused: Count,
}

impl IpLimiter {
    /// Counts against `rate`.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        Self {
            rate,
            theoretical_arrival: Mutex::default(),
            refused: Count::default(),
        }
    }

    /// How many attempts were refused so far.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused.total()
    }

    /// Counts one attempt from `address`.
    ///
    /// # Errors
    /// If it is over the limit: how long until the next one is allowed.
    pub fn count(&self, address: IpAddr, now: Timestamp) -> Result<Counted, Duration> {
        let network = client_network(address);
        let counted = Counted(Some(network));
        if self.rate.is_off() {
            return Ok(counted);
        }
        let mut theoretical_arrival = self
            .theoretical_arrival
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if theoretical_arrival.len() >= MAX_ADDRESSES {
            theoretical_arrival.retain(|_, at| *at > now);
            if theoretical_arrival.len() >= MAX_ADDRESSES {
                theoretical_arrival.clear();
            }
        }
        let entry = theoretical_arrival
            .entry(network)
            .or_insert(Timestamp::from_millis(0));
        let (verdict, next) = self.rate.decide(*entry, now);
        *entry = next;
        match verdict {
            Verdict::Allowed => Ok(counted),
            Verdict::Refused(wait) => {
                self.refused.add_one();
                Err(wait)
            }
        }
    }
}

/// Proof that an attempt was counted by its client's address. Hashing requires it, so that no code path can forget to
/// count, and no client gets more than its share.
#[derive(Debug)]
#[must_use]
pub struct Counted(Option<IpAddr>);

impl Counted {
    /// For the operator's commands on this machine, which have no address and no limit.
    pub const fn by_operator() -> Self {
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
}
