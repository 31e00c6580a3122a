//! Invitations to register.

use async_trait::async_trait;
use password_auth_model::{EmailKey, Invite, InviteId, Timestamp, TokenHash, User};

use super::error::StoreError;
use super::outcomes::CreateInvited;

/// Where invitations are kept.
#[async_trait]
pub trait InviteStore: Send + Sync + 'static {
    /// Adds an invitation.
    async fn add_invite(&self, invite: Invite) -> Result<(), StoreError>;

    /// The invitation with this token, if it has not expired. A read: it sees everything that was acknowledged on any
    /// node, and does not wait for the disk.
    async fn invite(&self, token: &TokenHash, now: Timestamp)
    -> Result<Option<Invite>, StoreError>;

    /// The invitations with greater ids, expired or not, in the order of their ids. A long read, like
    /// [`users`](super::UserStore::users).
    async fn invites(&self, after: Option<InviteId>, limit: u32)
    -> Result<Vec<Invite>, StoreError>;

    /// Adds a token to the newest invitation to this address that has not expired. Returns that invitation.
    async fn add_invite_token(
        &self,
        email: &EmailKey,
        token: TokenHash,
        now: Timestamp,
    ) -> Result<Option<Invite>, StoreError>;

    /// Removes an invitation. Returns whether there was one.
    async fn remove_invite(&self, id: InviteId) -> Result<bool, StoreError>;

    /// Creates a user as [`create_user`](super::UserStore::create_user) does, and removes the invitation in the same
    /// step. If no user is created, the invitation stays.
    async fn create_invited_user(
        &self,
        user: User,
        token: &TokenHash,
        now: Timestamp,
    ) -> Result<CreateInvited, StoreError>;
}
