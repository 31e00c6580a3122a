//! Seeing and changing users.

use password_auth_model::{Client, Event, EventId, Happening, Role, User, UserId};
use password_auth_store::{ChangeUser, DeleteUser, StoreError, UserChange, UserFilter};

use super::{Accounts, Directory};
use crate::audit::Circumstances;
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
pub enum SeePersonError {
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
pub enum ChangePersonError {
    /// There is no such user, as far as the caller may know.
    #[error("there is no such user")]
    Unknown,
    /// The caller's role does not allow it.
    #[error("the caller's role does not allow it")]
    Forbidden,
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
    /// As [`SeePersonError`] lists.
    pub async fn people(
        &self,
        caller: &Caller,
        role: Option<Role>,
        page: Page,
    ) -> Result<Vec<User>, SeePersonError> {
        if self.directory == Directory::Admins && caller.user.role != Role::Admin {
            return Err(SeePersonError::AdminsOnly);
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

    /// One user.
    ///
    /// # Errors
    /// As [`SeePersonError`] lists.
    pub async fn person(&self, caller: &Caller, id: UserId) -> Result<User, SeePersonError> {
        if caller.user.id == id {
            return Ok(caller.user.clone());
        }
        if !Role::SEEING_OTHERS.contains(&caller.user.role) {
            return Err(SeePersonError::Forbidden);
        }
        self.store.user(id).await?.ok_or(SeePersonError::Unknown)
    }

    /// The number of users.
    ///
    /// # Errors
    /// If the store failed.
    pub async fn count_people(&self) -> Result<u64, StoreError> {
        self.store.count_users().await
    }

    /// Checks that the store responds.
    ///
    /// # Errors
    /// If it does not.
    pub async fn check_store(&self) -> Result<(), StoreError> {
        self.store.next_letter_due().await.map(|_| ())
    }

    /// Changes a user. Users may change their own full name. Only admins may change the role and whether a user may
    /// sign in.
    ///
    /// # Errors
    /// As [`ChangePersonError`] lists. Then nothing was changed.
    pub async fn change_person(
        &self,
        caller: &Caller,
        id: UserId,
        change: UserChange,
        client: &Client,
    ) -> Result<User, ChangePersonError> {
        let is_admin = caller.user.role == Role::Admin;
        let is_an_admins = change.role.is_some() || change.is_active.is_some();
        if !is_admin && (caller.user.id != id || is_an_admins) {
            return Err(ChangePersonError::Forbidden);
        }
        let change = UserChange {
            by_self: caller.user.id == id,
            ..change
        };
        let circumstances = Circumstances {
            by: (caller.user.id != id).then_some(caller.user.id),
            client: Some(client),
            session: None,
        };
        self.change(id, change, circumstances).await
    }

    /// Deactivates the caller's own account. From the next request on, their tokens are invalid. The user may
    /// [undo](Accounts::reactivate) it.
    ///
    /// # Errors
    /// As [`ChangePersonError`] lists. Then nothing was changed.
    pub async fn deactivate(
        &self,
        caller: &Caller,
        client: &Client,
    ) -> Result<User, ChangePersonError> {
        let change = UserChange {
            is_active: Some(false),
            by_self: true,
            ..UserChange::default()
        };
        let circumstances = Circumstances {
            client: Some(client),
            ..Circumstances::default()
        };
        self.change(caller.user.id, change, circumstances).await
    }

    /// Changes a user without checking permissions, also for the operator.
    ///
    /// # Errors
    /// As [`ChangePersonError`] lists. Then nothing was changed.
    pub async fn change(
        &self,
        id: UserId,
        change: UserChange,
        circumstances: Circumstances<'_>,
    ) -> Result<User, ChangePersonError> {
        let (before, after) = match self.store.change_user(id, change).await? {
            ChangeUser::Changed { before, after } => (*before, *after),
            ChangeUser::Unknown => return Err(ChangePersonError::Unknown),
            ChangeUser::LastAdmin => return Err(ChangePersonError::LastAdmin),
        };
        for what in differences(&before, &after) {
            self.journal.record(id, what, circumstances).await;
        }
        Ok(after)
    }

    /// Deletes a user and all their data, for admins and the operator.
    ///
    /// # Errors
    /// As [`ChangePersonError`] lists. Then nothing was changed.
    pub async fn remove(
        &self,
        id: UserId,
        circumstances: Circumstances<'_>,
    ) -> Result<(), ChangePersonError> {
        match self.store.delete_user(id).await? {
            DeleteUser::Deleted => {
                self.journal
                    .record(id, Happening::Deleted, circumstances)
                    .await;
                Ok(())
            }
            DeleteUser::Unknown => Err(ChangePersonError::Unknown),
            DeleteUser::LastAdmin => Err(ChangePersonError::LastAdmin),
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

fn differences(before: &User, after: &User) -> Vec<Happening> {
    let mut what = Vec::new();
    if before.full_name != after.full_name {
        what.push(Happening::ProfileChanged);
    }
    if before.role != after.role {
        what.push(Happening::RoleChanged(after.role));
    }
    match (before.is_active, after.is_active) {
        (true, false) => what.push(Happening::Deactivated),
        // Somebody else deactivates an account that its user had deactivated: the user can no longer undo it.
        (false, false) if before.deactivated_by_self && !after.deactivated_by_self => {
            what.push(Happening::Deactivated);
        }
        (false, true) => what.push(Happening::Activated),
        _ => {}
    }
    what
}
