//! The keys of attempt counters. They are digests, so that the store contains no unregistered names and no addresses.

use std::net::IpAddr;

use sha2::{Digest, Sha256};

use super::client_info::client_network;
use super::email_address::EmailKey;
use super::id::{SessionId, UserId};
use super::one_time_token::TokenHash;
use super::user::User;
use super::username::UsernameKey;

/// The prefix of all keys of an account, which a deletion uses to find them.
pub type AccountPrefix = [u8; 8];

/// A sign-in attempt from a network, by what was typed: a name or an address. The two are counted separately, so that
/// failed attempts at a name do not reveal, by the responses for an address, whose address it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignInAttempt {
    account: [u8; 16],
    network: [u8; 16],
}

impl SignInAttempt {
    /// An attempt to sign in as `name`, whether or not there is such a user.
    #[must_use]
    pub fn new(name: &UsernameKey, client: IpAddr) -> Self {
        let name_bytes = name.as_str().as_bytes();
        Self::keyed(Self::prefix(name), name_bytes, name_bytes, client)
    }

    /// An attempt to sign in with `address`, whether or not a user has it. A network is only remembered for the user
    /// who has verified the address: a user who only gave it must not get around its counter.
    #[must_use]
    pub fn by_address(address: &EmailKey, verified_by: Option<UserId>, client: IpAddr) -> Self {
        let counted = address.as_str().as_bytes();
        let owner = verified_by.map_or([0; 16], |user| *user.as_bytes());
        Self::keyed(Self::address_prefix(address), counted, &owner, client)
    }

    /// The attempts for everything that the user can sign in with: the name and the verified address.
    pub fn of_user(user: &User, client: IpAddr) -> impl Iterator<Item = Self> + use<> {
        let address = user.email.as_ref().filter(|_| user.is_verified);
        let by_address = address.map(|email| Self::by_address(&email.key(), Some(user.id), client));
        std::iter::once(Self::new(&user.username_key, client)).chain(by_address)
    }

    /// An attempt to prove the password in a session. It is counted by session, so that strangers cannot use it up. The
    /// remembered networks are those of the name.
    #[must_use]
    pub fn in_session(session: SessionId, user: &User, client: IpAddr) -> Self {
        let by_name = Self::new(&user.username_key, client);
        let prefix = Self::prefix(&user.username_key);
        Self {
            account: key(prefix, &[b"in session", session.as_bytes()]),
            ..by_name
        }
    }

    /// Giving a second factor of the account. Its network is only remembered after a second factor was given from there:
    /// to know the password, or to read the user's mail, is not enough.
    #[must_use]
    pub fn second_step(account: &UsernameKey, client: IpAddr) -> Self {
        let (prefix, network) = (Self::prefix(account), client_network(client).to_string());
        Self {
            account: Attempt::code_of(account, CodeGiven::Elsewhere).0,
            network: key(prefix, &[b"second step network", network.as_bytes()]),
        }
    }

    fn keyed(prefix: AccountPrefix, counted: &[u8], owner: &[u8], client: IpAddr) -> Self {
        let network = client_network(client).to_string();
        Self {
            account: key(prefix, &[b"sign-in", counted]),
            network: key(prefix, &[b"network", owner, network.as_bytes()]),
        }
    }

    /// The prefix of all keys of the account, for all networks.
    #[must_use]
    pub fn prefix(name: &UsernameKey) -> AccountPrefix {
        first(&digest(&[b"account", name.as_str().as_bytes()]))
    }

    /// The prefix of all keys for this address.
    #[must_use]
    pub fn address_prefix(address: &EmailKey) -> AccountPrefix {
        first(&digest(&[b"address", address.as_str().as_bytes()]))
    }

    /// The key of the account's counter.
    #[must_use]
    pub const fn account(&self) -> &[u8; 16] {
        &self.account
    }

    /// The same attempt, from whatever network.
    #[must_use]
    pub const fn counter(&self) -> Attempt {
        Attempt(self.account)
    }

    /// The key under which the network is remembered for the account.
    #[must_use]
    pub const fn network(&self) -> &[u8; 16] {
        &self.network
    }
}

/// An attempt of another kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt([u8; 16]);

impl Attempt {
    /// Requesting a password reset link for this address. It has its own counter, so that strangers who cause other
    /// mail to the address cannot block a reset.
    #[must_use]
    pub fn reset_mail_to(address: &EmailKey) -> Self {
        Self(digest(&[b"mail reset", address.as_str().as_bytes()]))
    }

    /// Sending a notice to this address. It has its own counter, so that other mail cannot block notices.
    #[must_use]
    pub fn notice_to(address: &EmailKey) -> Self {
        Self(digest(&[b"mail notice", address.as_str().as_bytes()]))
    }

    /// A request for mail to this address by a signed-in user of this account. It has its own counter, so that others
    /// who give the address do not use it up.
    #[must_use]
    pub fn mail_by(account: &UsernameKey, address: &EmailKey) -> Self {
        let prefix = SignInAttempt::prefix(account);
        Self(key(prefix, &[b"mail by", address.as_str().as_bytes()]))
    }

    /// All requests of signed-in users for mail to this address.
    #[must_use]
    pub fn mail_by_accounts(address: &EmailKey) -> Self {
        Self(digest(&[b"mail by accounts", address.as_str().as_bytes()]))
    }

    /// All counters of mail to this address, except for those of accounts.
    #[must_use]
    pub fn of_mailbox(address: &EmailKey) -> [Self; 4] {
        [
            Self::mail_by_accounts(address),
            Self::mail_to(address),
            Self::reset_mail_to(address),
            Self::notice_to(address),
        ]
    }

    /// Requesting mail to this address.
    #[must_use]
    pub fn mail_to(address: &EmailKey) -> Self {
        Self(digest(&[b"mail", address.as_str().as_bytes()]))
    }

    /// Choosing a password with a token that was mailed to this account.
    #[must_use]
    pub fn reset_by(token: &TokenHash, account: &UsernameKey) -> Self {
        let prefix = SignInAttempt::prefix(account);
        Self(key(prefix, &[b"reset", token.as_bytes()]))
    }

    /// Giving a second factor of this account, also the password. Only who knows the password can use it up.
    #[must_use]
    pub fn code_of(account: &UsernameKey, given: CodeGiven) -> Self {
        Self::code(account, b"code", given)
    }

    /// Like [`code_of`](Self::code_of), over a longer time.
    #[must_use]
    pub fn codes_of(account: &UsernameKey, given: CodeGiven) -> Self {
        Self::code(account, b"codes", given)
    }

    fn code(account: &UsernameKey, what: &[u8], given: CodeGiven) -> Self {
        let prefix = SignInAttempt::prefix(account);
        Self(match given {
            CodeGiven::Elsewhere => key(prefix, &[what]),
            CodeGiven::In(session) => key(prefix, &[what, b"session", session.as_bytes()]),
            CodeGiven::From(client) => {
                let network = client_network(client).to_string();
                key(prefix, &[what, b"network", network.as_bytes()])
            }
        })
    }

    /// That a second factor was asked for after the right password, from this network. It is noted once in a while.
    #[must_use]
    pub fn second_factor_asked(account: &UsernameKey, client: IpAddr) -> Self {
        let (prefix, network) = (SignInAttempt::prefix(account), client_network(client));
        let network = network.to_string();
        Self(key(prefix, &[b"second factor asked", network.as_bytes()]))
    }

    /// Confirming an authenticator app of this account, signed in. A thief with an access token must not use up the
    /// tries of a sign-in.
    #[must_use]
    pub fn totp_confirmation_of(account: &UsernameKey) -> Self {
        Self(key(SignInAttempt::prefix(account), &[b"totp confirmation"]))
    }

    /// The key of its counter.
    #[must_use]
    pub const fn key(&self) -> &[u8; 16] {
        &self.0
    }

    /// The key under which stands how long failures are remembered, if the counter [grows](super::Rate::growing). It is
    /// an entry of its own, so each goes when it has run out. It has the same prefix.
    #[must_use]
    pub fn growth(&self) -> [u8; 16] {
        key(first(&self.0), &[b"growth", &self.0])
    }
}

/// Where a second factor is given. Strangers who know the password cannot use up the tries of the first two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeGiven {
    /// In this session.
    In(SessionId),
    /// From this client, from whose network a second factor of the account was given lately.
    From(IpAddr),
    /// From elsewhere.
    Elsewhere,
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
