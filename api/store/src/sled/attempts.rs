//! Writes about attempt counters.

use password_auth_model::{Rate, SignInAttempt, Timestamp, Verdict};

use super::change::Change;
use super::opened::Tables;
use super::trees::{Tree, moment, read_moment};
use crate::StoreError;

/// Counts an attempt, unless it comes from a network that is remembered for the account.
pub(super) fn count_sign_in(
    tables: &Tables,
    attempt: SignInAttempt,
    rate: Rate,
    now: Timestamp,
) -> Result<Verdict, StoreError> {
    let remembered = tables.bytes(Tree::Attempts, attempt.network())?;
    if remembered
        .as_deref()
        .and_then(read_moment)
        .is_some_and(|until| until > now)
    {
        return Ok(Verdict::Allowed);
    }
    count(tables, attempt.account(), rate, now)
}

/// Counts an attempt under this key.
pub(super) fn count(
    tables: &Tables,
    key: &[u8; 16],
    rate: Rate,
    now: Timestamp,
) -> Result<Verdict, StoreError> {
    let bytes = tables.bytes(Tree::Attempts, key)?;
    let theoretical_arrival = bytes
        .as_deref()
        .and_then(read_moment)
        .unwrap_or(Timestamp::from_millis(0));
    let (verdict, next) = rate.decide(theoretical_arrival, now);
    if next != theoretical_arrival {
        tables.apply(&[Change::Swap {
            tree: Tree::Attempts,
            key,
            old: bytes,
            new: &moment(next),
        }])?;
    }
    Ok(verdict)
}

pub(super) fn remember_network(
    tables: &Tables,
    attempt: SignInAttempt,
    until: Timestamp,
) -> Result<(), StoreError> {
    tables.apply(&[Change::Put {
        tree: Tree::Attempts,
        key: attempt.network(),
        value: &moment(until),
    }])
}
