//! What mailed links carry, and letters that wait.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use password_auth_model::{
    EmailAddress, EmailKind, OneTimeToken, Purpose, QueuedEmail, QueuedEmailId, Timestamp,
    TokenHash, UserId,
};
use password_auth_store::Record;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::backup) struct OneTimeTokenLine {
    /// Base64url.
    hash: String,
    user: UserId,
    purpose: PurposeLine,
    address: EmailAddress,
    expires: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PurposeLine {
    ResetPassword,
    VerifyEmail,
    ChangeEmail,
    ConfirmedEmail,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::backup) struct QueuedEmailLine {
    id: QueuedEmailId,
    created: Timestamp,
    due: Timestamp,
    tries: u32,
    to: EmailAddress,
    user: Option<UserId>,
    /// By the names that an engine may keep too, and which never change (see the tests).
    about: EmailKind,
}

impl From<OneTimeToken> for OneTimeTokenLine {
    fn from(token: OneTimeToken) -> Self {
        let (purpose, address) = match token.purpose {
            Purpose::ResetPassword(address) => (PurposeLine::ResetPassword, address),
            Purpose::VerifyEmail(address) => (PurposeLine::VerifyEmail, address),
            Purpose::ChangeEmail(address) => (PurposeLine::ChangeEmail, address),
            Purpose::ConfirmedEmail(address) => (PurposeLine::ConfirmedEmail, address),
        };
        Self {
            hash: URL_SAFE_NO_PAD.encode(token.hash.as_bytes()),
            user: token.user,
            purpose,
            address,
            expires: token.expires,
        }
    }
}

impl OneTimeTokenLine {
    /// `None` if its hash is none.
    pub(super) fn record(self) -> Option<Record> {
        let hash = URL_SAFE_NO_PAD.decode(&self.hash).ok()?;
        let purpose = match self.purpose {
            PurposeLine::ResetPassword => Purpose::ResetPassword,
            PurposeLine::VerifyEmail => Purpose::VerifyEmail,
            PurposeLine::ChangeEmail => Purpose::ChangeEmail,
            PurposeLine::ConfirmedEmail => Purpose::ConfirmedEmail,
        };
        Some(Record::OneTimeToken(OneTimeToken {
            hash: TokenHash::from_bytes(hash.try_into().ok()?),
            user: self.user,
            purpose: purpose(self.address),
            expires: self.expires,
        }))
    }
}

impl From<QueuedEmail> for QueuedEmailLine {
    fn from(queued_email: QueuedEmail) -> Self {
        Self {
            id: queued_email.id,
            created: queued_email.created,
            due: queued_email.due,
            tries: queued_email.tries,
            to: queued_email.to,
            user: queued_email.user,
            about: queued_email.kind,
        }
    }
}

impl From<QueuedEmailLine> for Record {
    fn from(line: QueuedEmailLine) -> Self {
        Self::QueuedEmail(QueuedEmail {
            id: line.id,
            created: line.created,
            due: line.due,
            tries: line.tries,
            to: line.to,
            user: line.user,
            kind: line.about,
        })
    }
}
