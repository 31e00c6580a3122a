//! Public keys: few, so that all of them are read and compared.

use std::time::Duration;

use async_trait::async_trait;
use password_auth_model::{Timestamp, TokenKey, TokenKeyChange, TokenKeyRefusal};
use tokio_postgres::Row;

use super::PostgresStore;
use super::error::DatabaseError;
use super::row::{self, get, moment};
use super::transact::{Transaction, work};
use crate::{StoreError, TokenKeyStore};

/// The columns that [`token_key`] reads.
macro_rules! token_key_columns {
    () => {
        "salt, secret, public, created_at, signs_from, stops_at, token_lifetime"
    };
}

pub(super) use token_key_columns;

const SELECT: &str = concat!(
    "SELECT ",
    token_key_columns!(),
    " FROM token_keys ORDER BY salt"
);

#[async_trait]
impl TokenKeyStore for PostgresStore {
    async fn token_keys(&self) -> Result<Vec<TokenKey>, StoreError> {
        let rows = self.reads.rows(SELECT, &[]).await?;
        rows.iter().map(token_key).collect()
    }

    async fn change_token_keys(
        &self,
        change: TokenKeyChange,
        _now: Timestamp,
    ) -> Result<Result<Vec<TokenKey>, TokenKeyRefusal>, StoreError> {
        self.durable(work!(change; |t| apply(t, &change))).await
    }
}

pub(super) fn token_key(row: &Row) -> Result<TokenKey, StoreError> {
    Ok(TokenKey {
        salt: bytes(row, 0)?,
        secret: bytes(row, 1)?,
        public: bytes(row, 2)?,
        created: moment(row, 3)?,
        signs_from: moment(row, 4)?,
        stops: match get::<Option<i64>>(row, 5)? {
            Some(_) => Some(moment(row, 5)?),
            None => None,
        },
        token_lifetime: Duration::from_millis(moment(row, 6)?.as_millis()),
    })
}

fn bytes<const N: usize>(row: &Row, column: usize) -> Result<[u8; N], StoreError> {
    let bytes = get::<&[u8]>(row, column)?.try_into();
    bytes.map_err(|_| StoreError::Corrupt("a key of another length".to_owned()))
}

/// A lifetime as it is stored.
pub(super) fn stored(lifetime: Duration) -> i64 {
    i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX)
}

async fn apply(
    transaction: &Transaction<'_>,
    change: &TokenKeyChange,
) -> Result<Result<Vec<TokenKey>, TokenKeyRefusal>, DatabaseError> {
    const LOCK: &str = "LOCK TABLE token_keys IN SHARE ROW EXCLUSIVE MODE";
    const NOW: &str = "SELECT clock_ms()";
    const DELETE: &str = "DELETE FROM token_keys WHERE salt = $1";
    const INSERT: &str = concat!(
        "INSERT INTO token_keys (",
        token_key_columns!(),
        ") VALUES ($1, $2, $3, $4, $5, $6, $7)"
    );
    transaction.execute(LOCK, &[]).await?;
    let now = transaction.row(NOW, &[]).await?;
    let now = now.ok_or_else(|| StoreError::Corrupt("no time".to_owned()))?;
    let now = moment(&now, 0)?;
    let rows = transaction.rows(SELECT, &[]).await?;
    let before = rows.iter().map(token_key).collect::<Result<Vec<_>, _>>()?;
    let changed = change.apply(&before, now);
    let after = changed.as_deref().unwrap_or(&before);
    for gone in before.iter().filter(|key| !after.contains(key)) {
        transaction.execute(DELETE, &[&&gone.salt[..]]).await?;
    }
    for new in after.iter().filter(|key| !before.contains(key)) {
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 7] = [
            &&new.salt[..],
            &&new.secret[..],
            &&new.public[..],
            &row::millis(new.created),
            &row::millis(new.signs_from),
            &new.stops.map(row::millis),
            &stored(new.token_lifetime),
        ];
        transaction.execute(INSERT, &values).await?;
    }
    if after == before {
        transaction.wait_for_what_was_read().await?;
    }
    Ok(changed)
}
