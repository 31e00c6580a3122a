//! The client of a request, as far as it is known.

use std::net::{IpAddr, Ipv6Addr};

/// The client of a request, as the connection and the headers show it.
#[derive(Clone, Debug)]
pub struct Client {
    /// The IP address. Trusted proxies are taken into account.
    pub address: IpAddr,
    /// Its User-Agent.
    pub device: String,
}

/// What counts as one client: an IPv4 address, or an IPv6 /64, the smallest network that a client gets.
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
