//! What is kept: the trait that every engine implements, and its records.
//!
//! A method is a whole intention and atomic: nobody reads, decides and writes in three steps. Absent is
//! `Ok(None)`; a conflict is a named variant. Unless a method says otherwise, its answer, also that
//! nothing had to change, comes after everything that it depends on has reached the disk.

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
    /// Adds a user, unless his name is taken.
    async fn create_user(&self, user: User) -> Result<CreateUser, StoreError>;

    /// The user of that name. A read: it waits for no disk write.
    async fn user_by_name(&self, name: &UsernameKey) -> Result<Option<User>, StoreError>;

    /// Whether somebody has the name. That somebody has it is on disk when this says so.
    async fn name_is_taken(&self, name: &UsernameKey) -> Result<bool, StoreError>;

    /// Sets `new` if the user's hash is still `old`; says whether it was.
    async fn replace_password_hash(
        &self,
        user: UserId,
        old: &PasswordHash,
        new: PasswordHash,
    ) -> Result<bool, StoreError>;

    /// Allows or forbids the user to sign in; `None` if there is no such user.
    async fn set_user_active(&self, user: UserId, active: bool) -> Result<Option<()>, StoreError>;

    /// Adds a session, if its user is there and active; says whether it did.
    async fn create_session(&self, session: Session) -> Result<bool, StoreError>;

    /// The session and its user. A read: it waits for no disk write.
    async fn session(&self, id: SessionId) -> Result<Option<(Session, User)>, StoreError>;

    /// Presents generation `presented` of a session: [`sessions::decide`](crate::sessions::decide) and
    /// what it decides, as one compare-and-set. `arrival` is when the request came. `None` if there is no
    /// such session, or its user is gone or disabled.
    async fn rotate_session(
        &self,
        id: SessionId,
        presented: Generation,
        arrival: Timestamp,
    ) -> Result<Option<Rotation>, StoreError>;

    /// Notes that an access token of `generation` was accepted, if that is the session's generation.
    /// Does not wait for the disk: losing it can miss a theft, but never signs anybody out.
    async fn confirm_generation(
        &self,
        id: SessionId,
        generation: Generation,
    ) -> Result<(), StoreError>;

    /// Removes a session; no error if it is not there. One that was ended for a theft stays on record, so
    /// that its owner is told.
    async fn end_session(&self, id: SessionId) -> Result<(), StoreError>;

    /// Counts one try at an account, unless its network is one that was remembered for the account. Does
    /// not wait for the disk: a crash may forget the last moment's tries.
    async fn count_attempt(
        &self,
        attempt: SignInAttempt,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Verdict, StoreError>;

    /// Remembers, until then, that somebody signed in to the account from that network. Does not wait for
    /// the disk.
    async fn remember_network(
        &self,
        attempt: SignInAttempt,
        until: Timestamp,
    ) -> Result<(), StoreError>;

    /// Removes, in small steps, sessions that expired [`KEPT_AFTER_EXPIRY`](crate::sessions) before `now`
    /// and counts of tries that are paid off by `now`; says how many records went.
    /// Does not wait for the disk.
    async fn sweep(&self, now: Timestamp) -> Result<usize, StoreError>;

    /// Everything that is kept, as one picture of a moment at or after the call, while writes go on. One at
    /// a time: another is refused as busy. Dropping the stream ends it. Nothing is promised of the disk:
    /// the picture may hold a write that nobody was told of yet.
    async fn dump(&self) -> Result<Records, StoreError>;

    /// Writes `records` into a store in which nothing is, all or nothing, in bounded memory. Nobody else
    /// may use the store meanwhile.
    async fn load(&self, records: Records) -> Result<Loaded, LoadError>;

    /// Ready once the engine can write no more, for example because the disk is full. Whoever runs the
    /// server ends it then, so that its supervisor starts it anew.
    async fn failed(&self);

    /// Writes everything down and lets go of the files. Later calls fail.
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
