//! What a session remembers beside its rotation: who used which token from where.

use serde::{Deserialize, Serialize};

use super::clock::Timestamp;
use super::generation::Generation;
use super::party::Party;

/// What a session remembers in addition to its rotation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Trail {
    /// Refresh tokens of lower generations are invalid: the password was changed after they were issued.
    pub void_below: Generation,
    /// The last use before the [step](super::trail::LAST_USED_SHOWN) of the most recent use.
    pub used_before: Option<Timestamp>,
    /// The client that the first accepted access token of the current generation was issued to.
    pub confirmed_by: Option<Party>,
    /// Replays from another network or device than the rotation's, oldest first.
    pub elsewhere: Vec<Elsewhere>,
}

/// A superseded token that was presented from another network or device than the one that rotated it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elsewhere {
    /// Which token.
    pub generation: Generation,
    /// When.
    pub at: Timestamp,
    /// Who presented it first.
    pub rotated_by: Party,
    /// Who presented it again.
    pub replayed_by: Party,
    /// Whether an access token of its successor, issued to another client, was already in use.
    pub after_use: bool,
    /// Whether the access token from the replay was used as well, later.
    pub used: bool,
}

impl Elsewhere {
    /// Whether it is between two devices, and not only between two networks of one device.
    pub(super) fn is_another_device(&self) -> bool {
        self.rotated_by.device != self.replayed_by.device
    }

    /// Whether the use of an access token from the replay would tell something new.
    #[must_use]
    pub const fn is_watched(&self) -> bool {
        self.after_use && !self.used
    }

    /// Whether another replay after this one is a repetition.
    pub(super) fn counts(&self) -> bool {
        self.is_another_device() || self.used
    }

    /// The two clients in a fixed order: by device or, if there is only one device, by network.
    pub(super) fn parties(&self) -> [u32; 2] {
        let of = |party: Party| {
            if self.is_another_device() {
                party.device
            } else {
                party.network
            }
        };
        let mut parties = [of(self.rotated_by), of(self.replayed_by)];
        parties.sort_unstable();
        parties
    }
}
