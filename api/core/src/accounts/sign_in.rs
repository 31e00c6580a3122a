//! Checking a password and starting a session.

use std::net::IpAddr;
use std::time::Duration;

use password_auth_model::{
    Client, EmailAddress, EventKind, SignInAttempt, User, UsernameKey, Verdict,
};
use password_auth_store::{ChangeUser, StoreError};
use password_auth_wire::Secret;

use super::Accounts;
use crate::audit::EventContext;
use crate::passwords::{HashingError, PasswordMatch};
use crate::rate_limit::{Counted, Spender};
use crate::sessions::{Issued, SessionError, SessionKind, Started};

/// How long the network of a sign-in is remembered for the account.
const NETWORK_REMEMBERED: Duration = Duration::from_secs(30 * 86_400);

/// The longest name that is looked up. Longer names cannot be registered.
const MAX_TRIED_NAME: usize = 1024;

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
    /// Checks a password and starts a session. `name` is a user name, or an e-mail address that only one user has.
    ///
    /// # Errors
    /// As [`SignInError`] lists. Only correct credentials reveal that an account is disabled.
    pub async fn sign_in(
        &self,
        name: &str,
        password: Secret,
        kind: SessionKind,
        client: Client,
    ) -> Result<Issued, SignInError> {
        let user = self.check_password(name, password, &client).await?;
        if !user.is_active {
            return Err(SignInError::Disabled);
        }
        self.spend(&user)?;
        self.begin(&user, kind, &client).await
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
        client: Client,
    ) -> Result<Issued, SignInError> {
        let mut user = self.check_password(name, password, &client).await?;
        if !user.is_active && !user.deactivated_by_self {
            return Err(SignInError::Disabled);
        }
        self.spend(&user)?;
        if !user.is_active {
            let version = user.password_version;
            let ChangeUser::Changed { before, after } =
                self.store.reactivate_user(user.id, version).await?
            else {
                return Err(SignInError::Disabled);
            };
            if !before.is_active {
                self.note(&after, EventKind::Activated, &client).await;
            }
            user = *after;
        }
        self.begin(&user, SessionKind::Staying, &client).await
    }

    /// The user with this name and password, active or not.
    async fn check_password(
        &self,
        name: &str,
        password: Secret,
        client: &Client,
    ) -> Result<User, SignInError> {
        if name.trim().is_empty() || password.expose().is_empty() {
            return Err(SignInError::Empty);
        }
        let now = self.clock.now();
        // The address is counted first: an attempt over the address's limit costs nothing, and does not count against
        // the account.
        let counted = self
            .sign_ins
            .count(client.address, now)
            .map_err(SignInError::TooMany)?;
        let (attempt, user) = self.find(name, client.address).await?;
        if let Verdict::Refused(wait) = self.count_at_account(attempt, now).await? {
            return Err(SignInError::TooMany(wait));
        }
        let stored = user.as_ref().map(|user| user.password.clone());
        let verdict = self
            .hasher
            .verify(&counted, password.clone(), stored)
            .await?;
        match (verdict, user) {
            (PasswordMatch::Right, Some(user)) => Ok(user),
            (PasswordMatch::RightButOutdated, Some(user)) => {
                self.renew_hash(&counted, &user, password).await;
                Ok(user)
            }
            (PasswordMatch::Wrong, Some(user)) => {
                self.note_later(&user, EventKind::SignInFailed, client.clone());
                Err(SignInError::Refused)
            }
            (_, None) => Err(SignInError::Refused),
        }
    }

    /// Each sign-in adds a session and an event.
    fn spend(&self, user: &User) -> Result<(), SignInError> {
        match self.allowance.spend(Spender::Password(user.id)) {
            Verdict::Refused(wait) => Err(SignInError::TooMany(wait)),
            Verdict::Allowed => Ok(()),
        }
    }

    /// Starts a session for a user whose password was checked.
    async fn begin(
        &self,
        user: &User,
        kind: SessionKind,
        client: &Client,
    ) -> Result<Issued, SignInError> {
        if !self.rates.login.is_off() {
            let until = self.clock.now().plus(NETWORK_REMEMBERED);
            for attempt in SignInAttempt::of_user(user, client.address) {
                self.store.remember_network(attempt, until).await?;
            }
        }
        match self.sessions.start(user, kind, client).await? {
            Started::Session(id, issued) => {
                let context = EventContext {
                    session: Some(id),
                    client: Some(client),
                    by: None,
                };
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

    /// The user with this name or address, and the attempt, which is counted by what was typed.
    async fn find(
        &self,
        name: &str,
        client: IpAddr,
    ) -> Result<(SignInAttempt, Option<User>), StoreError> {
        let name = shortened(name.trim());
        // User names contain no `@`.
        if name.contains('@')
            && let Ok(address) = EmailAddress::parse(name)
        {
            let key = address.key();
            let mut found = self.store.users_by_email(&key).await?;
            // An unverified address that several users have names none of them.
            let user = if found.len() == 1 { found.pop() } else { None };
            let owner = user.as_ref().filter(|user| user.is_verified);
            let owner = owner.map(|user| user.id);
            return Ok((SignInAttempt::by_address(&key, owner, client), user));
        }
        let key = UsernameKey::of(name);
        let user = self.store.user_by_name(&key).await?;
        Ok((SignInAttempt::new(&key, client), user))
    }

    /// Replaces a hash with other parameters. The sign-in does not depend on it: if it fails, the next sign-in tries
    /// again.
    async fn renew_hash(&self, counted: &Counted, user: &User, password: Secret) {
        let renewed = match self.hasher.hash(counted, password).await {
            Ok(hash) => self
                .store
                .replace_password_hash(user.id, &user.password, hash)
                .await
                .map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = renewed {
            tracing::warn!(user.id = %user.id, error, "the password hash was not renewed");
        }
    }
}

/// A shortened name that is still too long to be registered, so it names no user.
fn shortened(name: &str) -> &str {
    let end = name.floor_char_boundary(MAX_TRIED_NAME.min(name.len()));
    &name[..end]
}
