//! Public keys: few, so that all of them are read and compared.

use async_trait::async_trait;
use password_auth_model::{Timestamp, TokenKey, TokenKeyChange, TokenKeyRefusal};

use super::SledStore;
use super::change::Batch;
use super::codec::{decode, encode};
use super::opened::Tables;
use super::trees::{IndexEntry, Tree, unavailable};
use crate::{StoreError, TokenKeyStore};

#[async_trait]
impl TokenKeyStore for SledStore {
    async fn token_keys(&self) -> Result<Vec<TokenKey>, StoreError> {
        all(self.tables()?)
    }

    async fn change_token_keys(
        &self,
        change: TokenKeyChange,
        now: Timestamp,
    ) -> Result<Result<Vec<TokenKey>, TokenKeyRefusal>, StoreError> {
        self.durable(move |tables| {
            let before = all(tables)?;
            let changed = change.apply(&before, now);
            if let Ok(after) = &changed {
                replace(tables, &before, after)?;
            }
            Ok(changed)
        })
        .await
    }
}

fn all(tables: &Tables) -> Result<Vec<TokenKey>, StoreError> {
    let keys = tables.tree(Tree::TokenKeys).iter().values();
    keys.map(|key| decode(&key.map_err(unavailable)?)).collect()
}

/// Removes what has expired. Returns how many keys that were.
pub(super) fn sweep(tables: &Tables, now: Timestamp) -> Result<usize, StoreError> {
    let before = all(tables)?;
    let after: Vec<_> = before
        .iter()
        .filter(|key| !key.is_forgotten(now))
        .copied()
        .collect();
    replace(tables, &before, &after)?;
    Ok(before.len() - after.len())
}

fn replace(tables: &Tables, before: &[TokenKey], after: &[TokenKey]) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    for gone in before.iter().filter(|key| !after.contains(key)) {
        batch.remove(Tree::TokenKeys, &gone.salt);
    }
    for new in after.iter().filter(|key| !before.contains(key)) {
        let (tree, key, value) = entry(new)?;
        batch.put(tree, key, value);
    }
    batch.apply(tables)
}

pub(super) fn entry(key: &TokenKey) -> Result<IndexEntry, StoreError> {
    Ok((Tree::TokenKeys, key.salt.to_vec(), encode(key)?))
}
