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
mod gate;
mod outcomes;
#[cfg(feature = "sled")]
pub mod panics;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "sled")]
pub mod sled;
pub mod threads;

use async_trait::async_trait;
use password_auth_model::{
    Attempt, EmailKey, Event, EventId, Generation, Letter, LetterId, OneTimeToken, Party,
    PasswordHash, Rate, Rotation, Session, SessionId, SignInAttempt, Timestamp, TokenHash, User,
    UserId, UsernameKey, Verdict,
};

pub use dump::{LoadError, Loaded, Record, Records};
pub use error::StoreError;
pub use outcomes::{
    ChangePassword, ChangeUser, ConfirmEmail, CreateUser, DeleteUser, NewSession, UserChange,
    UserFilter,
};

/// Of how many accounts with one address that nobody has verified is known: half of them the first, half the last.
pub const MAX_NAMESAKES: usize = 256;

/// What is said of two accounts that verified one address, as an older version compared two.
pub const SAME_ADDRESS: &str = "two accounts have verified the same e-mail address: it is now \
                                unverified for the later account, which can verify another";

/// Where everything lives.
#[async_trait]
pub trait Store: Send + Sync + 'static {
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

    /// Adds a session, if its user is there and active, and his password was changed as often as when it was
    /// checked: `password_version`. Notes when he last signed in. Of more than
    /// [`MAX_SESSIONS`](password_auth_model::MAX_SESSIONS) that are on record the oldest goes, by its id, and never the new
    /// one.
    async fn create_session(
        &self,
        session: Session,
        password_version: u32,
    ) -> Result<NewSession, StoreError>;

    /// The person's sessions that are still on record, in the order in which they began; also those that were
    /// ended for a theft, and those that expired lately. A read: it waits for no disk write.
    async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError>;

    /// As [`end_session`](Self::end_session), if it is that person's; says whether it was removed. An expired one
    /// that is still on record is.
    async fn end_session_of(&self, user: UserId, id: SessionId) -> Result<bool, StoreError>;

    /// As [`end_session`](Self::end_session), all of the person's but `keep`; how many were removed.
    async fn end_sessions_of(
        &self,
        user: UserId,
        keep: Option<SessionId>,
    ) -> Result<u64, StoreError>;

    /// The session, whatever became of it, and its user, both of one moment. A read: it sees what was
    /// answered on any node, and waits for no disk write.
    async fn session(&self, id: SessionId) -> Result<Option<(Session, User)>, StoreError>;

    /// `by` presents generation `presented` of a session: [`sessions::decide`](password_auth_model::decide) and
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

    /// Adds a one-time token, if its user is there and active; says whether it did.
    async fn add_one_time_token(&self, token: OneTimeToken) -> Result<bool, StoreError>;

    /// The token with that hash, if it has not expired at `now`, and its user, who is active. Looking does not use
    /// it up. A read: it waits for no disk write.
    async fn one_time_token(
        &self,
        hash: &TokenHash,
        now: Timestamp,
    ) -> Result<Option<(OneTimeToken, User)>, StoreError>;

    /// Takes a token that is good for a new password at `now`, and does as
    /// [`change_password`](Self::change_password) does; ends all sessions. The address that the token was mailed to
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

    /// Keeps an event; of somebody who is gone only that he is ([`Deleted`](password_auth_model::Happening::Deleted)).
    /// Of more of the account's events than [there is room for](password_auth_model::Class::room) the oldest of the same
    /// class go; where several nodes add at once, with the next one. Does not wait for the disk.
    async fn add_event(&self, event: Event) -> Result<(), StoreError>;

    /// Events, the latest first: of one person or of all, older than the event `before` if that is given; `limit`
    /// of them at most. A read of the kind of [`users`](Self::users).
    async fn events(
        &self,
        user: Option<UserId>,
        before: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError>;

    /// Puts a letter into the queue, unless the person whom it is about is gone.
    async fn add_letter(&self, letter: Letter) -> Result<(), StoreError>;

    /// The letter that has been due longest at `now`, for whoever asks first: it is due again at `until`, with one
    /// try more. Does not wait for the disk.
    async fn claim_letter(
        &self,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Letter>, StoreError>;

    /// When the next letter is due. A read: it waits for no disk write.
    async fn next_letter_due(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Sets when to try a letter again; no error if it is gone. Does not wait for the disk.
    async fn postpone_letter(&self, id: LetterId, due: Timestamp) -> Result<(), StoreError>;

    /// Removes a letter that was sent, or given up; no error if it is gone.
    async fn remove_letter(&self, id: LetterId) -> Result<(), StoreError>;

    /// Counts one try of a kind that has no other count. Does not wait for the disk: a crash may forget the last
    /// moment's tries.
    async fn count(
        &self,
        attempt: Attempt,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Verdict, StoreError>;

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
    /// [`KEPT_AFTER_EXPIRY`](password_auth_model::KEPT_AFTER_EXPIRY) ago or earlier, counts of tries that are
    /// paid off, networks that are remembered no longer, one-time tokens that expired, and events older than
    /// [`EVENTS_KEPT`](password_auth_model::EVENTS_KEPT). Says how many records went. What somebody is using
    /// at this moment may stay until the next time, and so may some counts, where most of many are to stay. Does not
    /// wait for the disk.
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
