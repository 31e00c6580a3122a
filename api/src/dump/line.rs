//! A line of the file, and what it stands for. These types are the format: they change with its version,
//! not with the program's own records.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::accounts::Username;
use crate::clock::Timestamp;
use crate::id::{SessionId, UserId};
use crate::passwords::PasswordHash;
use crate::sessions::{End, Generation, Retired, Session};
use crate::store::{Loaded, Record, User};
use crate::tokens::WrittenKeys;

/// What the first line calls the format.
pub(super) const FORMAT: &str = "password-auth dump";

/// The version that is written.
pub(super) const VERSION: u64 = 1;

/// The first line; of later versions too, whatever else they say there.
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
    Keys(WrittenKeys),
    End(EndLine),
}

/// How names are compared is not here: it follows from the name.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UserLine {
    id: UserId,
    username: Username,
    password: PasswordHash,
    is_active: bool,
    created_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SessionLine {
    id: SessionId,
    user: UserId,
    device: String,
    created: Timestamp,
    last_used: Timestamp,
    expires: Timestamp,
    generation: Generation,
    confirmed: bool,
    epoch: u32,
    retired: Vec<RetiredLine>,
    ended: Option<EndedLine>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RetiredLine {
    generation: Generation,
    at: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EndedLine {
    Theft,
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
    /// Of every byte before this line, in hexadecimal.
    pub(super) sha256: String,
}

impl EndLine {
    pub(super) const fn new(counts: Loaded, sha256: String) -> Self {
        Self {
            users: counts.users,
            sessions: counts.sessions,
            attempts: counts.attempts,
            sha256,
        }
    }

    pub(super) const fn counts(&self) -> Loaded {
        Loaded {
            users: self.users,
            sessions: self.sessions,
            attempts: self.attempts,
        }
    }
}

impl From<Record> for Line {
    fn from(record: Record) -> Self {
        match record {
            Record::User(user) => Self::User(UserLine {
                id: user.id,
                username: user.username,
                password: user.password,
                is_active: user.is_active,
                created_at: user.created_at,
            }),
            Record::Session(session) => Self::Session(session.into()),
            Record::Attempt { key, until } => Self::Attempt(AttemptLine {
                key: URL_SAFE_NO_PAD.encode(key),
                until,
            }),
        }
    }
}

impl From<UserLine> for Record {
    fn from(line: UserLine) -> Self {
        Self::User(User {
            id: line.id,
            username_key: line.username.key(),
            username: line.username,
            password: line.password,
            is_active: line.is_active,
            created_at: line.created_at,
        })
    }
}

impl From<Session> for SessionLine {
    fn from(session: Session) -> Self {
        let retired = session.retired.into_iter();
        Self {
            id: session.id,
            user: session.user,
            device: session.device,
            created: session.created,
            last_used: session.last_used,
            expires: session.expires,
            generation: session.generation,
            confirmed: session.confirmed,
            epoch: session.epoch,
            retired: retired
                .map(|Retired { generation, at }| RetiredLine { generation, at })
                .collect(),
            ended: session.ended.map(|End::Theft| EndedLine::Theft),
        }
    }
}

impl From<SessionLine> for Record {
    fn from(line: SessionLine) -> Self {
        let retired = line.retired.into_iter();
        Self::Session(Session {
            id: line.id,
            user: line.user,
            device: line.device,
            created: line.created,
            last_used: line.last_used,
            expires: line.expires,
            generation: line.generation,
            confirmed: line.confirmed,
            epoch: line.epoch,
            retired: retired
                .map(|RetiredLine { generation, at }| Retired { generation, at })
                .collect(),
            ended: line.ended.map(|EndedLine::Theft| End::Theft),
        })
    }
}

impl AttemptLine {
    /// `None` if the key is none.
    pub(super) fn record(&self) -> Option<Record> {
        let key = URL_SAFE_NO_PAD.decode(&self.key).ok()?;
        Some(Record::Attempt {
            key: key.try_into().ok()?,
            until: self.until,
        })
    }
}
