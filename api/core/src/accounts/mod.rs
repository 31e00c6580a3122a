//! Use cases for accounts: one file each.
//!
//! Knows neither HTTP nor an engine. Decides what strangers may learn: an unknown name and a wrong password give the
//! same result at the same cost.

mod counting;
mod email_verification;
mod factor_error;
mod factor_kind;
mod factors;
mod import;
mod invalid;
mod invites;
mod otpauth;
mod passkey_sign_in;
mod passkeys;
mod password;
mod password_check;
mod privacy;
mod register;
mod second_step;
mod settings;
mod sign_in;
mod strength;
mod users;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use password_auth_model::measure::Count;
use password_auth_model::{Client, EmailKind, EventKind, SharedClock, User};
use password_auth_store::{Store, StoreError};
use password_auth_wire::Secret;

pub use email_verification::{ConfirmEmailError, MailRequestError, VerificationRequest};
pub use factor_error::FactorError;
pub use factor_kind::{FactorKind, SecondStep};
pub use factors::TotpSetup;
pub use import::{ImportError, Imported, Line, Notice, import};
pub use invalid::Invalid;
pub use invites::{InviteError, NewInvite};
pub use passkeys::PasskeyCreation;
pub use password::{ChangePasswordError, ResetPasswordError};
use privacy::UnderWay;
pub use privacy::{DeleteAccountError, Export, ExportError};
pub use register::{NewAccount, RegisterError};
pub use settings::{Directory, Rates, Registration};
pub use sign_in::SignInError;
pub use strength::{StrengthError, Told};
pub use users::{ChangeUserError, Page, ReadUserError};

use crate::audit::{AuditLog, EventContext};
use crate::mail::{LinkLifetimes, Mailer};
use crate::passwords::{HashingError, PasswordHasher, Policy};
use crate::rate_limit::{Allowance, Counted, FailureLimiter, IpLimiter};
use crate::sessions::Sessions;
use crate::tokens::{Challenges, Seals};
use crate::tracing_context;
use crate::webauthn::RelyingParty;

/// Registers, signs in, changes and deletes accounts: one file of this module for each use case.
///
/// An attempt is counted before anything is computed for it. What strangers ask costs the same, and is answered alike,
/// whether or not there is such an account (OWASP Authentication Cheat Sheet).
pub struct Accounts {
    store: Arc<dyn Store>,
    clock: SharedClock,
    hasher: PasswordHasher,
    sessions: Arc<Sessions>,
    audit_log: AuditLog,
    rates: Rates,
    link_lifetimes: LinkLifetimes,
    mailer: Arc<Mailer>,
    /// Development mode: responses include the mailed token.
    tells_tokens: bool,
    sign_ins: IpLimiter,
    failures: FailureLimiter,
    registrations: IpLimiter,
    strengths: IpLimiter,
    resets: IpLimiter,
    confirmations: IpLimiter,
    allowance: Arc<Allowance>,
    directory: Directory,
    registration: Registration,
    exports: UnderWay,
    second_steps: IpLimiter,
    challenges: Challenges,
    seals: Seals,
    /// The name that authenticator apps show.
    site: String,
    /// Who asks for passkeys, if somebody does.
    party: Option<RelyingParty>,
    refused_at_accounts: Count,
}

/// The dependencies of the use cases.
pub(crate) struct Parts {
    /// The store.
    pub(crate) store: Arc<dyn Store>,
    /// The time.
    pub(crate) clock: SharedClock,
    /// How passwords are hashed.
    pub(crate) hasher: PasswordHasher,
    /// The session use cases.
    pub(crate) sessions: Arc<Sessions>,
    /// Rate limits.
    pub(crate) rates: Rates,
    /// Rate limits per account.
    pub(crate) allowance: Arc<Allowance>,
    /// Who may list users.
    pub(crate) directory: Directory,
    /// Who may register.
    pub(crate) registration: Registration,
    /// Makes and reads challenges.
    pub(crate) challenges: Challenges,
    /// Seals the secrets of authenticator apps.
    pub(crate) seals: Seals,
    /// The name that authenticator apps show.
    pub(crate) site: String,
    /// Who asks for passkeys, if somebody does.
    pub(crate) party: Option<RelyingParty>,
    /// How long mailed links are valid.
    pub(crate) link_lifetimes: LinkLifetimes,
    /// Queues mail.
    pub(crate) mailer: Arc<Mailer>,
    /// Whether this is development.
    pub(crate) dev: bool,
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Accounts(…)")
    }
}

/// Why the current password was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum CurrentPasswordError {
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
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts {
            store,
            clock,
            hasher,
            sessions,
            rates,
            allowance,
            directory,
            registration,
            challenges,
            seals,
            site,
            party,
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
            failures: FailureLimiter::new(rates.login),
            registrations: IpLimiter::new(rates.register),
            strengths: IpLimiter::new(rates.register.times(strength::QUESTIONS)),
            resets: IpLimiter::new(rates.login),
            confirmations: IpLimiter::new(rates.login),
            allowance,
            directory,
            registration,
            exports: UnderWay::default(),
            second_steps: IpLimiter::new(rates.login),
            challenges,
            seals,
            site,
            party,
            refused_at_accounts: Count::default(),
        }
    }

    /// Who may register, and how strong a new password must be.
    #[must_use]
    pub const fn registration(&self) -> (Registration, Policy) {
        (self.registration, self.hasher.policy())
    }

    /// The pool that hashes passwords, for whoever watches it.
    #[must_use]
    pub const fn hasher(&self) -> &PasswordHasher {
        &self.hasher
    }

    /// How many attempts each limit has refused so far.
    #[must_use]
    pub fn refused(&self) -> [(&'static str, u64); 9] {
        [
            ("sign_in", self.sign_ins.refused()),
            ("register", self.registrations.refused()),
            ("password_strength", self.strengths.refused()),
            ("reset", self.resets.refused()),
            ("confirm", self.confirmations.refused()),
            ("second_factor", self.second_steps.refused()),
            ("sign_in_failures", self.failures.refused()),
            ("account_sign_in", self.refused_at_accounts.total()),
            ("account", self.allowance.refused()),
        ]
    }

    /// Checks the strength of a new password for a user with these names.
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
        let context = EventContext::by_client(client);
        self.audit_log.record(user.id, what, context).await;
    }

    /// Notes an event of the user's own doing, and mails it to them: it may have been somebody else.
    async fn note_and_mail(&self, user: &User, what: EventKind, mail: EmailKind, client: &Client) {
        self.note(user, what, client).await;
        self.mailer.tell(user, mail).await;
    }

    /// Like [`note`](Self::note), in the background: for responses whose timing must not reveal whether there is such a
    /// user.
    fn note_later(&self, user: &User, what: EventKind, client: Client) {
        let (audit_log, user) = (self.audit_log.clone(), user.id);
        let note = async move {
            let context = EventContext::by_client(&client);
            audit_log.record(user, what, context).await;
        };
        tokio::spawn(tracing_context::carried(tracing_context::request(), note));
    }
}
