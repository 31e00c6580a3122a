//! Tries that are counted.

use async_trait::async_trait;
use password_auth_model::{Attempt, Rate, SignInAttempt, Timestamp, Verdict};

use super::error::StoreError;

/// Where tries are counted.
#[async_trait]
pub trait AttemptStore: Send + Sync + 'static {
    /// Counts one attempt, as [`Rate::count`] says. Does not wait for the disk: a crash may lose the attempts of the last moment.
    async fn count(
        &self,
        attempt: Attempt,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Verdict, StoreError>;

    /// Counts one sign-in attempt at an account, as [`Rate::count`] says. An attempt from a network that is remembered
    /// for the account is allowed and not counted. Does not wait for the disk: a crash may lose the attempts of the
    /// last moment.
    async fn count_attempt(
        &self,
        attempt: SignInAttempt,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Verdict, StoreError>;

    /// Takes back, after a success, how waits have [grown](Rate::growing). Does not wait for the disk.
    async fn forgive(&self, attempt: Attempt, rate: Rate, now: Timestamp)
    -> Result<(), StoreError>;

    /// Whether the network is remembered for the account.
    async fn network_is_remembered(
        &self,
        attempt: SignInAttempt,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Remembers this network for the account until just before `until`. The last call wins, also if its time is earlier. Does not wait for the disk.
    async fn remember_network(
        &self,
        attempt: SignInAttempt,
        until: Timestamp,
    ) -> Result<(), StoreError>;
}
