//! Invitations.

use serde::{Deserialize, Serialize};

use super::role::Role;
#[cfg(feature = "openapi")]
use super::{ID, MOMENT};
use crate::Secret;

object! {
    /// The body of `POST /invites`.
    CreateInvite {
        /// Mail the invitation to this address. The account gets it, unless its user gives another.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        email: Option<String> = Some("alice@example.org".to_owned()),
        /// What the user may do. Default: `user`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        role: Option<Role> = None,
        /// How long the invitation is valid: minutes, hours or days, such as `30m`, `12h` or `7d` (the default).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        expires: Option<String> = Some("7d".to_owned()),
    }

    /// A new invitation.
    InviteCreated {
        /// Its id.
        id: String = ID.to_owned(),
        /// The page to register on. Hand it over, unless it is mailed.
        url: Secret = Secret::new("https://auth.example.org/join?token=Xb0v…"),
        /// The token, for `POST /auth/register`. It is not shown again.
        token: Secret = Secret::new("Xb0v…"),
    }

    /// An invitation that is out.
    InviteInfo {
        /// Its id.
        id: String = ID.to_owned(),
        /// Where it was mailed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        email: Option<String> = Some("alice@example.org".to_owned()),
        /// What the user will be allowed to do.
        role: Role = Role::User,
        /// When it was made. RFC 3339, UTC.
        created_at: String = MOMENT.to_owned(),
        /// When it expires. RFC 3339, UTC.
        expires_at: String = MOMENT.to_owned(),
    }
}
