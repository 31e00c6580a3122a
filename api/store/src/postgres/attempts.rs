//! Attempt counters, shared by all nodes, by the database's clock.

use async_trait::async_trait;
use password_auth_model::{Attempt, Rate, SignInAttempt, Timestamp, Verdict};

use super::PostgresStore;
use super::error::DatabaseError;
use super::row::{self, get, moment};
use super::transact::{Transaction, work};
use crate::{AttemptStore, StoreError};

#[async_trait]
impl AttemptStore for PostgresStore {
    async fn count(
        &self,
        attempt: Attempt,
        rate: Rate,
        _now: Timestamp,
    ) -> Result<Verdict, StoreError> {
        self.relaxed(work!(; |t| count(t, attempt, rate))).await
    }

    async fn count_attempt(
        &self,
        attempt: SignInAttempt,
        rate: Rate,
        _now: Timestamp,
    ) -> Result<Verdict, StoreError> {
        self.relaxed(work!(; |t| count_sign_in(t, attempt, rate)))
            .await
    }

    async fn network_is_remembered(
        &self,
        attempt: SignInAttempt,
        _now: Timestamp,
    ) -> Result<bool, StoreError> {
        const SELECT: &str = "SELECT until, clock_ms() FROM sign_in_attempts WHERE key = $1";
        let network = &attempt.network()[..];
        match self.reads.row(SELECT, &[&network]).await? {
            Some(found) => Ok(moment(&found, 0)? > moment(&found, 1)?),
            None => Ok(false),
        }
    }

    async fn remember_network(
        &self,
        attempt: SignInAttempt,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        self.relaxed(work!(; |t| remember(t, attempt, until))).await
    }
}

const UPSERT: &str = "INSERT INTO sign_in_attempts (key, until) VALUES ($1, $2) \
     ON CONFLICT (key) DO UPDATE SET until = $2";

/// Counts an attempt, unless it comes from a network that is remembered for the account.
pub(super) async fn count_sign_in(
    transaction: &Transaction<'_>,
    attempt: SignInAttempt,
    rate: Rate,
) -> Result<Verdict, DatabaseError> {
    count_unless(
        transaction,
        attempt.account(),
        Some(attempt.network()),
        rate,
    )
    .await
}

pub(super) async fn count(
    transaction: &Transaction<'_>,
    attempt: Attempt,
    rate: Rate,
) -> Result<Verdict, DatabaseError> {
    count_unless(transaction, attempt.key(), None, rate).await
}

async fn count_unless(
    transaction: &Transaction<'_>,
    counted: &[u8; 16],
    remembered: Option<&[u8; 16]>,
    rate: Rate,
) -> Result<Verdict, DatabaseError> {
    // The row may not exist yet, so an advisory lock is used instead of a row lock.
    const LOCK: &str = "SELECT pg_advisory_xact_lock($1)";
    const SELECT: &str = "SELECT clock_ms(), \
         (SELECT until FROM sign_in_attempts WHERE key = $1), \
         (SELECT until FROM sign_in_attempts WHERE key = $2)";
    let counted = &counted[..];
    let remembered = remembered.map(|key| &key[..]);
    let (_, found) = transaction
        .rows_of_both(
            (LOCK, &[&lock_number(counted)]),
            (SELECT, &[&counted, &remembered]),
        )
        .await?;
    let found = found.ok_or_else(|| StoreError::Corrupt("no time".to_owned()))?;
    let now = moment(&found, 0)?;
    let until = |column| {
        let millis = get::<Option<i64>>(&found, column)?.unwrap_or_default();
        Ok::<_, StoreError>(Timestamp::from_millis(u64::try_from(millis).unwrap_or(0)))
    };
    if until(2)? > now {
        return Ok(Verdict::Allowed);
    }
    let theoretical_arrival = until(1)?;
    let (verdict, next) = rate.decide(theoretical_arrival, now);
    if next != theoretical_arrival {
        transaction
            .execute_and_commit(UPSERT, &[&counted, &row::millis(next)])
            .await?;
    }
    Ok(verdict)
}

pub(super) async fn remember(
    transaction: &Transaction<'_>,
    attempt: SignInAttempt,
    until: Timestamp,
) -> Result<(), DatabaseError> {
    let network = &attempt.network()[..];
    transaction
        .execute(UPSERT, &[&network, &row::millis(until)])
        .await?;
    Ok(())
}

/// Two keys with the same number would only wait for each other.
fn lock_number(key: &[u8]) -> i64 {
    let mut first = [0; 8];
    first.copy_from_slice(&key[..8]);
    i64::from_be_bytes(first)
}
