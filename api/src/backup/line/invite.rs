//! Invitations.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use password_auth_model::{EmailAddress, Invite, InviteId, Role, Timestamp, TokenHash, UserId};
use password_auth_store::Record;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::backup) struct InviteLine {
    id: InviteId,
    /// Base64url.
    hashes: Vec<String>,
    email: Option<EmailAddress>,
    role: Role,
    created: Timestamp,
    expires: Timestamp,
    /// Not in older files.
    #[serde(default)]
    by: Option<UserId>,
}

impl From<Invite> for InviteLine {
    fn from(invite: Invite) -> Self {
        let hashes = invite.hashes.iter();
        Self {
            id: invite.id,
            hashes: hashes
                .map(|hash| URL_SAFE_NO_PAD.encode(hash.as_bytes()))
                .collect(),
            email: invite.email,
            role: invite.role,
            created: invite.created,
            expires: invite.expires,
            by: invite.by,
        }
    }
}

impl InviteLine {
    pub(super) fn record(self) -> Option<Record> {
        let hashes = self.hashes.iter().map(|hash| {
            let bytes = URL_SAFE_NO_PAD.decode(hash).ok()?;
            Some(TokenHash::from_bytes(bytes.try_into().ok()?))
        });
        Some(Record::Invite(Invite {
            id: self.id,
            hashes: hashes.collect::<Option<_>>()?,
            email: self.email,
            role: self.role,
            created: self.created,
            expires: self.expires,
            by: self.by,
        }))
    }
}
