//! Tries that are counted.

use async_trait::async_trait;
use password_auth_model::{Attempt, Rate, SignInAttempt, Timestamp, Verdict};

use super::error::StoreError;

/// Where tries are counted.
#[async_trait]
pub trait AttemptStore: Send + Sync + 'static {
    /// Counts one try of a kind that has no other count. Does not wait for the disk: a crash may forget the last
    /// moment's tries.
    async fn count(
        &self,
        attempt: Attempt,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Verdict, StoreError>;

    /// Counts one try at an account, as [`Rate::decide`] says. From a network that is remembered for the
    /// account a try is allowed and not counted. Does not wait for the disk: a crash may forget the last
    /// moment's tries.
    async fn count_attempt(
        &self,
        attempt: SignInAttempt,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Verdict, StoreError>;

    /// Remembers that somebody signed in to the account from that network, up to the moment before `until`;
    /// the last call counts, also if its moment is the earlier one. Does not wait for the disk.
    async fn remember_network(
        &self,
        attempt: SignInAttempt,
        until: Timestamp,
    ) -> Result<(), StoreError>;
}
