//! Plain acknowledgements, and the demo's protected data.

use serde::{Deserialize, Serialize};

use crate::Status;

/// A response that is a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object))]
pub struct Message {
    /// Always `ok`.
    pub status: Status,
    /// A sentence for people.
    pub message: String,
}

impl Message {
    /// A success with this sentence.
    pub fn ok(message: impl Into<String>) -> Self {
        Self {
            status: Status::Ok,
            message: message.into(),
        }
    }
}

/// The response of `GET /protected-data`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object))]
pub struct ProtectedData {
    /// A greeting, for people.
    pub message: String,
    /// The user name, as it was registered.
    pub user: String,
    /// When the server responded: RFC 3339, UTC.
    pub access_timestamp: String,
}
