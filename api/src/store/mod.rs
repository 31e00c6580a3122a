//! What is kept: the trait that every engine implements, and its records.
//!
//! A method is a whole intention and atomic: nobody reads, decides and writes in three steps. Absent is
//! `Ok(None)`; a conflict is a named variant. Unless a method says otherwise, its answer, also that
//! nothing had to change, comes after everything that it depends on has reached the disk.
//!
//! Calls that overlap, on one node or on several, act as if they had come one after the other in some order.
//! The identifier of a record that is added is new, and no text in a record holds a NUL. `arrival` and `now` are
//! for engines without a clock. One that nodes share goes by its server's, and takes a request to have come as
//! much earlier as it waited.
//!
//! `api/tests/store` holds every engine to what is written here.

mod dump;
mod error;
pub mod postgres;
mod records;
pub mod sled;

use async_trait::async_trait;

pub use dump::{LoadError, Loaded, Record, Records};
pub use error::StoreError;
pub use records::User;

use crate::accounts::UsernameKey;
use crate::clock::Timestamp;
use crate::id::{SessionId, UserId};
use crate::passwords::PasswordHash;
use crate::sessions::{Generation, Rotation, Session};
use crate::throttle::{Rate, SignInAttempt, Verdict};

/// Where users and sessions live.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Adds a user, unless his name is taken: one name has one user, however many ask for it at once.
    async fn create_user(&self, user: User) -> Result<CreateUser, StoreError>;

    /// The user of that name, `None` also if it is one that nobody can have. A read: it sees what was
    /// answered on any node, and waits for no disk write.
    async fn user_by_name(&self, name: &UsernameKey) -> Result<Option<User>, StoreError>;

    /// Whether somebody has the name. That somebody has it is on disk when this says so.
    async fn name_is_taken(&self, name: &UsernameKey) -> Result<bool, StoreError>;

    /// Sets `new` if the user's hash is still `old`; says whether it was. `false` if there is no such user.
    async fn replace_password_hash(
        &self,
        user: UserId,
        old: &PasswordHash,
        new: PasswordHash,
    ) -> Result<bool, StoreError>;

    /// Allows or forbids the user to sign in; `None` if there is no such user. His sessions stay as they are,
    /// and rotate again once he is allowed again.
    async fn set_user_active(&self, user: UserId, active: bool) -> Result<Option<()>, StoreError>;

    /// Adds a session, if its user is there and active; says whether it did.
    async fn create_session(&self, session: Session) -> Result<bool, StoreError>;

    /// The session, whatever became of it, and its user, both of one moment. A read: it sees what was
    /// answered on any node, and waits for no disk write.
    async fn session(&self, id: SessionId) -> Result<Option<(Session, User)>, StoreError>;

    /// Presents generation `presented` of a session: [`sessions::decide`](crate::sessions::decide) and
    /// what it decides, as one compare-and-set. `arrival` is when the request came. `None`, and nothing
    /// changes, if there is no such session, or its user is gone or disabled.
    async fn rotate_session(
        &self,
        id: SessionId,
        presented: Generation,
        arrival: Timestamp,
    ) -> Result<Option<Rotation>, StoreError>;

    /// Notes that an access token of `generation` was accepted, if that is the session's generation,
    /// whatever else became of it; no error if the session is not there.
    /// Does not wait for the disk: losing it can miss a theft, but never signs anybody out.
    async fn confirm_generation(
        &self,
        id: SessionId,
        generation: Generation,
    ) -> Result<(), StoreError>;

    /// Removes a session, an expired one and a disabled user's too; no error if it is not there. One that
    /// was ended for a theft stays on record as it is, so that its owner is told.
    async fn end_session(&self, id: SessionId) -> Result<(), StoreError>;

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

    /// Removes, in small steps, what is over at `now`: sessions that expired
    /// [`KEPT_AFTER_EXPIRY`](crate::sessions::KEPT_AFTER_EXPIRY) ago or earlier, counts of tries that are
    /// paid off, networks that are remembered no longer. Says how many records went. What somebody is using
    /// at this moment may stay until the next time, and so may some counts, where most of many are to stay. Does not wait for the disk.
    async fn sweep(&self, now: Timestamp) -> Result<usize, StoreError>;

    /// Everything that is kept, as one picture of a moment at or after the call, while writes go on. One at
    /// a time: another is refused as busy until the engine has read it all. Dropping the stream ends it. Nothing is promised of the disk:
    /// the picture may hold a write that nobody was told of yet.
    async fn dump(&self) -> Result<Records, StoreError>;

    /// Writes `records` into a store in which nothing is, all or nothing, in bounded memory. Nobody else
    /// may use the store meanwhile.
    async fn load(&self, records: Records) -> Result<Loaded, LoadError>;

    /// Ready once the engine can write no more, for example because the disk is full. Whoever runs the
    /// server ends it then, so that its supervisor starts it anew.
    async fn failed(&self);

    /// Writes everything down. Later calls fail as [unavailable](StoreError::Unavailable), reads too; a
    /// second close does nothing. Files are let go of when the store is dropped.
    async fn close(&self);
}

/// What became of [`Store::create_user`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateUser {
    /// The user was added.
    Created,
    /// Another user has the name; nothing was written.
    NameTaken,
}
