//! The use cases, put together from settings, keys, a store and a clock, and what the front needs to know.
//! The binary and the tests both start from here.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::available_parallelism;

use super::client::ProxyTrust;
use super::cross_site::FormPolicy;
use super::front::CorsPolicy;
use crate::accounts::{Accounts, Parts};
use crate::clock::SharedClock;
use crate::config::Config;
use crate::mail::Mailer;
use crate::operator::Operator;
use crate::passwords::PasswordHasher;
use crate::sessions::Sessions;
use crate::store::Store;
use crate::tokens::{AccessTokens, RefreshTokens, SigningKeys};

/// What the routes call.
#[derive(Clone)]
pub struct App {
    /// People.
    pub accounts: Arc<Accounts>,
    /// Sign-ins.
    pub sessions: Arc<Sessions>,
    /// Where letters go; its courier is whoever serves' to start.
    pub mailer: Arc<Mailer>,
    /// The time.
    pub clock: SharedClock,
    /// Who may call from a browser.
    pub cors: CorsPolicy,
    /// Whose pages may send forms.
    pub(super) forms: Arc<FormPolicy>,
    /// Whose `X-Forwarded-For` is believed.
    pub proxies: ProxyTrust,
    /// Whether people reach the server by https.
    pub https: bool,
    /// Where people reach the server, and links in mail lead: scheme, host and port.
    pub public_url: String,
}

impl App {
    /// The operator, who may do anything with what is in `store`, the one that this was made with.
    #[must_use]
    pub fn operator(&self, store: Arc<dyn Store>) -> Operator {
        Operator::new(
            Arc::clone(&self.accounts),
            Arc::clone(&self.sessions),
            store,
        )
    }

    /// An application that listens on `address`.
    #[must_use]
    pub fn new(
        config: &Config,
        address: SocketAddr,
        keys: &SigningKeys,
        store: Arc<dyn Store>,
        clock: SharedClock,
    ) -> Self {
        let mailer = Arc::new(Mailer::new(
            Arc::clone(&store),
            Arc::clone(&clock),
            &config.mail,
            config.rates.mail,
        ));
        let sessions = Arc::new(Sessions::new(
            Arc::clone(&store),
            Arc::clone(&clock),
            AccessTokens::new(keys, &config.issuer),
            RefreshTokens::new(keys),
            config.lifetimes,
            Arc::clone(&mailer),
        ));
        let cores = available_parallelism().map_or(1, std::num::NonZero::get);
        let accounts = Arc::new(Accounts::new(Parts {
            store,
            clock: Arc::clone(&clock),
            hasher: PasswordHasher::new(config.scrypt, cores).with_policy(config.password_policy),
            sessions: Arc::clone(&sessions),
            rates: config.rates,
            link_lifetimes: config.links,
            mailer: Arc::clone(&mailer),
            dev: config.dev,
        }));
        let own = config
            .public_url
            .clone()
            .unwrap_or_else(|| format!("http://{address}"));
        let origins: Vec<&str> = config
            .allowed_origins
            .iter()
            .chain(std::iter::once(&own))
            .map(String::as_str)
            .collect();
        Self {
            accounts,
            sessions,
            mailer,
            clock,
            forms: FormPolicy::new(origins.iter().copied(), config.dev),
            cors: if config.dev {
                CorsPolicy::Any
            } else {
                CorsPolicy::exactly(origins)
            },
            proxies: ProxyTrust::new(config.trusted_proxies.clone()),
            https: own.starts_with("https://"),
            public_url: own,
        }
    }
}
