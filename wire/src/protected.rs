//! Plain acknowledgements, and what the demo protects.

use serde::{Deserialize, Serialize};

use crate::Status;

/// An answer that is a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object))]
pub struct Message {
    /// Always `ok`.
    pub status: Status,
    /// The sentence, for people.
    pub message: String,
}

impl Message {
    /// A success with its sentence.
    pub fn ok(message: impl Into<String>) -> Self {
        Self {
            status: Status::Ok,
            message: message.into(),
        }
    }
}

/// The answer of `GET /protected-data`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object))]
pub struct ProtectedData {
    /// A greeting, for people.
    pub message: String,
    /// Who asked, as registered.
    pub user: String,
    /// When the server answered: RFC 3339, UTC.
    pub access_timestamp: String,
}
