//! What goes into the store's methods, and what comes out of them.

use password_auth_model::{FullName, Role, Session, User, UserId};

/// What became of [`UserStore::create_user`](super::UserStore::create_user).
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
    /// Whether it is the person's own doing. Who deactivates himself may undo it; what somebody else deactivated, and be
    /// it for the second time, stays until somebody else undoes it.
    pub by_self: bool,
}

impl UserChange {
    /// The user after it.
    #[must_use]
    pub fn apply(&self, user: &User) -> User {
        let is_active = self.is_active.unwrap_or(user.is_active);
        User {
            full_name: match &self.full_name {
                Some(name) => name.clone(),
                None => user.full_name.clone(),
            },
            role: self.role.unwrap_or(user.role),
            is_active,
            deactivated_by_self: match self.is_active {
                Some(false) if user.is_active || !self.by_self => self.by_self,
                _ => user.deactivated_by_self && !is_active,
            },
            ..user.clone()
        }
    }
}

/// What became of [`UserStore::change_user`](super::UserStore::change_user).
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

/// What became of [`UserStore::change_password`](super::UserStore::change_password).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangePassword {
    /// It is changed. The session that was to be kept as it is now.
    Changed(Option<Session>),
    /// It was changed as often no more, or there is no such user; nothing was written.
    Outdated,
    /// The session that was to be kept is over; nothing was written.
    SessionOver,
}

/// What became of [`UserStore::delete_user`](super::UserStore::delete_user).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeleteUser {
    /// Nothing of him is left.
    Deleted,
    /// There is no such user.
    Unknown,
    /// He is the last active admin; nothing was written.
    LastAdmin,
}

/// What became of [`SessionStore::create_session`](super::SessionStore::create_session).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewSession {
    /// It was added.
    Added,
    /// The user is gone or disabled.
    NoUser,
    /// The password was changed since it was checked.
    PasswordChanged,
}

/// What became of [`OneTimeTokenStore::confirm_email`](super::OneTimeTokenStore::confirm_email).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfirmEmail {
    /// The user before and after it: the address is his.
    Confirmed {
        /// As he was.
        before: Box<User>,
        /// As he is.
        after: Box<User>,
    },
    /// The token was used before, and the address that it was for is still the user's, and verified; nothing was written.
    AlreadyConfirmed(Box<User>),
    /// Somebody else has verified the address; nothing was written.
    Taken,
    /// The token is not good.
    Invalid,
}
