//! Your own account: password, e-mail address, status.

use serde::{Deserialize, Serialize};

use crate::Secret;

object! {
    /// The body of `POST /auth/password/change`.
    ChangePassword {
        /// The current password.
        current_password: Secret = Secret::new("correct horse battery"),
        /// At least 8 characters, at most 1,024 bytes.
        new_password: Secret = Secret::new("staple of another kind"),
    }

    /// The password was changed. This is the session's new pair of tokens.
    PasswordChanged {
        /// A sentence for people.
        message: String = "Password changed successfully".to_owned(),
        /// Always `true`.
        success: bool = true,
        /// A JWT (RFC 9068) for the `Authorization` header.
        access_token: Secret = Secret::new("eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTlh…"),
        /// Opaque. Use it for one refresh.
        refresh_token: Secret = Secret::new("AQEjRWeJq83vAZqxUT8Rfq6gLqV0vFrAAAAAAm3u8Y1p"),
        /// Always `bearer`.
        token_type: String = "bearer".to_owned(),
        /// Seconds until the access token expires.
        expires_in: u32 = 900,
    }

    /// The body of `POST /auth/password/reset/request`.
    RequestReset {
        /// The e-mail address of the account.
        email: String = "alice@example.org".to_owned(),
        /// The user name, to choose one of several accounts with the same unverified address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        username: Option<String> = None,
    }

    /// The body of `POST /auth/password/reset/confirm`.
    ConfirmReset {
        /// The token from the mailed link.
        token: Secret = Secret::new("mJ2Yy0gkq0m7sBqz7m0gqkYy0J2mJ2Yy0gkq0m7sBqw"),
        /// At least 8 characters, at most 1,024 bytes.
        new_password: Secret = Secret::new("staple of another kind"),
    }

    /// The body of `POST /auth/email/verification/confirm`.
    ConfirmEmail {
        /// The token from the mailed link.
        token: Secret = Secret::new("mJ2Yy0gkq0m7sBqz7m0gqkYy0J2mJ2Yy0gkq0m7sBqw"),
    }

    /// The body of `POST /auth/email/change`.
    ChangeEmail {
        /// Your password: an access token is not enough.
        password: Secret = Secret::new("correct horse battery"),
        /// The new e-mail address. A link that completes the change is sent there.
        new_email: String = "alice@example.net".to_owned(),
    }

    /// The status of the signed-in user's account.
    AccountStatus {
        /// Whether the user may sign in.
        is_active: bool = true,
        /// Whether the e-mail address is verified.
        is_verified: bool = true,
    }

    /// The body of `DELETE /users/me`.
    DeleteAccount {
        /// Your password: an access token is not enough.
        password: Secret = Secret::new("correct horse battery"),
    }
}
