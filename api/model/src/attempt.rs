//! The keys under which tries are counted: digests, so that the store holds no name that nobody registered, and
//! no address.

use std::net::IpAddr;

use sha2::{Digest, Sha256};

use super::client_info::client_network;
use super::email_address::EmailKey;
use super::id::UserId;
use super::one_time_token::TokenHash;
use super::user::User;
use super::username::UsernameKey;

/// What all keys of one account begin with, so that they can be found when the account goes.
pub type AccountPrefix = [u8; 8];

/// A try to sign in from a network, by what was typed: a name, or an address. They are counted apart, so that failures
/// at a name do not tell, by the answers to an address, whose address it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignInAttempt {
    account: [u8; 16],
    network: [u8; 16],
}

impl SignInAttempt {
    /// A try to sign in as `name`, whether there is such a user or not.
    #[must_use]
    pub fn new(name: &UsernameKey, client: IpAddr) -> Self {
        let name_bytes = name.as_str().as_bytes();
        Self::keyed(Self::prefix(name), name_bytes, name_bytes, client)
    }

    /// A try to sign in by `address`, whether anybody has it or not. A network is remembered for the user who has
    /// verified it, and for nobody else: whoever only gave the address must not evade its count.
    #[must_use]
    pub fn by_address(address: &EmailKey, verified_by: Option<UserId>, client: IpAddr) -> Self {
        let counted = address.as_str().as_bytes();
        let owner = verified_by.map_or([0; 16], |user| *user.as_bytes());
        Self::keyed(Self::address_prefix(address), counted, &owner, client)
    }

    /// Every way in which the user could have typed who they are, for what is remembered of them.
    pub fn of_user(user: &User, client: IpAddr) -> impl Iterator<Item = Self> + use<> {
        let address = user.email.as_ref().filter(|_| user.is_verified);
        let by_address = address.map(|email| Self::by_address(&email.key(), Some(user.id), client));
        std::iter::once(Self::new(&user.username_key, client)).chain(by_address)
    }

    fn keyed(prefix: AccountPrefix, counted: &[u8], owner: &[u8], client: IpAddr) -> Self {
        let network = client_network(client).to_string();
        Self {
            account: key(prefix, &[b"sign-in", counted]),
            network: key(prefix, &[b"network", owner, network.as_bytes()]),
        }
    }

    /// What every key of that account begins with, whatever the network.
    #[must_use]
    pub fn prefix(name: &UsernameKey) -> AccountPrefix {
        first(&digest(&[b"account", name.as_str().as_bytes()]))
    }

    /// What every key of tries by that address begins with.
    #[must_use]
    pub fn address_prefix(address: &EmailKey) -> AccountPrefix {
        first(&digest(&[b"address", address.as_str().as_bytes()]))
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
