//! E-mail addresses and one-time tokens.

use async_trait::async_trait;
use password_auth_model::{
    Confirmation, OneTimeToken, PasswordHash, Purpose, Timestamp, TokenHash, User, UserId,
    confirms_email, resets_password, with_reset_password,
};
use tokio_postgres::Row;
use tokio_postgres::types::Json;
use uuid::Uuid;

use super::error::DatabaseError;
use super::reads::Reads;
use super::row::{self, get, moment, user_columns};
use super::transact::{Transaction, work};
use super::{PostgresStore, locks, sessions, users};
use crate::{ConfirmEmail, OneTimeTokenStore, StoreError};

/// The columns that [`one_time_token`] reads, from `one_time_tokens t`.
macro_rules! token_columns {
    () => {
        "t.hash, t.user_id, t.purpose, t.expires_at"
    };
}

pub(super) use token_columns;

#[async_trait]
impl OneTimeTokenStore for PostgresStore {
    async fn add_one_time_token(&self, token: OneTimeToken) -> Result<bool, StoreError> {
        self.durable(work!(token; |t| add_token(t, &token))).await
    }

    async fn one_time_token(
        &self,
        hash: &TokenHash,
        _now: Timestamp,
    ) -> Result<Option<(OneTimeToken, User)>, StoreError> {
        token(&self.reads, hash).await
    }

    async fn reset_password(
        &self,
        hash: &TokenHash,
        new: PasswordHash,
        _now: Timestamp,
    ) -> Result<Option<User>, StoreError> {
        let hash = *hash;
        self.durable(work!(new; |t| reset_password(t, &hash, &new)))
            .await
    }

    async fn confirm_email(
        &self,
        hash: &TokenHash,
        _now: Timestamp,
    ) -> Result<ConfirmEmail, StoreError> {
        let hash = *hash;
        self.durable(work!(; |t| confirm(t, &hash))).await
    }
}

pub(super) async fn add_token(
    transaction: &Transaction<'_>,
    token: &OneTimeToken,
) -> Result<bool, DatabaseError> {
    const INSERT: &str = "INSERT INTO one_time_tokens (hash, user_id, purpose, expires_at) \
         SELECT $1::bytea, u.id, $3::jsonb, $4::bigint \
         FROM users u WHERE u.id = $2 AND (u.is_active OR u.deactivated_by_self AND $5) FOR SHARE";
    let is_reset = matches!(token.purpose, Purpose::ResetPassword(_));
    let added = transaction
        .execute(
            INSERT,
            &[
                &&token.hash.as_bytes()[..],
                &row::user_id(token.user),
                &Json(&token.purpose),
                &row::millis(token.expires),
                &is_reset,
            ],
        )
        .await?;
    if added == 0 {
        transaction.wait_for_what_was_read().await?;
    }
    Ok(added == 1)
}

pub(super) async fn token(
    reads: &Reads,
    hash: &TokenHash,
) -> Result<Option<(OneTimeToken, User)>, StoreError> {
    const SELECT: &str = concat!(
        "SELECT ",
        user_columns!(),
        ", ",
        token_columns!(),
        " FROM one_time_tokens t JOIN users u ON u.id = t.user_id \
         WHERE t.hash = $1 AND t.expires_at > clock_ms()"
    );
    let found = reads.row(SELECT, &[&&hash.as_bytes()[..]]).await?;
    let Some(found) = found else {
        return Ok(None);
    };
    let user = row::user(&found, 0)?;
    let token = one_time_token(&found, row::USER_COLUMNS)?;
    let counts = user.may_have_token(&token.purpose);
    Ok(counts.then_some((token, user)))
}

/// The token in these columns, from column `first` on.
pub(super) fn one_time_token(row: &Row, first: usize) -> Result<OneTimeToken, StoreError> {
    let hash = get::<&[u8]>(row, first)?.try_into();
    let Json(purpose) = get(row, first + 2)?;
    Ok(OneTimeToken {
        hash: TokenHash::from_bytes(
            hash.map_err(|_| StoreError::Corrupt("a hash of another length".to_owned()))?,
        ),
        user: UserId::from_bytes(get::<Uuid>(row, first + 1)?.into_bytes()),
        purpose,
        expires: moment(row, first + 3)?,
    })
}

/// The user and the purpose of a valid token. Both are locked, in the order in which all transactions lock them.
async fn locked(
    transaction: &Transaction<'_>,
    hash: &TokenHash,
) -> Result<Option<(User, Purpose)>, DatabaseError> {
    const WHOSE: &str = "SELECT user_id FROM one_time_tokens WHERE hash = $1";
    const LOCK: &str = "SELECT purpose FROM one_time_tokens \
         WHERE hash = $1 AND expires_at > clock_ms() FOR UPDATE";
    let hash = &hash.as_bytes()[..];
    let Some(found) = transaction.row(WHOSE, &[&hash]).await? else {
        return Ok(None);
    };
    let user = UserId::from_bytes(get::<Uuid>(&found, 0)?.into_bytes());
    let Some(user) = locks::user(transaction, user).await? else {
        return Ok(None);
    };
    let Some(found) = transaction.row(LOCK, &[&hash]).await? else {
        return Ok(None);
    };
    let Json(purpose): Json<Purpose> = get(&found, 0)?;
    let counts = user.may_have_token(&purpose);
    Ok(counts.then_some((user, purpose)))
}

pub(super) async fn reset_password(
    transaction: &Transaction<'_>,
    hash: &TokenHash,
    new: &PasswordHash,
) -> Result<Option<User>, DatabaseError> {
    let found = locked(transaction, hash).await?;
    let found = found.as_ref().and_then(|(user, purpose)| {
        let address = resets_password(purpose, user)?;
        Some((user, address))
    });
    let Some((user, address)) = found else {
        transaction.wait_for_what_was_read().await?;
        return Ok(None);
    };
    let may_be_verified =
        !locks::is_verified_by_another(transaction, &address.key(), user.id).await?;
    let user = with_reset_password(user.clone(), new.clone(), may_be_verified);
    write(transaction, &user).await?;
    sessions::end_all(transaction, user.id, None).await?;
    users::void_tokens(transaction, user.id).await?;
    Ok(Some(user))
}

pub(super) async fn confirm(
    transaction: &Transaction<'_>,
    hash: &TokenHash,
) -> Result<ConfirmEmail, DatabaseError> {
    let Some((before, purpose)) = locked(transaction, hash).await? else {
        transaction.wait_for_what_was_read().await?;
        return Ok(ConfirmEmail::Invalid);
    };
    let confirmed = match confirms_email(&purpose, &before) {
        Confirmation::Confirms(confirmed) => confirmed,
        Confirmation::AlreadyDone => {
            transaction.wait_for_what_was_read().await?;
            return Ok(ConfirmEmail::AlreadyConfirmed(Box::new(before)));
        }
        Confirmation::Invalid => {
            transaction.wait_for_what_was_read().await?;
            return Ok(ConfirmEmail::Invalid);
        }
    };
    let key = confirmed.address.key();
    if locks::is_verified_by_another(transaction, &key, before.id).await? {
        transaction.wait_for_what_was_read().await?;
        return Ok(ConfirmEmail::Taken);
    }
    let after = confirmed.user(&before);
    write(transaction, &after).await?;
    if confirmed.voids_others {
        const VOID_OTHERS: &str = "DELETE FROM one_time_tokens WHERE user_id = $1 AND hash <> $2";
        transaction
            .execute(
                VOID_OTHERS,
                &[&row::user_id(after.id), &&hash.as_bytes()[..]],
            )
            .await?;
    }
    const USED: &str = "UPDATE one_time_tokens SET purpose = $2 WHERE hash = $1";
    transaction
        .execute(USED, &[&&hash.as_bytes()[..], &Json(&confirmed.used())])
        .await?;
    Ok(ConfirmEmail::Confirmed {
        before: Box::new(before),
        after: Box::new(after),
    })
}

/// Writes what a mailed token may change.
async fn write(transaction: &Transaction<'_>, user: &User) -> Result<(), DatabaseError> {
    const UPDATE: &str = "UPDATE users SET password_hash = $2, password_version = $3, email = $4, \
         email_key = $5, is_verified = $6 WHERE id = $1";
    let key = user.email.as_ref().map(|email| email.key());
    transaction
        .execute(
            UPDATE,
            &[
                &row::user_id(user.id),
                &user.password.as_str(),
                &i64::from(user.password_version),
                &user.email.as_ref().map(|email| email.as_str()),
                &key.as_ref().map(|key| key.as_str()),
                &user.is_verified,
            ],
        )
        .await?;
    Ok(())
}
