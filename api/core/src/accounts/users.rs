//! Seeing and changing users.

use password_auth_model::{Client, EmailKind, Event, EventId, EventKind, Role, User, UserId};
use password_auth_store::{ChangeUser, DeleteUser, StoreError, UserChange, UserFilter};

use super::{Accounts, Directory};
use crate::audit::EventContext;
use crate::sessions::Caller;

/// A page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Only users after this one, even if it was deleted meanwhile.
    pub after: Option<UserId>,
    /// How many to skip.
    pub skip: u32,
    /// The maximum number.
    pub limit: u32,
}

/// Why a user is not shown.
#[derive(Debug, thiserror::Error)]
pub enum ReadUserError {
    /// There is no such user.
    #[error("there is no such user")]
    Unknown,
    /// The caller's role does not [see others](Role::SEEING_OTHERS).
    #[error("the caller's role does not allow it")]
    Forbidden,
    /// The [directory](super::Directory) is only for admins.
    #[error("only admins may list users")]
    AdminsOnly,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a user was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeUserError {
    /// There is no such user, as far as the caller may know.
    #[error("there is no such user")]
    Unknown,
    /// The caller's role does not allow it.
    #[error("the caller's role does not allow it")]
    Forbidden,
    /// The user would become an admin, and the session did not prove lately who uses it.
    #[error("the session must prove who uses it")]
    Unproved,
    /// The user is the last active admin, and would no longer be one.
    #[error("the user is the last active admin")]
    LastAdmin,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Accounts {
    /// Lists the users that the caller may see. Guests see only themselves.
    ///
    /// # Errors
    /// As [`ReadUserError`] lists.
    pub async fn users(
        &self,
        caller: &Caller,
        role: Option<Role>,
        page: Page,
    ) -> Result<Vec<User>, ReadUserError> {
        if self.directory == Directory::Admins && caller.user.role != Role::Admin {
            return Err(ReadUserError::AdminsOnly);
        }
        if !Role::SEEING_OTHERS.contains(&caller.user.role) {
            let is_shown = role.is_none_or(|role| role == caller.user.role)
                && page.after.is_none_or(|after| after < caller.user.id)
                && page.skip == 0;
            return Ok(is_shown
                .then(|| User::clone(&caller.user))
                .into_iter()
                .collect());
        }
        let Page { after, skip, limit } = page;
        let filter = UserFilter { role, after };
        Ok(self.store.users(filter, skip, limit).await?)
    }

    /// One user.
    ///
    /// # Errors
    /// As [`ReadUserError`] lists.
    pub async fn user(&self, caller: &Caller, id: UserId) -> Result<User, ReadUserError> {
        if caller.user.id == id {
            return Ok(User::clone(&caller.user));
        }
        if !Role::SEEING_OTHERS.contains(&caller.user.role) {
            return Err(ReadUserError::Forbidden);
        }
        self.store.user(id).await?.ok_or(ReadUserError::Unknown)
    }

    /// The number of users.
    ///
    /// # Errors
    /// If the store failed.
    pub async fn count_users(&self) -> Result<u64, StoreError> {
        self.store.count_users().await
    }

    /// Checks that the store responds.
    ///
    /// # Errors
    /// If it does not.
    pub async fn check_store(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }

    /// Changes a user. Users may change their own full name. Only admins may change the role and whether a user may
    /// sign in. To make another admin, the session must have [proved](Self::prove) lately who uses it: otherwise a
    /// stolen access token could be exchanged for an account that stays.
    ///
    /// # Errors
    /// As [`ChangeUserError`] lists. Then nothing was changed.
    pub async fn change_user(
        &self,
        caller: &Caller,
        id: UserId,
        change: UserChange,
        client: &Client,
    ) -> Result<User, ChangeUserError> {
        let is_admin = caller.user.role == Role::Admin;
        let is_an_admins = change.role.is_some() || change.is_active.is_some();
        if !is_admin && (caller.user.id != id || is_an_admins) {
            return Err(ChangeUserError::Forbidden);
        }
        let change = UserChange {
            by_self: caller.user.id == id,
            makes_no_admin: is_an_admins && !self.may_make_admins(caller).await?,
            ..change
        };
        let context = EventContext {
            by: (caller.user.id != id).then_some(caller.user.id),
            client: Some(client),
            session: None,
        };
        self.change(id, change, context).await
    }

    /// Deactivates the caller's own account. From the next request on, their tokens are invalid. The user may
    /// [undo](Accounts::reactivate) it.
    ///
    /// # Errors
    /// As [`ChangeUserError`] lists. Then nothing was changed.
    pub async fn deactivate(
        &self,
        caller: &Caller,
        client: &Client,
    ) -> Result<User, ChangeUserError> {
        let change = UserChange {
            is_active: Some(false),
            by_self: true,
            ..UserChange::default()
        };
        let context = EventContext::by_client(client);
        let user = self.change(caller.user.id, change, context).await?;
        self.mailer.tell(&user, EmailKind::Deactivated).await;
        Ok(user)
    }

    /// Changes a user without checking permissions, also for the operator.
    ///
    /// # Errors
    /// As [`ChangeUserError`] lists. Then nothing was changed.
    pub async fn change(
        &self,
        id: UserId,
        change: UserChange,
        context: EventContext<'_>,
    ) -> Result<User, ChangeUserError> {
        let (before, after) = match self.store.change_user(id, change).await? {
            ChangeUser::Changed { before, after } => (*before, *after),
            ChangeUser::Unknown => return Err(ChangeUserError::Unknown),
            ChangeUser::LastAdmin => return Err(ChangeUserError::LastAdmin),
            ChangeUser::NewAdmin => return Err(ChangeUserError::Unproved),
        };
        for what in differences(&before, &after) {
            self.audit_log.record(id, what, context).await;
        }
        Ok(after)
    }

    /// Deletes a user and all their data, for admins and the operator.
    ///
    /// # Errors
    /// As [`ChangeUserError`] lists. Then nothing was changed.
    pub async fn remove(
        &self,
        id: UserId,
        context: EventContext<'_>,
    ) -> Result<(), ChangeUserError> {
        match self.store.delete_user(id).await? {
            DeleteUser::Deleted => {
                self.audit_log.record(id, EventKind::Deleted, context).await;
                Ok(())
            }
            DeleteUser::Unknown => Err(ChangeUserError::Unknown),
            DeleteUser::LastAdmin => Err(ChangeUserError::LastAdmin),
        }
    }

    /// Events, the latest first, of one user or of all.
    ///
    /// # Errors
    /// If the store failed.
    pub async fn events(
        &self,
        user: Option<UserId>,
        before: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        self.store.events(user, before, limit).await
    }
}

fn differences(before: &User, after: &User) -> Vec<EventKind> {
    let mut what = Vec::new();
    if before.full_name != after.full_name {
        what.push(EventKind::ProfileChanged);
    }
    if before.role != after.role {
        what.push(EventKind::RoleChanged(after.role));
    }
    match (before.is_active, after.is_active) {
        (true, false) => what.push(EventKind::Deactivated),
        // Somebody else deactivates an account that its user had deactivated: the user can no longer undo it.
        (false, false) if before.deactivated_by_self && !after.deactivated_by_self => {
            what.push(EventKind::Deactivated);
        }
        (false, true) => what.push(EventKind::Activated),
        _ => {}
    }
    what
}
