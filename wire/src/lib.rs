//! The types between the extension and the API: requests, responses, error codes, input rules.
//!
//! Both sides compile against these types, so that a field cannot change on one side only. The crate knows neither
//! side: no HTTP library, no browser, no store. Every type has two codecs, serde's (the client's) and, behind the
//! feature `openapi`, poem-openapi's (the server's); a test in `api` takes every type through both.

#![warn(missing_docs)]

mod auth;
mod error;
mod hint;
mod named;
mod protected;
pub mod rules;
mod secret;
pub mod v1;

pub use auth::{Authenticate, Credentials, Logout, Refresh, Tokens};
pub use error::{ErrorBody, ErrorCode, FieldError};
pub use hint::PasswordHint;
pub use protected::{Message, ProtectedData};
pub use secret::Secret;

/// The `status` of every response of the demo's routes: `ok` or `error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Enum))]
#[cfg_attr(feature = "openapi", oai(rename_all = "lowercase"))]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The request succeeded.
    Ok,
    /// The request failed. The body says why.
    Error,
}
