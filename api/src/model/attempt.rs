//! The keys under which tries are counted: digests, so that the store holds no name that nobody registered, and
//! no address.

use std::net::IpAddr;

use sha2::{Digest, Sha256};

use super::client_info::client_network;
use super::email_address::EmailKey;
use super::one_time_token::TokenHash;
use super::username::UsernameKey;

/// What all keys of one account begin with, so that they can be found when the account goes.
pub type AccountPrefix = [u8; 8];

/// A try at an account from a network.
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
        let prefix = Self::prefix(name);
        Self {
            account: key(prefix, &[b"sign-in", name.as_str().as_bytes()]),
            network: key(
                prefix,
                &[b"network", name.as_str().as_bytes(), network.as_bytes()],
            ),
        }
    }

    /// What every key of that account begins with, whatever the network.
    #[must_use]
    pub fn prefix(name: &UsernameKey) -> AccountPrefix {
        first(&digest(&[b"account", name.as_str().as_bytes()]))
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

/// A try of another kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt([u8; 16]);

impl Attempt {
    /// Asking for a link to a new password, mailed to that address. It has a count of its own, so that strangers who
    /// have other letters sent there keep nobody out of their own reset.
    #[must_use]
    pub fn reset_mail_to(address: &EmailKey) -> Self {
        Self(digest(&[b"mail reset", address.as_str().as_bytes()]))
    }

    /// Having word sent to that address. It has a count of its own, so that no other letter takes its place.
    #[must_use]
    pub fn notice_to(address: &EmailKey) -> Self {
        Self(digest(&[b"mail notice", address.as_str().as_bytes()]))
    }

    /// Every count of letters to that address.
    #[must_use]
    pub fn of_mailbox(address: &EmailKey) -> [Self; 3] {
        [
            Self::mail_to(address),
            Self::reset_mail_to(address),
            Self::notice_to(address),
        ]
    }

    /// Asking for a mail to that address.
    #[must_use]
    pub fn mail_to(address: &EmailKey) -> Self {
        Self(digest(&[b"mail", address.as_str().as_bytes()]))
    }

    /// Choosing a password by a token that was mailed to that account.
    #[must_use]
    pub fn reset_by(token: &TokenHash, account: &UsernameKey) -> Self {
        let prefix = SignInAttempt::prefix(account);
        Self(key(prefix, &[b"reset", token.as_bytes()]))
    }

    /// The key of its count.
    #[must_use]
    pub const fn key(&self) -> &[u8; 16] {
        &self.0
    }
}

fn key(prefix: AccountPrefix, parts: &[&[u8]]) -> [u8; 16] {
    let mut key = digest(parts);
    key[..prefix.len()].copy_from_slice(&prefix);
    key
}

fn first(digest: &[u8; 16]) -> AccountPrefix {
    let mut prefix = AccountPrefix::default();
    let length = prefix.len();
    prefix.copy_from_slice(&digest[..length]);
    prefix
}

fn digest(parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    let mut key = [0; 16];
    key.copy_from_slice(&hash.finalize()[..16]);
    key
}
