//! Second factors: one record for each user who has any.

use async_trait::async_trait;
use password_auth_model::{FactorChange, Factors, Timestamp, UserId};

use super::SledStore;
use super::change::Batch;
use super::codec::{Stored, encode};
use super::opened::Tables;
use super::trees::{IndexEntry, Tree, timed_key};
use crate::{ChangeFactors, FactorStore, StoreError};

impl Stored for Factors {}

#[async_trait]
impl FactorStore for SledStore {
    async fn factors(&self, user: UserId) -> Result<Factors, StoreError> {
        self.tables()?.factors(user)
    }

    async fn change_factors(
        &self,
        user: UserId,
        password_version: Option<u32>,
        change: FactorChange,
        now: Timestamp,
    ) -> Result<ChangeFactors, StoreError> {
        self.durable(move |tables| apply(tables, user, password_version, &change, now))
            .await
    }
}

impl Tables {
    pub(super) fn factors(&self, user: UserId) -> Result<Factors, StoreError> {
        let found = self.record(Tree::Factors, user.as_bytes())?;
        Ok(found.unwrap_or_else(|| Factors::none_of(user)))
    }
}

pub(super) fn apply(
    tables: &Tables,
    id: UserId,
    password_version: Option<u32>,
    change: &FactorChange,
    now: Timestamp,
) -> Result<ChangeFactors, StoreError> {
    let user = tables
        .user(id)?
        .filter(|user| password_version.is_none_or(|version| version == user.password_version));
    if user.is_none() {
        return Ok(ChangeFactors::Outdated);
    }
    let before = tables.factors(id)?;
    let after = match before.clone().after(change, now) {
        Ok(after) => after,
        Err(refusal) => return Ok(ChangeFactors::Refused(refusal)),
    };
    let mut batch = Batch::default();
    replace(&mut batch, &before, &after)?;
    batch.apply(tables)?;
    Ok(ChangeFactors::Changed {
        before: Box::new(before),
        after: Box::new(after),
    })
}

pub(super) fn replace(
    batch: &mut Batch,
    before: &Factors,
    after: &Factors,
) -> Result<(), StoreError> {
    if before == after {
        return Ok(());
    }
    remove(batch, before);
    for (tree, key, value) in entries(after)? {
        batch.put(tree, key, value);
    }
    Ok(())
}

pub(super) fn remove(batch: &mut Batch, factors: &Factors) {
    let user = factors.user.as_bytes();
    batch.remove(Tree::Factors, user);
    if let Some(expiry) = factors.next_expiry() {
        batch.remove(Tree::FactorExpiry, &timed_key(expiry, user));
    }
}

/// The tree entries of a user's factors: nothing for a user without any.
pub(super) fn entries(factors: &Factors) -> Result<Vec<IndexEntry>, StoreError> {
    if factors.are_nothing() {
        return Ok(Vec::new());
    }
    let user = factors.user.as_bytes();
    let mut entries = vec![(Tree::Factors, user.to_vec(), encode(factors)?)];
    if let Some(expiry) = factors.next_expiry() {
        let key = timed_key(expiry, user).to_vec();
        entries.push((Tree::FactorExpiry, key, Vec::new()));
    }
    Ok(entries)
}
