//! Records as earlier versions of the program wrote them. They can be read, and are written in the current form when
//! they change.

use password_auth_model::{
    EmailAddress, End, FullName, Generation, Invite, InviteId, PasswordHash, Retired, Role,
    Session, SessionId, Timestamp, TokenHash, Trail, User, UserId, Username, UsernameKey,
};
use serde::Deserialize;

use super::codec::Stored;

impl Stored for User {
    const VERSION: u8 = 3;

    fn older(version: u8, record: &[u8]) -> Option<postcard::Result<Self>> {
        match version {
            1 => Some(postcard::from_bytes::<UserV1>(record).map(Self::from)),
            2 => Some(postcard::from_bytes::<UserV2>(record).map(Self::from)),
            _ => None,
        }
    }
}

impl Stored for Session {
    const VERSION: u8 = 2;

    fn older(version: u8, record: &[u8]) -> Option<postcard::Result<Self>> {
        (version == 1).then(|| postcard::from_bytes::<SessionV1>(record).map(Self::from))
    }
}

impl Stored for Invite {
    const VERSION: u8 = 2;

    fn older(version: u8, record: &[u8]) -> Option<postcard::Result<Self>> {
        (version == 1).then(|| postcard::from_bytes::<InviteV1>(record).map(Self::from))
    }
}

/// A name and a password.
#[derive(Deserialize)]
struct UserV1 {
    id: UserId,
    username: Username,
    username_key: UsernameKey,
    password: PasswordHash,
    is_active: bool,
    created_at: Timestamp,
}

impl From<UserV1> for User {
    fn from(user: UserV1) -> Self {
        Self {
            id: user.id,
            username: user.username,
            username_key: user.username_key,
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

/// Before it was recorded who deactivated an account. It counts as an admin.
#[derive(Deserialize)]
struct UserV2 {
    id: UserId,
    username: Username,
    username_key: UsernameKey,
    password: PasswordHash,
    password_version: u32,
    email: Option<EmailAddress>,
    is_verified: bool,
    #[serde(deserialize_with = "FullName::deserialize_kept")]
    full_name: Option<FullName>,
    role: Role,
    is_active: bool,
    created_at: Timestamp,
    last_login: Option<Timestamp>,
}

impl From<UserV2> for User {
    fn from(user: UserV2) -> Self {
        Self {
            id: user.id,
            username: user.username,
            username_key: user.username_key,
            password: user.password,
            password_version: user.password_version,
            email: user.email,
            is_verified: user.is_verified,
            full_name: user.full_name,
            role: user.role,
            is_active: user.is_active,
            deactivated_by_self: false,
            created_at: user.created_at,
            last_login: user.last_login,
        }
    }
}

/// Before the clients that present tokens were recorded.
#[derive(Deserialize)]
struct SessionV1 {
    id: SessionId,
    user: UserId,
    device: String,
    created: Timestamp,
    last_used: Timestamp,
    expires: Timestamp,
    generation: Generation,
    confirmed: bool,
    epoch: u32,
    retired: Vec<RetiredV1>,
    ended: Option<End>,
}

#[derive(Deserialize)]
struct RetiredV1 {
    generation: Generation,
    at: Timestamp,
}

impl From<SessionV1> for Session {
    fn from(session: SessionV1) -> Self {
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
                .map(|RetiredV1 { generation, at }| Retired {
                    generation,
                    at,
                    by: None,
                })
                .collect(),
            ended: session.ended,
            trail: Trail::default(),
        }
    }
}

/// Before it was recorded who made an invitation. It counts as the operator's.
#[derive(Deserialize)]
struct InviteV1 {
    id: InviteId,
    hashes: Vec<TokenHash>,
    email: Option<EmailAddress>,
    role: Role,
    created: Timestamp,
    expires: Timestamp,
}

impl From<InviteV1> for Invite {
    fn from(invite: InviteV1) -> Self {
        Self {
            id: invite.id,
            hashes: invite.hashes,
            email: invite.email,
            role: invite.role,
            by: None,
            created: invite.created,
            expires: invite.expires,
        }
    }
}
