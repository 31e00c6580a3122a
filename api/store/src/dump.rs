//! Everything that is stored, as a stream of records: how backups leave and enter an engine. The file format is up to
//! `dump`; how an engine takes a snapshot is up to the engine.

use std::fmt;
use std::pin::Pin;

use async_trait::async_trait;
use futures_util::Stream;
use password_auth_model::{
    Event, Factors, Invite, OneTimeToken, QueuedEmail, Session, Timestamp, TokenKey, User,
};
use serde::{Deserialize, Serialize};

use super::StoreError;

/// How everything that is kept leaves an engine, and enters one.
#[async_trait]
pub trait Backup: Send + Sync + 'static {
    /// Everything that is stored, as a snapshot of one moment at or after the call, while writes go on. One at a time:
    /// another is refused as busy until the engine has read everything. Dropping the stream ends it. The snapshot may
    /// contain writes that are not on disk and not acknowledged yet.
    async fn dump(&self) -> Result<Records, StoreError>;

    /// Writes `records` into an empty store: all or nothing, in bounded memory. The store must not be used meanwhile.
    async fn load(&self, records: Records) -> Result<Loaded, LoadError>;
}

/// One stored record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// A user.
    User(User),
    /// A session.
    Session(Session),
    /// A count of tries, or a remembered network: see [`SignInAttempt`](password_auth_model::SignInAttempt).
    Attempt {
        /// A digest.
        key: [u8; 16],
        /// Until when it is valid.
        until: Timestamp,
    },
    /// A one-time token that was mailed.
    OneTimeToken(OneTimeToken),
    /// Something that happened.
    Event(Event),
    /// A queued mail.
    QueuedEmail(QueuedEmail),
    /// The second factors of a user.
    Factors(Factors),
    /// A key that signs access tokens, without its private half.
    TokenKey(TokenKey),
    /// An invitation.
    Invite(Invite),
}

/// Records in batches: users in the order of their ids, then sessions in the order of theirs, then attempts in the
/// order of their keys, then one-time tokens by hash, events and queued mails by id, second factors by user, token
/// keys by salt, invitations by id; all compared as
/// bytes. Ends at its first error.
pub type Records = Pin<Box<dyn Stream<Item = Result<Vec<Record>, StoreError>> + Send>>;

/// What [`Backup::load`] has written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loaded {
    /// Users.
    pub users: u64,
    /// Sessions.
    pub sessions: u64,
    /// Counts of tries and remembered networks.
    pub attempts: u64,
    /// One-time tokens.
    pub one_time_tokens: u64,
    /// Events.
    pub events: u64,
    /// Queued mails.
    pub mails: u64,
    /// Users with second factors.
    pub factors: u64,
    /// Keys that sign access tokens.
    pub token_keys: u64,
    /// Invitations.
    pub invites: u64,
}

impl Loaded {
    /// Counts one more.
    pub const fn count(&mut self, record: &Record) {
        match record {
            Record::User(_) => self.users += 1,
            Record::Session(_) => self.sessions += 1,
            Record::Attempt { .. } => self.attempts += 1,
            Record::OneTimeToken(_) => self.one_time_tokens += 1,
            Record::Event(_) => self.events += 1,
            Record::QueuedEmail(_) => self.mails += 1,
            Record::Factors(_) => self.factors += 1,
            Record::TokenKey(_) => self.token_keys += 1,
            Record::Invite(_) => self.invites += 1,
        }
    }

    /// All of them.
    #[must_use]
    pub const fn sum(&self) -> u64 {
        self.users
            + self.sessions
            + self.attempts
            + self.one_time_tokens
            + self.events
            + self.mails
            + self.factors
            + self.token_keys
            + self.invites
    }
}

impl fmt::Display for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            users,
            sessions,
            attempts,
            one_time_tokens,
            events,
            mails,
            factors,
            token_keys,
            invites,
        } = self;
        write!(
            f,
            "{users} users, {sessions} sessions, {attempts} attempt counters, {one_time_tokens} \
             one-time tokens, {events} events, {mails} queued mails, second factors of {factors} users, \
             {token_keys} public keys, {invites} invitations"
        )
    }
}

/// Why nothing was loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The store contains records.
    #[error("the store is not empty")]
    NotEmpty,
    /// The stream of records failed.
    #[error("{0}")]
    Records(StoreError),
    /// Two records contradict each other, such as a name that occurs twice or a session without a user.
    #[error("the records contradict each other: {0}")]
    Contradiction(String),
    /// The engine failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
