//! Commands of an operator. They are sent as JSON over the socket of a running server.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use password_auth_model::{InviteLifetime, Role, SessionId, UserId};
use password_auth_wire::Secret;
use serde::{Deserialize, Serialize};

/// A command. `Debug` shows no password.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Creates a user.
    Create(NewUser),
    /// Lists users in the order in which they registered.
    List {
        /// Only users with this role.
        role: Option<Role>,
        /// Only users after this one.
        after: Option<UserId>,
        /// The maximum number.
        limit: u32,
    },
    /// Shows a user.
    Show(UserRef),
    /// Changes the role of a user.
    SetRole(UserRef, Role),
    /// Sets a new password, and ends all sessions of the user.
    SetPassword(UserRef, Secret),
    /// Sets whether a user may sign in.
    SetActive(UserRef, bool),
    /// Deletes a user and all their data.
    Delete(UserRef),
    /// Lists the sessions of a user.
    Sessions(UserRef),
    /// Shows the second factors of a user.
    Factors(UserRef),
    /// Removes all second factors of a user.
    ResetFactors(UserRef),
    /// Ends one session of a user, or all.
    Revoke(UserRef, Option<SessionId>),
    /// Makes an invitation.
    Invite(InviteUser),
    /// Lists the keys that sign access tokens.
    Keys,
    /// Adds a key that signs after so many minutes.
    RotateKeys(u32),
    /// Removes a key.
    RetireKey(String),
}

/// A new user.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewUser {
    /// The name.
    pub username: String,
    /// The password.
    pub password: Secret,
    /// The e-mail address.
    pub email: Option<String>,
    /// The full name.
    pub full_name: Option<String>,
    /// The role.
    pub role: Role,
}

/// An invitation to make.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InviteUser {
    /// Where to mail it.
    pub email: Option<String>,
    /// The role.
    pub role: Role,
    /// How long it is valid.
    pub lifetime: InviteLifetime,
}

/// The user that a command is about: a name, an e-mail address or an id, as typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserRef(String);

impl UserRef {
    /// As typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id, if it is in the form in which this program writes ids. Other forms of UUIDs are names.
    pub(super) fn id(&self) -> Option<UserId> {
        let text = self.0.trim();
        let id: UserId = text.parse().ok()?;
        id.to_string().eq_ignore_ascii_case(text).then_some(id)
    }
}

impl From<UserId> for UserRef {
    fn from(id: UserId) -> Self {
        Self(id.to_string())
    }
}

impl FromStr for UserRef {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for UserRef {
    /// Quoted and escaped, so that it cannot control a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::{Command, UserRef};
    use password_auth_wire::Secret;

    fn user_ref(text: &str) -> UserRef {
        text.parse().expect("anything is somebody")
    }

    #[test]
    fn only_what_this_program_writes_is_an_id() {
        let id = "019acf5a-3c1b-7d2e-9f04-5b6c7d8e9f00";
        assert_eq!(user_ref(id).id().expect("an id").to_string(), id);
        assert!(user_ref(&id.to_uppercase()).id().is_some());
        for name in ["alice", &id.replace('-', ""), &format!("{{{id}}}")] {
            assert_eq!(user_ref(name).id(), None, "{name}");
        }
    }

    #[test]
    fn debug_shows_no_password() {
        let command = Command::SetPassword(user_ref("alice"), Secret::new("geheim geheim"));
        assert!(!format!("{command:?}").contains("geheim"));
    }
}
