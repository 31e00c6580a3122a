//! A letter that waits in the queue: what it is about and to whom, not its text. The text, and the token that a
//! link needs, are made when it is sent, so that the queue holds no secret.

use serde::{Deserialize, Serialize};

use super::clock::Timestamp;
use super::email_address::EmailAddress;
use super::id::{QueuedEmailId, UserId};

/// A letter to send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuedEmail {
    /// Never changes.
    pub id: QueuedEmailId,
    /// When it was asked for.
    pub created: Timestamp,
    /// When to try next; later while somebody is trying.
    pub due: Timestamp,
    /// How often it was tried.
    pub tries: u32,
    /// Where it goes.
    pub to: EmailAddress,
    /// Whose account it is about; `None` while that is not even looked up, so that asking takes the same time
    /// whether there is one or not.
    pub user: Option<UserId>,
    /// What it says.
    pub kind: EmailKind,
}

/// What a letter says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmailKind {
    /// A link to choose a new password, if the address is somebody's.
    ResetPassword,
    /// A link to show that the address is read.
    VerifyEmail,
    /// A link that makes this the address of the account.
    ChangeEmail,
    /// To the old address: another was asked for.
    EmailChangeRequested,
    /// To the old address: it is another now.
    EmailChanged,
    /// The password was changed.
    PasswordChanged,
    /// A sign-in was ended, since one of its tokens came back.
    TokenReused,
}
