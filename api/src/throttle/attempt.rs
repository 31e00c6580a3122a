//! The keys under which tries at signing in are counted.

use std::net::IpAddr;

use sha2::{Digest, Sha256};

use super::addresses::client_network;
use crate::accounts::UsernameKey;

/// A try at an account from a network, as digests, so that the store holds no name that nobody
/// registered, and no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignInAttempt {
    account: [u8; 16],
    network: [u8; 16],
}

impl SignInAttempt {
    /// A try to sign in as `name`, whether there is such a user or not.
    #[must_use]
    pub fn new(name: &UsernameKey, address: IpAddr) -> Self {
        let network = client_network(address).to_string();
        Self {
            account: digest(&["sign-in", name.as_str()]),
            network: digest(&["network", name.as_str(), &network]),
        }
    }

    /// The key of the account's count.
    #[must_use]
    pub const fn account(&self) -> &[u8; 16] {
        &self.account
    }

    /// The key under which the network is remembered for the account.
    #[must_use]
    pub const fn network(&self) -> &[u8; 16] {
        &self.network
    }
}

fn digest(parts: &[&str]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    let mut key = [0; 16];
    key.copy_from_slice(&hash.finalize()[..16]);
    key
}
