//! Removing what has expired, in steps small enough that nobody waits long for one. Nodes that sweep at once share
//! the work: each passes over what another holds.

use std::time::Duration;

use super::PostgresStore;
use super::error::Failure;
use super::transact::Transaction;
use crate::events::EVENTS_KEPT;
use crate::sessions::KEPT_AFTER_EXPIRY;
use crate::store::StoreError;

/// Rows that one step removes.
const STEP: u64 = 500;

const SESSIONS: &str = "DELETE FROM sessions WHERE id IN \
     (SELECT id FROM sessions WHERE expires_at <= clock_ms() - $1 \
      ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)";
const ATTEMPTS: &str = "DELETE FROM sign_in_attempts WHERE key IN \
     (SELECT key FROM sign_in_attempts WHERE until <= clock_ms() - $1 \
      ORDER BY until LIMIT $2 FOR UPDATE SKIP LOCKED)";
const TOKENS: &str = "DELETE FROM one_time_tokens WHERE hash IN \
     (SELECT hash FROM one_time_tokens WHERE expires_at <= clock_ms() - $1 \
      ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)";
const EVENTS: &str = "DELETE FROM events WHERE id IN \
     (SELECT id FROM events WHERE at <= clock_ms() - $1 \
      ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED)";

pub(super) async fn sweep(store: &PostgresStore) -> Result<usize, StoreError> {
    let mut removed = 0;
    for (statement, kept) in [
        (SESSIONS, KEPT_AFTER_EXPIRY),
        (ATTEMPTS, Duration::ZERO),
        (TOKENS, Duration::ZERO),
        (EVENTS, EVENTS_KEPT),
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
    Ok(usize::try_from(removed).unwrap_or(usize::MAX))
}

async fn remove(
    transaction: &Transaction<'_>,
    statement: &'static str,
    kept: i64,
) -> Result<u64, Failure> {
    transaction
        .execute(statement, &[&kept, &STEP.cast_signed()])
        .await
}
