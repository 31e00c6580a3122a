//! Writes about users. Like all writes here, each is a whole intention and runs on the one writing thread: what it has
//! read stays true until it makes its changes (see `apply`).

use async_trait::async_trait;
use password_auth_model::{EmailKey, PasswordHash, SessionId, User, UserId, UsernameKey};

use super::change::Batch;
use super::codec::encode;
use super::opened::Tables;
use super::trees::Tree;
use super::user_entries::{create, is_last_active_admin, replace};
use super::{SledStore, deletion, deletion::Progress};
use super::{sessions, tokens};
use crate::{
    ChangePassword, ChangeUser, CreateUser, DeleteUser, StoreError, UserChange, UserFilter,
    UserStore,
};

#[async_trait]
impl UserStore for SledStore {
    async fn create_user(&self, user: User) -> Result<CreateUser, StoreError> {
        self.durable(move |tables| {
            let mut batch = Batch::default();
            let created = create(&mut batch, tables, &user)?;
            batch.apply(tables)?;
            Ok(created)
        })
        .await
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let _timer = self.read_times.timer();
        self.tables()?.user(id)
    }

    async fn user_by_name(&self, name: &UsernameKey) -> Result<Option<User>, StoreError> {
        let _timer = self.read_times.timer();
        self.tables()?.user_by_name(name)
    }

    async fn users_by_email(&self, email: &EmailKey) -> Result<Vec<User>, StoreError> {
        self.tables()?.users_by_email(email)
    }

    async fn user_by_email_and_hash(
        &self,
        email: &EmailKey,
        password: &PasswordHash,
    ) -> Result<Option<User>, StoreError> {
        self.tables()?.user_by_email_and_hash(email, password)
    }

    async fn users(
        &self,
        filter: UserFilter,
        skip: u32,
        limit: u32,
    ) -> Result<Vec<User>, StoreError> {
        let [skip, limit] = [skip, limit].map(|n| usize::try_from(n).unwrap_or(usize::MAX));
        self.on_a_thread(move |tables| tables.users(filter, skip, limit))
            .await
    }

    async fn count_users(&self) -> Result<u64, StoreError> {
        self.on_a_thread(|tables| tables.count_users()).await
    }

    async fn name_is_taken(&self, name: &UsernameKey) -> Result<bool, StoreError> {
        if self.tables()?.user_by_name(name)?.is_none() {
            return Ok(false);
        }
        // A read may see what is not flushed yet.
        let name = name.clone();
        self.durable(move |tables| Ok(tables.user_by_name(&name)?.is_some()))
            .await
    }

    async fn replace_password_hash(
        &self,
        user: UserId,
        old: &PasswordHash,
        new: PasswordHash,
    ) -> Result<bool, StoreError> {
        let old = old.clone();
        self.durable(move |tables| replace_password_hash(tables, user, &old, &new))
            .await
    }

    async fn change_user(&self, user: UserId, asked: UserChange) -> Result<ChangeUser, StoreError> {
        self.durable(move |tables| change(tables, user, &asked))
            .await
    }

    async fn reactivate_user(
        &self,
        user: UserId,
        password_version: u32,
    ) -> Result<ChangeUser, StoreError> {
        self.durable(move |tables| reactivate(tables, user, password_version))
            .await
    }

    async fn change_password(
        &self,
        user: UserId,
        version: u32,
        new: PasswordHash,
        keep: Option<SessionId>,
    ) -> Result<ChangePassword, StoreError> {
        self.durable(move |tables| change_password(tables, user, version, new, keep))
            .await
    }

    async fn delete_user(&self, user: UserId) -> Result<DeleteUser, StoreError> {
        let first = self.durable(move |tables| deletion::delete(tables, user));
        let (answer, mut progress) = first.await?;
        while progress == Progress::More {
            let next = self.durable(move |tables| deletion::proceed(tables, user));
            progress = next.await?;
        }
        Ok(answer)
    }
}

pub(super) fn replace_password_hash(
    tables: &Tables,
    id: UserId,
    old: &PasswordHash,
    new: &PasswordHash,
) -> Result<bool, StoreError> {
    let found = tables.user(id)?.filter(|user| user.password == *old);
    let Some(before) = found else {
        return Ok(false);
    };
    let after = User {
        password: new.clone(),
        ..before.clone()
    };
    write(tables, Some(&before), Some(&after))?;
    Ok(true)
}

pub(super) fn change(
    tables: &Tables,
    id: UserId,
    change: &UserChange,
) -> Result<ChangeUser, StoreError> {
    let Some(before) = tables.user(id)? else {
        return Ok(ChangeUser::Unknown);
    };
    let after = change.apply(&before);
    if change.makes_an_admin_unduly(&before, &after) {
        return Ok(ChangeUser::NewAdmin);
    }
    if !after.is_active_admin() && is_last_active_admin(tables, &before)? {
        return Ok(ChangeUser::LastAdmin);
    }
    replace_changed(tables, &before, &after)?;
    Ok(ChangeUser::Changed {
        before: Box::new(before),
        after: Box::new(after),
    })
}

pub(super) fn reactivate(
    tables: &Tables,
    id: UserId,
    password_version: u32,
) -> Result<ChangeUser, StoreError> {
    let found = tables.user(id)?;
    let Some(before) = found.filter(|user| user.may_reactivate(password_version)) else {
        return Ok(ChangeUser::Unknown);
    };
    let after = before.reactivated();
    replace_changed(tables, &before, &after)?;
    Ok(ChangeUser::Changed {
        before: Box::new(before),
        after: Box::new(after),
    })
}

/// Replaces a user by their new state.
fn replace_changed(tables: &Tables, before: &User, after: &User) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    replace(&mut batch, Some(before), Some(after))?;
    // Also when a user is activated: older versions kept the sessions of deactivated users.
    if before.is_active != after.is_active {
        sessions::remove_all(&mut batch, tables, after.id)?;
        tokens::void(&mut batch, tables, after.id)?;
    }
    batch.apply(tables)
}

pub(super) fn change_password(
    tables: &Tables,
    id: UserId,
    version: u32,
    new: PasswordHash,
    keep: Option<SessionId>,
) -> Result<ChangePassword, StoreError> {
    let found = tables.user(id)?;
    let Some(before) = found.filter(|user| user.password_version == version) else {
        return Ok(ChangePassword::Outdated);
    };
    let kept = match keep {
        None => None,
        Some(keep) => match sessions::live_of(tables, keep, id)? {
            Some(session) => Some(session.renewed()),
            None => return Ok(ChangePassword::SessionOver),
        },
    };
    let mut batch = Batch::default();
    let after = before.clone().with_password(new);
    replace(&mut batch, Some(&before), Some(&after))?;
    sessions::end_all(&mut batch, tables, id, keep)?;
    if let Some(session) = &kept {
        batch.put(Tree::Sessions, session.id.as_bytes(), encode(session)?);
    }
    tokens::void(&mut batch, tables, id)?;
    batch.apply(tables)?;
    Ok(ChangePassword::Changed(kept))
}

fn write(tables: &Tables, before: Option<&User>, after: Option<&User>) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    replace(&mut batch, before, after)?;
    batch.apply(tables)
}
