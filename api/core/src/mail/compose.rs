//! From a letter in the queue to a mail: whose account it is about as that is now, and the one-time token that its
//! link carries, which is made here and nowhere kept.

use std::sync::Arc;

use lettre::Address;
use lettre::message::Mailbox;
use password_auth_model::{
    EmailAddress, EmailKind, OneTimeToken, Purpose, QueuedEmail, SharedClock, User, in_one_letter,
};
use password_auth_store::{Store, StoreError};

use super::LinkLifetimes;
use super::message::{self, BuildError, Mail};
use super::name;
use super::text::{self, Link};

/// Makes mails.
pub(super) struct Composer {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: SharedClock,
    /// Where links lead: scheme, host and port.
    pub(super) public_url: String,
    pub(super) from: Mailbox,
    pub(super) lifetimes: LinkLifetimes,
}

/// Why a letter did not become a mail.
#[derive(Debug, thiserror::Error)]
pub(super) enum ComposeError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the system has no randomness")]
    Randomness,
    #[error("a template failed: {0}")]
    Text(#[from] askama::Error),
    /// The address, or something else of this letter, can not stand in a mail: it never will.
    #[error(transparent)]
    Build(#[from] BuildError),
}

impl Composer {
    /// The mail; `None` if there is nothing to say any more, or nobody to say it to.
    pub(super) async fn compose(
        &self,
        queued_email: &QueuedEmail,
    ) -> Result<Option<Mail>, ComposeError> {
        let Some((address, users)) = self.concerned(queued_email).await? else {
            return Ok(None);
        };
        // Before any token is made for it.
        let to: Address = message::address(&address).map_err(BuildError::from)?;
        let mut links = Vec::new();
        for user in &users {
            // Else he was deactivated, or went, meanwhile.
            if let Some(url) = self.link(queued_email.kind, &address, user).await? {
                links.push(Link {
                    username: name::shown(user.username.as_str()),
                    url,
                });
            }
        }
        if links.is_empty() {
            return Ok(None);
        }
        let text = text::write(queued_email, &links, &self.public_url, self.lifetimes)?;
        let mail = message::build(
            queued_email.id,
            &self.from,
            to,
            &self.public_url,
            self.clock.now(),
            text,
        )?;
        Ok(Some(mail))
    }

    /// Whom the letter is about, and where it goes: to the address that the account has, whatever somebody typed.
    async fn concerned(
        &self,
        queued_email: &QueuedEmail,
    ) -> Result<Option<(EmailAddress, Vec<User>)>, StoreError> {
        let Some(id) = queued_email.user else {
            let users = self.store.users_by_email(&queued_email.to.key()).await?;
            return Ok(in_one_letter(users, &queued_email.to));
        };
        let Some(user) = self.store.user(id).await? else {
            return Ok(None);
        };
        // To this address mail about the user went when the letter was written.
        let is_theirs = user.is_active && user.has_email(&queued_email.to);
        let to = match queued_email.kind {
            EmailKind::ResetPassword if is_theirs => user.email.clone(),
            EmailKind::VerifyEmail if is_theirs && !user.is_verified => user.email.clone(),
            EmailKind::ResetPassword | EmailKind::VerifyEmail => None,
            // To the new one, by nature.
            EmailKind::ChangeEmail => user.is_active.then(|| queued_email.to.clone()),
            // To the one that the account had then.
            EmailKind::EmailChangeRequested
            | EmailKind::EmailChanged
            | EmailKind::PasswordChanged
            | EmailKind::TokenReused => Some(queued_email.to.clone()),
        };
        Ok(to.map(|to| (to, vec![user])))
    }

    /// The link for one account, with a new token; an empty one if the letter has none. `None` if the account may
    /// have no token.
    async fn link(
        &self,
        kind: EmailKind,
        to: &EmailAddress,
        user: &User,
    ) -> Result<Option<String>, ComposeError> {
        let to = to.clone();
        let (page, purpose) = match kind {
            EmailKind::ResetPassword => ("reset-password", Purpose::ResetPassword(to)),
            EmailKind::VerifyEmail => ("verify-email", Purpose::VerifyEmail(to)),
            EmailKind::ChangeEmail => ("verify-email", Purpose::ChangeEmail(to)),
            EmailKind::EmailChangeRequested
            | EmailKind::EmailChanged
            | EmailKind::PasswordChanged
            | EmailKind::TokenReused => return Ok(Some(String::new())),
        };
        let expires = self.clock.now().plus(self.lifetimes.of(&purpose));
        let (token, kept) =
            OneTimeToken::new(user.id, purpose, expires).map_err(|_| ComposeError::Randomness)?;
        let added = self.store.add_one_time_token(kept).await?;
        let url = format!("{}/{page}?token={}", self.public_url, token.expose());
        Ok(added.then_some(url))
    }
}
