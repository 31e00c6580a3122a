//! What the store keeps of a person, as the rest of the program sees it. How an engine writes it down is its own.

use serde::{Deserialize, Serialize};

use super::clock::Timestamp;
use super::email_address::EmailAddress;
use super::full_name::FullName;
use super::id::UserId;
use super::password_hash::PasswordHash;
use super::role::Role;
use super::username::{Username, UsernameKey};

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
    /// How often the password was changed. Another hash of the same password does not count.
    pub password_version: u32,
    /// Where mail goes. While nobody has verified it, several accounts may name one address.
    pub email: Option<EmailAddress>,
    /// Whether the person has shown that he reads the address. Then nobody else has it.
    pub is_verified: bool,
    /// What the person is called.
    #[serde(deserialize_with = "FullName::deserialize_kept")]
    pub full_name: Option<FullName>,
    /// What he may do.
    pub role: Role,
    /// Whether the person may sign in, and his tokens count.
    pub is_active: bool,
    /// Whether it was the person who deactivated the account, who may undo that then. Never of one that is active.
    pub deactivated_by_self: bool,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When the person last signed in.
    pub last_login: Option<Timestamp>,
}

impl User {
    /// An account as the demo makes it: a name and a password.
    #[must_use]
    pub fn new(username: Username, password: PasswordHash, now: Timestamp) -> Self {
        Self {
            id: UserId::new(now),
            username_key: username.key(),
            username,
            password,
            password_version: 0,
            email: None,
            is_verified: false,
            full_name: None,
            role: Role::default(),
            is_active: true,
            deactivated_by_self: false,
            created_at: now,
            last_login: None,
        }
    }

    /// What he is called, in every way: what is easy to guess for who knows it.
    pub fn called(&self) -> [Option<&str>; 3] {
        [
            Some(self.username.as_str()),
            self.email.as_ref().map(EmailAddress::as_str),
            self.full_name.as_ref().map(FullName::as_str),
        ]
    }

    /// Whether mail to the address is mail to him, verified or not.
    #[must_use]
    pub fn has_email(&self, address: &EmailAddress) -> bool {
        self.email
            .as_ref()
            .is_some_and(|email| email.key() == address.key())
    }

    /// Whether the user has verified the address.
    #[must_use]
    pub fn has_verified(&self, address: &EmailAddress) -> bool {
        self.is_verified && self.has_email(address)
    }

    /// The same person with another password.
    #[must_use]
    pub fn with_password(self, password: PasswordHash) -> Self {
        Self {
            password,
            password_version: self.password_version.saturating_add(1),
            ..self
        }
    }

    /// Whether who knows the password, which was changed so often, may use the account, or do so again.
    #[must_use]
    pub const fn may_reactivate(&self, password_version: u32) -> bool {
        (self.is_active || self.deactivated_by_self) && self.password_version == password_version
    }

    /// The same person, let in again.
    #[must_use]
    pub fn reactivated(&self) -> Self {
        Self {
            is_active: true,
            deactivated_by_self: false,
            ..self.clone()
        }
    }

    /// Whether he is one of those of whom there must always be one.
    #[must_use]
    pub fn is_active_admin(&self) -> bool {
        self.is_active && self.role == Role::Admin
    }
}
