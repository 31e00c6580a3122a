//! What a user has beside the password: an authenticator app, recovery codes, passkeys. And what happens to them, as one
//! pure function, which each engine calls inside its own transaction.
//!
//! Knows no secret in plain text: a secret that must be read again is sealed by its maker.

mod change;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use change::{FactorChange, FactorRefusal, FactorUse};

use super::clock::Timestamp;
use super::id::{PasskeyId, SessionId, UserId};
use super::opaque::OpaqueBytes;

/// How long a new authenticator app may wait for its first code.
pub const TOTP_WAITS: Duration = Duration::from_secs(600);
/// How long a challenge is good.
pub const CHALLENGE_LIFETIME: Duration = Duration::from_secs(300);
/// How long a session may do dangerous things after a proof.
pub const PROOF_LIFETIME: Duration = Duration::from_secs(300);
/// The most passkeys of one user.
pub const MAX_PASSKEYS: usize = 20;
/// The longest identifier of a credential (Web Authentication Level 3, §7.1).
const MAX_CREDENTIAL: usize = 1023;
/// The longest public key: RSA with 8,192 bits. All factors of a user are one record, which must stay small.
const MAX_PUBLIC_KEY: usize = 1100;

/// The factors of one user, and what is remembered about them for some minutes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Factors {
    /// The user.
    pub user: UserId,
    /// The authenticator app.
    pub totp: Option<Totp>,
    /// The hashes of the recovery codes that are left.
    pub recovery_codes: Vec<OpaqueBytes>,
    /// Passkeys, the oldest first.
    pub passkeys: Vec<Passkey>,
    /// An authenticator app that waits for its first code.
    pub waiting: Option<WaitingTotp>,
    /// Challenges that were used and have not expired.
    pub used_challenges: Vec<UsedChallenge>,
    /// Sessions that proved lately who uses them.
    pub proofs: Vec<Proof>,
}

/// An authenticator app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totp {
    /// The sealed secret.
    pub secret: OpaqueBytes,
    /// The step of the last code that was accepted: neither it nor an earlier one is accepted again.
    pub last_step: u64,
}

/// An authenticator app that waits for its first code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingTotp {
    /// The sealed secret.
    pub secret: OpaqueBytes,
    /// The version of the password that was given.
    pub password_version: u32,
    /// How long it waits.
    pub until: Timestamp,
}

/// A passkey: a public key, whose private half an authenticator keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkey {
    /// Never changes.
    pub id: PasskeyId,
    /// The name that the user gave it.
    pub name: String,
    /// The authenticator's identifier of the credential.
    pub credential: OpaqueBytes,
    /// The public key: COSE (RFC 9052), as the authenticator sent it.
    pub public_key: OpaqueBytes,
    /// The authenticator's count of signatures. Zero if it does not count.
    pub counter: u32,
    /// When it was added.
    pub created: Timestamp,
    /// When it was last used.
    pub last_used: Option<Timestamp>,
}

impl Passkey {
    /// Whether it is no larger than an authenticator makes one.
    #[must_use]
    pub fn has_a_size_of_one(&self) -> bool {
        let [credential, key] = [&self.credential, &self.public_key].map(|b| b.as_slice().len());
        (1..=MAX_CREDENTIAL).contains(&credential) && (1..=MAX_PUBLIC_KEY).contains(&key)
    }
}

/// A challenge that was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsedChallenge {
    /// What tells it from all others.
    pub nonce: OpaqueBytes,
    /// When it expires.
    pub until: Timestamp,
}

/// A session that proved who uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Which.
    pub session: SessionId,
    /// The version of the password at that time.
    pub password_version: u32,
    /// How long it counts.
    pub until: Timestamp,
}

impl Factors {
    /// Of a user who has none.
    #[must_use]
    pub const fn none_of(user: UserId) -> Self {
        Self {
            user,
            totp: None,
            recovery_codes: Vec::new(),
            passkeys: Vec::new(),
            waiting: None,
            used_challenges: Vec::new(),
            proofs: Vec::new(),
        }
    }

    /// Whether the password alone is not enough to sign in.
    #[must_use]
    pub const fn are_enrolled(&self) -> bool {
        self.totp.is_some() || !self.passkeys.is_empty()
    }

    /// Whether there is nothing to store.
    #[must_use]
    pub fn are_nothing(&self) -> bool {
        *self == Self::none_of(self.user)
    }

    /// The authenticator app that waits for its first code.
    #[must_use]
    pub fn waiting(&self, password_version: u32, now: Timestamp) -> Option<&WaitingTotp> {
        self.waiting.as_ref().filter(|waiting| {
            waiting.password_version == password_version && waiting.until.is_ahead(now, TOTP_WAITS)
        })
    }

    /// Whether the session proved lately who uses it.
    #[must_use]
    pub fn is_proved(&self, session: SessionId, password_version: u32, now: Timestamp) -> bool {
        self.proofs.iter().any(|proof| {
            proof.session == session
                && proof.password_version == password_version
                && proof.until.is_ahead(now, PROOF_LIFETIME)
        })
    }

    /// When the first of what is remembered for some minutes expires.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Timestamp> {
        let waiting = self.waiting.iter().map(|waiting| waiting.until);
        let used = self.used_challenges.iter().map(|used| used.until);
        let proofs = self.proofs.iter().map(|proof| proof.until);
        waiting.chain(used).chain(proofs).min()
    }

    /// Without what has expired.
    #[must_use]
    pub fn swept(mut self, now: Timestamp) -> Self {
        self.waiting = self.waiting.filter(|waiting| now < waiting.until);
        self.used_challenges.retain(|used| now < used.until);
        self.proofs.retain(|proof| now < proof.until);
        self
    }
}

#[cfg(test)]
mod tests;
