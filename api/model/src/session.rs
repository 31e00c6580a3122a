//! A sign-in, as it is kept.

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
    /// Who presented it first. Older versions of the program did not note that.
    #[serde(default)]
    pub by: Option<Party>,
}

/// Why a session that is still on record is over. One that was signed out is removed instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// A superseded refresh token came back. Kept until the session would have expired, so that the
    /// owner's client can tell him.
    Theft,
}

/// How long a session stays on record after its end, so that a client that comes back is told that it
/// expired, or was stolen, and not only that its token is unknown.
pub const KEPT_AFTER_EXPIRY: Duration = Duration::from_secs(30 * 86_400);

/// The most sign-ins of one person: the oldest goes when there is another.
pub const MAX_SESSIONS: usize = 50;

/// A sign-in. It holds no token: refresh tokens are computed from its id and generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Never changes.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// The client's User-Agent, shortened, without control characters.
    pub device: String,
    /// When the person signed in.
    pub created: Timestamp,
    /// When it was last refreshed.
    pub last_used: Timestamp,
    /// Its absolute end.
    pub expires: Timestamp,
    /// The current refresh token's.
    pub generation: Generation,
    /// Whether an access token of the current generation was accepted.
    pub confirmed: bool,
    /// Access tokens of a lower epoch are refused.
    pub epoch: u32,
    /// Generations superseded inside the replay window, oldest first.
    pub retired: Vec<Retired>,
    /// Why it is over, if it is.
    pub ended: Option<End>,
    /// By what its theft is found out.
    pub trail: Trail,
}

impl Session {
    /// Whether it counts at `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ended.is_none() && now < self.expires
    }
}
