//! Use cases over people: one file each.
//!
//! Knows neither HTTP nor an engine. What a stranger may learn is decided here: an unknown name and a
//! wrong password are one answer, at one cost.

mod email_verification;
mod import;
mod password;
mod privacy;
mod register;
mod sign_in;
mod users;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use password_auth_model::{
    Attempt, Client, EventKind, Rate, SharedClock, SignInAttempt, Timestamp, User, Verdict,
};
use password_auth_store::{Store, StoreError};
use password_auth_wire::Secret;
use password_auth_wire::rules::Violation;

pub use email_verification::{ConfirmEmailError, MailRequestError, VerificationRequest};
pub use import::{ImportError, Imported, Line, Notice, import};
pub use password::{ChangePasswordError, ResetPasswordError};
use privacy::UnderWay;
pub use privacy::{DeleteAccountError, Export, ExportError};
pub use register::{NewAccount, RegisterError};
pub use sign_in::SignInError;
pub use users::{ChangeUserError, Page, ReadUserError};

use crate::audit::{AuditLog, EventContext};
use crate::mail::{LinkLifetimes, Mailer};
use crate::passwords::{HashingError, PasswordHasher, PasswordMatch, Weak};
use crate::rate_limit::{Allowance, Counted, IpLimiter, Spender};
use crate::sessions::Sessions;

/// How often strangers may try, and how much an account may do.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// Sign-ins, for each address and for each account.
    pub login: Rate,
    /// Registrations, for each address.
    pub register: Rate,
    /// Asking for a mail, for each address of a client and for each address of mail.
    pub mail: Rate,
    /// What an account may write, and ask of what costs much: see [`Spender`].
    pub account: Rate,
}

/// Who may list users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Directory {
    /// Whoever [sees others](Role::SEEING_OTHERS).
    Members,
    /// Admins.
    Admins,
}

/// What is wrong with what somebody typed; `None` where nothing is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Invalid {
    /// The name.
    pub username: Option<Violation>,
    /// The password.
    pub password: Option<Violation>,
    /// The password, which breaks no rule and is too easy to guess.
    pub weak: Option<Weak>,
    /// The e-mail address.
    pub email: Option<Violation>,
    /// What the person is called.
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

    /// It is what the person is called.
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

/// People and their accounts.
pub struct Accounts {
    store: Arc<dyn Store>,
    clock: SharedClock,
    hasher: PasswordHasher,
    sessions: Arc<Sessions>,
    audit_log: AuditLog,
    rates: Rates,
    link_lifetimes: LinkLifetimes,
    mailer: Arc<Mailer>,
    /// Development: whoever asks for a mail gets its token in the answer too.
    tells_tokens: bool,
    sign_ins: IpLimiter,
    registrations: IpLimiter,
    resets: IpLimiter,
    allowance: Arc<Allowance>,
    directory: Directory,
    exports: UnderWay,
}

/// The parts that use cases are made of.
pub struct Parts {
    /// Where people are kept.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: SharedClock,
    /// How passwords are hashed.
    pub hasher: PasswordHasher,
    /// Their sign-ins.
    pub sessions: Arc<Sessions>,
    /// How often strangers may try.
    pub rates: Rates,
    /// What accounts have spent.
    pub allowance: Arc<Allowance>,
    /// Who may list users.
    pub directory: Directory,
    /// How long what is mailed is good for.
    pub link_lifetimes: LinkLifetimes,
    /// Where letters go.
    pub mailer: Arc<Mailer>,
    /// Whether this is development.
    pub dev: bool,
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Accounts(…)")
    }
}

/// Why the password of somebody who is signed in was not taken.
#[derive(Debug, thiserror::Error)]
pub enum CurrentPasswordError {
    /// It is not the password.
    #[error("it is not the password")]
    Wrong,
    /// Too many tries; the next may come after this long.
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
    /// The use cases on these parts.
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
            audit_log: AuditLog::new(Arc::clone(&store), Arc::clone(&clock)),
            store,
            clock,
            hasher,
            sessions,
            rates,
            link_lifetimes,
            mailer,
            tells_tokens: dev,
            sign_ins: IpLimiter::new(rates.login),
            registrations: IpLimiter::new(rates.register),
            resets: IpLimiter::new(rates.login),
            allowance,
            directory,
            exports: UnderWay::default(),
        }
    }

    /// Checks the password of somebody who is signed in: a stolen access token is not enough for what asks for
    /// it, and must not serve to guess it. What follows, such as hashing another one, was counted with it.
    async fn verify_current_password(
        &self,
        user: &User,
        password: Secret,
        client: &Client,
    ) -> Result<Counted, CurrentPasswordError> {
        let now = self.clock.now();
        let counted = self
            .sign_ins
            .count(client.address, now)
            .map_err(CurrentPasswordError::TooMany)?;
        let attempt = SignInAttempt::new(&user.username_key, client.address);
        if let Verdict::Refused(wait) = self.count_at_account(attempt, now).await? {
            return Err(CurrentPasswordError::TooMany(wait));
        }
        let stored = Some(user.password.clone());
        match self.hasher.verify(&counted, password, stored).await? {
            PasswordMatch::Right | PasswordMatch::RightButOutdated => {}
            PasswordMatch::Wrong => return Err(CurrentPasswordError::Wrong),
        }
        match self.allowance.spend(Spender::Password(user.id)) {
            Verdict::Allowed => Ok(counted),
            Verdict::Refused(wait) => Err(CurrentPasswordError::TooMany(wait)),
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

    /// Whether somebody who is called that may choose the password.
    async fn check_strength<'a>(
        &self,
        counted: &Counted,
        password: &Secret,
        about: impl IntoIterator<Item = Option<&'a str>>,
    ) -> Result<Result<(), Invalid>, HashingError> {
        let about = about.into_iter().flatten().map(str::to_owned).collect();
        let judged = self
            .hasher
            .check_strength(counted, password.clone(), about)
            .await?;
        Ok(judged.map_err(Invalid::weak))
    }

    async fn note(&self, user: &User, what: EventKind, client: &Client) {
        let context = EventContext {
            client: Some(client),
            ..EventContext::default()
        };
        self.audit_log.record(user.id, what, context).await;
    }

    /// As [`note`](Self::note), and nobody waits for it: where an answer must not tell, by its time, that there is
    /// such a person.
    fn note_later(&self, user: &User, what: EventKind, client: Client) {
        let (audit_log, user) = (self.audit_log.clone(), user.id);
        tokio::spawn(async move {
            let context = EventContext {
                client: Some(&client),
                ..EventContext::default()
            };
            audit_log.record(user, what, context).await;
        });
    }
}
