//! Writes about attempt counters.

use async_trait::async_trait;
use password_auth_model::{Attempt, Rate, SignInAttempt, Tally, Timestamp, Verdict};
use sled::IVec;

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
        self.relaxed(move |tables| count(tables, attempt, rate, now))
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

    async fn forgive(
        &self,
        attempt: Attempt,
        rate: Rate,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // Nearly always, nothing has grown.
        if until(self.tables()?, &attempt.growth())?.0 <= now {
            return Ok(());
        }
        self.relaxed(move |tables| forgive(tables, attempt, rate, now))
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
    count(tables, attempt.counter(), rate, now)
}

fn is_remembered(
    tables: &Tables,
    attempt: SignInAttempt,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(until(tables, attempt.network())?.0 > now)
}

/// Counts an attempt.
pub(super) fn count(
    tables: &Tables,
    attempt: Attempt,
    rate: Rate,
    now: Timestamp,
) -> Result<Verdict, StoreError> {
    let growth = rate.grows().then(|| attempt.growth());
    change(tables, attempt, growth, |tally| rate.count(tally, now))
}

fn forgive(
    tables: &Tables,
    attempt: Attempt,
    rate: Rate,
    now: Timestamp,
) -> Result<(), StoreError> {
    let growth = Some(attempt.growth());
    change(tables, attempt, growth, |tally| {
        ((), rate.forgiven(tally, now))
    })
}

/// Changes the tally of an attempt. `growth` is the key of what has grown, if that takes part.
fn change<T>(
    tables: &Tables,
    attempt: Attempt,
    growth: Option<[u8; 16]>,
    decide: impl FnOnce(Tally) -> (T, Tally),
) -> Result<T, StoreError> {
    let (whole_at, old) = until(tables, attempt.key())?;
    let (grown_until, old_growth) = match &growth {
        Some(growth) => until(tables, growth)?,
        None => (Tally::NONE.grown_until, None),
    };
    let before = Tally {
        whole_at,
        grown_until,
    };
    let (result, after) = decide(before);
    // One by one, without a transaction: a crash may lose the attempts of the last moment anyway.
    if let Some(growth) = &growth
        && after.grown_until != before.grown_until
    {
        put(tables, growth, old_growth, after.grown_until)?;
    }
    if after.whole_at != before.whole_at {
        put(tables, attempt.key(), old, after.whole_at)?;
    }
    Ok(result)
}

fn put(
    tables: &Tables,
    key: &[u8; 16],
    old: Option<IVec>,
    until: Timestamp,
) -> Result<(), StoreError> {
    tables.apply(&[Change::Swap {
        tree: Tree::Attempts,
        key,
        old,
        new: &moment(until),
    }])
}

/// The moment under this key, zero if there is none, and its bytes.
fn until(tables: &Tables, key: &[u8; 16]) -> Result<(Timestamp, Option<IVec>), StoreError> {
    let bytes = tables.bytes(Tree::Attempts, key)?;
    let moment = bytes.as_deref().and_then(read_moment);
    Ok((moment.unwrap_or(Timestamp::from_millis(0)), bytes))
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
