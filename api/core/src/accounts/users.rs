//! Seeing and changing other people, and oneself.

use password_auth_model::{Client, Event, EventId, EventKind, Role, User, UserId};
use password_auth_store::{ChangeUser, DeleteUser, StoreError, UserChange, UserFilter};

use super::{Accounts, Directory};
use crate::audit::EventContext;
use crate::sessions::Caller;

/// A part of a long list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Only those behind this one, whoever went meanwhile.
    pub after: Option<UserId>,
    /// How many to pass over.
    pub skip: u32,
    /// How many to show.
    pub limit: u32,
}

/// Why somebody is not shown.
#[derive(Debug, thiserror::Error)]
pub enum ReadUserError {
    /// There is nobody of that id.
    #[error("there is no such user")]
    Unknown,
    /// The caller is none who [sees others](Role::SEEING_OTHERS).
    #[error("the caller's role does not allow it")]
    Forbidden,
    /// The [directory](super::Directory) is for admins.
    #[error("users are listed to admins")]
    AdminsOnly,
    /// The store did not work.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why somebody was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeUserError {
    /// There is nobody of that id, as far as the caller may know.
    #[error("there is no such user")]
    Unknown,
    /// The caller's role does not allow it.
    #[error("the caller's role does not allow it")]
    Forbidden,
    /// He is the last active admin, and would be none.
    #[error("he is the last active admin")]
    LastAdmin,
    /// The store did not work.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Accounts {
    /// People, as far as the caller may see them: a guest sees himself alone.
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
            return Ok(is_shown.then(|| caller.user.clone()).into_iter().collect());
        }
        let Page { after, skip, limit } = page;
        let filter = UserFilter { role, after };
        Ok(self.store.users(filter, skip, limit).await?)
    }

    /// One of them.
    ///
    /// # Errors
    /// As [`ReadUserError`] lists.
    pub async fn user(&self, caller: &Caller, id: UserId) -> Result<User, ReadUserError> {
        if caller.user.id == id {
            return Ok(caller.user.clone());
        }
        if !Role::SEEING_OTHERS.contains(&caller.user.role) {
            return Err(ReadUserError::Forbidden);
        }
        self.store.user(id).await?.ok_or(ReadUserError::Unknown)
    }

    /// How many there are.
    ///
    /// # Errors
    /// If the store did not work.
    pub async fn count_users(&self) -> Result<u64, StoreError> {
        self.store.count_users().await
    }

    /// Asks the store whether it answers.
    ///
    /// # Errors
    /// If it did not answer.
    pub async fn check_store(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }

    /// Changes somebody. Everybody may change what he is called; what somebody may do, and whether he may sign in, an
    /// admin decides.
    ///
    /// # Errors
    /// As [`ChangeUserError`] lists; then nothing was changed.
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
            ..change
        };
        let context = EventContext {
            by: (caller.user.id != id).then_some(caller.user.id),
            client: Some(client),
            session: None,
        };
        self.change(id, change, context).await
    }

    /// Disables the caller's own account. From the next request on his tokens count for nothing. He may
    /// [undo](Accounts::reactivate) it.
    ///
    /// # Errors
    /// As [`ChangeUserError`] lists; then nothing was changed.
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
        let context = EventContext {
            client: Some(client),
            ..EventContext::default()
        };
        self.change(caller.user.id, change, context).await
    }

    /// Changes somebody: also for the operator, who may do anything.
    ///
    /// # Errors
    /// As [`ChangeUserError`] lists; then nothing was changed.
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
        };
        for what in differences(&before, &after) {
            self.audit_log.record(id, what, context).await;
        }
        Ok(after)
    }

    /// Removes somebody and everything about him: for admins and the operator.
    ///
    /// # Errors
    /// As [`ChangeUserError`] lists; then nothing was changed.
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

    /// What happened, the latest first: to one person, or to all.
    ///
    /// # Errors
    /// If the store did not work.
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
        // By somebody else, after himself: he can not undo it any more.
        (false, false) if before.deactivated_by_self && !after.deactivated_by_self => {
            what.push(EventKind::Deactivated);
        }
        (false, true) => what.push(EventKind::Activated),
        _ => {}
    }
    what
}
