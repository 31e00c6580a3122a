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

/// How long a network from which somebody signed in is remembered for his account.
const NETWORK_REMEMBERED: Duration = Duration::from_secs(30 * 86_400);

/// The most bytes of a tried name that are looked at; no longer name can be registered.
const MAX_TRIED_NAME: usize = 1024;

/// Why somebody was not signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The name or the password is empty.
    #[error("the name or the password is empty")]
    Empty,
    /// Unknown name or wrong password.
    #[error("unknown name or wrong password")]
    Refused,
    /// The right password of an account that was disabled.
    #[error("the account is disabled")]
    Disabled,
    /// Too many tries from this address or at this account; the next may come after this long.
    #[error("too many tries")]
    TooMany(Duration),
    /// Hashing did not work.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// Starting the session did not work.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The store did not work.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Accounts {
    /// Checks a password and starts a session. `name` is a user's name, or an address that is one person's.
    ///
    /// # Errors
    /// As [`SignInError`] lists. Of an account that is disabled only the right password learns it.
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

    /// As [`sign_in`](Self::sign_in); an account that its user deactivated may be used again. One that anybody else
    /// deactivated may not.
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

    /// Whose name and password these are, active or not.
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
        // By address first: a try that its address may not make costs nothing, and does not count against
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

    /// Each sign-in leaves a session and an event.
    fn spend(&self, user: &User) -> Result<(), SignInError> {
        match self.allowance.spend(Spender::Password(user.id)) {
            Verdict::Refused(wait) => Err(SignInError::TooMany(wait)),
            Verdict::Allowed => Ok(()),
        }
    }

    /// Starts a session for somebody whose password was checked.
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
            // Since it was read.
            Started::UserDisabled => Err(SignInError::Disabled),
            Started::PasswordChanged => Err(SignInError::Refused),
        }
    }

    /// Whose name, or address, it is; and the try, which is counted by what was typed.
    async fn find(
        &self,
        name: &str,
        client: IpAddr,
    ) -> Result<(SignInAttempt, Option<User>), StoreError> {
        let name = shortened(name.trim());
        // No user's name holds an `@`.
        if name.contains('@')
            && let Ok(address) = EmailAddress::parse(name)
        {
            let key = address.key();
            let mut found = self.store.users_by_email(&key).await?;
            // While nobody has verified it, whose it is is not known if several say so.
            let user = if found.len() == 1 { found.pop() } else { None };
            let owner = user.as_ref().filter(|user| user.is_verified);
            let owner = owner.map(|user| user.id);
            return Ok((SignInAttempt::by_address(&key, owner, client), user));
        }
        let key = UsernameKey::of(name);
        let user = self.store.user_by_name(&key).await?;
        Ok((SignInAttempt::new(&key, client), user))
    }

    /// Replaces a hash that was made with other parameters. The sign-in does not depend on it: what fails
    /// now is tried again at the next one.
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

/// A name that is too long is nobody's: what stands for it here is too long as well.
fn shortened(name: &str) -> &str {
    let end = name.floor_char_boundary(MAX_TRIED_NAME.min(name.len()));
    &name[..end]
}
