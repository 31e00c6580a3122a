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

/// A network that a client is counted in. Providers usually assign a /56 or a /48 of IPv6 to a customer, who then has
/// very many /64s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientNetwork {
    /// How wide it is.
    pub width: NetworkWidth,
    /// Its first address.
    pub address: IpAddr,
}

/// How wide a network is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NetworkWidth {
    /// An IPv4 address, or an IPv6 /64.
    Client,
    /// An IPv6 /56.
    Prefix56,
    /// An IPv6 /48.
    Prefix48,
}

impl NetworkWidth {
    /// How many of `places` one network may use.
    #[must_use]
    pub fn share_of(self, places: usize) -> usize {
        let one_of = match self {
            Self::Client => 4,
            Self::Prefix56 => 3,
            Self::Prefix48 => 2,
        };
        (places / one_of).max(1)
    }

    /// How many times the limit of one client it has.
    #[must_use]
    pub const fn clients(self) -> u32 {
        match self {
            Self::Client => 1,
            Self::Prefix56 => 4,
            Self::Prefix48 => 16,
        }
    }
}

/// The networks that a client is counted in, the smallest first.
pub fn client_networks(address: IpAddr) -> impl Iterator<Item = ClientNetwork> + Clone {
    use NetworkWidth::{Client, Prefix48, Prefix56};
    let address = client_network(address);
    let widths: &[_] = match address {
        IpAddr::V4(_) => &[(Client, 32)],
        IpAddr::V6(_) => &[(Client, 64), (Prefix56, 56), (Prefix48, 48)],
    };
    widths.iter().map(move |(width, bits)| ClientNetwork {
        width: *width,
        address: match address {
            IpAddr::V4(v4) => IpAddr::V4(v4),
            IpAddr::V6(v6) => {
                let mask = u128::MAX << (128 - bits);
                IpAddr::V6(Ipv6Addr::from(u128::from(v6) & mask))
            }
        },
    })
}

#[cfg(test)]
mod tests {
    use super::{NetworkWidth, client_networks};

    #[test]
    fn the_64s_of_ipv6_are_one_in_their_56_and_in_their_48() {
        let networks = |address: &str| -> Vec<_> {
            client_networks(address.parse().expect("an address")).collect()
        };
        assert_eq!(networks("192.0.2.7"), networks("::ffff:192.0.2.7"));
        assert_eq!(networks("192.0.2.7").len(), 1);
        let of = |address| -> Vec<bool> {
            let home = networks("2001:db8:0:1ff::1");
            let both = networks(address).into_iter().zip(home);
            both.map(|(one, other)| one == other).collect()
        };
        assert_eq!(of("2001:db8:0:1ff::2"), [true, true, true]);
        assert_eq!(of("2001:db8:0:100::1"), [false, true, true]);
        assert_eq!(of("2001:db8:0:200::1"), [false, false, true]);
        assert_eq!(of("2001:db8:1:100::1"), [false, false, false]);
        // The first /64 of a /48 is another network than that.
        assert_eq!(
            networks("2001:db8::1")[0].address,
            networks("2001:db8::1")[2].address
        );
        assert_ne!(networks("2001:db8::1")[0], networks("2001:db8::1")[2]);
        for (width, share) in [
            (NetworkWidth::Client, 256),
            (NetworkWidth::Prefix56, 341),
            (NetworkWidth::Prefix48, 512),
        ] {
            assert_eq!(width.share_of(1024), share);
        }
        assert_eq!(NetworkWidth::Client.share_of(34), 8);
        assert_eq!(NetworkWidth::Prefix48.share_of(1), 1);
    }
}
