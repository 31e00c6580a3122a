//! Lines of version 1: people were a name and a password, and nothing was kept of mail or of what happened.

use password_auth_core::tokens::WrittenKeys;
use password_auth_model::{PasswordHash, Role, Timestamp, UserId, Username};
use password_auth_store::Loaded;
use serde::Deserialize;

use super::account::{SessionLine, UserLine};
use super::{AttemptLine, EndLine};

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    User(User),
    Session(SessionLine),
    Attempt(AttemptLine),
    Keys(WrittenKeys),
    End(End),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct User {
    id: UserId,
    username: Username,
    password: PasswordHash,
    is_active: bool,
    created_at: Timestamp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End {
    users: u64,
    sessions: u64,
    attempts: u64,
    sha256: String,
}

impl From<Line> for super::Line {
    fn from(line: Line) -> Self {
        match line {
            Line::User(user) => Self::User(user.into()),
            Line::Session(session) => Self::Session(session),
            Line::Attempt(attempt) => Self::Attempt(attempt),
            Line::Keys(keys) => Self::Keys(keys),
            Line::End(end) => {
                let counts = Loaded {
                    users: end.users,
                    sessions: end.sessions,
                    attempts: end.attempts,
                    ..Loaded::default()
                };
                Self::End(EndLine::new(counts, end.sha256))
            }
        }
    }
}

impl From<User> for UserLine {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            username: user.username,
            password: user.password,
            password_version: 0,
            email: None,
            is_verified: false,
            full_name: None,
            role: Role::default(),
            is_active: user.is_active,
            deactivated_by_self: false,
            created_at: user.created_at,
            last_login: None,
        }
    }
}
