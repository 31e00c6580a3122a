//! Users: who there is, and what changes about them.

use async_trait::async_trait;
use password_auth_model::{EmailKey, PasswordHash, SessionId, User, UserId, UsernameKey};

use super::error::StoreError;
use super::outcomes::{ChangePassword, ChangeUser, CreateUser, DeleteUser, UserChange, UserFilter};

/// The most accounts with the same unverified address that are returned: half of them the oldest, half the newest.
pub const MAX_NAMESAKES: usize = 256;

/// Where users are kept.
#[async_trait]
pub trait UserStore: Send + Sync + 'static {
    /// Adds a user, unless another user has the name, or has verified the address. A name has one user, however many
    /// requests come at once. The name is checked first.
    async fn create_user(&self, user: User) -> Result<CreateUser, StoreError>;

    /// The user. A read: it sees everything that was acknowledged on any node, and does not wait for the disk.
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError>;

    /// The user with this name. `None` also for a name that no user can have. A read: it sees everything that was
    /// acknowledged on any node, and does not wait for the disk.
    async fn user_by_name(&self, name: &UsernameKey) -> Result<Option<User>, StoreError>;

    /// The users with this address: only the one who has verified it or, if nobody has, all of them in the order of
    /// their ids. Of more than [`MAX_NAMESAKES`], the first and the last half of that number. A read: it does not wait
    /// for the disk.
    async fn users_by_email(&self, email: &EmailKey) -> Result<Vec<User>, StoreError>;

    /// The user with this address and exactly this hash, if nobody has verified the address: active users first, then
    /// the oldest. The cost does not depend on how many users have the address. A read: it does not wait for the disk.
    async fn user_by_email_and_hash(
        &self,
        email: &EmailKey,
        password: &PasswordHash,
    ) -> Result<Option<User>, StoreError>;

    /// Users in the order of their ids, that is, of registration: `limit` of them after the first `skip`. A long read:
    /// it does not delay other reads, does not wait for the disk, and is refused as busy while too many long reads
    /// wait.
    async fn users(
        &self,
        filter: UserFilter,
        skip: u32,
        limit: u32,
    ) -> Result<Vec<User>, StoreError>;

    /// The number of users. A long read, like [`users`](Self::users).
    async fn count_users(&self) -> Result<u64, StoreError>;

    /// Whether a user has the name. If so, that user is on disk when this returns.
    async fn name_is_taken(&self, name: &UsernameKey) -> Result<bool, StoreError>;

    /// Sets `new` if the user's hash is still `old`, and returns whether it was. `false` if there is no such user.
    async fn replace_password_hash(
        &self,
        user: UserId,
        old: &PasswordHash,
        new: PasswordHash,
    ) -> Result<bool, StoreError>;

    /// Makes the change, unless it would leave no active admin. If the user is deactivated, their sessions, ended or
    /// not, and their one-time tokens are removed in the same step.
    async fn change_user(&self, user: UserId, change: UserChange)
    -> Result<ChangeUser, StoreError>;

    /// Reactivates a user who deactivated their own account, if the password still has the version that was checked. An
    /// active user stays active. For all others, returns [`Unknown`](ChangeUser::Unknown) and changes nothing.
    async fn reactivate_user(
        &self,
        user: UserId,
        password_version: u32,
    ) -> Result<ChangeUser, StoreError>;

    /// Sets a new password if the current one has the version `version`, and raises the version. Ends all sessions of
    /// the user except `keep`, and removes their one-time tokens. `keep` must be a live session of the user; it is
    /// [renewed](password_auth_model::Session::renewed), so that tokens issued for it so far are invalid.
    async fn change_password(
        &self,
        user: UserId,
        version: u32,
        new: PasswordHash,
        keep: Option<SessionId>,
    ) -> Result<ChangePassword, StoreError>;

    /// Removes the user and everything about them: sessions, one-time tokens, queued mails, events, attempt counters.
    /// Refused if it would leave no active admin. Queued mails to the address that name no user are removed too, unless
    /// another user has the address and this user has not verified it. The counter of mail to the address is only
    /// removed if this user has verified it: otherwise, registering with a stranger's address and deleting the account,
    /// again and again, would get around the limit.
    async fn delete_user(&self, user: UserId) -> Result<DeleteUser, StoreError>;
}
