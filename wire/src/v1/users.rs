//! Users, and what happened to their accounts.

use serde::{Deserialize, Serialize};

use super::role::Role;
#[cfg(feature = "openapi")]
use super::{ID, MOMENT};
use crate::Secret;

object! {
    /// A user.
    #[cfg_attr(feature = "openapi", oai(rename = "User"))]
    UserInfo {
        /// A UUID (version 7).
        id: String = ID.to_owned(),
        /// The user name, as it was registered.
        username: String = "alice".to_owned(),
        /// The e-mail address. Shown only to the user and to admins.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        email: Option<String> = Some("alice@example.org".to_owned()),
        /// The user's full name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        full_name: Option<String> = Some("Alice Liddell".to_owned()),
        /// What the user may do.
        role: Role = Role::User,
        /// Whether the user may sign in. Shown only to the user and to admins.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        is_active: Option<bool> = Some(true),
        /// Whether the e-mail address is verified. Shown only to the user and to admins.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        is_verified: Option<bool> = Some(true),
        /// RFC 3339, UTC.
        created_at: String = MOMENT.to_owned(),
        /// RFC 3339, UTC. Shown only to the user and to admins.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        last_login: Option<String> = Some(MOMENT.to_owned()),
    }

    /// The body of `POST /users`: an admin creates a user.
    CreateAccount {
        /// 1 to 64 characters, no `@`. Names keep their spelling and are compared case-insensitively.
        username: String = "alice".to_owned(),
        /// The e-mail address. A link to verify it is sent there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        email: Option<String> = Some("alice@example.org".to_owned()),
        /// At least 8 characters, at most 1,024 bytes.
        password: Secret = Secret::new("correct horse battery"),
        /// The user's full name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        full_name: Option<String> = Some("Alice Liddell".to_owned()),
        /// What the user may do. Default: `user`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        role: Option<Role> = None,
    }

    /// The body of `PATCH /users/{id}`. Fields that are left out keep their value.
    UpdateUser {
        /// The user's full name. An empty string removes it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        full_name: Option<String> = Some("Alice Liddell".to_owned()),
        /// What the user may do. Only admins may change it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        role: Option<Role> = None,
        /// Whether the user may sign in. Only admins may change it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        is_active: Option<bool> = None,
    }

    /// The number of users.
    UserCount {
        /// All users.
        total_users: u64 = 1,
    }

    /// Something that happened to an account.
    EventInfo {
        /// A UUID (version 7). Ids are in the order of time.
        id: String = ID.to_owned(),
        /// RFC 3339, UTC.
        at: String = MOMENT.to_owned(),
        /// The id of the user whose account it is.
        user_id: String = ID.to_owned(),
        /// The id of the admin who did it, if it was not the user.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        by: Option<String> = None,
        /// What happened: `signed_in`, `password_changed`, ….
        what: String = "signed_in".to_owned(),
        /// The id of the session.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        session_id: Option<String> = Some(ID.to_owned()),
        /// The client's IP address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        address: Option<String> = Some("192.0.2.7".to_owned()),
        /// The client's `User-Agent`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        device: Option<String> = Some("Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0".to_owned()),
    }
}
