//! The store: the trait that every engine implements, and its records.
//!
//! A method is a whole intention and atomic: callers never read, decide and write in three steps. Absent is `Ok(None)`;
//! a conflict is a named variant. Unless a method says otherwise, it returns after everything that its result depends
//! on is on disk, also if it changed nothing.
//!
//! Overlapping calls, on one node or several, have the same effect as if they came one after the other in some order
//! (linearizability). The id of an added record is new, and no text in a record contains a NUL. `arrival` and `now` are
//! for engines without a clock. An engine that nodes share uses the clock of its server and subtracts the time that a
//! request waited.
//!
//! The tests in `api/store/tests` check all of this for every engine.

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
    Attempt, EmailKey, Event, EventId, Generation, OneTimeToken, Party, PasswordHash, QueuedEmail,
    QueuedEmailId, Rate, Rotation, Session, SessionId, SignInAttempt, Timestamp, TokenHash, User,
    UserId, UsernameKey, Verdict,
};

pub use dump::{LoadError, Loaded, Record, Records};
pub use error::StoreError;
pub use outcomes::{
    ChangePassword, ChangeUser, ConfirmEmail, CreateUser, DeleteUser, NewSession, UserChange,
    UserFilter,
};

/// The most accounts with the same unverified address that are returned: half of them the oldest, half the newest.
pub const MAX_NAMESAKES: usize = 256;

/// Logged if two accounts have verified the same address, which an older version could allow.
pub const SAME_ADDRESS: &str = "two accounts have verified the same e-mail address: it is now \
                                unverified for the later account, which can verify another";

/// Stores everything.
#[async_trait]
pub trait Store: Send + Sync + 'static {
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
    /// [renewed](Session::renewed), so that tokens issued for it so far are invalid.
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

    /// Adds a session, if its user exists and is active, and the password still has the version that was checked:
    /// `password_version`. Sets the time of the last sign-in. If there are more than
    /// [`MAX_SESSIONS`](password_auth_model::MAX_SESSIONS), the one with the lowest id is removed, but never the new
    /// one.
    async fn create_session(
        &self,
        session: Session,
        password_version: u32,
    ) -> Result<NewSession, StoreError>;

    /// The user's stored sessions, in the order in which they began, including those that ended by a theft or expired
    /// lately. A read: it does not wait for the disk.
    async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError>;

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

    /// The session, ended or not, and its user, both at the same moment. A read: it sees everything that was
    /// acknowledged on any node, and does not wait for the disk.
    async fn session(&self, id: SessionId) -> Result<Option<(Session, User)>, StoreError>;

    /// `by` presents generation `presented` of a session. Calls [`sessions::decide`](password_auth_model::decide) and
    /// applies the decision, as one compare-and-set. `arrival` is when the request came. Returns `None` and changes
    /// nothing if there is no such session, or its user does not exist or is deactivated.
    async fn rotate_session(
        &self,
        id: SessionId,
        presented: Generation,
        by: Party,
        arrival: Timestamp,
    ) -> Result<Option<Rotation>, StoreError>;

    /// Records that an access token of `generation`, issued to `party`, was accepted, as [`Session::after_use`] says,
    /// whatever the state of the session. Not an error if there is no such session. Does not wait for the disk: if it
    /// is lost, a theft may be missed, but nobody is signed out.
    async fn note_use(
        &self,
        id: SessionId,
        generation: Generation,
        party: Party,
    ) -> Result<(), StoreError>;

    /// Removes a session, also an expired one or one of a deactivated user. Not an error if there is no such session. A
    /// session that ended by a theft is kept, so that its owner is told.
    async fn end_session(&self, id: SessionId) -> Result<(), StoreError>;

    /// Adds a one-time token, if its user exists and is active. Returns whether it was added.
    async fn add_one_time_token(&self, token: OneTimeToken) -> Result<bool, StoreError>;

    /// The token with this hash and its user, if the token has not expired at `now` and the user is active. Does not
    /// use the token up. A read: it does not wait for the disk.
    async fn one_time_token(
        &self,
        hash: &TokenHash,
        now: Timestamp,
    ) -> Result<Option<(OneTimeToken, User)>, StoreError>;

    /// Uses up a password reset token that is valid at `now`, and does the same as
    /// [`change_password`](Self::change_password), but ends all sessions. This also verifies the address that the token
    /// was mailed to, unless another user has verified it. Returns the user after the change. Returns `None` and
    /// changes nothing if the token is not valid, or if the user no longer has the address.
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

    /// Adds an event. For a user who does not exist, only [`Deleted`](password_auth_model::EventKind::Deleted) is
    /// added. If the account has more events of the same class than [the limit](crate::events::Class::room), the oldest
    /// are removed; if several nodes add at once, with the next event. Does not wait for the disk.
    async fn add_event(&self, event: Event) -> Result<(), StoreError>;

    /// Events, the latest first: of one user or of all, older than the event `before` if it is given, at most `limit`.
    /// A long read, like [`users`](Self::users).
    async fn events(
        &self,
        user: Option<UserId>,
        before: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError>;

    /// Adds a mail to the queue, unless the user that it is about does not exist.
    async fn enqueue_email(&self, queued_email: QueuedEmail) -> Result<(), StoreError>;

    /// Claims the mail that has been due longest at `now`, for one caller: it is due again at `until`, and its number
    /// of tries is raised. Does not wait for the disk.
    async fn claim_email(
        &self,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<QueuedEmail>, StoreError>;

    /// When the next mail is due. A read: it does not wait for the disk.
    async fn next_email_due(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Sets when to try a mail again. Not an error if it is gone. Does not wait for the disk.
    async fn postpone_email(&self, id: QueuedEmailId, due: Timestamp) -> Result<(), StoreError>;

    /// Removes a mail that was sent or dropped. Not an error if it is gone.
    async fn remove_email(&self, id: QueuedEmailId) -> Result<(), StoreError>;

    /// Counts one attempt. Does not wait for the disk: a crash may lose the attempts of the last moment.
    async fn count(
        &self,
        attempt: Attempt,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Verdict, StoreError>;

    /// Counts one sign-in attempt at an account, as [`Rate::decide`] says. An attempt from a network that is remembered
    /// for the account is allowed and not counted. Does not wait for the disk: a crash may lose the attempts of the
    /// last moment.
    async fn count_attempt(
        &self,
        attempt: SignInAttempt,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Verdict, StoreError>;

    /// Remembers until just before `until` that there was a sign-in to the account from this network. The last call
    /// wins, also if its time is earlier. Does not wait for the disk.
    async fn remember_network(
        &self,
        attempt: SignInAttempt,
        until: Timestamp,
    ) -> Result<(), StoreError>;

    /// Removes, in small steps, what has expired at `now`: sessions that expired at least
    /// [`KEPT_AFTER_EXPIRY`](password_auth_model::KEPT_AFTER_EXPIRY) ago, attempt counters and remembered networks that
    /// have run out, expired one-time tokens, and events older than [`EVENTS_KEPT`](password_auth_model::EVENTS_KEPT).
    /// Returns how many records were removed. A record that is in use may stay until the next sweep, and so may some
    /// counters among many that stay. Does not wait for the disk.
    async fn sweep(&self, now: Timestamp) -> Result<usize, StoreError>;

    /// Everything that is stored, as a snapshot of one moment at or after the call, while writes go on. One at a time:
    /// another is refused as busy until the engine has read everything. Dropping the stream ends it. The snapshot may
    /// contain writes that are not on disk and not acknowledged yet.
    async fn dump(&self) -> Result<Records, StoreError>;

    /// Writes `records` into an empty store: all or nothing, in bounded memory. The store must not be used meanwhile.
    async fn load(&self, records: Records) -> Result<Loaded, LoadError>;

    /// Completes once the engine can no longer write, for example because the disk is full. The server then ends, so
    /// that its supervisor starts it again.
    async fn failed(&self);

    /// Writes everything to disk. Later calls, also reads, fail as [unavailable](StoreError::Unavailable). A second
    /// close does nothing. The files are released when the store is dropped.
    async fn close(&self);
}
