//! One-time tokens, and what they change: passwords and addresses.

use async_trait::async_trait;
use password_auth_model::{OneTimeToken, PasswordHash, Timestamp, TokenHash, User};

use super::error::StoreError;
use super::outcomes::ConfirmEmail;

/// Where one-time tokens are kept.
#[async_trait]
pub trait OneTimeTokenStore: Send + Sync + 'static {
    /// Adds a one-time token, if its user [may have it](User::may_have_token). Returns whether it was added.
    async fn add_one_time_token(&self, token: OneTimeToken) -> Result<bool, StoreError>;

    /// The token with this hash and its user, if the token has not expired at `now` and the user is active. Does not
    /// use the token up. A read: it does not wait for the disk.
    async fn one_time_token(
        &self,
        hash: &TokenHash,
        now: Timestamp,
    ) -> Result<Option<(OneTimeToken, User)>, StoreError>;

    /// Uses up a password reset token that is valid at `now`, and does the same as
    /// [`change_password`](crate::UserStore::change_password), but ends all sessions. This also verifies the address
    /// that the token was mailed to, unless another user has verified it. Returns the user after the change. Returns
    /// `None` and changes nothing if the token is not valid, or if the user no longer has the address.
    async fn reset_password(
        &self,
        hash: &TokenHash,
        new: PasswordHash,
        now: Timestamp,
    ) -> Result<Option<User>, StoreError>;

    /// Uses up a token that verifies or changes the address and is valid at `now`. The user then has the address that
    /// it was mailed to, verified. A change removes the user's other one-time tokens. If another user has verified the
    /// address meanwhile, the token is not used up. A used token is remembered until it expires or is removed.
    async fn confirm_email(
        &self,
        hash: &TokenHash,
        now: Timestamp,
    ) -> Result<ConfirmEmail, StoreError>;
}
