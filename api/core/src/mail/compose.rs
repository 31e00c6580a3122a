//! Builds a mail from a queued one: reads the current state of the account, and creates the one-time token for the
//! link, which is only stored as a hash.

use std::sync::Arc;

use lettre::Address;
use lettre::message::Mailbox;
use password_auth_model::{
    EmailAddress, EmailClass, EmailKind, Invite, OneTimeToken, Purpose, QueuedEmail, QueuedEmailId,
    SharedClock, User, reset_emails,
};
use password_auth_store::{Store, StoreError};

use super::message::{self, BuildError, Mail};
use super::name;
use super::settings::link;
use super::text::{self, Link};
use super::{LinkLifetimes, Site, invitation_link};

/// Builds mails.
pub(super) struct Composer {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: SharedClock,
    pub(super) site: Site,
    pub(super) from: Mailbox,
    pub(super) lifetimes: LinkLifetimes,
}

/// Why a mail could not be built.
#[derive(Debug, thiserror::Error)]
pub(super) enum ComposeError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the system provides no random bytes")]
    Randomness,
    #[error("a template failed: {0}")]
    Text(#[from] askama::Error),
    /// The address, or something else in this mail, is not valid in a mail. Trying again does not help.
    #[error(transparent)]
    Build(#[from] BuildError),
}

impl Composer {
    /// The mail. `None` if it is no longer needed.
    pub(super) async fn compose(
        &self,
        queued_email: &QueuedEmail,
    ) -> Result<Option<Mail>, ComposeError> {
        if queued_email.kind == EmailKind::Invitation {
            return self.invitation(queued_email).await;
        }
        let Some((address, users)) = self.concerned(queued_email).await? else {
            return Ok(None);
        };
        // Before a token is created for it.
        let to: Address = message::address(&address).map_err(BuildError::from)?;
        let mut links = Vec::new();
        for user in &users {
            // Otherwise the user was deactivated or deleted meanwhile.
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
        self.build(queued_email, to, &links).map(Some)
    }

    fn build(
        &self,
        queued_email: &QueuedEmail,
        to: Address,
        links: &[Link],
    ) -> Result<Mail, ComposeError> {
        let text = text::write(queued_email, links, &self.site, self.lifetimes)?;
        Ok(message::build(
            queued_email.id,
            &self.from,
            to,
            &self.site.url,
            self.clock.now(),
            text,
        )?)
    }

    /// A link to register, with a token of its own. `None` if the invitation was used, was removed or has expired.
    async fn invitation(&self, queued_email: &QueuedEmail) -> Result<Option<Mail>, ComposeError> {
        let to: Address = message::address(&queued_email.to).map_err(BuildError::from)?;
        let (token, hash) = Invite::another_token().map_err(|_| ComposeError::Randomness)?;
        let (email, now) = (queued_email.to.key(), self.clock.now());
        if self
            .store
            .add_invite_token(&email, hash, now)
            .await?
            .is_none()
        {
            return Ok(None);
        }
        let link = Link {
            username: String::new(),
            url: invitation_link(&self.site.url, &token),
        };
        self.build(queued_email, to, &[link]).map(Some)
    }

    /// The accounts that the mail is about, and its recipient: the address of the account, not the one that was typed.
    async fn concerned(
        &self,
        queued_email: &QueuedEmail,
    ) -> Result<Option<(EmailAddress, Vec<User>)>, StoreError> {
        let Some(id) = queued_email.user else {
            let users = self.store.users_by_email(&queued_email.to.key()).await?;
            let Some(mails) = reset_emails(users, &queued_email.to) else {
                return Ok(None);
            };
            // Only once: each of them is retried on its own.
            if queued_email.tries <= 1 {
                self.enqueue_for(&mails.elsewhere, queued_email).await?;
            }
            return Ok(Some((mails.to, mails.about)));
        };
        let Some(user) = self.store.user(id).await? else {
            return Ok(None);
        };
        // The address must still be the user's.
        let is_theirs = user.has_email(&queued_email.to);
        let to = match queued_email.kind.class() {
            EmailClass::ResetPassword if is_theirs && user.may_choose_password() => {
                user.email.clone()
            }
            EmailClass::VerifyEmail if is_theirs && user.is_active && !user.is_verified => {
                user.email.clone()
            }
            EmailClass::ResetPassword | EmailClass::VerifyEmail => None,
            // To the new address.
            EmailClass::ChangeEmail => user.is_active.then(|| queued_email.to.clone()),
            // To the address that the account had then.
            EmailClass::Notice => Some(queued_email.to.clone()),
            // It is about no account.
            EmailClass::Invitation => None,
        };
        Ok(to.map(|to| (to, vec![user])))
    }

    /// Copies of `queued_email` for each of these accounts, to the address in its spelling.
    async fn enqueue_for(
        &self,
        users: &[User],
        queued_email: &QueuedEmail,
    ) -> Result<(), StoreError> {
        for user in users {
            let Some(to) = user.email.clone() else {
                continue;
            };
            let now = self.clock.now();
            let another = QueuedEmail {
                id: QueuedEmailId::new(now),
                due: now,
                tries: 0,
                to,
                user: Some(user.id),
                ..queued_email.clone()
            };
            self.store.enqueue_email(another).await?;
        }
        Ok(())
    }

    /// The link for one account, with a new token. Empty if the mail has no link. `None` if the account cannot have a
    /// token.
    async fn link(
        &self,
        kind: EmailKind,
        to: &EmailAddress,
        user: &User,
    ) -> Result<Option<String>, ComposeError> {
        let to = to.clone();
        let (page, purpose) = match kind.class() {
            EmailClass::ResetPassword => ("reset-password", Purpose::ResetPassword(to)),
            EmailClass::VerifyEmail => ("verify-email", Purpose::VerifyEmail(to)),
            EmailClass::ChangeEmail => ("verify-email", Purpose::ChangeEmail(to)),
            EmailClass::Notice | EmailClass::Invitation => return Ok(Some(String::new())),
        };
        let expires = self.clock.now().plus(self.lifetimes.of(&purpose));
        let (token, kept) =
            OneTimeToken::new(user.id, purpose, expires).map_err(|_| ComposeError::Randomness)?;
        let added = self.store.add_one_time_token(kept).await?;
        let url = link(&self.site.url, page, &token);
        Ok(added.then_some(url))
    }
}
