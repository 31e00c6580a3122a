//! Sessions: begun, rotated, ended.

use async_trait::async_trait;
use password_auth_model::{
    Generation, Party, Rotation, Session, SessionId, Timestamp, User, UserId,
};

use super::error::StoreError;
use super::outcomes::NewSession;

/// Where sessions are kept.
#[async_trait]
pub trait SessionStore: Send + Sync + 'static {
    /// Adds a session, if its user is there and active, and his password was changed as often as when it was
    /// checked: `password_version`. Notes when he last signed in. Of more than
    /// [`MAX_SESSIONS`](password_auth_model::MAX_SESSIONS) that are on record the oldest goes, by its id, and never the new
    /// one.
    async fn create_session(
        &self,
        session: Session,
        password_version: u32,
    ) -> Result<NewSession, StoreError>;

    /// The session, whatever became of it, and its user, both of one moment. A read: it sees what was
    /// answered on any node, and waits for no disk write.
    async fn session(&self, id: SessionId) -> Result<Option<(Session, User)>, StoreError>;

    /// The person's sessions that are still on record, in the order in which they began; also those that were
    /// ended for a theft, and those that expired lately. A read: it waits for no disk write.
    async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError>;

    /// `by` presents generation `presented` of a session: [`decide`](password_auth_model::decide) and
    /// what it decides, as one compare-and-set. `arrival` is when the request came. `None`, and nothing
    /// changes, if there is no such session, or its user is gone or disabled.
    async fn rotate_session(
        &self,
        id: SessionId,
        presented: Generation,
        by: Party,
        arrival: Timestamp,
    ) -> Result<Option<Rotation>, StoreError>;

    /// Notes that an access token of `generation`, issued to `party`, was accepted, as
    /// [`Session::after_use`] says, whatever else became of the session; no error if it is not there.
    /// Does not wait for the disk: losing it can miss a theft, but never signs anybody out.
    async fn note_use(
        &self,
        id: SessionId,
        generation: Generation,
        party: Party,
    ) -> Result<(), StoreError>;

    /// Removes a session, an expired one and a disabled user's too; no error if it is not there. One that
    /// was ended for a theft stays on record as it is, so that its owner is told.
    async fn end_session(&self, id: SessionId) -> Result<(), StoreError>;

    /// As [`end_session`](Self::end_session), if it is that person's; says whether it was removed. An expired one
    /// that is still on record is.
    async fn end_session_of(&self, user: UserId, id: SessionId) -> Result<bool, StoreError>;

    /// As [`end_session`](Self::end_session), all of the person's but `keep`; how many were removed.
    async fn end_sessions_of(
        &self,
        user: UserId,
        keep: Option<SessionId>,
    ) -> Result<u64, StoreError>;
}
