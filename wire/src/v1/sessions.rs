//! Signing in, tokens and sessions.

use serde::{Deserialize, Serialize};

#[cfg(feature = "openapi")]
use super::{ID, MOMENT};
use crate::Secret;

object! {
    /// The body of `POST /auth/login`.
    Login {
        /// The user name, case-insensitive, or the e-mail address.
        username: String = "alice".to_owned(),
        /// The password.
        password: Secret = Secret::new("correct horse battery"),
        /// `true` (the default): the session lasts as long as the server allows. `false`: one day at most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        stay_signed_in: Option<bool> = None,
        /// If the account has a second factor: a code from the authenticator app, or a recovery code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        code: Option<Secret> = None,
    }

    /// A pair of tokens.
    TokenPair {
        /// A JWT (RFC 9068) for the `Authorization` header.
        access_token: Secret = Secret::new("eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTlh…"),
        /// Opaque. Use it for one refresh.
        refresh_token: Secret = Secret::new("AQEjRWeJq83vAZqxUT8Rfq6gLqV0vFrAAAAAAm3u8Y1p"),
        /// Always `bearer`.
        token_type: String = "bearer".to_owned(),
        /// Seconds until the access token expires.
        expires_in: u32 = 900,
    }

    /// The body of `POST /auth/refresh`.
    RefreshPair {
        /// The refresh token from the last sign-in or refresh.
        refresh_token: Secret = Secret::new("AQEjRWeJq83vAZqxUT8Rfq6gLqV0vFrAAAAAAm3u8Y1p"),
    }

    /// The body of `POST /auth/reactivate`.
    Reactivate {
        /// The user name, case-insensitive, or the e-mail address.
        username: String = "alice".to_owned(),
        /// The password.
        password: Secret = Secret::new("correct horse battery"),
        /// If the account has a second factor: a code from the authenticator app, or a recovery code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        code: Option<Secret> = None,
    }

    /// A session: one sign-in on one device.
    SessionInfo {
        /// A UUID (version 7).
        id: String = ID.to_owned(),
        /// The client's `User-Agent`.
        device: String = "Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0".to_owned(),
        /// RFC 3339, UTC.
        created_at: String = MOMENT.to_owned(),
        /// When the session was last used: RFC 3339, UTC, in steps of five minutes. Use within the current five minutes
        /// is not shown yet.
        last_used: String = MOMENT.to_owned(),
        /// When a used refresh token of this session last came again, from another network or device: RFC 3339, UTC.
        /// Either a response was lost while the network changed, or somebody else has the tokens. The event
        /// `token_replayed_elsewhere` says from where. Absent if this did not happen lately.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        replayed_elsewhere: Option<String> = None,
        /// When the session expires: RFC 3339, UTC.
        expires_at: String = MOMENT.to_owned(),
        /// Whether this is the session that makes the request.
        current: bool = true,
    }
}
