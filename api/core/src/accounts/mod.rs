//! Use cases for accounts: one file each.
//!
//! Knows neither HTTP nor an engine. Decides what strangers may learn: an unknown name and a wrong password give the
//! same result at the same cost.

mod address;
mod import;
mod leave;
mod password;
mod people;
mod register;
mod sign_in;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use password_auth_model::{
    Attempt, Client, Happening, Rate, SharedClock, SignInAttempt, Timestamp, User, Verdict,
};
use password_auth_store::{Store, StoreError};
use password_auth_wire::Secret;
use password_auth_wire::rules::Violation;

pub use address::{ConfirmEmailError, MailRequestError, VerificationRequest};
pub use import::{ImportError, Imported, Line, Notice, import};
use leave::UnderWay;
pub use leave::{Export, ExportError, LeaveError};
pub use password::{ChangePasswordError, ResetPasswordError};
pub use people::{ChangePersonError, Page, SeePersonError};
pub use register::{NewAccount, RegisterError};
pub use sign_in::SignInError;

use crate::audit::{Circumstances, Journal};
use crate::mail::{LinkLifetimes, Mailer};
use crate::passwords::{HashingError, PasswordHasher, Verdict as PasswordVerdict, Weak};
use crate::sessions::Sessions;
use crate::throttle::{Addresses, Allowance, Counted, Spender};

/// Rate limits.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// Sign-in attempts, per address and per account.
    pub login: Rate,
    /// Registrations, per address.
    pub register: Rate,
    /// Requests for mail, per client address and per mailbox.
    pub mail: Rate,
    /// Writes and expensive reads, per account: see [`Spender`].
    pub account: Rate,
}

/// Who may list users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Directory {
    /// All users with a role that [sees others](Role::SEEING_OTHERS).
    Members,
    /// Only admins.
    Admins,
}

/// What is wrong with each input. `None` if nothing is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Invalid {
    /// The name.
    pub username: Option<Violation>,
    /// The password.
    pub password: Option<Violation>,
    /// The password is too easy to guess, but breaks no other rule.
    pub weak: Option<Weak>,
    /// The e-mail address.
    pub email: Option<Violation>,
    /// The full name.
    pub full_name: Option<Violation>,
}

impl Invalid {
    const fn password(violation: Violation) -> Self {
        Self {
            password: Some(violation),
            weak: None,
            username: None,
            email: None,
            full_name: None,
        }
    }

    /// The full name is wrong.
    #[must_use]
    pub const fn full_name(violation: Violation) -> Self {
        Self {
            full_name: Some(violation),
            weak: None,
            username: None,
            password: None,
            email: None,
        }
    }

    const fn weak(weak: Weak) -> Self {
        Self {
            weak: Some(weak),
            username: None,
            password: None,
            email: None,
            full_name: None,
        }
    }

    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// The use cases.
pub struct Accounts {
    store: Arc<dyn Store>,
    clock: SharedClock,
    hasher: PasswordHasher,
    sessions: Arc<Sessions>,
    journal: Journal,
    rates: Rates,
    link_lifetimes: LinkLifetimes,
    mailer: Arc<Mailer>,
    /// Development mode: responses include the mailed token.
    tells_tokens: bool,
    sign_ins: Addresses,
    registrations: Addresses,
    resets: Addresses,
    allowance: Arc<Allowance>,
    directory: Directory,
    exports: UnderWay,
}

/// The dependencies of the use cases.
pub struct Parts {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: SharedClock,
    /// How passwords are hashed.
    pub hasher: PasswordHasher,
    /// The session use cases.
    pub sessions: Arc<Sessions>,
    /// Rate limits.
    pub rates: Rates,
    /// Rate limits per account.
    pub allowance: Arc<Allowance>,
    /// Who may list users.
    pub directory: Directory,
    /// How long mailed links are valid.
    pub link_lifetimes: LinkLifetimes,
    /// Queues mail.
    pub mailer: Arc<Mailer>,
    /// Whether this is development.
    pub dev: bool,
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Accounts(…)")
    }
}

/// Why the current password was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// It is wrong.
    #[error("the password is wrong")]
    Wrong,
    /// Too many attempts. The next one is allowed after this time.
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
    /// The use cases with these dependencies.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts {
            store,
            clock,
            hasher,
            sessions,
            rates,
            allowance,
            directory,
            link_lifetimes,
            mailer,
            dev,
        } = parts;
        Self {
            journal: Journal::new(Arc::clone(&store), Arc::clone(&clock)),
            store,
            clock,
            hasher,
            sessions,
            rates,
            link_lifetimes,
            mailer,
            tells_tokens: dev,
            sign_ins: Addresses::new(rates.login),
            registrations: Addresses::new(rates.register),
            resets: Addresses::new(rates.login),
            allowance,
            directory,
            exports: UnderWay::default(),
        }
    }

    /// Checks the current password of a signed-in user. Operations that require it cannot be done with a stolen access
    /// token, and the token must not help to guess the password. Following work, such as hashing a new one, is covered
    /// by the same count.
    async fn prove(
        &self,
        user: &User,
        password: Secret,
        client: &Client,
    ) -> Result<Counted, ProofError> {
        let now = self.clock.now();
        let counted = self
            .sign_ins
            .count(client.address, now)
            .map_err(ProofError::TooMany)?;
        let attempt = SignInAttempt::new(&user.username_key, client.address);
        if let Verdict::Refused(wait) = self.count_at_account(attempt, now).await? {
            return Err(ProofError::TooMany(wait));
        }
        let stored = Some(user.password.clone());
        match self.hasher.verify(&counted, password, stored).await? {
            PasswordVerdict::Right | PasswordVerdict::RightButOutdated => {}
            PasswordVerdict::Wrong => return Err(ProofError::Wrong),
        }
        match self.allowance.spend(Spender::Password(user.id)) {
            Verdict::Allowed => Ok(counted),
            Verdict::Refused(wait) => Err(ProofError::TooMany(wait)),
        }
    }

    async fn count_at_account(
        &self,
        attempt: SignInAttempt,
        now: Timestamp,
    ) -> Result<Verdict, StoreError> {
        let rate = self.rates.login;
        if rate.is_off() {
            return Ok(Verdict::Allowed);
        }
        self.store.count_attempt(attempt, rate, now).await
    }

    async fn count(
        &self,
        attempt: Attempt,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Verdict, StoreError> {
        if rate.is_off() {
            return Ok(Verdict::Allowed);
        }
        self.store.count(attempt, rate, now).await
    }

    /// Checks the strength of a new password for a user with these names.
    async fn judge<'a>(
        &self,
        counted: &Counted,
        password: &Secret,
        about: impl IntoIterator<Item = Option<&'a str>>,
    ) -> Result<Result<(), Invalid>, HashingError> {
        let about = about.into_iter().flatten().map(str::to_owned).collect();
        let judged = self.hasher.judge(counted, password.clone(), about).await?;
        Ok(judged.map_err(Invalid::weak))
    }

    async fn note(&self, user: &User, what: Happening, client: &Client) {
        let circumstances = Circumstances {
            client: Some(client),
            ..Circumstances::default()
        };
        self.journal.record(user.id, what, circumstances).await;
    }

    /// Like [`note`](Self::note), in the background: for responses whose timing must not reveal whether there is such a
    /// user.
    fn note_later(&self, user: &User, what: Happening, client: Client) {
        let (journal, user) = (self.journal.clone(), user.id);
        tokio::spawn(async move {
            let circumstances = Circumstances {
                client: Some(&client),
                ..Circumstances::default()
            };
            journal.record(user, what, circumstances).await;
        });
    }
}
