//! What the store keeps, as the rest of the program sees it. How an engine writes it down is its own.

use serde::{Deserialize, Serialize};

use crate::accounts::{Username, UsernameKey};
use crate::clock::Timestamp;
use crate::id::UserId;
use crate::passwords::PasswordHash;

/// A person's account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Never changes.
    pub id: UserId,
    /// As the person spelt it.
    pub username: Username,
    /// How names are compared; unique.
    pub username_key: UsernameKey,
    /// PHC string, parameters included.
    pub password: PasswordHash,
    /// Whether the person may sign in, and his tokens count.
    pub is_active: bool,
    /// When the account was made.
    pub created_at: Timestamp,
}
