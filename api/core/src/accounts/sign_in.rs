//! Checking a password and starting a session.

use std::time::Duration;

use password_auth_model::{Client, EventKind, User, Verdict};
use password_auth_store::{ChangeUser, StoreError};
use password_auth_wire::Secret;

use super::{Accounts, SecondStep};
use crate::audit::EventContext;
use crate::passwords::HashingError;
use crate::rate_limit::Spender;
use crate::sessions::{Issued, SessionError, SessionKind, Started};
use crate::tokens::ChallengePurpose;

/// Why a sign-in failed.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The name or the password is empty.
    #[error("the name or the password is empty")]
    Empty,
    /// Unknown name or wrong password.
    #[error("unknown name or wrong password")]
    Refused,
    /// The account is disabled. Only correct credentials reveal this.
    #[error("the account is disabled")]
    Disabled,
    /// Too many attempts from this address or at this account. The next one is allowed after this time.
    #[error("too many tries")]
    TooMany(Duration),
    /// The password is right, and a second factor is needed.
    #[error("a second factor is needed")]
    SecondFactorRequired(SecondStep),
    /// The second factor is wrong. Only the right password reveals this.
    #[error("the second factor is wrong")]
    WrongFactor,
    /// The passkey is unknown or not valid.
    #[error("the passkey is not valid")]
    WrongPasskey,
    /// The challenge is unknown, used or expired, or the password was changed since.
    #[error("the challenge is not valid")]
    ChallengeExpired,
    /// The system provides no random bytes.
    #[error("the system provides no random bytes: {0}")]
    Randomness(#[from] getrandom::Error),
    /// Hashing failed.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// Starting the session failed.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Accounts {
    /// Checks a password, and a code if the account has a second factor, and starts a session. `name` is a user name, or
    /// an e-mail address that only one user has.
    ///
    /// # Errors
    /// As [`SignInError`] lists. Only correct credentials reveal that an account is disabled.
    pub async fn sign_in(
        &self,
        name: &str,
        password: Secret,
        code: Option<&Secret>,
        kind: SessionKind,
        client: &Client,
    ) -> Result<Issued, SignInError> {
        let user = self.check_password(name, password, client).await?;
        if !user.is_active {
            return Err(SignInError::Disabled);
        }
        self.spend(&user)?;
        let purpose = match kind {
            SessionKind::Staying => ChallengePurpose::SignIn,
            SessionKind::Short => ChallengePurpose::ShortSignIn,
        };
        self.second_step(&user, purpose, code, client).await?;
        self.begin(&user, kind, client).await
    }

    /// Like [`sign_in`](Self::sign_in), but also reactivates an account that its user deactivated. Other disabled
    /// accounts are refused.
    ///
    /// # Errors
    /// As [`SignInError`] lists.
    pub async fn reactivate(
        &self,
        name: &str,
        password: Secret,
        code: Option<&Secret>,
        client: &Client,
    ) -> Result<Issued, SignInError> {
        let user = self.check_password(name, password, client).await?;
        if !user.is_active && !user.deactivated_by_self {
            return Err(SignInError::Disabled);
        }
        self.spend(&user)?;
        let purpose = ChallengePurpose::Reactivate;
        self.second_step(&user, purpose, code, client).await?;
        self.begin_reactivated(user, client).await
    }

    /// Reactivates the account, if it is not active, and starts a session.
    pub(super) async fn begin_reactivated(
        &self,
        mut user: User,
        client: &Client,
    ) -> Result<Issued, SignInError> {
        if !user.is_active {
            let version = user.password_version;
            let ChangeUser::Changed { before, after } =
                self.store.reactivate_user(user.id, version).await?
            else {
                return Err(SignInError::Disabled);
            };
            if !before.is_active {
                self.note(&after, EventKind::Activated, client).await;
            }
            user = *after;
        }
        self.begin(&user, SessionKind::Staying, client).await
    }

    /// Each sign-in adds a session and an event.
    pub(super) fn spend(&self, user: &User) -> Result<(), SignInError> {
        match self.allowance.spend(Spender::Password(user.id)) {
            Verdict::Refused(wait) => Err(SignInError::TooMany(wait)),
            Verdict::Allowed => Ok(()),
        }
    }

    /// Starts a session for a user whose password was checked.
    pub(super) async fn begin(
        &self,
        user: &User,
        kind: SessionKind,
        client: &Client,
    ) -> Result<Issued, SignInError> {
        self.remember_network(user, client).await?;
        match self.sessions.start(user, kind, client).await? {
            Started::Session(id, issued) => {
                let context = EventContext::in_session(id, client);
                self.audit_log
                    .record(user.id, EventKind::SignedIn, context)
                    .await;
                Ok(issued)
            }
            // Deactivated since the user was read.
            Started::UserDisabled => Err(SignInError::Disabled),
            Started::PasswordChanged => Err(SignInError::Refused),
        }
    }
}
