//! What goes into the store's methods, and what comes out of them.

use super::User;
use crate::accounts::Role;
use crate::id::UserId;
use crate::model::FullName;

/// What became of [`Store::create_user`](super::Store::create_user).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateUser {
    /// The user was added.
    Created,
    /// Another user has the name; nothing was written.
    NameTaken,
    /// Another user has verified the address; nothing was written.
    EmailTaken,
}

/// Which users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// Only those with this role.
    pub role: Option<Role>,
    /// Only those whose ids are greater: who is shown everybody in parts misses nobody, whoever goes meanwhile.
    pub after: Option<UserId>,
}

/// What of a user changes; `None` leaves it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserChange {
    /// What he is called, or that he is called nothing.
    pub full_name: Option<Option<FullName>>,
    /// What he may do.
    pub role: Option<Role>,
    /// Whether he may sign in.
    pub is_active: Option<bool>,
}

impl UserChange {
    /// The user after it.
    #[must_use]
    pub fn apply(&self, user: &User) -> User {
        User {
            full_name: match &self.full_name {
                Some(name) => name.clone(),
                None => user.full_name.clone(),
            },
            role: self.role.unwrap_or(user.role),
            is_active: self.is_active.unwrap_or(user.is_active),
            ..user.clone()
        }
    }
}

/// What became of [`Store::change_user`](super::Store::change_user).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeUser {
    /// The user before and after it.
    Changed {
        /// As he was.
        before: Box<User>,
        /// As he is.
        after: Box<User>,
    },
    /// There is no such user.
    Unknown,
    /// He is the last active admin, and would be none; nothing was written.
    LastAdmin,
}

/// What became of [`Store::delete_user`](super::Store::delete_user).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeleteUser {
    /// Nothing of him is left.
    Deleted,
    /// There is no such user.
    Unknown,
    /// He is the last active admin; nothing was written.
    LastAdmin,
}

/// What became of [`Store::create_session`](super::Store::create_session).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewSession {
    /// It was added.
    Added,
    /// The user is gone or disabled.
    NoUser,
    /// The password was changed since it was checked.
    PasswordChanged,
}

/// What became of [`Store::confirm_email`](super::Store::confirm_email).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfirmEmail {
    /// The user before and after it: the address is his.
    Confirmed {
        /// As he was.
        before: Box<User>,
        /// As he is.
        after: Box<User>,
    },
    /// Somebody else has verified the address; nothing was written.
    Taken,
    /// The token is not good.
    Invalid,
}
