//! Sessions: begun, rotated, ended.

use async_trait::async_trait;
use password_auth_model::{
    Generation, Identity, Owner, Party, Rotation, Session, SessionId, Timestamp, User, UserId,
};

use super::error::StoreError;
use super::outcomes::NewSession;

/// Where sessions are kept.
#[async_trait]
pub trait SessionStore: Send + Sync + 'static {
    /// Adds a session, if its user exists and is active, and the password still has the version that was checked:
    /// `password_version`. Sets the time of the last sign-in. If there are more than
    /// [`MAX_SESSIONS`](password_auth_model::MAX_SESSIONS), the one with the lowest id is removed, but never the new
    /// one.
    async fn create_session(
        &self,
        session: Session,
        password_version: u32,
    ) -> Result<NewSession, StoreError>;

    /// The session, ended or not, and its user, both at the same moment. A read: it sees everything that was
    /// acknowledged on any node, and does not wait for the disk.
    async fn session(&self, id: SessionId) -> Result<Option<(Session, User)>, StoreError>;

    /// What every request by an access token needs of a session and its user. A read, as [`session`](Self::session) is,
    /// and of one moment as well. Engines may have it in memory, as long as it is what they would read.
    async fn identity(&self, id: SessionId) -> Result<Option<Identity>, StoreError> {
        let found = self.identity_and_user(id).await?;
        Ok(found.map(|(identity, _)| identity))
    }

    /// The same, and the user at that moment.
    async fn identity_and_user(
        &self,
        id: SessionId,
    ) -> Result<Option<(Identity, User)>, StoreError> {
        let found = self.session(id).await?;
        Ok(found.map(|(session, user)| (Identity::of(&session, Owner::from(&user)), user)))
    }

    /// The user's stored sessions, in the order in which they began, including those that ended by a theft or expired
    /// lately. A read: it does not wait for the disk.
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

    /// Records that an access token of `generation`, issued to `party` if that is known, was accepted, as [`Session::after_use`] says,
    /// whatever the state of the session. Not an error if there is no such session. Does not wait for the disk: if it
    /// is lost, a theft may be missed, but nobody is signed out.
    async fn note_use(
        &self,
        id: SessionId,
        generation: Generation,
        party: Option<Party>,
    ) -> Result<(), StoreError>;

    /// Removes a session, also an expired one or one of a deactivated user. Not an error if there is no such session. A
    /// session that ended by a theft is kept, so that its owner is told.
    async fn end_session(&self, id: SessionId) -> Result<(), StoreError>;

    /// Like [`end_session`](Self::end_session), if it is a session of this user. Returns whether it was removed; an
    /// expired session that is still stored is.
    async fn end_session_of(&self, user: UserId, id: SessionId) -> Result<bool, StoreError>;

    /// Like [`end_session`](Self::end_session), for all sessions of the user except `keep`. Returns how many were
    /// removed.
    async fn end_sessions_of(
        &self,
        user: UserId,
        keep: Option<SessionId>,
    ) -> Result<u64, StoreError>;
}
