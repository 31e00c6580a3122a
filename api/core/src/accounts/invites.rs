//! Invitations, made by admins and the operator. They count whoever may register otherwise.

use std::time::Duration;

use password_auth_model::{EmailAddress, EmailKind, Invite, InviteId, InviteLifetime, Role};
use password_auth_store::StoreError;
use password_auth_wire::Secret;
use password_auth_wire::rules::Violation;

use super::{Accounts, Invalid};
use crate::mail::Asked;
use crate::sessions::Caller;

/// An invitation to make.
#[derive(Clone, Debug)]
pub struct NewInvite {
    /// Where to mail it.
    pub email: Option<String>,
    /// The role of the account.
    pub role: Role,
    /// How long it is valid.
    pub lifetime: InviteLifetime,
}

/// Why no invitation was made.
#[derive(Debug, thiserror::Error)]
pub enum InviteError {
    /// The address is not valid.
    #[error("the e-mail address is not valid")]
    Invalid(Invalid),
    /// It is for an admin, and the session did not prove lately who uses it.
    #[error("the session must prove who uses it")]
    Unproved,
    /// The admin who makes it is no admin any more.
    #[error("only admins may invite")]
    NoAdmin,
    /// The server cannot send mail.
    #[error(
        "the server cannot send mail: make the invitation without an address, and hand its link over"
    )]
    NoMail,
    /// Too many mails to this address. The next one is allowed after this time.
    #[error("too many mails to this address")]
    TooMany(Duration),
    /// The system provides no random bytes.
    #[error("the system provides no random bytes: {0}")]
    Randomness(getrandom::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Accounts {
    /// Makes an invitation, and mails it if it has an address. The token is returned only here. An invitation of an admin
    /// counts while they are one; one to become an admin needs a [proof](Self::prove). `None` is the operator.
    ///
    /// # Errors
    /// As [`InviteError`] lists. If it cannot be mailed, it does not stay.
    pub async fn invite(
        &self,
        new: NewInvite,
        by: Option<&Caller>,
    ) -> Result<(Invite, Secret), InviteError> {
        let email = new.email.filter(|email| !email.trim().is_empty());
        let email = email.as_deref().map(EmailAddress::parse).transpose();
        let email = email.map_err(|_| {
            InviteError::Invalid(Invalid {
                email: Some(Violation::EmailInvalid),
                ..Invalid::default()
            })
        })?;
        if !self.may_make(new.role, by).await? {
            return Err(InviteError::Unproved);
        }
        let by = by.map(|by| by.user.id);
        let (token, invite) = Invite::new(email, new.role, by, self.clock.now(), new.lifetime)
            .map_err(InviteError::Randomness)?;
        if !self.store.add_invite(invite.clone()).await? {
            return Err(InviteError::NoAdmin);
        }
        if let Some(to) = invite.email.clone() {
            let kind = EmailKind::Invitation;
            let refused = match self.mailer.send_later(None, to, None, kind).await {
                Ok(Asked::Kept) => None,
                Ok(Asked::Nowhere) => Some(InviteError::NoMail),
                Ok(Asked::TooMany(wait)) => Some(InviteError::TooMany(wait)),
                Err(error) => Some(error.into()),
            };
            if let Some(refused) = refused {
                self.store.remove_invite(invite.id).await?;
                return Err(refused);
            }
        }
        let by = by.map_or_else(|| "the operator".to_owned(), |by| by.to_string());
        tracing::info!(invite.id = %invite.id, role = %invite.role, by, "an invitation was made");
        Ok((invite, token))
    }

    /// The invitations after this one, expired ones included, in the order in which they were made.
    ///
    /// # Errors
    /// If the store failed.
    pub async fn invites(
        &self,
        after: Option<InviteId>,
        limit: u32,
    ) -> Result<Vec<Invite>, StoreError> {
        self.store.invites(None, after, limit).await
    }

    /// Removes an invitation. Returns whether there was one.
    ///
    /// # Errors
    /// If the store failed.
    pub async fn remove_invite(&self, id: InviteId) -> Result<bool, StoreError> {
        self.store.remove_invite(id).await
    }
}
