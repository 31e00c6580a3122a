//! E-mail addresses: verifying one, and changing it.

use std::time::Duration;

use password_auth_model::{
    Client, EmailAddress, EmailKind, EventKind, OneTimeToken, Purpose, TokenHash, User, UserId,
};
use password_auth_store::{ConfirmEmail, StoreError};
use password_auth_wire::Secret;

use super::{Accounts, CurrentPasswordError};
use crate::mail::Asked;
use crate::sessions::Caller;

/// Why no mail was asked for.
#[derive(Debug, thiserror::Error)]
pub enum MailRequestError {
    /// It is no e-mail address.
    #[error("it is no e-mail address")]
    Invalid,
    /// There is nowhere to send mail.
    #[error("no mail is configured")]
    NotConfigured,
    /// The account has no address.
    #[error("there is no address to verify")]
    NothingToVerify,
    /// Somebody else has verified the address.
    #[error("the address is taken")]
    Taken,
    /// Too many mails were asked for; the next may be after this long.
    #[error("too many mails")]
    TooMany(Duration),
    /// The password that goes with it is wrong, or could not be checked.
    #[error(transparent)]
    Proof(#[from] CurrentPasswordError),
    /// The system has no randomness.
    #[error("no random bytes from the system: {0}")]
    Randomness(getrandom::Error),
    /// The store did not work.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What became of asking for a link that verifies an address.
#[derive(Debug)]
pub enum VerificationRequest {
    /// It is sent; in development this is its token.
    Sent(Option<Secret>),
    /// There is nothing to verify any more.
    AlreadyVerified,
}

/// Why an address was not confirmed.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmEmailError {
    /// The token is no good: unknown, used, late, of another purpose.
    #[error("the token is not good")]
    BadToken,
    /// Somebody else has verified the address meanwhile.
    #[error("the address is taken")]
    Taken,
    /// The store did not work.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Accounts {
    /// Mails a link to the caller's address, unless it is verified. In development the answer holds the token.
    ///
    /// # Errors
    /// As [`MailRequestError`] lists.
    pub async fn request_verification(
        &self,
        caller: &Caller,
        client: &Client,
    ) -> Result<VerificationRequest, MailRequestError> {
        let user = &caller.user;
        let address = user.email.clone();
        let address = address.ok_or(MailRequestError::NothingToVerify)?;
        if user.is_verified {
            return Ok(VerificationRequest::AlreadyVerified);
        }
        self.ask_for_letter(client, &address, Some(user.id), EmailKind::VerifyEmail)
            .await?;
        let token = self.token_for_developer(user.id, Purpose::VerifyEmail(address));
        Ok(VerificationRequest::Sent(token.await?))
    }

    /// Mails a link to the new address, which makes it the caller's, and a word to the old one. It takes the
    /// password: whoever stole an access token could else take the account, by a reset.
    ///
    /// # Errors
    /// As [`MailRequestError`] lists.
    pub async fn request_email_change(
        &self,
        caller: &Caller,
        password: Secret,
        new: &str,
        client: &Client,
    ) -> Result<Option<Secret>, MailRequestError> {
        let user = &caller.user;
        let address = EmailAddress::parse(new).map_err(|_| MailRequestError::Invalid)?;
        let _counted = self.verify_current_password(user, password, client).await?;
        let holders = self.store.users_by_email(&address.key()).await?;
        if holders
            .iter()
            .any(|holder| holder.is_verified && holder.id != user.id)
        {
            return Err(MailRequestError::Taken);
        }
        self.ask_for_letter(client, &address, Some(user.id), EmailKind::ChangeEmail)
            .await?;
        self.mailer
            .tell(user, EmailKind::EmailChangeRequested)
            .await;
        self.note(user, EventKind::EmailChangeRequested, client)
            .await;
        self.token_for_developer(user.id, Purpose::ChangeEmail(address))
            .await
    }

    /// Takes a mailed token: the address that it was mailed to is the person's, and verified.
    ///
    /// # Errors
    /// As [`ConfirmEmailError`] lists; then nothing was changed.
    pub async fn confirm_email(
        &self,
        token: &Secret,
        client: &Client,
    ) -> Result<User, ConfirmEmailError> {
        let hash = TokenHash::of(token.expose());
        match self.store.confirm_email(&hash, self.clock.now()).await? {
            ConfirmEmail::Confirmed { before, after } => {
                let is_another = before.email.as_ref().map(EmailAddress::key)
                    != after.email.as_ref().map(EmailAddress::key);
                if is_another {
                    self.note(&after, EventKind::EmailChanged, client).await;
                    // To the old one.
                    self.mailer.tell(&before, EmailKind::EmailChanged).await;
                } else {
                    self.note(&after, EventKind::EmailVerified, client).await;
                }
                Ok(*after)
            }
            ConfirmEmail::AlreadyConfirmed(user) => Ok(*user),
            ConfirmEmail::Taken => Err(ConfirmEmailError::Taken),
            ConfirmEmail::Invalid => Err(ConfirmEmailError::BadToken),
        }
    }

    /// Asks for a letter for somebody who waits to hear what became of it.
    pub(super) async fn ask_for_letter(
        &self,
        client: &Client,
        to: &EmailAddress,
        user: Option<UserId>,
        about: EmailKind,
    ) -> Result<(), MailRequestError> {
        let asked = self
            .mailer
            .send_later(Some(client), to.clone(), user, about);
        match asked.await? {
            Asked::Kept => Ok(()),
            Asked::TooMany(wait) => Err(MailRequestError::TooMany(wait)),
            Asked::Nowhere => Err(MailRequestError::NotConfigured),
        }
    }

    /// In development: a token as it is mailed, for the answer.
    pub(super) async fn token_for_developer(
        &self,
        user: UserId,
        purpose: Purpose,
    ) -> Result<Option<Secret>, MailRequestError> {
        if !self.tells_tokens {
            return Ok(None);
        }
        let expires = self.clock.now().plus(self.link_lifetimes.of(&purpose));
        let (token, kept) =
            OneTimeToken::new(user, purpose, expires).map_err(MailRequestError::Randomness)?;
        let added = self.store.add_one_time_token(kept).await?;
        Ok(added.then_some(token))
    }
}
