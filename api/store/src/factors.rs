//! Second factors.

use async_trait::async_trait;
use password_auth_model::{FactorChange, Factors, Timestamp, UserId};

use super::error::StoreError;
use super::outcomes::ChangeFactors;

/// Where second factors are kept.
#[async_trait]
pub trait FactorStore: Send + Sync + 'static {
    /// The user's factors, [none](Factors::none_of) if nothing is stored. A read: it sees everything that was
    /// acknowledged on any node, and does not wait for the disk.
    async fn factors(&self, user: UserId) -> Result<Factors, StoreError>;

    /// Makes the change, as [`Factors::after`] says, as one compare-and-set. With a `password_version`, only if the
    /// password still has it.
    async fn change_factors(
        &self,
        user: UserId,
        password_version: Option<u32>,
        change: FactorChange,
        now: Timestamp,
    ) -> Result<ChangeFactors, StoreError>;
}
