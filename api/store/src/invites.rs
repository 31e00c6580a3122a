//! Invitations to register.

use async_trait::async_trait;
use password_auth_model::{EmailKey, Invite, InviteId, Timestamp, TokenHash, User, UserId};

use super::error::StoreError;
use super::outcomes::CreateInvited;

/// Where invitations are kept.
#[async_trait]
pub trait InviteStore: Send + Sync + 'static {
    /// Adds an invitation, unless it is [by](Invite::by) somebody who is no active admin. Returns whether it was added.
    async fn add_invite(&self, invite: Invite) -> Result<bool, StoreError>;

    /// The invitation with this token, if it is [valid](Invite::is_valid). A read: it sees everything that was
    /// acknowledged on any node, and does not wait for the disk.
    async fn invite(&self, token: &TokenHash, now: Timestamp)
    -> Result<Option<Invite>, StoreError>;

    /// The invitations with greater ids, valid or not, in the order of their ids: all, or those that one user made. A
    /// long read, like [`users`](super::UserStore::users).
    async fn invites(
        &self,
        by: Option<UserId>,
        after: Option<InviteId>,
        limit: u32,
    ) -> Result<Vec<Invite>, StoreError>;

    /// Adds a token to the newest valid invitation to this address. Returns that invitation.
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
