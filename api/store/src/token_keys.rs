//! The keys that sign access tokens where others verify them: what of them is public.

use async_trait::async_trait;
use password_auth_model::{Timestamp, TokenKey, TokenKeyChange, TokenKeyRefusal};

use super::error::StoreError;

/// Where the public part of signing keys is kept, shared by all nodes.
#[async_trait]
pub trait TokenKeyStore: Send + Sync + 'static {
    /// All keys. A read: it sees everything that was acknowledged on any node, and does not wait for the disk.
    async fn token_keys(&self) -> Result<Vec<TokenKey>, StoreError>;

    /// Replaces the keys by what [`TokenKeyChange::apply`] makes of them, and returns these. If it refuses, nothing was
    /// written.
    async fn change_token_keys(
        &self,
        change: TokenKeyChange,
        now: Timestamp,
    ) -> Result<Result<Vec<TokenKey>, TokenKeyRefusal>, StoreError>;
}
