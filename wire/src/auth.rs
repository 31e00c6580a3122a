//! Registering, signing in, refreshing and signing out.

use serde::{Deserialize, Serialize};

use crate::{Secret, Status};

/// The body of `POST /register`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(example = true))]
pub struct Credentials {
    /// 1 to 64 characters. Names keep their spelling and are compared case-insensitively.
    pub username: String,
    /// At least 8 characters, at most 1,024 bytes.
    pub password: Secret,
}

/// The body of `POST /authenticate`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(example = true))]
pub struct Authenticate {
    /// The user name, case-insensitive.
    pub username: String,
    /// The password.
    pub password: Secret,
    /// `true` (the default): the session lasts as long as the server allows. `false`: one day at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
    pub stay_signed_in: Option<bool>,
    /// If the account has a second factor: a code from the authenticator app, or a recovery code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
    pub code: Option<Secret>,
}

/// The body of `POST /refresh`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(example = true))]
pub struct Refresh {
    /// The refresh token from the last sign-in or refresh.
    pub refresh_token: Secret,
}

/// The body of `POST /logout`, for a client that has no access token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(example = true))]
pub struct Logout {
    /// A refresh token of the session. It may be an old one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
    pub refresh_token: Option<Secret>,
}

/// The response of `POST /authenticate` and `POST /refresh`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(example = true))]
pub struct Tokens {
    /// Always `ok`.
    pub status: Status,
    /// A JWT (RFC 9068) for the `Authorization` header.
    pub access_token: Secret,
    /// Opaque. Use it for one refresh.
    pub refresh_token: Secret,
    /// Always `Bearer` (RFC 6750).
    pub token_type: String,
    /// Seconds until the access token expires.
    pub expires_in: u32,
}

#[cfg(feature = "openapi")]
mod examples {
    use poem_openapi::types::Example;

    use super::{Authenticate, Credentials, Logout, Refresh, Tokens};
    use crate::{Secret, Status};

    const REFRESH_TOKEN: &str = "AQEjRWeJq83vAZqxUT8Rfq6gLqV0vFrAAAAAAm3u8Y1p";

    impl Example for Credentials {
        fn example() -> Self {
            Self {
                username: "alice".into(),
                password: Secret::new("correct horse battery"),
            }
        }
    }

    impl Example for Authenticate {
        fn example() -> Self {
            Self {
                username: "alice".into(),
                password: Secret::new("correct horse battery"),
                stay_signed_in: None,
                code: None,
            }
        }
    }

    impl Example for Refresh {
        fn example() -> Self {
            Self {
                refresh_token: Secret::new(REFRESH_TOKEN),
            }
        }
    }

    impl Example for Logout {
        fn example() -> Self {
            Self {
                refresh_token: Some(Secret::new(REFRESH_TOKEN)),
            }
        }
    }

    impl Example for Tokens {
        fn example() -> Self {
            Self {
                status: Status::Ok,
                access_token: Secret::new(
                    "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTlh…",
                ),
                refresh_token: Secret::new(REFRESH_TOKEN),
                token_type: "Bearer".into(),
                expires_in: 900,
            }
        }
    }
}
