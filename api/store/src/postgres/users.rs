//! Users.

use std::sync::Arc;

use async_trait::async_trait;
use password_auth_model::{EmailKey, PasswordHash, SessionId, User, UserId, UsernameKey};

use super::error::DatabaseError;
use super::transact::{Transaction, work};
use super::{PostgresStore, deletion, locks, row, sessions, user_reads};
use crate::{
    ChangePassword, ChangeUser, CreateUser, DeleteUser, StoreError, UserChange, UserFilter,
    UserStore,
};

#[async_trait]
impl UserStore for PostgresStore {
    async fn create_user(&self, user: User) -> Result<CreateUser, StoreError> {
        self.durable(work!(user; |t| create(t, &user))).await
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        user_reads::by_id(&self.reads, id).await
    }

    async fn user_by_name(&self, name: &UsernameKey) -> Result<Option<User>, StoreError> {
        user_reads::by_name(&self.reads, name).await
    }

    async fn users_by_email(&self, email: &EmailKey) -> Result<Vec<User>, StoreError> {
        user_reads::by_email(&self.reads, email).await
    }

    async fn user_by_email_and_hash(
        &self,
        email: &EmailKey,
        password: &PasswordHash,
    ) -> Result<Option<User>, StoreError> {
        user_reads::by_email_and_hash(&self.reads, email, password).await
    }

    async fn users(
        &self,
        filter: UserFilter,
        skip: u32,
        limit: u32,
    ) -> Result<Vec<User>, StoreError> {
        let reads = Arc::clone(&self.long_reads);
        let reading = async move { user_reads::list(&reads, filter, skip, limit).await };
        self.gate.run(reading).await
    }

    async fn count_users(&self) -> Result<u64, StoreError> {
        let reads = Arc::clone(&self.long_reads);
        let reading = async move { user_reads::count(&reads).await };
        self.gate.run(reading).await
    }

    async fn name_is_taken(&self, name: &UsernameKey) -> Result<bool, StoreError> {
        if user_reads::by_name(&self.reads, name).await?.is_none() {
            return Ok(false);
        }
        let name = name.clone();
        self.durable(work!(name; |t| name_is_taken(t, &name))).await
    }

    async fn replace_password_hash(
        &self,
        user: UserId,
        old: &PasswordHash,
        new: PasswordHash,
    ) -> Result<bool, StoreError> {
        let old = old.clone();
        self.durable(work!(old, new; |t| replace_hash(t, user, &old, &new)))
            .await
    }

    async fn change_user(&self, user: UserId, asked: UserChange) -> Result<ChangeUser, StoreError> {
        self.durable(work!(asked; |t| change(t, user, &asked)))
            .await
    }

    async fn reactivate_user(
        &self,
        user: UserId,
        password_version: u32,
    ) -> Result<ChangeUser, StoreError> {
        self.durable(work!(; |t| reactivate(t, user, password_version)))
            .await
    }

    async fn change_password(
        &self,
        user: UserId,
        version: u32,
        new: PasswordHash,
        keep: Option<SessionId>,
    ) -> Result<ChangePassword, StoreError> {
        self.durable(work!(new; |t| change_password(t, user, version, &new, keep)))
            .await
    }

    async fn delete_user(&self, user: UserId) -> Result<DeleteUser, StoreError> {
        self.durable(work!(; |t| deletion::delete(t, user))).await
    }
}

pub(super) async fn create(
    transaction: &Transaction<'_>,
    user: &User,
) -> Result<CreateUser, DatabaseError> {
    // Waits for a transaction that is taking the name.
    const INSERT: &str = "INSERT INTO users \
         (id, username, username_key, password_hash, password_version, email, email_key, is_verified, \
          full_name, role, is_active, created_at, last_login, deactivated_by_self) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
         ON CONFLICT DO NOTHING";
    let email_key = user.email.as_ref().map(|email| email.key());
    if name_is_somebodys(transaction, &user.username_key).await? {
        transaction.wait_for_what_was_read().await?;
        return Ok(CreateUser::NameTaken);
    }
    if let Some(key) = &email_key
        && locks::is_verified_by_another(transaction, key, user.id).await?
    {
        transaction.wait_for_what_was_read().await?;
        return Ok(CreateUser::EmailTaken);
    }
    let added = transaction
        .execute(
            INSERT,
            &[
                &row::user_id(user.id),
                &user.username.as_str(),
                &user.username_key.as_str(),
                &user.password.as_str(),
                &i64::from(user.password_version),
                &user.email.as_ref().map(|email| email.as_str()),
                &email_key.as_ref().map(|key| key.as_str()),
                &user.is_verified,
                &user.full_name.as_ref().map(|name| name.as_str()),
                &user.role.as_str(),
                &user.is_active,
                &row::millis(user.created_at),
                &user.last_login.map(row::millis),
                &user.deactivated_by_self,
            ],
        )
        .await?;
    if added == 1 {
        return Ok(CreateUser::Created);
    }
    transaction.wait_for_what_was_read().await?;
    Ok(CreateUser::NameTaken)
}

pub(super) async fn name_is_taken(
    transaction: &Transaction<'_>,
    name: &UsernameKey,
) -> Result<bool, DatabaseError> {
    let taken = name_is_somebodys(transaction, name).await?;
    transaction.wait_for_what_was_read().await?;
    Ok(taken)
}

async fn name_is_somebodys(
    transaction: &Transaction<'_>,
    name: &UsernameKey,
) -> Result<bool, DatabaseError> {
    const SELECT: &str = "SELECT 1 FROM users WHERE username_key = $1";
    let Some(key) = row::searchable(name.as_str()) else {
        return Ok(false);
    };
    Ok(transaction.row(SELECT, &[&key]).await?.is_some())
}

pub(super) async fn replace_hash(
    transaction: &Transaction<'_>,
    user: UserId,
    old: &PasswordHash,
    new: &PasswordHash,
) -> Result<bool, DatabaseError> {
    const UPDATE: &str = "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2";
    let replaced = transaction
        .execute(UPDATE, &[&row::user_id(user), &old.as_str(), &new.as_str()])
        .await?;
    if replaced == 0 {
        transaction.wait_for_what_was_read().await?;
    }
    Ok(replaced == 1)
}

pub(super) async fn change_password(
    transaction: &Transaction<'_>,
    user: UserId,
    version: u32,
    new: &PasswordHash,
    keep: Option<SessionId>,
) -> Result<ChangePassword, DatabaseError> {
    const UPDATE: &str = "UPDATE users \
         SET password_hash = $2, password_version = password_version + 1 WHERE id = $1";
    let found = locks::user(transaction, user).await?;
    if found.is_none_or(|user| user.password_version != version) {
        transaction.wait_for_what_was_read().await?;
        return Ok(ChangePassword::Outdated);
    }
    let kept = match keep {
        None => None,
        Some(keep) => {
            let renewed = sessions::renew(transaction, keep, user).await?;
            if renewed.is_none() {
                transaction.wait_for_what_was_read().await?;
                return Ok(ChangePassword::SessionOver);
            }
            renewed
        }
    };
    transaction
        .execute(UPDATE, &[&row::user_id(user), &new.as_str()])
        .await?;
    sessions::end_all(transaction, user, keep).await?;
    void_tokens(transaction, user).await?;
    Ok(ChangePassword::Changed(kept))
}

pub(super) async fn reactivate(
    transaction: &Transaction<'_>,
    id: UserId,
    password_version: u32,
) -> Result<ChangeUser, DatabaseError> {
    const UPDATE: &str =
        "UPDATE users SET is_active = true, deactivated_by_self = false WHERE id = $1";
    let found = locks::user(transaction, id).await?;
    let Some(before) = found.filter(|user| user.may_reactivate(password_version)) else {
        transaction.wait_for_what_was_read().await?;
        return Ok(ChangeUser::Unknown);
    };
    transaction.execute(UPDATE, &[&row::user_id(id)]).await?;
    let after = before.reactivated();
    Ok(ChangeUser::Changed {
        before: Box::new(before),
        after: Box::new(after),
    })
}

pub(super) async fn change(
    transaction: &Transaction<'_>,
    id: UserId,
    change: &UserChange,
) -> Result<ChangeUser, DatabaseError> {
    const UPDATE: &str = "UPDATE users SET full_name = $2, role = $3, is_active = $4, \
         deactivated_by_self = $5 WHERE id = $1";
    const END_SESSIONS: &str = "DELETE FROM sessions WHERE user_id = $1";
    let Some(before) = locks::user(transaction, id).await? else {
        transaction.wait_for_what_was_read().await?;
        return Ok(ChangeUser::Unknown);
    };
    let after = change.apply(&before);
    if change.makes_an_admin_unduly(&before, &after) {
        transaction.wait_for_what_was_read().await?;
        return Ok(ChangeUser::NewAdmin);
    }
    if before.is_active_admin()
        && !after.is_active_admin()
        && !locks::another_active_admin(transaction, id).await?
    {
        transaction.wait_for_what_was_read().await?;
        return Ok(ChangeUser::LastAdmin);
    }
    let key = row::user_id(id);
    if before.is_active && !after.is_active {
        // Sessions first. A rotation locks its session and reads the user without a lock, so a session must not be
        // rotated after others see the user as deactivated.
        transaction.execute(END_SESSIONS, &[&key]).await?;
        void_tokens(transaction, id).await?;
    }
    transaction
        .execute(
            UPDATE,
            &[
                &key,
                &after.full_name.as_ref().map(|name| name.as_str()),
                &after.role.as_str(),
                &after.is_active,
                &after.deactivated_by_self,
            ],
        )
        .await?;
    Ok(ChangeUser::Changed {
        before: Box::new(before),
        after: Box::new(after),
    })
}

pub(super) async fn void_tokens(
    transaction: &Transaction<'_>,
    user: UserId,
) -> Result<(), DatabaseError> {
    const DELETE: &str = "DELETE FROM one_time_tokens WHERE user_id = $1";
    transaction.execute(DELETE, &[&row::user_id(user)]).await?;
    Ok(())
}
