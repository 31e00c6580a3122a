//! What an operator is shown: everything that is known of a person, but for what is a secret of the server's.

use password_auth_model::{Role, Session, SessionId, User, UserId};
use serde::{Deserialize, Serialize};

/// What became of a command.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// The person after it; one who was removed as he was.
    User(UserView),
    /// People.
    Users(Vec<UserView>),
    /// Somebody's sign-ins.
    Sessions(Vec<SessionView>),
    /// So many sign-ins were ended.
    Ended(u64),
}

/// A person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserView {
    /// Never changes.
    pub id: UserId,
    /// As registered.
    pub username: String,
    /// Where mail goes.
    pub email: Option<String>,
    /// Whether the address was shown to be read.
    pub is_verified: bool,
    /// What the person is called.
    pub full_name: Option<String>,
    /// What he may do.
    pub role: Role,
    /// Whether he may sign in.
    pub is_active: bool,
    /// Whether it was the person who deactivated the account, and may undo that.
    pub deactivated_by_self: bool,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// RFC 3339, UTC.
    pub last_login: Option<String>,
}

/// A sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    /// Never changes.
    pub id: SessionId,
    /// What the client called itself.
    pub device: String,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// When it was last refreshed, to five minutes: RFC 3339, UTC.
    pub last_used: String,
    /// When a refresh token of it last came from another network or device than had it exchanged: RFC 3339, UTC.
    pub replayed_elsewhere: Option<String>,
    /// When it ends at the latest: RFC 3339, UTC.
    pub expires_at: String,
}

impl UserView {
    pub(super) fn of(user: &User) -> Self {
        Self {
            id: user.id,
            username: user.username.as_str().to_owned(),
            email: user.email.as_ref().map(|email| email.as_str().to_owned()),
            is_verified: user.is_verified,
            full_name: user.full_name.as_ref().map(ToString::to_string),
            role: user.role,
            is_active: user.is_active,
            deactivated_by_self: user.deactivated_by_self,
            created_at: user.created_at.to_rfc3339(),
            last_login: user.last_login.map(|at| at.to_rfc3339()),
        }
    }
}

impl SessionView {
    pub(super) fn of(session: &Session) -> Self {
        Self {
            id: session.id,
            device: session.device.clone(),
            created_at: session.created.to_rfc3339(),
            last_used: session.last_used.to_rfc3339(),
            replayed_elsewhere: session.replayed_elsewhere().map(|at| at.to_rfc3339()),
            expires_at: session.expires.to_rfc3339(),
        }
    }
}
