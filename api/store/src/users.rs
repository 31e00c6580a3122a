//! Users: who there is, and what changes about them.

use async_trait::async_trait;
use password_auth_model::{EmailKey, PasswordHash, SessionId, User, UserId, UsernameKey};

use super::error::StoreError;
use super::outcomes::{ChangePassword, ChangeUser, CreateUser, DeleteUser, UserChange, UserFilter};

/// Of how many accounts with one address that nobody has verified is known: half of them the first, half the last.
pub const MAX_NAMESAKES: usize = 256;

/// Where users are kept.
#[async_trait]
pub trait UserStore: Send + Sync + 'static {
    /// Adds a user, unless his name, or his address as a verified one, is somebody else's: one name has one user,
    /// however many ask for it at once. The name is looked at first.
    async fn create_user(&self, user: User) -> Result<CreateUser, StoreError>;

    /// The user. A read: it sees what was answered on any node, and waits for no disk write.
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError>;

    /// The user of that name, `None` also if it is one that nobody can have. A read: it sees what was
    /// answered on any node, and waits for no disk write.
    async fn user_by_name(&self, name: &UsernameKey) -> Result<Option<User>, StoreError>;

    /// Who gave that address: the one who has verified it, alone; else those who have not, in the order of their ids: of
    /// more than [`MAX_NAMESAKES`] the first half of so many and the last half. A read: it waits for no disk write.
    async fn users_by_email(&self, email: &EmailKey) -> Result<Vec<User>, StoreError>;

    /// Who gave that address and has that very hash, if nobody has verified the address: an active one before others, then
    /// the one who came first. However many gave it, the cost is that of one. A read: it waits for no disk write.
    async fn user_by_email_and_hash(
        &self,
        email: &EmailKey,
        password: &PasswordHash,
    ) -> Result<Option<User>, StoreError>;

    /// Users in the order of their ids, that is of when they came: `limit` of them behind the first `skip`. A
    /// read that no other kind of read waits behind: it waits for no disk write, and is refused as busy while too
    /// many of its kind wait.
    async fn users(
        &self,
        filter: UserFilter,
        skip: u32,
        limit: u32,
    ) -> Result<Vec<User>, StoreError>;

    /// How many users there are. A read of the kind of [`users`](Self::users).
    async fn count_users(&self) -> Result<u64, StoreError>;

    /// Whether somebody has the name. That somebody has it is on disk when this says so.
    async fn name_is_taken(&self, name: &UsernameKey) -> Result<bool, StoreError>;

    /// Sets `new` if the user's hash is still `old`; says whether it was. `false` if there is no such user.
    async fn replace_password_hash(
        &self,
        user: UserId,
        old: &PasswordHash,
        new: PasswordHash,
    ) -> Result<bool, StoreError>;

    /// Changes what `change` names, unless that would leave no active admin. Somebody who is deactivated loses
    /// his sessions, whatever became of them, and his one-time tokens in the same step.
    async fn change_user(&self, user: UserId, change: UserChange)
    -> Result<ChangeUser, StoreError>;

    /// Lets in again a user who deactivated the account himself, if the password was changed as often as when it was
    /// checked; one who is active stays it. [`Unknown`](ChangeUser::Unknown), and nothing changes, of anybody else.
    async fn reactivate_user(
        &self,
        user: UserId,
        password_version: u32,
    ) -> Result<ChangeUser, StoreError>;

    /// Sets another password if it was changed `version` times before; counts the change; ends all of the person's
    /// sessions but `keep`, and voids his one-time tokens. `keep`, which is to be his and not ended, is
    /// [renewed](Session::renewed): what was issued for it so far is void, too.
    async fn change_password(
        &self,
        user: UserId,
        version: u32,
        new: PasswordHash,
        keep: Option<SessionId>,
    ) -> Result<ChangePassword, StoreError>;

    /// Removes the user and everything that is about him: sessions, one-time tokens, letters, events, counts of
    /// tries. Unless that would leave no active admin. Letters to his address that are about nobody yet go too, unless
    /// somebody else gave the address and he did not verify it; the count of letters to it only if he did, lest
    /// whoever comes and goes with a stranger's address has no limit.
    async fn delete_user(&self, user: UserId) -> Result<DeleteUser, StoreError>;
}
