//! Roles: what a user may do.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A user's role. Users cannot change their own role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees other users, without their e-mail addresses.
    #[default]
    User,
    /// Sees and changes all users.
    Admin,
    /// Sees only themselves.
    Guest,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::User, Self::Admin, Self::Guest];

    /// The roles that see other users: all but guests.
    pub const SEEING_OTHERS: [Self; 2] = [Self::User, Self::Admin];

    /// This role and those that may do more.
    #[must_use]
    pub const fn and_above(self) -> &'static [Self] {
        match self {
            Self::Admin => &[Self::Admin],
            Self::User => &Self::SEEING_OTHERS,
            Self::Guest => &Self::ALL,
        }
    }

    /// Its name, on the wire and in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
            Self::Guest => "guest",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// There is no such role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the role must be user, admin or guest")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(UnknownRole)
    }
}
