//! The record of a user. How an engine stores it is up to the engine.

use serde::{Deserialize, Serialize};

use super::clock::Timestamp;
use super::email_address::EmailAddress;
use super::full_name::FullName;
use super::id::UserId;
use super::one_time_token::Purpose;
use super::password_hash::PasswordHash;
use super::role::Role;
use super::username::{Username, UsernameKey};

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Never changes.
    pub id: UserId,
    /// In the user's spelling.
    pub username: Username,
    /// How names are compared; unique.
    pub username_key: UsernameKey,
    /// The hash of the password, with its parameters.
    pub password: PasswordHash,
    /// How often the password was changed. A new hash of the same password does not count.
    pub password_version: u32,
    /// The e-mail address. Several accounts may have the same address until one of them verifies it.
    pub email: Option<EmailAddress>,
    /// Whether the user has verified the address. Then no other user has it.
    pub is_verified: bool,
    /// The full name.
    #[serde(deserialize_with = "FullName::deserialize_kept")]
    pub full_name: Option<FullName>,
    /// What the user may do.
    pub role: Role,
    /// Whether the user may sign in and their tokens are valid.
    pub is_active: bool,
    /// Whether the user deactivated the account, and so may reactivate it. Always false if the account is active.
    pub deactivated_by_self: bool,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When the user last signed in.
    pub last_login: Option<Timestamp>,
}

impl User {
    /// A user as the demo creates one: a name and a password.
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

    /// The user's names and address. Passwords that contain them are easy to guess.
    pub fn called(&self) -> [Option<&str>; 3] {
        [
            Some(self.username.as_str()),
            self.email.as_ref().map(EmailAddress::as_str),
            self.full_name.as_ref().map(FullName::as_str),
        ]
    }

    /// Whether this is the user's address, verified or not.
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

    /// This user with another password.
    #[must_use]
    pub fn with_password(self, password: PasswordHash) -> Self {
        Self {
            password,
            password_version: self.password_version.saturating_add(1),
            ..self
        }
    }

    /// Whether a user who knows the password of this version may use the account, or reactivate it.
    #[must_use]
    pub const fn may_reactivate(&self, password_version: u32) -> bool {
        (self.is_active || self.deactivated_by_self) && self.password_version == password_version
    }

    /// Whether a password reset link may be mailed for the account. Also if its user deactivated it: otherwise a thief
    /// who deactivates it with a stolen access token could lock out an owner who has forgotten the password.
    #[must_use]
    pub const fn may_choose_password(&self) -> bool {
        self.is_active || self.deactivated_by_self
    }

    /// Whether a one-time token for this purpose is valid for the account.
    #[must_use]
    pub const fn may_have_token(&self, purpose: &Purpose) -> bool {
        self.is_active || (self.deactivated_by_self && matches!(purpose, Purpose::ResetPassword(_)))
    }

    /// This user, reactivated.
    #[must_use]
    pub fn reactivated(&self) -> Self {
        Self {
            is_active: true,
            deactivated_by_self: false,
            ..self.clone()
        }
    }

    /// Whether the user is an active admin. There must always be one.
    #[must_use]
    pub fn is_active_admin(&self) -> bool {
        self.is_active && self.role == Role::Admin
    }
}
