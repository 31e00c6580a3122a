//! What users may do.

use serde::{Deserialize, Serialize};

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Enum))]
#[cfg_attr(feature = "openapi", oai(rename_all = "lowercase"))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sees other users where the server allows it, without their e-mail addresses.
    User,
    /// Sees and changes all users.
    Admin,
    /// Sees only themselves.
    Guest,
}
