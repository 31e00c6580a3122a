//! Tries by client address, in memory.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::model::clock::Timestamp;
use crate::model::{Rate, Verdict, client_network};

/// The most addresses that are remembered. Past it, those without debt go, then all: a flood from that
/// many addresses is not held by counting them.
const MAX_ADDRESSES: usize = 100_000;

/// One purpose's tries by address.
#[derive(Debug)]
pub struct Addresses {
    rate: Rate,
    paid_off: Mutex<HashMap<IpAddr, Timestamp>>,
}

impl Addresses {
    /// Counts against `rate`.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        Self {
            rate,
            paid_off: Mutex::default(),
        }
    }

    /// Counts one try from `address`.
    pub fn count(&self, address: IpAddr, now: Timestamp) -> Verdict {
        if self.rate.is_off() {
            return Verdict::Allowed;
        }
        let mut paid_off = self.paid_off.lock().unwrap_or_else(PoisonError::into_inner);
        if paid_off.len() >= MAX_ADDRESSES {
            paid_off.retain(|_, at| *at > now);
            if paid_off.len() >= MAX_ADDRESSES {
                paid_off.clear();
            }
        }
        let entry = paid_off
            .entry(client_network(address))
            .or_insert(Timestamp::from_millis(0));
        let (verdict, next) = self.rate.decide(*entry, now);
        *entry = next;
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::{Addresses, client_network};
    use crate::clock::Timestamp;
    use crate::throttle::Verdict;
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
        let addresses = Addresses::new("1/minute".parse().expect("a rate"));
        let now = Timestamp::from_millis(1_700_000_000_000);
        assert_eq!(addresses.count(address("10.0.0.1"), now), Verdict::Allowed);
        assert!(matches!(
            addresses.count(address("10.0.0.1"), now),
            Verdict::Refused(_)
        ));
        assert_eq!(addresses.count(address("10.0.0.2"), now), Verdict::Allowed);
    }
}
