//! Who asks, as far as it is known.

use std::net::{IpAddr, Ipv6Addr};

/// Who asks, as far as the connection and the headers tell.
#[derive(Clone, Debug)]
pub struct Client {
    /// The address, a trusted proxy's word taken into account.
    pub address: IpAddr,
    /// What it calls itself.
    pub device: String,
}

/// What counts as one client: an IPv4 address, or an IPv6 /64, which is the least that one has.
#[must_use]
pub fn client_network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => {
            let network = u128::from(v6) & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from(network))
        }
    }
}
