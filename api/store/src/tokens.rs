//! One-time tokens, and what they change: passwords and addresses.

use async_trait::async_trait;
use password_auth_model::{OneTimeToken, PasswordHash, Timestamp, TokenHash, User};

use super::error::StoreError;
use super::outcomes::ConfirmEmail;

/// Where one-time tokens are kept.
#[async_trait]
pub trait OneTimeTokenStore: Send + Sync + 'static {
    /// Adds a one-time token, if its user [may have it](User::may_have_token); says whether it did.
    async fn add_one_time_token(&self, token: OneTimeToken) -> Result<bool, StoreError>;

    /// The token with that hash, if it has not expired at `now`, and its user, who is active. Looking does not use
    /// it up. A read: it waits for no disk write.
    async fn one_time_token(
        &self,
        hash: &TokenHash,
        now: Timestamp,
    ) -> Result<Option<(OneTimeToken, User)>, StoreError>;

    /// Takes a token that is good for a new password at `now`, and does as
    /// [`change_password`](crate::UserStore::change_password) does; ends all sessions. The address that the token was mailed to
    /// is verified by it, unless somebody else has verified it. The user after it; `None`, and nothing changes, if
    /// the token is not good, or the address is not the person's any more.
    async fn reset_password(
        &self,
        hash: &TokenHash,
        new: PasswordHash,
        now: Timestamp,
    ) -> Result<Option<User>, StoreError>;

    /// Takes a token that verifies, or changes, the address at `now`. The address that it was mailed to is the
    /// person's then, and verified. A change voids the person's other one-time tokens. Nothing happens to a token
    /// whose address somebody else has verified meanwhile. A used one is remembered until it expires, or is void.
    async fn confirm_email(
        &self,
        hash: &TokenHash,
        now: Timestamp,
    ) -> Result<ConfirmEmail, StoreError>;
}
