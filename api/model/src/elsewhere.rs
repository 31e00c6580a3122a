//! What a session remembers beside its rotation: who used which token from where.

use serde::{Deserialize, Serialize};

use super::clock::Timestamp;
use super::generation::Generation;
use super::party::Party;

/// What a session remembers beside its rotation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Trail {
    /// Refresh tokens below it are void: the password was changed after them.
    pub void_below: Generation,
    /// When it was last used before the [grain](super::trail::LAST_USED_SHOWN) of time in which it was last used.
    pub used_before: Option<Timestamp>,
    /// To whom the first access token of the current generation was issued that was accepted.
    pub confirmed_by: Option<Party>,
    /// Replays from another network or device than the rotation's, oldest first.
    pub elsewhere: Vec<Elsewhere>,
}

/// A superseded token that another network or device presented than the one that had it rotated.
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
    /// Whether an access token of its successor, issued to somebody else, was in use already.
    pub after_use: bool,
    /// Whether the access token that answered the replay was used, too, after that.
    pub used: bool,
}

impl Elsewhere {
    /// Between two devices, and not only two networks of one.
    pub(super) fn is_another_device(&self) -> bool {
        self.rotated_by.device != self.replayed_by.device
    }

    /// Whether it makes a repetition of the next one.
    pub(super) fn counts(&self) -> bool {
        self.is_another_device() || self.used
    }

    /// The two, whoever of them came first: the devices, or where there is only one of them the networks.
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
