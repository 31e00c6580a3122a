//! Settings: values from several sources become a valid `Config`, or a list of all mistakes.

mod file;
mod in_force;
mod log_filter;
mod origin;
mod parse;
mod setting;
mod source;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use password_auth_core::accounts::{Directory, Rates, Registration};
use password_auth_core::app;
use password_auth_core::mail::{Delivery, LinkLifetimes};
use password_auth_core::passwords::{Policy, ScryptParams};
use password_auth_core::sessions::Lifetimes;
use password_auth_core::tokens::{SigningAlg, SigningKey};
use password_auth_core::webauthn::RelyingParty;
use password_auth_http as http;
use password_auth_http::server::TlsFiles;
use password_auth_http::{CorsPolicy, FormPolicy, ProxyTrust};
use password_auth_store::postgres::DatabaseUrl;
use url::Url;

pub(crate) use log_filter::parse_log_filter;
pub use setting::{SETTINGS, Setting};
pub use source::{Origin, Sources};

use self::parse::Reader;

/// The settings in force. `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct Config {
    /// Development mode: any origin may call, and limits may be off.
    pub dev: bool,
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The URL at which users reach the server: scheme, host and port. `None`: the address that it listens on.
    pub public_url: Option<String>,
    /// The embedded store's folder.
    pub data_dir: PathBuf,
    /// The size of the embedded store's cache.
    pub store_cache_bytes: u64,
    /// The certificate, if the server itself speaks TLS.
    pub tls: Option<TlsFiles>,
    /// The address of the listener for `/metrics`, if there is one.
    pub metrics: Option<SocketAddr>,
    /// PostgreSQL instead of the embedded store.
    pub database: Option<DatabaseUrl>,
    /// Whether PostgreSQL must commit to a synchronous standby.
    pub require_standby: bool,
    /// Origins that may call the API from a browser.
    pub allowed_origins: Vec<String>,
    /// Proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// The key from `JWT_SECRET`, if it is set.
    pub signing_key: Option<SigningKey>,
    /// What the site calls itself, in mails and pages.
    pub site_name: String,
    /// How access tokens are signed.
    pub signing_alg: SigningAlg,
    /// Issuer and audience of the access tokens.
    pub issuer: String,
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
    /// The domain of passkeys, if it is set.
    pub rp_id: Option<String>,
    /// The origins of passkeys, if they are set.
    pub webauthn_origins: Vec<String>,
    /// The format of the log.
    pub log_format: LogFormat,
    /// The log filter.
    pub log_filter: String,
}

/// The format of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text for people.
    Text,
    /// One JSON object per line.
    Json,
}

/// What is wrong with a setting. The message never contains a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which setting.
    pub setting: String,
    /// What is wrong, and what is expected.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.setting, self.message)
    }
}

impl Config {
    /// The settings of the use cases, for a server that listens on `address`.
    #[must_use]
    pub fn app(&self, address: SocketAddr) -> app::Settings {
        app::Settings {
            dev: self.dev,
            public_url: self.reached_at(address),
            site_name: self.site_name.clone(),
            issuer: self.issuer.clone(),
            signing_alg: self.signing_alg,
            lifetimes: self.lifetimes,
            mail: self.mail.clone(),
            links: self.links,
            scrypt: self.scrypt,
            password_policy: self.password_policy,
            rates: self.rates,
            directory: self.directory,
            registration: self.registration,
            party: self.party(address),
        }
    }

    /// The settings of the middleware, for a server that listens on `address`.
    #[must_use]
    pub fn http(&self, address: SocketAddr) -> http::Settings {
        let own = self.reached_at(address);
        let origins = self.allowed_origins.iter().chain(std::iter::once(&own));
        let origins = origins.map(String::as_str);
        http::Settings {
            forms: FormPolicy::new(origins.clone(), self.dev),
            cors: if self.dev {
                CorsPolicy::Any
            } else {
                CorsPolicy::exactly(origins)
            },
            proxies: ProxyTrust::new(self.trusted_proxies.clone()),
            https: own.starts_with("https://"),
            measures: Arc::default(),
        }
    }

    /// What the listener speaks.
    #[must_use]
    pub const fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// Who asks for passkeys. `None` if the domain is not known: an IP address is none.
    pub(crate) fn party(&self, address: SocketAddr) -> Option<RelyingParty> {
        let own = self.reached_at(address);
        let host = Url::parse(&own).ok();
        let host = host.and_then(|url| url.domain().map(str::to_owned));
        let local = || self.dev.then(|| "localhost".to_owned());
        let id = self.rp_id.clone().or(host).or_else(local)?;
        let origins = if self.webauthn_origins.is_empty() {
            let local = format!("http://localhost:{}", address.port());
            let local = (id == "localhost").then_some(local);
            let listed = self.allowed_origins.iter().cloned();
            listed.chain([own]).chain(local).collect()
        } else {
            self.webauthn_origins.clone()
        };
        Some(RelyingParty { id, origins })
    }

    fn reached_at(&self, address: SocketAddr) -> String {
        self.public_url
            .clone()
            .unwrap_or_else(|| format!("{}://{address}", self.scheme()))
    }

    /// Reads every setting.
    ///
    /// # Errors
    /// All mistakes at once.
    pub fn load(sources: &Sources, dev: bool) -> Result<Self, Vec<Problem>> {
        Self::read(sources, dev, Some("JWT_SECRET"))
    }

    /// Like [`load`](Self::load), for a command that signs nothing: the shared secret of nodes may be missing.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_without_secret(sources: &Sources, dev: bool) -> Result<Self, Vec<Problem>> {
        Self::read(sources, dev, None)
    }

    fn read(
        sources: &Sources,
        dev: bool,
        shared_secret: Option<&'static str>,
    ) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader::new(sources, dev);
        let host: IpAddr = reader.host("HOST");
        let port: u16 = reader.parse("PORT", "a port from 0 to 65535");
        let data_dir = reader.path("DATA_DIR");
        let config = Self {
            dev,
            listen: SocketAddr::new(host, port),
            public_url: reader.public_url("PUBLIC_URL"),
            tls: reader.tls(),
            metrics: reader.metrics("METRICS_ADDR", SocketAddr::new(host, port)),
            store_cache_bytes: reader.within("STORE_CACHE_MB", 16..=65_536) << 20,
            database: reader.database("DATABASE_URL", shared_secret),
            require_standby: reader.switch("DATABASE_REQUIRE_STANDBY"),
            allowed_origins: reader.origins("ALLOWED_ORIGINS"),
            trusted_proxies: reader.networks("TRUSTED_PROXIES"),
            signing_key: reader.signing_key("JWT_SECRET"),
            site_name: reader.site_name("SITE_NAME"),
            signing_alg: reader.signing_alg("SIGNING_ALG"),
            issuer: reader.text("ISSUER").to_owned(),
            lifetimes: Lifetimes {
                access_token: Duration::from_secs(
                    60 * reader.within("ACCESS_TOKEN_EXPIRE_MINUTES", 1..=1440),
                ),
                session: Duration::from_secs(
                    86_400 * reader.within("REFRESH_TOKEN_EXPIRE_DAYS", 1..=3650),
                ),
            },
            mail: reader.delivery(&data_dir),
            links: LinkLifetimes {
                password_reset: Duration::from_secs(
                    3600 * reader.within("PASSWORD_RESET_TOKEN_EXPIRE_HOURS", 1..=24),
                ),
                email_verification: Duration::from_secs(
                    3600 * reader.within("EMAIL_VERIFICATION_TOKEN_EXPIRE_HOURS", 1..=720),
                ),
            },
            data_dir,
            scrypt: reader.scrypt(),
            password_policy: reader.password_policy("PASSWORD_MIN_SCORE"),
            rates: Rates {
                login: reader.rate("LOGIN_RATE"),
                register: reader.rate("REGISTER_RATE"),
                mail: reader.rate("MAIL_RATE"),
                account: reader.rate("ACCOUNT_RATE"),
            },
            directory: reader.directory("USER_DIRECTORY"),
            registration: reader.registration("REGISTRATION"),
            rp_id: reader.domain("WEBAUTHN_RP_ID"),
            webauthn_origins: reader.origins("WEBAUTHN_ORIGINS"),
            log_format: reader.log_format("LOG_FORMAT"),
            log_filter: reader.log_filter("RUST_LOG"),
        };
        reader.secrets_are_hidden();
        reader.refuse_what_is_unsafe(&config);
        reader.finish(config)
    }
}

#[cfg(test)]
mod tests;
