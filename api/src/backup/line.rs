//! The lines of a file. These types are the format: they only change with its version, not with the program's own
//! records.

mod account;
mod event;
mod factors;
mod invite;
mod mail;
mod older;
mod token_key;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use password_auth_core::tokens::WrittenKeys;
use password_auth_model::Timestamp;
use password_auth_store::{Loaded, Record};
use serde::{Deserialize, Serialize};

use self::account::{SessionLine, UserLine};
use self::event::EventLine;
use self::factors::FactorsLine;
use self::invite::InviteLine;
use self::mail::{OneTimeTokenLine, QueuedEmailLine};
use self::token_key::TokenKeyLine;

/// The name of the format in the first line.
pub(super) const FORMAT: &str = "password-auth dump";

/// The version that is written. Older versions can be read. Since version 3, addresses are compared by another
/// function, and the clients that present tokens are recorded. Version 4 adds kinds of records.
pub(super) const VERSION: u64 = 4;

/// The first version whose verified addresses are all different by the current comparison.
pub(super) const ADDRESSES_AS_TODAY: u64 = 3;

/// The first line. Later versions may add fields.
#[derive(Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) format: String,
    pub(super) version: u64,
}

/// Every other line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    User(UserLine),
    Session(SessionLine),
    Attempt(AttemptLine),
    OneTimeToken(OneTimeTokenLine),
    Event(EventLine),
    #[serde(rename = "letter")]
    QueuedEmail(QueuedEmailLine),
    Factors(FactorsLine),
    TokenKey(TokenKeyLine),
    Invite(InviteLine),
    Keys(WrittenKeys),
    End(EndLine),
}

/// The content of a line.
pub(super) enum Content {
    Record(Record),
    Keys(WrittenKeys),
    End(EndLine),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AttemptLine {
    /// Base64url.
    key: String,
    until: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndLine {
    pub(super) users: u64,
    pub(super) sessions: u64,
    pub(super) attempts: u64,
    pub(super) one_time_tokens: u64,
    pub(super) events: u64,
    #[serde(rename = "letters")]
    pub(super) mails: u64,
    // Not in version 3.
    #[serde(default)]
    pub(super) factors: u64,
    // Not before version 4.
    #[serde(default)]
    pub(super) token_keys: u64,
    #[serde(default)]
    pub(super) invites: u64,
    /// The checksum of all bytes before this line, in hexadecimal.
    pub(super) sha256: String,
}

impl EndLine {
    pub(super) const fn new(counts: Loaded, sha256: String) -> Self {
        Self {
            users: counts.users,
            sessions: counts.sessions,
            attempts: counts.attempts,
            one_time_tokens: counts.one_time_tokens,
            events: counts.events,
            mails: counts.mails,
            factors: counts.factors,
            token_keys: counts.token_keys,
            invites: counts.invites,
            sha256,
        }
    }

    pub(super) const fn counts(&self) -> Loaded {
        Loaded {
            users: self.users,
            sessions: self.sessions,
            attempts: self.attempts,
            one_time_tokens: self.one_time_tokens,
            events: self.events,
            mails: self.mails,
            factors: self.factors,
            token_keys: self.token_keys,
            invites: self.invites,
        }
    }
}

impl From<Record> for Line {
    fn from(record: Record) -> Self {
        match record {
            Record::User(user) => Self::User(user.into()),
            Record::Session(session) => Self::Session(session.into()),
            Record::Attempt { key, until } => Self::Attempt(AttemptLine {
                key: URL_SAFE_NO_PAD.encode(key),
                until,
            }),
            Record::OneTimeToken(token) => Self::OneTimeToken(token.into()),
            Record::Event(event) => Self::Event(event.into()),
            Record::QueuedEmail(queued_email) => Self::QueuedEmail(queued_email.into()),
            Record::Factors(factors) => Self::Factors(factors.into()),
            Record::TokenKey(key) => Self::TokenKey(key.into()),
            Record::Invite(invite) => Self::Invite(invite.into()),
        }
    }
}

impl Line {
    /// Parses a line of a file of this version.
    pub(super) fn read(version: u64, line: &[u8]) -> serde_json::Result<Self> {
        match version {
            1 => serde_json::from_slice::<older::Line>(line).map(Self::from),
            _ => serde_json::from_slice(line),
        }
    }

    /// `None` if its key or its hash is not valid.
    pub(super) fn content(self) -> Option<Content> {
        let record = match self {
            Self::User(user) => user.into(),
            Self::Session(session) => session.into(),
            Self::Attempt(attempt) => attempt.record()?,
            Self::OneTimeToken(token) => token.record()?,
            Self::Event(event) => event.into(),
            Self::QueuedEmail(queued_email) => queued_email.into(),
            Self::Factors(factors) => factors.into(),
            Self::TokenKey(key) => key.record()?,
            Self::Invite(invite) => invite.record()?,
            Self::Keys(keys) => return Some(Content::Keys(keys)),
            Self::End(end) => return Some(Content::End(end)),
        };
        Some(Content::Record(record))
    }
}

impl AttemptLine {
    fn record(&self) -> Option<Record> {
        let key = URL_SAFE_NO_PAD.decode(&self.key).ok()?;
        Some(Record::Attempt {
            key: key.try_into().ok()?,
            until: self.until,
        })
    }
}

#[cfg(test)]
mod tests;
