//! What an operator asks for. It travels over the socket of a running server, so it is written down as JSON.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use password_auth_model::{Role, SessionId, UserId};
use password_auth_wire::Secret;
use serde::{Deserialize, Serialize};

/// A command. `Debug` shows no password.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Makes an account.
    Create(NewUser),
    /// People in the order in which they came.
    List {
        /// Only those with this role.
        role: Option<Role>,
        /// Only those who came after this one.
        after: Option<UserId>,
        /// How many at most.
        limit: u32,
    },
    /// One of them.
    Show(UserRef),
    /// Gives somebody another role.
    SetRole(UserRef, Role),
    /// Gives somebody another password, and ends his sign-ins.
    SetPassword(UserRef, Secret),
    /// Says whether somebody may sign in.
    SetActive(UserRef, bool),
    /// Removes somebody and everything about him.
    Delete(UserRef),
    /// Somebody's sign-ins.
    Sessions(UserRef),
    /// Ends one of them, or all.
    Revoke(UserRef, Option<SessionId>),
}

/// Somebody who is not there yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewUser {
    /// The name.
    pub username: String,
    /// The password.
    pub password: Secret,
    /// Where mail goes.
    pub email: Option<String>,
    /// What the person is called.
    pub full_name: Option<String>,
    /// What he may do.
    pub role: Role,
}

/// Whom a command is about: a name, an e-mail address or an id, as the operator typed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserRef(String);

impl UserRef {
    /// As typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id, if it looks like one, as this program writes them: what else could be read as a UUID is a name.
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
    /// Quoted, and nothing in it can move a terminal's cursor.
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
