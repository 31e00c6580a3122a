//! A mail in the queue: what it is about and to whom, without its text. The text and the token for its link are made
//! when it is sent, so that the queue contains no secrets.

use serde::{Deserialize, Serialize};

use super::clock::Timestamp;
use super::email_address::EmailAddress;
use super::id::{QueuedEmailId, UserId};

/// A mail to send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuedEmail {
    /// Never changes.
    pub id: QueuedEmailId,
    /// When it was queued.
    pub created: Timestamp,
    /// When to try next. While it is being sent, a later time.
    pub due: Timestamp,
    /// How often sending it was tried.
    pub tries: u32,
    /// The recipient.
    pub to: EmailAddress,
    /// The user it is about. `None` if the user is only looked up when it is sent, so that a request takes the same
    /// time whether or not there is a user.
    pub user: Option<UserId>,
    /// What it is about.
    pub kind: EmailKind,
}

/// What a mail is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmailKind {
    /// A link to reset the password, if a user has the address.
    ResetPassword,
    /// A link to verify the address.
    VerifyEmail,
    /// A link that completes the change to this address.
    ChangeEmail,
    /// Notice to the old address: a new one was requested.
    EmailChangeRequested,
    /// Notice to the old address: it was changed.
    EmailChanged,
    /// The password was changed.
    PasswordChanged,
    /// The account was deactivated by its user, or by somebody with an access token of theirs.
    Deactivated,
    /// A session was ended because one of its tokens was used twice.
    TokenReused,
    /// A second factor was added: an authenticator app or a passkey.
    FactorAdded,
    /// A second factor was removed, by the user or an operator.
    FactorRemoved,
    /// New recovery codes were made.
    RecoveryCodesReplaced,
    /// A recovery code was used.
    RecoveryCodeUsed,
    /// A link to register, for an address that was invited.
    Invitation,
}

/// What follows from the kind of a mail. All notices are treated alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailClass {
    /// [`EmailKind::ResetPassword`].
    ResetPassword,
    /// [`EmailKind::VerifyEmail`].
    VerifyEmail,
    /// [`EmailKind::ChangeEmail`].
    ChangeEmail,
    /// It tells a user what happened to their account.
    Notice,
    /// [`EmailKind::Invitation`].
    Invitation,
}

impl EmailKind {
    /// Every kind.
    pub const ALL: [Self; 13] = [
        Self::ResetPassword,
        Self::VerifyEmail,
        Self::ChangeEmail,
        Self::EmailChangeRequested,
        Self::EmailChanged,
        Self::PasswordChanged,
        Self::Deactivated,
        Self::TokenReused,
        Self::FactorAdded,
        Self::FactorRemoved,
        Self::RecoveryCodesReplaced,
        Self::RecoveryCodeUsed,
        Self::Invitation,
    ];

    /// Its class.
    #[must_use]
    pub const fn class(self) -> EmailClass {
        match self {
            Self::ResetPassword => EmailClass::ResetPassword,
            Self::VerifyEmail => EmailClass::VerifyEmail,
            Self::ChangeEmail => EmailClass::ChangeEmail,
            Self::Invitation => EmailClass::Invitation,
            Self::EmailChangeRequested
            | Self::EmailChanged
            | Self::PasswordChanged
            | Self::Deactivated
            | Self::TokenReused
            | Self::FactorAdded
            | Self::FactorRemoved
            | Self::RecoveryCodesReplaced
            | Self::RecoveryCodeUsed => EmailClass::Notice,
        }
    }
}
