//! Attempt counters, shared by all nodes, by the database's clock.

use async_trait::async_trait;
use password_auth_model::{Attempt, Rate, SignInAttempt, Tally, Timestamp, Verdict};

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

    async fn forgive(
        &self,
        attempt: Attempt,
        rate: Rate,
        _now: Timestamp,
    ) -> Result<(), StoreError> {
        // Nearly always, nothing has grown.
        let growth = attempt.growth();
        match self.reads.row(UNTIL, &[&&growth[..]]).await? {
            Some(found) if moment(&found, 0)? > moment(&found, 1)? => {
                self.relaxed(work!(; |t| forgive(t, attempt, rate))).await
            }
            _ => Ok(()),
        }
    }

    async fn network_is_remembered(
        &self,
        attempt: SignInAttempt,
        _now: Timestamp,
    ) -> Result<bool, StoreError> {
        let network = &attempt.network()[..];
        match self.reads.row(UNTIL, &[&network]).await? {
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

const UNTIL: &str = "SELECT until, clock_ms() FROM sign_in_attempts WHERE key = $1";
const UPSERT: &str = "INSERT INTO sign_in_attempts (key, until) VALUES ($1, $2) \
     ON CONFLICT (key) DO UPDATE SET until = $2";

/// Counts an attempt, unless it comes from a network that is remembered for the account.
pub(super) async fn count_sign_in(
    transaction: &Transaction<'_>,
    attempt: SignInAttempt,
    rate: Rate,
) -> Result<Verdict, DatabaseError> {
    let remembered = Some(attempt.network());
    count_unless(transaction, attempt.counter(), remembered, rate).await
}

pub(super) async fn count(
    transaction: &Transaction<'_>,
    attempt: Attempt,
    rate: Rate,
) -> Result<Verdict, DatabaseError> {
    count_unless(transaction, attempt, None, rate).await
}

async fn count_unless(
    transaction: &Transaction<'_>,
    attempt: Attempt,
    remembered: Option<&[u8; 16]>,
    rate: Rate,
) -> Result<Verdict, DatabaseError> {
    let growth = rate.grows().then(|| attempt.growth());
    let found = read(transaction, attempt, growth, remembered).await?;
    if found.remembered_until > found.now {
        return Ok(Verdict::Allowed);
    }
    let (verdict, next) = rate.count(found.tally, found.now);
    write(transaction, attempt, growth, found.tally, next).await?;
    Ok(verdict)
}

async fn forgive(
    transaction: &Transaction<'_>,
    attempt: Attempt,
    rate: Rate,
) -> Result<(), DatabaseError> {
    let growth = Some(attempt.growth());
    let found = read(transaction, attempt, growth, None).await?;
    let forgiven = rate.forgiven(found.tally, found.now);
    write(transaction, attempt, growth, found.tally, forgiven).await
}

/// What is stored about an attempt.
struct Found {
    now: Timestamp,
    tally: Tally,
    remembered_until: Timestamp,
}

/// Reads it, and locks it until the transaction ends. `growth` is the key of what has grown, if that takes part.
async fn read(
    transaction: &Transaction<'_>,
    attempt: Attempt,
    growth: Option<[u8; 16]>,
    remembered: Option<&[u8; 16]>,
) -> Result<Found, DatabaseError> {
    // The row may not exist yet, so an advisory lock is used instead of a row lock.
    const LOCK: &str = "SELECT pg_advisory_xact_lock($1)";
    const SELECT: &str = "SELECT clock_ms(), \
         (SELECT until FROM sign_in_attempts WHERE key = $1), \
         (SELECT until FROM sign_in_attempts WHERE key = $2), \
         (SELECT until FROM sign_in_attempts WHERE key = $3)";
    let counted = &attempt.key()[..];
    let growth = growth.as_ref().map(|key| &key[..]);
    let remembered = remembered.map(|key| &key[..]);
    let (_, found) = transaction
        .rows_of_both(
            (LOCK, &[&lock_number(counted)]),
            (SELECT, &[&counted, &growth, &remembered]),
        )
        .await?;
    let found = found.ok_or_else(|| StoreError::Corrupt("no time".to_owned()))?;
    let until = |column| {
        let millis = get::<Option<i64>>(&found, column)?.unwrap_or_default();
        Ok::<_, StoreError>(Timestamp::from_millis(u64::try_from(millis).unwrap_or(0)))
    };
    Ok(Found {
        now: moment(&found, 0)?,
        tally: Tally {
            whole_at: until(1)?,
            grown_until: until(2)?,
        },
        remembered_until: until(3)?,
    })
}

/// Writes what has changed. It is the last statement of a transaction.
async fn write(
    transaction: &Transaction<'_>,
    attempt: Attempt,
    growth: Option<[u8; 16]>,
    before: Tally,
    after: Tally,
) -> Result<(), DatabaseError> {
    const UPSERT_BOTH: &str = "INSERT INTO sign_in_attempts (key, until) VALUES ($1, $2), ($3, $4) \
         ON CONFLICT (key) DO UPDATE SET until = EXCLUDED.until";
    if after == before {
        return Ok(());
    }
    let (counted, whole_at) = (&attempt.key()[..], row::millis(after.whole_at));
    match growth.filter(|_| after.grown_until != before.grown_until) {
        None => {
            transaction
                .execute_and_commit(UPSERT, &[&counted, &whole_at])
                .await?
        }
        Some(growth) => {
            let (growth, grown_until) = (&growth[..], row::millis(after.grown_until));
            transaction
                .execute_and_commit(UPSERT_BOTH, &[&counted, &whole_at, &growth, &grown_until])
                .await?
        }
    };
    Ok(())
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
