//! Locks that a transaction holds until it ends, so that what it has read stays true.

use password_auth_model::{EmailKey, User, UserId};
use sha2::{Digest as _, Sha256};

use super::error::DatabaseError;
use super::row::{self, user_columns};
use super::transact::Transaction;

/// Held by a transaction that removes an active admin, from the check for others to the commit.
const ADMINS: i64 = 0x7061_7373_6164_6d6e;

/// A user, with this row lock.
macro_rules! select_user {
    ($lock:literal) => {
        concat!(
            "SELECT ",
            user_columns!(),
            " FROM users u WHERE u.id = $1 FOR ",
            $lock
        )
    };
}

/// The user, locked until the transaction ends.
pub(super) async fn user(
    transaction: &Transaction<'_>,
    id: UserId,
) -> Result<Option<User>, DatabaseError> {
    locked_by(transaction, select_user!("UPDATE"), id).await
}

/// The user, who does not change until the transaction ends. Others may read them in the same way.
pub(super) async fn shared_user(
    transaction: &Transaction<'_>,
    id: UserId,
) -> Result<Option<User>, DatabaseError> {
    locked_by(transaction, select_user!("SHARE"), id).await
}

async fn locked_by(
    transaction: &Transaction<'_>,
    select: &'static str,
    id: UserId,
) -> Result<Option<User>, DatabaseError> {
    let found = transaction.row(select, &[&row::user_id(id)]).await?;
    Ok(found.map(|found| row::user(&found, 0)).transpose()?)
}

/// Whether there is another active admin. No other transaction can remove one until this one ends.
pub(super) async fn another_active_admin(
    transaction: &Transaction<'_>,
    than: UserId,
) -> Result<bool, DatabaseError> {
    const LOCK: &str = "SELECT pg_advisory_xact_lock($1)";
    const SELECT: &str =
        "SELECT 1 FROM users WHERE role = 'admin' AND is_active AND id <> $1 LIMIT 1";
    let (_, another) = transaction
        .rows_of_both((LOCK, &[&ADMINS]), (SELECT, &[&row::user_id(than)]))
        .await?;
    Ok(another.is_some())
}

/// Whether another user has verified the address. No other transaction can verify it until this one ends.
pub(super) async fn is_verified_by_another(
    transaction: &Transaction<'_>,
    email: &EmailKey,
    user: UserId,
) -> Result<bool, DatabaseError> {
    const LOCK: &str = "SELECT pg_advisory_xact_lock($1)";
    const SELECT: &str = "SELECT 1 FROM users WHERE email_key = $1 AND is_verified AND id <> $2";
    let (_, another) = transaction
        .rows_of_both(
            (LOCK, &[&lock_number(email)]),
            (SELECT, &[&email.as_str(), &row::user_id(user)]),
        )
        .await?;
    Ok(another.is_some())
}

/// Two addresses with the same number would only wait for each other.
fn lock_number(email: &EmailKey) -> i64 {
    let digest = Sha256::digest(email.as_str());
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(first)
}
