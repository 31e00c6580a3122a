//! Second factors: one row for each user who has any.

use async_trait::async_trait;
use password_auth_model::{FactorChange, Factors, Timestamp, UserId};
use tokio_postgres::Row;
use tokio_postgres::types::Json;

use super::error::DatabaseError;
use super::row::{self, get, moment};
use super::transact::{Transaction, work};
use super::{PostgresStore, locks};
use crate::{ChangeFactors, FactorStore, StoreError};

#[async_trait]
impl FactorStore for PostgresStore {
    async fn factors(&self, user: UserId) -> Result<Factors, StoreError> {
        const SELECT: &str = "SELECT body FROM factors WHERE user_id = $1";
        let found = self.reads.row(SELECT, &[&row::user_id(user)]).await?;
        match found {
            Some(found) => factors(&found),
            None => Ok(Factors::none_of(user)),
        }
    }

    async fn change_factors(
        &self,
        user: UserId,
        password_version: Option<u32>,
        change: FactorChange,
        _now: Timestamp,
    ) -> Result<ChangeFactors, StoreError> {
        self.durable(work!(change; |t| apply(t, user, password_version, &change)))
            .await
    }
}

/// The factors in the first column.
pub(super) fn factors(row: &Row) -> Result<Factors, StoreError> {
    let Json(factors) = get(row, 0)?;
    Ok(factors)
}

async fn apply(
    transaction: &Transaction<'_>,
    id: UserId,
    password_version: Option<u32>,
    change: &FactorChange,
) -> Result<ChangeFactors, DatabaseError> {
    const SELECT: &str = "SELECT body FROM factors WHERE user_id = $1";
    const NOW: &str = "SELECT clock_ms()";
    // The lock of the user holds for their factors too.
    let user = locks::user(transaction, id).await?;
    let is_current = |version| {
        user.as_ref()
            .is_some_and(|user| user.password_version == version)
    };
    if user.is_none() || !password_version.is_none_or(is_current) {
        transaction.wait_for_what_was_read().await?;
        return Ok(ChangeFactors::Outdated);
    }
    let (found, now) = transaction
        .rows_of_both((SELECT, &[&row::user_id(id)]), (NOW, &[]))
        .await?;
    let now = now.ok_or_else(|| StoreError::Corrupt("no time".to_owned()))?;
    let before = match found {
        Some(found) => factors(&found)?,
        None => Factors::none_of(id),
    };
    let after = match before.clone().after(change, moment(&now, 0)?) {
        Ok(after) => after,
        Err(refusal) => {
            transaction.wait_for_what_was_read().await?;
            return Ok(ChangeFactors::Refused(refusal));
        }
    };
    if after == before {
        transaction.wait_for_what_was_read().await?;
    } else {
        write(transaction, &after).await?;
    }
    Ok(ChangeFactors::Changed {
        before: Box::new(before),
        after: Box::new(after),
    })
}

/// Writes the factors of a user, whose row is locked.
pub(super) async fn write(
    transaction: &Transaction<'_>,
    factors: &Factors,
) -> Result<(), DatabaseError> {
    const DELETE: &str = "DELETE FROM factors WHERE user_id = $1";
    const UPSERT: &str = "INSERT INTO factors (user_id, body, expires_at) VALUES ($1, $2, $3) \
         ON CONFLICT (user_id) DO UPDATE SET body = $2, expires_at = $3";
    let user = row::user_id(factors.user);
    if factors.are_nothing() {
        transaction.execute(DELETE, &[&user]).await?;
        return Ok(());
    }
    let expiry = factors.next_expiry().map(row::millis);
    transaction
        .execute(UPSERT, &[&user, &Json(factors), &expiry])
        .await?;
    Ok(())
}
