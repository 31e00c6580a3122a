//! Use cases over people: register and sign in.
//!
//! Knows neither HTTP nor an engine. What a stranger may learn is decided here: an unknown name and a
//! wrong password are one answer, at one cost.

mod email;
mod role;
mod username;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use password_auth_wire::Secret;
use password_auth_wire::rules::{Violation, check_new_password};

pub use email::{EmailAddress, EmailKey, InvalidEmail};
pub use role::{Role, UnknownRole};
pub use username::{Username, UsernameKey};

use crate::clock::{SharedClock, Timestamp};
use crate::id::UserId;
use crate::passwords::{HashingError, PasswordHasher, Verdict as PasswordVerdict};
use crate::sessions::{Issued, SessionError, SessionKind, Sessions};
use crate::store::{CreateUser, Store, StoreError, User};
use crate::throttle::{Addresses, Rate, SignInAttempt, Verdict};

/// How long a network from which somebody signed in is remembered for his account.
const NETWORK_REMEMBERED: Duration = Duration::from_secs(30 * 86_400);

/// The most bytes of a tried name that are looked at; no longer name can be registered.
const MAX_TRIED_NAME: usize = 1024;

/// How often strangers may try.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// Sign-ins, for each address and for each account.
    pub login: Rate,
    /// Registrations, for each address.
    pub register: Rate,
}

/// Who asks, as far as the connection and the headers tell.
#[derive(Clone, Debug)]
pub struct Client {
    /// The address, a trusted proxy's word taken into account.
    pub address: IpAddr,
    /// What it calls itself.
    pub device: String,
}

/// What a form brought that can not be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// What is wrong with the name.
    pub username: Option<Violation>,
    /// What is wrong with the password.
    pub password: Option<Violation>,
}

/// Why somebody was not registered.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// The name or the password is empty.
    #[error("the name or the password is empty")]
    Empty,
    /// The name or the password breaks a rule.
    #[error("the name or the password breaks a rule")]
    Invalid(Invalid),
    /// Somebody has the name.
    #[error("the name is taken")]
    NameTaken,
    /// Too many registrations from this address; the next may come after this long.
    #[error("too many registrations")]
    TooMany(Duration),
    /// Hashing did not work.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// The store did not work.
    #[error(transparent)]
    Store(#[from] StoreError),
}

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

/// People and their accounts.
pub struct Accounts {
    store: Arc<dyn Store>,
    clock: SharedClock,
    hasher: PasswordHasher,
    sessions: Arc<Sessions>,
    rates: Rates,
    sign_ins: Addresses,
    registrations: Addresses,
}

impl Accounts {
    /// Accounts in `store`, whose sign-ins are `sessions`.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        clock: SharedClock,
        hasher: PasswordHasher,
        sessions: Arc<Sessions>,
        rates: Rates,
    ) -> Self {
        Self {
            store,
            clock,
            hasher,
            sessions,
            rates,
            sign_ins: Addresses::new(rates.login),
            registrations: Addresses::new(rates.register),
        }
    }

    /// Makes an account.
    ///
    /// # Errors
    /// As [`RegisterError`] lists; then nothing was kept.
    pub async fn register(
        &self,
        username: &str,
        password: Secret,
        client: &Client,
    ) -> Result<UserId, RegisterError> {
        let username = check_registration(username, &password)?;
        let now = self.clock.now();
        // A try is counted before it costs anything.
        if let Verdict::Refused(wait) = self.registrations.count(client.address, now) {
            return Err(RegisterError::TooMany(wait));
        }
        let username_key = username.key();
        // Saves a hash; that the name is unique, `create_user` decides.
        if self.store.name_is_taken(&username_key).await? {
            return Err(RegisterError::NameTaken);
        }
        let user = User {
            id: UserId::new(now),
            username,
            username_key,
            password: self.hasher.hash(password).await?,
            is_active: true,
            created_at: now,
        };
        let id = user.id;
        match self.store.create_user(user).await? {
            CreateUser::Created => {
                tracing::info!(user.id = %id, "registered");
                Ok(id)
            }
            CreateUser::NameTaken => Err(RegisterError::NameTaken),
        }
    }

    /// Checks a password and starts a session.
    ///
    /// # Errors
    /// As [`SignInError`] lists. Of an account that is disabled only the right password learns it.
    pub async fn sign_in(
        &self,
        username: &str,
        password: Secret,
        kind: SessionKind,
        client: Client,
    ) -> Result<Issued, SignInError> {
        if username.trim().is_empty() || password.expose().is_empty() {
            return Err(SignInError::Empty);
        }
        let now = self.clock.now();
        // By address first: a try that its address may not make costs nothing, and does not count against
        // the account.
        if let Verdict::Refused(wait) = self.sign_ins.count(client.address, now) {
            return Err(SignInError::TooMany(wait));
        }
        let key = UsernameKey::of(shortened(username.trim()));
        let attempt = SignInAttempt::new(&key, client.address);
        self.count_sign_in(attempt, now).await?;
        let user = self.store.user_by_name(&key).await?;
        let stored = user.as_ref().map(|user| user.password.clone());
        let verdict = self.hasher.verify(password.clone(), stored).await?;
        let user = match (verdict, user) {
            (PasswordVerdict::Right, Some(user)) => user,
            (PasswordVerdict::RightButOutdated, Some(user)) => {
                self.renew_hash(&user, password).await;
                user
            }
            (PasswordVerdict::Wrong, _) | (_, None) => return Err(SignInError::Refused),
        };
        if !user.is_active {
            return Err(SignInError::Disabled);
        }
        if !self.rates.login.is_off() {
            let until = now.plus(NETWORK_REMEMBERED);
            self.store.remember_network(attempt, until).await?;
        }
        self.sessions
            .start(&user, kind, client.device)
            .await?
            // Disabled since it was read.
            .ok_or(SignInError::Disabled)
    }

    async fn count_sign_in(
        &self,
        attempt: SignInAttempt,
        now: Timestamp,
    ) -> Result<(), SignInError> {
        if self.rates.login.is_off() {
            return Ok(());
        }
        let rate = self.rates.login;
        match self.store.count_attempt(attempt, rate, now).await? {
            Verdict::Allowed => Ok(()),
            Verdict::Refused(wait) => Err(SignInError::TooMany(wait)),
        }
    }

    /// Replaces a hash that was made with other parameters. The sign-in does not depend on it: what fails
    /// now is tried again at the next one.
    async fn renew_hash(&self, user: &User, password: Secret) {
        let renewed = match self.hasher.hash(password).await {
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

fn check_registration(username: &str, password: &Secret) -> Result<Username, RegisterError> {
    let username = Username::parse(username);
    let password = check_new_password(password.expose());
    if username == Err(Violation::Empty) || password == Err(Violation::Empty) {
        return Err(RegisterError::Empty);
    }
    match (username, password) {
        (Ok(username), Ok(())) => Ok(username),
        (username, password) => Err(RegisterError::Invalid(Invalid {
            username: username.err(),
            password: password.err(),
        })),
    }
}

/// A name that is too long is nobody's: what stands for it here is too long as well.
fn shortened(name: &str) -> &str {
    let end = name.floor_char_boundary(MAX_TRIED_NAME.min(name.len()));
    &name[..end]
}
