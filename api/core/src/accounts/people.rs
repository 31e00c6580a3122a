//! Seeing and changing other people, and oneself.

use password_auth_model::{Client, Event, EventId, Happening, Role, User, UserId};
use password_auth_store::{ChangeUser, DeleteUser, StoreError, UserChange, UserFilter};

use super::{Accounts, Directory};
use crate::audit::Circumstances;
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
pub enum SeePersonError {
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
pub enum ChangePersonError {
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

    /// One of them.
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

    /// How many there are.
    ///
    /// # Errors
    /// If the store did not work.
    pub async fn count_people(&self) -> Result<u64, StoreError> {
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
    /// As [`ChangePersonError`] lists; then nothing was changed.
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

    /// Disables the caller's own account. From the next request on his tokens count for nothing. He may
    /// [undo](Accounts::reactivate) it.
    ///
    /// # Errors
    /// As [`ChangePersonError`] lists; then nothing was changed.
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

    /// Changes somebody: also for the operator, who may do anything.
    ///
    /// # Errors
    /// As [`ChangePersonError`] lists; then nothing was changed.
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

    /// Removes somebody and everything about him: for admins and the operator.
    ///
    /// # Errors
    /// As [`ChangePersonError`] lists; then nothing was changed.
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
        // By somebody else, after himself: he can not undo it any more.
        (false, false) if before.deactivated_by_self && !after.deactivated_by_self => {
            what.push(Happening::Deactivated);
        }
        (false, true) => what.push(Happening::Activated),
        _ => {}
    }
    what
}
