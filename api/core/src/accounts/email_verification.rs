//! Verifying and changing e-mail addresses.

use std::time::Duration;

use password_auth_model::{
    Client, EmailAddress, EmailKind, EventKind, OneTimeToken, Purpose, TokenHash, User, UserId,
};
use password_auth_store::{ConfirmEmail, StoreError};
use password_auth_wire::Secret;

use super::{Accounts, CurrentPasswordError};
use crate::mail::Asked;
use crate::sessions::Caller;

/// Why a mail was not requested.
#[derive(Debug, thiserror::Error)]
pub enum MailRequestError {
    /// It is not an e-mail address.
    #[error("not an e-mail address")]
    Invalid,
    /// Mail is not configured.
    #[error("mail is not configured")]
    NotConfigured,
    /// The account has no address.
    #[error("there is no address to verify")]
    NothingToVerify,
    /// Another user has verified the address.
    #[error("the address is taken")]
    Taken,
    /// Too many mails were requested. The next one is allowed after this time.
    #[error("too many mails")]
    TooMany(Duration),
    /// The password is wrong or could not be checked.
    #[error(transparent)]
    Proof(#[from] CurrentPasswordError),
    /// The system provides no random bytes.
    #[error("the system provides no random bytes: {0}")]
    Randomness(getrandom::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The result of requesting a verification link.
#[derive(Debug)]
pub enum VerificationRequest {
    /// The mail is queued. Contains its token in development.
    Sent(Option<Secret>),
    /// The address is already verified.
    AlreadyVerified,
}

/// Why an address was not confirmed.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmEmailError {
    /// The token is not valid: unknown, used, expired, or for another purpose.
    #[error("the token is not valid")]
    BadToken,
    /// The token was used before, and the address is still verified by it. For a program it is no good; a person who
    /// pressed the button twice is done.
    #[error("the address was confirmed before by this token")]
    AlreadyConfirmed,
    /// Another user has verified the address meanwhile.
    #[error("the address is taken")]
    Taken,
    /// Too many attempts from this address. The next one is allowed after this time.
    #[error("too many tries")]
    TooMany(Duration),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Asked {
    fn or_refused(self) -> Result<(), MailRequestError> {
        match self {
            Self::Kept => Ok(()),
            Self::TooMany(wait) => Err(MailRequestError::TooMany(wait)),
            Self::Nowhere => Err(MailRequestError::NotConfigured),
        }
    }
}

impl Accounts {
    /// Mails a verification link to the caller's address, unless it is verified. In development, returns the token.
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
        self.mailer
            .send_for_account(client, address.clone(), user, EmailKind::VerifyEmail)
            .await?
            .or_refused()?;
        let token = self.token_for_developer(user.id, Purpose::VerifyEmail(address));
        Ok(VerificationRequest::Sent(token.await?))
    }

    /// Mails a link to the new address, which completes the change, and a notice to the old one. Requires the password:
    /// otherwise a thief with an access token could take the account over with a reset.
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
        let _counted = self
            .verify_current_password(caller, password, client)
            .await?;
        let holders = self.store.users_by_email(&address.key()).await?;
        if holders
            .iter()
            .any(|holder| holder.is_verified && holder.id != user.id)
        {
            return Err(MailRequestError::Taken);
        }
        self.mailer
            .send_for_account(client, address.clone(), user, EmailKind::ChangeEmail)
            .await?
            .or_refused()?;
        self.mailer
            .tell(user, EmailKind::EmailChangeRequested)
            .await;
        self.note(user, EventKind::EmailChangeRequested, client)
            .await;
        self.token_for_developer(user.id, Purpose::ChangeEmail(address))
            .await
    }

    /// Uses up a mailed token: the user then has the address that it was mailed to, verified.
    ///
    /// # Errors
    /// As [`ConfirmEmailError`] lists; then nothing was changed.
    pub async fn confirm_email(
        &self,
        token: &Secret,
        client: &Client,
    ) -> Result<User, ConfirmEmailError> {
        let _counted = self
            .confirmations
            .count(client.address, self.clock.now())
            .map_err(ConfirmEmailError::TooMany)?;
        let hash = TokenHash::of(token.expose());
        // Before anything is written: a request without a valid token only costs a read.
        let found = self.store.one_time_token(&hash, self.clock.now()).await?;
        if found.is_none_or(|(token, _)| matches!(token.purpose, Purpose::ResetPassword(_))) {
            return Err(ConfirmEmailError::BadToken);
        }
        match self.store.confirm_email(&hash, self.clock.now()).await? {
            ConfirmEmail::Confirmed { before, after } => {
                let is_another = before.email.as_ref().map(EmailAddress::key)
                    != after.email.as_ref().map(EmailAddress::key);
                if is_another {
                    self.note(&after, EventKind::EmailChanged, client).await;
                    // To the old address.
                    self.mailer.tell(&before, EmailKind::EmailChanged).await;
                } else {
                    self.note(&after, EventKind::EmailVerified, client).await;
                }
                Ok(*after)
            }
            ConfirmEmail::AlreadyConfirmed(_) => Err(ConfirmEmailError::AlreadyConfirmed),
            ConfirmEmail::Taken => Err(ConfirmEmailError::Taken),
            ConfirmEmail::Invalid => Err(ConfirmEmailError::BadToken),
        }
    }

    /// Queues a mail for a client that waits for the result.
    pub(super) async fn ask_for_email(
        &self,
        client: &Client,
        to: &EmailAddress,
        user: Option<UserId>,
        about: EmailKind,
    ) -> Result<(), MailRequestError> {
        let asked = self
            .mailer
            .send_later(Some(client), to.clone(), user, about);
        asked.await?.or_refused()
    }

    /// In development: a token like the mailed one, for the response.
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
