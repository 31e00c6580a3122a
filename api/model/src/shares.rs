//! Places of which no network takes more than its share.

use std::collections::HashMap;
use std::net::IpAddr;

use super::client_info::{ClientNetwork, client_networks};

/// How many places each network holds. A client holds one in each of its [networks](client_networks).
#[derive(Debug)]
pub struct NetworkShares {
    places: usize,
    /// Who holds none is not remembered, so there are a few entries for each place at most.
    held: HashMap<ClientNetwork, usize>,
}

impl NetworkShares {
    /// The shares of so many places.
    #[must_use]
    pub fn of(places: usize) -> Self {
        Self {
            places,
            held: HashMap::new(),
        }
    }

    /// Takes a place for `client`. Returns whether each of its networks held less than its share.
    #[must_use]
    pub fn take(&mut self, client: IpAddr) -> bool {
        let is_free = client_networks(client).all(|network| self.left(network) > 0);
        if is_free {
            for network in client_networks(client) {
                *self.held.entry(network).or_default() += 1;
            }
        }
        is_free
    }

    /// Gives a place back that `client` took.
    pub fn give_back(&mut self, client: IpAddr) {
        for network in client_networks(client) {
            if let Some(held) = self.held.get_mut(&network) {
                *held -= 1;
                if *held == 0 {
                    self.held.remove(&network);
                }
            }
        }
    }

    /// Whether less than a quarter of its share is left to one of the networks of `client`.
    #[must_use]
    pub fn run_short(&self, client: IpAddr) -> bool {
        client_networks(client)
            .any(|network| self.left(network) < network.width.share_of(self.places) / 4)
    }

    /// Whether nobody holds a place.
    #[must_use]
    pub fn are_unused(&self) -> bool {
        self.held.is_empty()
    }

    fn left(&self, network: ClientNetwork) -> usize {
        let held = self.held.get(&network).copied().unwrap_or_default();
        network.width.share_of(self.places).saturating_sub(held)
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::NetworkShares;

    #[test]
    fn a_network_holds_its_share_is_told_when_it_runs_short_and_gives_back() {
        let client: IpAddr = "192.0.2.1".parse().expect("an address");
        let other: IpAddr = "192.0.2.2".parse().expect("an address");
        let mut shares = NetworkShares::of(32);
        let mut short = Vec::new();
        while shares.take(client) {
            short.push(shares.run_short(client));
        }
        // Of eight places, the last two are less than a quarter away from the end.
        let expected = [false, false, false, false, false, false, true, true];
        assert_eq!(short, expected);
        assert!(shares.take(other) && !shares.run_short(other));
        shares.give_back(client);
        assert!(shares.take(client) && !shares.take(client));
        for _ in 0..8 {
            shares.give_back(client);
        }
        shares.give_back(other);
        assert!(shares.are_unused());
    }
}
