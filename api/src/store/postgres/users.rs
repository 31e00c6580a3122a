//! People.

use super::error::Failure;
use super::reads::Reads;
use super::row::{self, user_columns};
use super::transact::Transaction;
use crate::accounts::UsernameKey;
use crate::id::UserId;
use crate::passwords::PasswordHash;
use crate::store::{CreateUser, StoreError, User};

pub(super) async fn create(
    transaction: &Transaction<'_>,
    user: &User,
) -> Result<CreateUser, Failure> {
    // Waits for whoever is just taking the name.
    const INSERT: &str = "INSERT INTO users (id, username, username_key, password_hash, is_active, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
    let added = transaction
        .execute(
            INSERT,
            &[
                &row::user_id(user.id),
                &user.username.as_str(),
                &user.username_key.as_str(),
                &user.password.as_str(),
                &user.is_active,
                &row::millis(user.created_at),
            ],
        )
        .await?;
    if added == 1 {
        return Ok(CreateUser::Created);
    }
    transaction.wait_for_what_was_read().await?;
    Ok(CreateUser::NameTaken)
}

pub(super) async fn by_name(reads: &Reads, name: &UsernameKey) -> Result<Option<User>, StoreError> {
    const SELECT: &str = concat!(
        "SELECT ",
        user_columns!(),
        " FROM users u WHERE u.username_key = $1"
    );
    let Some(key) = searchable(name) else {
        return Ok(None);
    };
    let found = reads.row(SELECT, &[&key]).await?;
    found.map(|found| row::user(&found, 0)).transpose()
}

pub(super) async fn name_is_taken(
    transaction: &Transaction<'_>,
    name: &UsernameKey,
) -> Result<bool, Failure> {
    const SELECT: &str = "SELECT 1 FROM users WHERE username_key = $1";
    let Some(key) = searchable(name) else {
        return Ok(false);
    };
    let taken = transaction.row(SELECT, &[&key]).await?.is_some();
    transaction.wait_for_what_was_read().await?;
    Ok(taken)
}

pub(super) async fn replace_hash(
    transaction: &Transaction<'_>,
    user: UserId,
    old: &PasswordHash,
    new: &PasswordHash,
) -> Result<bool, Failure> {
    const UPDATE: &str = "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2";
    let replaced = transaction
        .execute(UPDATE, &[&row::user_id(user), &old.as_str(), &new.as_str()])
        .await?;
    if replaced == 0 {
        transaction.wait_for_what_was_read().await?;
    }
    Ok(replaced == 1)
}

pub(super) async fn set_active(
    transaction: &Transaction<'_>,
    user: UserId,
    active: bool,
) -> Result<Option<()>, Failure> {
    // Nobody signs in meanwhile (see `sessions::create`), so that these are all of his sessions.
    const LOCK: &str = "SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE";
    // A rotation reads its user without a lock, while it holds its session's: it comes before this or after.
    // Locked here, since people are disabled far less often than sessions rotate.
    const LOCK_SESSIONS: &str = "SELECT 1 FROM sessions WHERE user_id = $1 FOR NO KEY UPDATE";
    const UPDATE: &str = "UPDATE users SET is_active = $2 WHERE id = $1";
    let id = row::user_id(user);
    transaction.execute(LOCK, &[&id]).await?;
    if !active {
        transaction.execute(LOCK_SESSIONS, &[&id]).await?;
    }
    let found = transaction.execute(UPDATE, &[&id, &active]).await?;
    if found == 0 {
        transaction.wait_for_what_was_read().await?;
        return Ok(None);
    }
    Ok(Some(()))
}

/// PostgreSQL's texts hold no NUL, and no name that can be registered does: nobody has such a name.
fn searchable(name: &UsernameKey) -> Option<&str> {
    let key = name.as_str();
    (!key.contains('\0')).then_some(key)
}
