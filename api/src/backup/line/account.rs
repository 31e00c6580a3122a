//! A person's account and his sign-ins.

use password_auth_model::{
    EmailAddress, End, FullName, Generation, Party, PasswordHash, Retired, Role, Session,
    SessionId, Timestamp, Trail, User, UserId, Username,
};
use password_auth_store::Record;
use serde::{Deserialize, Serialize};

/// How names and addresses are compared is not here: it follows from them.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::backup) struct UserLine {
    pub(super) id: UserId,
    pub(super) username: Username,
    pub(super) password: PasswordHash,
    pub(super) password_version: u32,
    pub(super) email: Option<EmailAddress>,
    pub(super) is_verified: bool,
    #[serde(deserialize_with = "FullName::deserialize_kept")]
    pub(super) full_name: Option<FullName>,
    pub(super) role: Role,
    pub(super) is_active: bool,
    // Version 2 had it not.
    #[serde(default)]
    pub(super) deactivated_by_self: bool,
    pub(super) created_at: Timestamp,
    pub(super) last_login: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::backup) struct SessionLine {
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
    // Version 2 had it not.
    #[serde(default)]
    trail: Trail,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RetiredLine {
    generation: Generation,
    at: Timestamp,
    // Version 2 had it not.
    #[serde(default)]
    by: Option<Party>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EndedLine {
    Theft,
}

impl From<User> for UserLine {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            username: user.username,
            password: user.password,
            password_version: user.password_version,
            email: user.email,
            is_verified: user.is_verified,
            full_name: user.full_name,
            role: user.role,
            is_active: user.is_active,
            deactivated_by_self: user.deactivated_by_self,
            created_at: user.created_at,
            last_login: user.last_login,
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
            password_version: line.password_version,
            email: line.email,
            is_verified: line.is_verified,
            full_name: line.full_name,
            role: line.role,
            is_active: line.is_active,
            deactivated_by_self: line.deactivated_by_self && !line.is_active,
            created_at: line.created_at,
            last_login: line.last_login,
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
                .map(|Retired { generation, at, by }| RetiredLine { generation, at, by })
                .collect(),
            ended: session.ended.map(|End::Theft| EndedLine::Theft),
            trail: session.trail,
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
                .map(|RetiredLine { generation, at, by }| Retired { generation, at, by })
                .collect(),
            ended: line.ended.map(|EndedLine::Theft| End::Theft),
            trail: line.trail,
        })
    }
}
