//! Which client a request came from, as a session remembers it: enough to compare two clients, not enough to identify
//! one.

use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};

use super::client_info::client_network;

/// Short keyed hashes of a client's network and User-Agent. Those of two sessions cannot be compared, and cannot be
/// reversed without the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// Of the [network](printed_network).
    #[serde(rename = "n")]
    pub network: u32,
    /// Of the whole User-Agent.
    #[serde(rename = "d")]
    pub device: u32,
}

/// What counts as one network: an IPv4 /24, since a provider may give a client several addresses in turn; an IPv6 /64,
/// since a client changes its address only within it.
#[must_use]
pub fn printed_network(address: IpAddr) -> IpAddr {
    match client_network(address) {
        IpAddr::V4(v4) => IpAddr::V4(Ipv4Addr::from(u32::from(v4) & 0xFFFF_FF00)),
        v6 @ IpAddr::V6(_) => v6,
    }
}

#[cfg(test)]
mod tests {
    use super::printed_network;

    #[test]
    fn a_client_that_changes_its_address_a_little_stays_in_its_network() {
        let network = |address: &str| printed_network(address.parse().expect("an address"));
        assert_eq!(network("192.0.2.7"), network("192.0.2.200"));
        assert_eq!(network("192.0.2.7"), network("::ffff:192.0.2.9"));
        assert_ne!(network("192.0.2.7"), network("192.0.3.7"));
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
    }
}
