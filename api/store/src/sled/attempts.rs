//! Writes about attempt counters.

use async_trait::async_trait;
use password_auth_model::{Attempt, Rate, SignInAttempt, Timestamp, Verdict};

use super::SledStore;
use super::change::Change;
use super::opened::Tables;
use super::trees::{Tree, moment, read_moment};
use crate::{AttemptStore, StoreError};

#[async_trait]
impl AttemptStore for SledStore {
    async fn count(
        &self,
        attempt: Attempt,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Verdict, StoreError> {
        self.relaxed(move |tables| count(tables, attempt.key(), rate, now))
            .await
    }

    async fn count_attempt(
        &self,
        attempt: SignInAttempt,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Verdict, StoreError> {
        self.relaxed(move |tables| count_sign_in(tables, attempt, rate, now))
            .await
    }

    async fn network_is_remembered(
        &self,
        attempt: SignInAttempt,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        is_remembered(self.tables()?, attempt, now)
    }

    async fn remember_network(
        &self,
        attempt: SignInAttempt,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        self.relaxed(move |tables| remember_network(tables, attempt, until))
            .await
    }
}

/// Counts an attempt, unless it comes from a network that is remembered for the account.
pub(super) fn count_sign_in(
    tables: &Tables,
    attempt: SignInAttempt,
    rate: Rate,
    now: Timestamp,
) -> Result<Verdict, StoreError> {
    if is_remembered(tables, attempt, now)? {
        return Ok(Verdict::Allowed);
    }
    count(tables, attempt.account(), rate, now)
}

fn is_remembered(
    tables: &Tables,
    attempt: SignInAttempt,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let until = tables.bytes(Tree::Attempts, attempt.network())?;
    let until = until.as_deref().and_then(read_moment);
    Ok(until.is_some_and(|until| until > now))
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
