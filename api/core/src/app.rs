//! Builds the use cases from settings, keys, a store and a clock. Used by the server, the operator's commands and the
//! tests.

use std::sync::Arc;
use std::thread::available_parallelism;

use password_auth_model::SharedClock;
use password_auth_store::Store;

use crate::accounts::{Accounts, Directory, Parts, Rates, Registration};
use crate::mail::{Delivery, LinkLifetimes, Mailer};
use crate::passwords::{PasswordHasher, Policy, ScryptParams};
use crate::rate_limit::Allowance;
use crate::sessions::{Lifetimes, Sessions};
use crate::token_keys::TokenKeys;
use crate::tokens::{AccessTokens, Challenges, RefreshTokens, Seals, SigningAlg, SigningKeys};
use crate::webauthn::RelyingParty;

/// The settings of the use cases.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Development mode: responses include the mailed token.
    pub dev: bool,
    /// The URL at which users reach the server, also for links in mail: scheme, host and port.
    pub public_url: String,
    /// What the site calls itself, in mails, pages and authenticator apps.
    pub site_name: String,
    /// Issuer and audience of the access tokens.
    pub issuer: String,
    /// How access tokens are signed.
    pub signing_alg: SigningAlg,
    /// How long tokens and sessions last.
    pub lifetimes: Lifetimes,
    /// How mail is delivered.
    pub mail: Delivery,
    /// How long links in mail are valid.
    pub links: LinkLifetimes,
    /// How passwords are hashed.
    pub scrypt: ScryptParams,
    /// How strong new passwords must be.
    pub password_policy: Policy,
    /// Rate limits.
    pub rates: Rates,
    /// Who may list users.
    pub directory: Directory,
    /// Who may register.
    pub registration: Registration,
    /// Who asks for passkeys, if somebody does.
    pub party: Option<RelyingParty>,
}

/// The use cases, for routes and operator's commands.
#[derive(Clone)]
pub struct App {
    /// Accounts.
    pub accounts: Arc<Accounts>,
    /// Sessions.
    pub sessions: Arc<Sessions>,
    /// Key pairs that sign access tokens. A server prepares them first.
    pub token_keys: Arc<TokenKeys>,
    /// Rate limits per account.
    pub allowance: Arc<Allowance>,
    /// Queues mail. The server starts the sender that sends it.
    pub mailer: Arc<Mailer>,
    /// The time.
    pub clock: SharedClock,
    /// The URL at which users reach the server.
    pub public_url: String,
    /// What the site calls itself.
    pub site_name: String,
}

impl App {
    /// The use cases on `store`.
    #[must_use]
    pub fn new(
        settings: &Settings,
        keys: &SigningKeys,
        store: Arc<dyn Store>,
        clock: SharedClock,
    ) -> Self {
        let mailer = Arc::new(Mailer::new(
            Arc::clone(&store),
            Arc::clone(&clock),
            &settings.mail,
            settings.rates.mail,
        ));
        let tokens = AccessTokens::new(keys, settings.signing_alg, &settings.issuer);
        let token_keys = Arc::new(TokenKeys::new(
            Arc::new(tokens),
            Arc::clone(&store),
            Arc::clone(&clock),
            settings.lifetimes.access_token,
        ));
        let sessions = Arc::new(Sessions::new(
            Arc::clone(&store),
            Arc::clone(&clock),
            Arc::clone(&token_keys),
            RefreshTokens::new(keys),
            settings.lifetimes,
            Arc::clone(&mailer),
        ));
        let allowance = Arc::new(Allowance::new(settings.rates.account, Arc::clone(&clock)));
        let cores = available_parallelism().map_or(1, std::num::NonZero::get);
        let accounts = Arc::new(Accounts::new(Parts {
            store,
            clock: Arc::clone(&clock),
            hasher: PasswordHasher::new(settings.scrypt, cores)
                .with_policy(settings.password_policy),
            sessions: Arc::clone(&sessions),
            rates: settings.rates,
            allowance: Arc::clone(&allowance),
            directory: settings.directory,
            registration: settings.registration,
            challenges: Challenges::new(keys),
            seals: Seals::new(keys),
            // Authenticator apps show it. A colon would end it.
            site: settings.site_name.replace(':', "."),
            party: settings.party.clone(),
            link_lifetimes: settings.links,
            mailer: Arc::clone(&mailer),
            dev: settings.dev,
        }));
        Self {
            accounts,
            sessions,
            token_keys,
            allowance,
            mailer,
            clock,
            public_url: settings.public_url.clone(),
            site_name: settings.site_name.clone(),
        }
    }
}
