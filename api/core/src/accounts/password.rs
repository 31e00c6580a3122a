//! Changing a password: with the old one, by mail, or by the operator.

use std::time::Duration;

use password_auth_model::{
    Attempt, Client, EmailAddress, EmailKind, EventKind, Purpose, TokenHash, UserId, UsernameKey,
    Verdict, reset_emails, salt_for,
};
use password_auth_store::{ChangePassword, StoreError};
use password_auth_wire::Secret;

use super::{Accounts, CurrentPasswordError, Invalid, MailRequestError};
use crate::audit::EventContext;
use crate::passwords::{HashingError, check_new_password};
use crate::rate_limit::Counted;
use crate::sessions::{Caller, Issued, SessionError};

/// Why a password was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangePasswordError {
    /// The new one breaks a rule.
    #[error("the new password breaks a rule")]
    Invalid(Invalid),
    /// The current password is wrong or could not be checked.
    #[error(transparent)]
    Proof(#[from] CurrentPasswordError),
    /// The caller's session has ended meanwhile.
    #[error("the session has ended")]
    SignedOut,
    /// The password was changed, but issuing the new pair failed.
    #[error(transparent)]
    Session(#[from] SessionError),
}

impl From<HashingError> for ChangePasswordError {
    fn from(error: HashingError) -> Self {
        Self::Proof(error.into())
    }
}

impl From<StoreError> for ChangePasswordError {
    fn from(error: StoreError) -> Self {
        Self::Proof(error.into())
    }
}

/// Why a password was not reset.
#[derive(Debug, thiserror::Error)]
pub enum ResetPasswordError {
    /// The token is not valid: unknown, used, expired, or for another purpose.
    #[error("the token is not valid")]
    BadToken,
    /// The new password breaks a rule. The token stays valid.
    #[error("the new password breaks a rule")]
    Invalid(Invalid),
    /// Too many attempts from this address or with this token. The next one is allowed after this time.
    #[error("too many tries")]
    TooMany(Duration),
    /// Hashing failed.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Accounts {
    /// Changes the caller's password, ends their other sessions, invalidates all tokens of this session, and returns a
    /// new pair for it.
    ///
    /// # Errors
    /// As [`ChangePasswordError`] lists. Then nothing was changed.
    pub async fn change_password(
        &self,
        caller: &Caller,
        current: Secret,
        new: Secret,
        client: &Client,
    ) -> Result<Issued, ChangePasswordError> {
        check_rules(&new).map_err(ChangePasswordError::Invalid)?;
        let user = &caller.user;
        let counted = self
            .verify_current_password(caller, current, client)
            .await?;
        self.check_strength(&counted, &new, user.called())
            .await?
            .map_err(ChangePasswordError::Invalid)?;
        let salt = salt_for(user);
        let hash = self.hasher.hash_salted(&counted, new, salt).await?;
        let changed = self
            .store
            .change_password(user.id, user.password_version, hash, Some(caller.session))
            .await?;
        let session = match changed {
            ChangePassword::Changed(Some(session)) => session,
            ChangePassword::Changed(None) | ChangePassword::SessionOver => {
                return Err(ChangePasswordError::SignedOut);
            }
            // The password was changed since it was read, so the given one is no longer current.
            ChangePassword::Outdated => return Err(CurrentPasswordError::Wrong.into()),
        };
        let (what, mail) = (EventKind::PasswordChanged, EmailKind::PasswordChanged);
        self.note_and_mail(user, what, mail, client).await;
        let issued = self.sessions.issue_renewed(&session, user, client)?;
        Ok(issued)
    }

    /// Mails a reset link to the users with this address. The result and its timing do not reveal whether there are
    /// any. In development, returns the token. With the name of an account that has the address, the mail is only about
    /// that account.
    ///
    /// # Errors
    /// As [`MailRequestError`] lists.
    pub async fn request_password_reset(
        &self,
        email: &str,
        username: Option<&str>,
        client: &Client,
    ) -> Result<Option<Secret>, MailRequestError> {
        let address = EmailAddress::parse(email).map_err(|_| MailRequestError::Invalid)?;
        // Queue one mail in either case, so that neither the response nor its timing reveals that name and address
        // belong together.
        let named = match username {
            Some(name) => self.store.user_by_name(&UsernameKey::of(name)).await?,
            None => None,
        };
        let named = named.filter(|user| user.has_email(&address));
        let about = named.as_ref().map(|user| user.id);
        self.ask_for_email(client, &address, about, EmailKind::ResetPassword)
            .await?;
        if !self.tells_tokens {
            return Ok(None);
        }
        let users = match named {
            Some(user) => vec![user],
            None => self.store.users_by_email(&address.key()).await?,
        };
        let mails = reset_emails(users, &address);
        let first = mails.and_then(|mails| Some((mails.about.first()?.id, mails.to)));
        match first {
            Some((user, to)) => {
                self.token_for_developer(user, Purpose::ResetPassword(to))
                    .await
            }
            None => Ok(None),
        }
    }

    /// Sets a new password with a mailed token, and ends all sessions of the user.
    ///
    /// # Errors
    /// As [`ResetPasswordError`] lists. Then nothing was changed.
    pub async fn reset_password(
        &self,
        token: &Secret,
        new: Secret,
        client: &Client,
    ) -> Result<(), ResetPasswordError> {
        let now = self.clock.now();
        let counted = self
            .resets
            .count(client.address, now)
            .map_err(ResetPasswordError::TooMany)?;
        let hash = TokenHash::of(token.expose());
        // Before hashing, so that requests without a valid token cost nothing.
        let found = self.store.one_time_token(&hash, now).await?;
        let user = match found {
            Some((token, user)) if matches!(token.purpose, Purpose::ResetPassword(_)) => user,
            _ => return Err(ResetPasswordError::BadToken),
        };
        check_rules(&new).map_err(ResetPasswordError::Invalid)?;
        // A weak password leaves the token valid, so attempts with one token must be limited.
        let attempt = Attempt::reset_by(&hash, &user.username_key);
        if let Verdict::Refused(wait) = self.count(attempt, self.rates.login, now).await? {
            return Err(ResetPasswordError::TooMany(wait));
        }
        self.check_strength(&counted, &new, user.called())
            .await?
            .map_err(ResetPasswordError::Invalid)?;
        let new = self.hasher.hash(&counted, new).await?;
        let user = self
            .store
            .reset_password(&hash, new, self.clock.now())
            .await?
            .ok_or(ResetPasswordError::BadToken)?;
        // The password is changed, even if this fails.
        if let Err(error) = self.remember_network(&user, client).await {
            tracing::warn!(user.id = %user.id, %error, "the network of a reset was not remembered");
        }
        let (what, mail) = (EventKind::PasswordReset, EmailKind::PasswordChanged);
        self.note_and_mail(&user, what, mail, client).await;
        Ok(())
    }

    /// Sets a new password for a user, and ends all their sessions, for the operator. `None` if there is no such user.
    ///
    /// # Errors
    /// As [`ChangePasswordError`] lists. Then nothing was changed.
    pub async fn set_password(
        &self,
        user: UserId,
        new: Secret,
    ) -> Result<Option<()>, ChangePasswordError> {
        check_rules(&new).map_err(ChangePasswordError::Invalid)?;
        let Some(found) = self.store.user(user).await? else {
            return Ok(None);
        };
        let counted = Counted::by_operator();
        self.check_strength(&counted, &new, found.called())
            .await?
            .map_err(ChangePasswordError::Invalid)?;
        let salt = salt_for(&found);
        let hash = self.hasher.hash_salted(&counted, new, salt).await?;
        loop {
            let Some(found) = self.store.user(user).await? else {
                return Ok(None);
            };
            let changed = self
                .store
                .change_password(user, found.password_version, hash.clone(), None)
                .await?;
            // Otherwise the password was changed meanwhile. Try again: the operator's change wins.
            if matches!(changed, ChangePassword::Changed(_)) {
                self.audit_log
                    .record(user, EventKind::PasswordSet, EventContext::default())
                    .await;
                self.mailer.tell(&found, EmailKind::PasswordChanged).await;
                return Ok(Some(()));
            }
        }
    }
}

fn check_rules(new: &Secret) -> Result<(), Invalid> {
    check_new_password(new).map_err(Invalid::password)
}
