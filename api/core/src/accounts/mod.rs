//! Use cases for accounts: one file each.
//!
//! Knows neither HTTP nor an engine. Decides what strangers may learn: an unknown name and a wrong password give the
//! same result at the same cost.

mod counting;
mod email_verification;
mod factor_kind;
mod factors;
mod import;
mod invites;
mod passkeys;
mod password;
mod password_check;
mod privacy;
mod register;
mod second_step;
mod sign_in;
mod strength;
mod users;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use password_auth_model::measure::Count;
use password_auth_model::{Client, EmailKind, EventKind, Rate, SharedClock, User};
use password_auth_store::{Store, StoreError};
use password_auth_wire::Secret;
use password_auth_wire::rules::Violation;

pub use email_verification::{ConfirmEmailError, MailRequestError, VerificationRequest};
pub use factor_kind::{FactorKind, SecondStep};
pub use factors::{FactorError, TotpSetup};
pub use import::{ImportError, Imported, Line, Notice, import};
pub use invites::{InviteError, NewInvite};
pub use passkeys::PasskeyCreation;
pub use password::{ChangePasswordError, ResetPasswordError};
use privacy::UnderWay;
pub use privacy::{DeleteAccountError, Export, ExportError};
pub use register::{NewAccount, RegisterError};
pub use sign_in::SignInError;
pub use strength::{StrengthError, Told};
pub use users::{ChangeUserError, Page, ReadUserError};

use crate::audit::{AuditLog, EventContext};
use crate::mail::{LinkLifetimes, Mailer};
use crate::passwords::{HashingError, PasswordHasher, Policy, Weak};
use crate::rate_limit::{Allowance, Counted, FailureLimiter, IpLimiter};
use crate::sessions::Sessions;
use crate::tokens::{Challenges, Seals};
use crate::tracing_context;
use crate::webauthn::RelyingParty;

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

/// Who may register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    /// Everybody.
    Open,
    /// Those who have an invitation.
    Invite,
    /// The same, and forms do not offer it.
    Closed,
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
    /// Who may register.
    pub registration: Registration,
    /// Makes and reads challenges.
    pub challenges: Challenges,
    /// Seals the secrets of authenticator apps.
    pub seals: Seals,
    /// The name that authenticator apps show.
    pub site: String,
    /// Who asks for passkeys, if somebody does.
    pub party: Option<RelyingParty>,
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
    pub fn new(parts: Parts) -> Self {
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
        let context = EventContext {
            client: Some(client),
            ..EventContext::default()
        };
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
            let context = EventContext {
                client: Some(&client),
                ..EventContext::default()
            };
            audit_log.record(user, what, context).await;
        };
        tokio::spawn(tracing_context::carried(tracing_context::request(), note));
    }
}
