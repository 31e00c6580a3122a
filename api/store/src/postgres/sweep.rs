//! Removes what has expired, in steps small enough that nobody waits long. Nodes that sweep at the same time share the
//! work: each skips rows that another has locked.

use std::time::Duration;

use password_auth_model::{EVENTS_KEPT, KEPT_AFTER_EXPIRY, TOKEN_KEYS_KEPT};

use uuid::Uuid;

use super::PostgresStore;
use super::error::DatabaseError;
use super::factors;
use super::row::{get, moment};
use super::transact::{Transaction, work};
use crate::StoreError;

/// The most rows that one step removes.
const STEP: u64 = 500;
/// The most users whose factors one step sweeps: each takes statements of its own.
const FACTOR_STEP: u64 = 50;

// Each statement only reads the rows that it removes. The time comes from a subquery, so that it is the same for all
// rows and an index can be used. The rows to remove are an array: the planner does not know how few they are, and would
// compare a join with every row.
const SESSIONS: &str = "DELETE FROM sessions WHERE id = ANY (ARRAY( \
     SELECT id FROM sessions WHERE expires_at <= (SELECT clock_ms() - $1) \
      ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))";
const ATTEMPTS: &str = "DELETE FROM sign_in_attempts WHERE key = ANY (ARRAY( \
     SELECT key FROM sign_in_attempts WHERE until <= (SELECT clock_ms() - $1) \
      ORDER BY until LIMIT $2 FOR UPDATE SKIP LOCKED))";
const TOKENS: &str = "DELETE FROM one_time_tokens WHERE hash = ANY (ARRAY( \
     SELECT hash FROM one_time_tokens WHERE expires_at <= (SELECT clock_ms() - $1) \
      ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))";
/// The users are locked, as they are for every change of their factors.
const FACTORS: &str = "SELECT u.id FROM factors f JOIN users u ON u.id = f.user_id \
      WHERE f.expires_at <= (SELECT clock_ms()) ORDER BY f.expires_at LIMIT $1 FOR UPDATE OF u SKIP LOCKED";
const EVENTS: &str = "DELETE FROM events WHERE id = ANY (ARRAY( \
     SELECT id FROM events WHERE at <= (SELECT clock_ms() - $1) \
      ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED))";

const INVITES: &str = "DELETE FROM invites WHERE id = ANY (ARRAY( \
     SELECT id FROM invites WHERE expires_at <= (SELECT clock_ms() - $1) \
      ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))";
const TOKEN_KEYS: &str = "DELETE FROM token_keys WHERE salt = ANY (ARRAY( \
     SELECT salt FROM token_keys WHERE stops_at + token_lifetime <= (SELECT clock_ms() - $1) \
      LIMIT $2 FOR UPDATE SKIP LOCKED))";

pub(super) async fn sweep(store: &PostgresStore) -> Result<usize, StoreError> {
    let mut removed = 0;
    for (statement, kept) in [
        (SESSIONS, KEPT_AFTER_EXPIRY),
        (ATTEMPTS, Duration::ZERO),
        (TOKENS, Duration::ZERO),
        (EVENTS, EVENTS_KEPT),
        (INVITES, Duration::ZERO),
        (TOKEN_KEYS, TOKEN_KEYS_KEPT),
    ] {
        let kept = i64::try_from(kept.as_millis()).unwrap_or(i64::MAX);
        loop {
            let step = store
                .relaxed(move |transaction| Box::pin(remove(transaction, statement, kept)))
                .await?;
            removed += step;
            if step < STEP {
                break;
            }
        }
    }
    loop {
        let step = store.relaxed(work!(; |t| sweep_factors(t))).await?;
        removed += step;
        if step < FACTOR_STEP {
            break;
        }
    }
    Ok(usize::try_from(removed).unwrap_or(usize::MAX))
}

/// Removes what factors remembered for some minutes. Returns how many users' it was.
async fn sweep_factors(transaction: &Transaction<'_>) -> Result<u64, DatabaseError> {
    const BODY: &str = "SELECT body, clock_ms() FROM factors WHERE user_id = $1";
    let users = transaction
        .rows(FACTORS, &[&FACTOR_STEP.cast_signed()])
        .await?;
    for user in &users {
        let user: Uuid = get(user, 0)?;
        // Read again: what was selected may be older than the lock.
        if let Some(found) = transaction.row(BODY, &[&user]).await? {
            let before = factors::factors(&found)?;
            let after = before.swept(moment(&found, 1)?);
            factors::write(transaction, &after).await?;
        }
    }
    Ok(users.len() as u64)
}

async fn remove(
    transaction: &Transaction<'_>,
    statement: &'static str,
    kept: i64,
) -> Result<u64, DatabaseError> {
    transaction
        .execute(statement, &[&kept, &STEP.cast_signed()])
        .await
}

#[cfg(test)]
mod tests {
    use super::super::plans::{FilledDatabase, GENERIC};
    use super::{ATTEMPTS, EVENTS, SESSIONS, TOKENS};

    #[tokio::test]
    async fn a_sweep_asks_the_indexes_however_many_rows_there_are() {
        const MANY: &str = "INSERT INTO users SELECT gen_random_uuid(), 'a', 'a', '', true, 0; \
             INSERT INTO sessions SELECT gen_random_uuid(), users.id, '', 0, 0, number, 0, true, 0, '[]', null \
             FROM users, generate_series(1, 20000) number; \
             INSERT INTO sign_in_attempts \
             SELECT decode(md5(number::text), 'hex'), number FROM generate_series(1, 20000) number; \
             INSERT INTO one_time_tokens \
             SELECT decode(md5(number::text), 'hex'), users.id, '{}', number \
             FROM users, generate_series(1, 20000) number; \
             INSERT INTO events (id, at, user_id, what) \
             SELECT gen_random_uuid(), number, users.id, '{}' FROM users, generate_series(1, 20000) number";
        let database = FilledDatabase::with(MANY).await;
        for (statement, column) in [
            (SESSIONS, "expires_at"),
            (ATTEMPTS, "until"),
            (TOKENS, "expires_at"),
            (EVENTS, "at"),
        ] {
            let plan = database.plan(GENERIC, statement, "0, 500").await;
            assert!(
                plan.contains(&format!("Index Cond: ({column} <=")),
                "{plan}"
            );
            assert!(!plan.contains("Seq Scan"), "{plan}");
        }
    }
}
