//! The use cases, put together from settings, keys, a store and a clock. The server, the operator's commands and the
//! tests all start from here.

use std::sync::Arc;
use std::thread::available_parallelism;

use password_auth_model::SharedClock;
use password_auth_store::Store;

use crate::accounts::{Accounts, Directory, Parts, Rates};
use crate::mail::{Delivery, LinkLifetimes, Mailer};
use crate::passwords::{PasswordHasher, Policy, ScryptParams};
use crate::rate_limit::Allowance;
use crate::sessions::{Lifetimes, Sessions};
use crate::tokens::{AccessTokens, RefreshTokens, SigningKeys};

/// What the use cases need to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Development: whoever asks for a mail gets its token in the answer too.
    pub dev: bool,
    /// Where people reach the server, and links in mail lead: scheme, host and port.
    pub public_url: String,
    /// Issuer and audience of the access tokens.
    pub issuer: String,
    /// How long tokens and sessions last.
    pub lifetimes: Lifetimes,
    /// How mail leaves.
    pub mail: Delivery,
    /// How long the links in it are good.
    pub links: LinkLifetimes,
    /// How passwords are hashed.
    pub scrypt: ScryptParams,
    /// How hard to guess new ones must be.
    pub password_policy: Policy,
    /// How often strangers may try, and how much an account may do.
    pub rates: Rates,
    /// Who may list users.
    pub directory: Directory,
}

/// What the routes, and the operator's commands, call.
#[derive(Clone)]
pub struct App {
    /// People.
    pub accounts: Arc<Accounts>,
    /// Sign-ins.
    pub sessions: Arc<Sessions>,
    /// What accounts have spent.
    pub allowance: Arc<Allowance>,
    /// Where letters go; its courier is whoever serves' to start.
    pub mailer: Arc<Mailer>,
    /// The time.
    pub clock: SharedClock,
    /// Where people reach the server, and links in mail lead.
    pub public_url: String,
}

impl App {
    /// The use cases on what is in `store`.
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
        let sessions = Arc::new(Sessions::new(
            Arc::clone(&store),
            Arc::clone(&clock),
            AccessTokens::new(keys, &settings.issuer),
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
            link_lifetimes: settings.links,
            mailer: Arc::clone(&mailer),
            dev: settings.dev,
        }));
        Self {
            accounts,
            sessions,
            allowance,
            mailer,
            clock,
            public_url: settings.public_url.clone(),
        }
    }
}
