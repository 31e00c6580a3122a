//! Another password: by whoever knows the old one, by mail, or by the operator.

use std::time::Duration;

use password_auth_model::{
    Attempt, Client, EmailAddress, EmailKind, EventKind, Purpose, TokenHash, UserId, Verdict,
    in_one_letter,
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
    /// The current one is wrong, or could not be checked.
    #[error(transparent)]
    Proof(#[from] CurrentPasswordError),
    /// The caller's session ended meanwhile.
    #[error("the session is over")]
    SignedOut,
    /// It is changed, and issuing the new pair did not work.
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
    /// The token is no good: unknown, used, late, of another purpose.
    #[error("the token is not good")]
    BadToken,
    /// The new password breaks a rule. The token stays good.
    #[error("the new password breaks a rule")]
    Invalid(Invalid),
    /// Too many tries from this address or by this token; the next may come after this long.
    #[error("too many tries")]
    TooMany(Duration),
    /// Hashing did not work.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// The store did not work.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Accounts {
    /// Changes the caller's password, ends his other sessions, and voids all tokens of this one: the new pair of it.
    ///
    /// # Errors
    /// As [`ChangePasswordError`] lists; then nothing was changed.
    pub async fn change_password(
        &self,
        caller: &Caller,
        current: Secret,
        new: Secret,
        client: &Client,
    ) -> Result<Issued, ChangePasswordError> {
        check_rules(&new).map_err(ChangePasswordError::Invalid)?;
        let user = &caller.user;
        let counted = self.verify_current_password(user, current, client).await?;
        self.check_strength(&counted, &new, user.called())
            .await?
            .map_err(ChangePasswordError::Invalid)?;
        let hash = self.hasher.hash(&counted, new).await?;
        let changed = self
            .store
            .change_password(user.id, user.password_version, hash, Some(caller.session))
            .await?;
        let session = match changed {
            ChangePassword::Changed(Some(session)) => session,
            ChangePassword::Changed(None) | ChangePassword::SessionOver => {
                return Err(ChangePasswordError::SignedOut);
            }
            // Somebody changed it since it was read: what was given is the current one no more.
            ChangePassword::Outdated => return Err(CurrentPasswordError::Wrong.into()),
        };
        self.note(user, EventKind::PasswordChanged, client).await;
        self.mailer.tell(user, EmailKind::PasswordChanged).await;
        let issued = self.sessions.issue_renewed(&session, user, client)?;
        Ok(issued)
    }

    /// Mails a link for a new password to whoever has the address. Whether anybody has, the answer does not tell, nor
    /// how long it takes; in development it holds the token.
    ///
    /// # Errors
    /// As [`MailRequestError`] lists.
    pub async fn request_password_reset(
        &self,
        email: &str,
        client: &Client,
    ) -> Result<Option<Secret>, MailRequestError> {
        let address = EmailAddress::parse(email).map_err(|_| MailRequestError::Invalid)?;
        self.ask_for_letter(client, &address, None, EmailKind::ResetPassword)
            .await?;
        if !self.tells_tokens {
            return Ok(None);
        }
        let users = self.store.users_by_email(&address.key()).await?;
        match in_one_letter(users, &address) {
            Some((to, users)) => match users.first() {
                Some(user) => {
                    self.token_for_developer(user.id, Purpose::ResetPassword(to))
                        .await
                }
                None => Ok(None),
            },
            None => Ok(None),
        }
    }

    /// Sets another password by a mailed token, and ends all of the person's sessions.
    ///
    /// # Errors
    /// As [`ResetPasswordError`] lists; then nothing was changed.
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
        // Before it is hashed: who has no token costs nothing.
        let found = self.store.one_time_token(&hash, now).await?;
        let user = match found {
            Some((token, user)) if matches!(token.purpose, Purpose::ResetPassword(_)) => user,
            _ => return Err(ResetPasswordError::BadToken),
        };
        check_rules(&new).map_err(ResetPasswordError::Invalid)?;
        // A weak password leaves the token good, so that one token would be enough for any number of tries.
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
        self.note(&user, EventKind::PasswordReset, client).await;
        self.mailer.tell(&user, EmailKind::PasswordChanged).await;
        Ok(())
    }

    /// Sets another password for somebody, and ends all of his sessions: for the operator. `None` if there is no such
    /// user.
    ///
    /// # Errors
    /// As [`ChangePasswordError`] lists; then nothing was changed.
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
        let hash = self.hasher.hash(&counted, new).await?;
        loop {
            let Some(found) = self.store.user(user).await? else {
                return Ok(None);
            };
            let changed = self
                .store
                .change_password(user, found.password_version, hash.clone(), None)
                .await?;
            // Else somebody changed it in between: the operator's is the last word.
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
