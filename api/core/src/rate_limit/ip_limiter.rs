//! Tries by client address, in memory.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use password_auth_model::{Rate, Timestamp, Verdict, client_network};

/// The most addresses that are remembered. Past it, those without debt go, then all: a flood from that
/// many addresses is not held by counting them.
const MAX_ADDRESSES: usize = 100_000;

/// One purpose's tries by address.
#[derive(Debug)]
pub struct IpLimiter {
    rate: Rate,
    theoretical_arrival: Mutex<HashMap<IpAddr, Timestamp>>,
}

impl IpLimiter {
    /// Counts against `rate`.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        Self {
            rate,
            theoretical_arrival: Mutex::default(),
        }
    }

    /// Counts one try from `address`.
    ///
    /// # Errors
    /// If it is one too many: how long until the next one may come.
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
            Verdict::Refused(wait) => Err(wait),
        }
    }
}

/// A try that was counted by its client's address. Passwords are computed for nobody without one, so that no way to
/// that computing can forget to count, and no client gets more than its share of it.
#[derive(Debug)]
#[must_use]
pub struct Counted(Option<IpAddr>);

impl Counted {
    /// What the operator asks for on this machine: it has no address, and no rate.
    pub const fn by_operator() -> Self {
        Self(None)
    }

    /// Whose it is; `None` is the operator.
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
