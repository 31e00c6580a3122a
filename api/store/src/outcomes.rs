//! Parameters and results of the store's methods.

use password_auth_model::{FactorRefusal, Factors, FullName, Role, Session, User, UserId};

/// The result of [`UserStore::create_user`](super::UserStore::create_user).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateUser {
    /// The user was added.
    Created,
    /// Another user has the name. Nothing was written.
    NameTaken,
    /// Another user has verified the address. Nothing was written.
    EmailTaken,
}

/// The result of [`InviteStore::create_invited_user`](super::InviteStore::create_invited_user).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateInvited {
    /// There is no valid invitation: it was used, was removed, has expired, or is by nobody who is an active admin.
    /// Nothing was written.
    Uninvited,
    /// There is. Unless the user was created, nothing was written.
    Invited(CreateUser),
}

/// Which users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// Only users with this role.
    pub role: Option<Role>,
    /// Only users with greater ids. A reader who pages by id misses nobody, even if users are deleted meanwhile.
    pub after: Option<UserId>,
}

/// Changes of a user. `None` keeps a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserChange {
    /// The full name; `Some(None)` removes it.
    pub full_name: Option<Option<FullName>>,
    /// The role.
    pub role: Option<Role>,
    /// Whether the user may sign in.
    pub is_active: Option<bool>,
    /// Whether the users do it themselves. Users who deactivate their own account may reactivate it. If somebody else
    /// deactivates it, even later, only somebody else can activate it.
    pub by_self: bool,
    /// Refused if the user would become an active admin by it.
    pub makes_no_admin: bool,
}

impl UserChange {
    /// Whether it makes a user an active admin although it must not.
    #[must_use]
    pub fn makes_an_admin_unduly(&self, before: &User, after: &User) -> bool {
        self.makes_no_admin && after.is_active_admin() && !before.is_active_admin()
    }

    /// The user after the change.
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

/// The result of [`UserStore::change_user`](super::UserStore::change_user).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeUser {
    /// The user before and after it.
    Changed {
        /// Before.
        before: Box<User>,
        /// After.
        after: Box<User>,
    },
    /// There is no such user.
    Unknown,
    /// The user is the last active admin, and would no longer be one. Nothing was written.
    LastAdmin,
    /// The user would become an active admin, and the change [makes none](UserChange::makes_no_admin). Nothing was
    /// written.
    NewAdmin,
}

/// The result of [`UserStore::change_password`](super::UserStore::change_password).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangePassword {
    /// It was changed. Contains the session that was kept, as it is now.
    Changed(Option<Session>),
    /// The password has another version, or there is no such user. Nothing was written.
    Outdated,
    /// The session to keep has ended. Nothing was written.
    SessionOver,
}

/// The result of [`UserStore::delete_user`](super::UserStore::delete_user).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeleteUser {
    /// The user and all their data were deleted.
    Deleted,
    /// There is no such user.
    Unknown,
    /// The user is the last active admin. Nothing was written.
    LastAdmin,
}

/// The result of [`SessionStore::create_session`](super::SessionStore::create_session).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewSession {
    /// It was added.
    Added,
    /// The user does not exist or is deactivated.
    NoUser,
    /// The password was changed after it was checked.
    PasswordChanged,
}

/// The result of [`OneTimeTokenStore::confirm_email`](super::OneTimeTokenStore::confirm_email).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfirmEmail {
    /// The address is verified.
    Confirmed {
        /// Before.
        before: Box<User>,
        /// After.
        after: Box<User>,
    },
    /// The token was used before, and the user still has its address, verified. Nothing was written.
    AlreadyConfirmed(Box<User>),
    /// Another user has verified the address. Nothing was written.
    Taken,
    /// The token is not valid.
    Invalid,
}

/// The result of [`FactorStore::change_factors`](super::FactorStore::change_factors).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeFactors {
    /// It was made.
    Changed {
        /// Before.
        before: Box<Factors>,
        /// After.
        after: Box<Factors>,
    },
    /// It was refused. Nothing was written.
    Refused(FactorRefusal),
    /// The password has another version, or there is no such user. Nothing was written.
    Outdated,
}
