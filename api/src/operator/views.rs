//! What an operator is shown: everything about a user except secrets.

use password_auth_core::token_keys::KeyUse;
use password_auth_model::{Factors, InviteId, Role, Session, SessionId, TokenKey, User, UserId};
use password_auth_wire::Secret;
use serde::{Deserialize, Serialize};

/// The result of a command.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// The user after the command; a deleted user as they were before.
    User(UserView),
    /// Users.
    Users(Vec<UserView>),
    /// The sessions of a user.
    Sessions(Vec<SessionView>),
    /// The second factors of a user; after a reset, those that there were.
    Factors(FactorsView),
    /// The number of ended sessions.
    Ended(u64),
    /// A new invitation.
    Invite(InviteView),
    /// The keys that sign access tokens, after the command.
    Keys(Vec<KeyView>),
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserView {
    /// Never changes.
    pub id: UserId,
    /// As registered.
    pub username: String,
    /// The e-mail address.
    pub email: Option<String>,
    /// Whether the address is verified.
    pub is_verified: bool,
    /// The full name.
    pub full_name: Option<String>,
    /// The role.
    pub role: Role,
    /// Whether the user may sign in.
    pub is_active: bool,
    /// Whether the user deactivated the account, and may undo that.
    pub deactivated_by_self: bool,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// RFC 3339, UTC.
    pub last_login: Option<String>,
}

/// A new invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteView {
    /// Its id.
    pub id: InviteId,
    /// The page to register on.
    pub url: Secret,
    /// The token, which is not shown again.
    pub token: Secret,
    /// Where it is mailed.
    pub email: Option<String>,
    /// RFC 3339, UTC.
    pub expires_at: String,
}

/// A key that signs access tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyView {
    /// Its `kid`.
    pub id: String,
    /// `signs`, `waits` until it signs, `verifies` what it signed, or `unused`: it was made with another secret.
    pub state: String,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// From when on it signs: RFC 3339, UTC.
    pub signs_from: String,
    /// When its last token has expired, if that is known: RFC 3339, UTC.
    pub verifies_until: Option<String>,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    /// Never changes.
    pub id: SessionId,
    /// The User-Agent of the client.
    pub device: String,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// When it was last used, in steps of five minutes: RFC 3339, UTC.
    pub last_used: String,
    /// When a used refresh token last came again from another network or device: RFC 3339, UTC.
    pub replayed_elsewhere: Option<String>,
    /// When it expires: RFC 3339, UTC.
    pub expires_at: String,
}

/// The second factors of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactorsView {
    /// The user.
    pub user: UserView,
    /// Whether there is an authenticator app.
    pub totp: bool,
    /// How many recovery codes are left.
    pub recovery_codes_left: usize,
    /// The names of the passkeys.
    pub passkeys: Vec<String>,
}

impl FactorsView {
    pub(super) fn of(user: &User, factors: &Factors) -> Self {
        Self {
            user: UserView::of(user),
            totp: factors.totp.is_some(),
            recovery_codes_left: factors.recovery_codes.len(),
            passkeys: factors
                .passkeys
                .iter()
                .map(|key| key.name.clone())
                .collect(),
        }
    }
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

impl KeyView {
    pub(super) fn of((key, used): &(TokenKey, KeyUse)) -> Self {
        let state = match used {
            KeyUse::Signs => "signs",
            KeyUse::Waits => "waits",
            KeyUse::Verifies => "verifies",
            KeyUse::Foreign => "unused",
        };
        Self {
            id: key.id().to_string(),
            state: state.to_owned(),
            created_at: key.created.to_rfc3339(),
            signs_from: key.signs_from.to_rfc3339(),
            verifies_until: key.verifies_until().map(|at| at.to_rfc3339()),
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
