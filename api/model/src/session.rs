//! A session, as it is stored.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::clock::Timestamp;
use super::elsewhere::Trail;
use super::generation::Generation;
use super::id::{SessionId, UserId};
use super::party::Party;

/// A superseded generation that is still remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retired {
    /// Which.
    pub generation: Generation,
    /// When it was superseded.
    pub at: Timestamp,
    /// Who presented it first. Older versions did not record this.
    #[serde(default)]
    pub by: Option<Party>,
}

/// Why a stored session has ended. A session that was signed out is removed instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// A superseded refresh token came back. The session is kept until it would have expired, so that the owner's
    /// client can tell them.
    Theft,
}

/// How long a session is kept after its end, so that its client is told that it expired or was stolen, and not only
/// that the token is unknown.
pub const KEPT_AFTER_EXPIRY: Duration = Duration::from_secs(30 * 86_400);

/// The most sessions of one user. A new session removes the oldest.
pub const MAX_SESSIONS: usize = 50;

/// A session. It contains no token: refresh tokens are computed from its id and generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Never changes.
    pub id: SessionId,
    /// Its user.
    pub user: UserId,
    /// The client's User-Agent, shortened, without control characters.
    pub device: String,
    /// When the user signed in.
    pub created: Timestamp,
    /// When it was last refreshed.
    pub last_used: Timestamp,
    /// Its absolute end.
    pub expires: Timestamp,
    /// The generation of the current refresh token.
    pub generation: Generation,
    /// Whether an access token of the current generation was accepted.
    pub confirmed: bool,
    /// Access tokens of a lower epoch are refused.
    pub epoch: u32,
    /// Generations superseded inside the replay window, oldest first.
    pub retired: Vec<Retired>,
    /// Why it has ended, if it has.
    pub ended: Option<End>,
    /// What is remembered to detect a theft.
    pub trail: Trail,
}

impl Session {
    /// One that begins at `now`.
    #[must_use]
    pub fn new(user: UserId, device: String, now: Timestamp, expires: Timestamp) -> Self {
        Self {
            id: SessionId::new(now),
            user,
            device,
            created: now,
            last_used: now,
            expires,
            generation: Generation(0),
            confirmed: false,
            epoch: 0,
            retired: Vec::new(),
            ended: None,
            trail: Trail::default(),
        }
    }

    /// Whether it is valid at `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ended.is_none() && now < self.expires
    }
}
