//! Settings: values from several sources become a valid `Config`, or a list of all mistakes.

mod file;
mod in_force;
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
use password_auth_http as http;
use password_auth_http::server::TlsFiles;
use password_auth_http::{CorsPolicy, FormPolicy, ProxyTrust};
use password_auth_store::postgres::DatabaseUrl;

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
            log_format: reader.log_format("LOG_FORMAT"),
            log_filter: reader.log_filter("RUST_LOG"),
        };
        reader.secrets_are_hidden();
        reader.refuse_what_is_unsafe(&config);
        reader.finish(config)
    }
}

#[cfg(test)]
mod tests {
    use super::{Config, LogFormat, Sources};
    use password_auth_core::accounts::Directory;
    use password_auth_core::passwords::Policy;
    use password_auth_model::Rate;

    #[test]
    fn nothing_set_is_a_safe_server_on_loopback() {
        let config = Config::load(&Sources::of([]), false).expect("valid");
        assert_eq!(config.listen.to_string(), "127.0.0.1:8000");
        assert_eq!(config.rates.login, "5/minute".parse().expect("a rate"));
        assert_eq!(config.lifetimes.access_token.as_secs(), 900);
        assert_eq!(config.lifetimes.session.as_secs(), 180 * 86_400);
        assert!(config.scrypt.meets_owasp());
        assert_eq!(config.password_policy, Policy::new(2));
        assert_eq!(config.rates.account, "60/minute".parse().expect("a rate"));
        assert_eq!(config.directory, Directory::Admins);
        assert!(config.allowed_origins.is_empty() && config.trusted_proxies.is_empty());
        assert_eq!(config.log_format, LogFormat::Text);
    }

    #[test]
    fn every_mistake_is_named_at_once_and_no_secret_is_quoted() {
        let sources = Sources::of([
            ("PORT", "eighty"),
            ("JWT_SECRET", "hunter2"),
            (
                "ALLOWED_ORIGINS",
                "https://ok.example, *, https://x.example/path",
            ),
            ("TRUSTED_PROXIES", "10.0.0.0/99"),
            ("LOGIN_RATE", "5/fortnight"),
            ("SCRYPT_P", "0"),
            ("PASSWORD_MIN_SCORE", "5"),
            ("ACCOUNT_RATE", "0/minute"),
            ("USER_DIRECTORY", "everybody"),
            ("REGISTRATION", "sometimes"),
            ("SIGNING_ALG", "none"),
            ("DATABASE_URL", "mysql://user:geheim@db/x"),
            ("DATABASE_REQUIRE_STANDBY", "maybe"),
        ]);
        let problems = Config::load(&sources, false).expect_err("invalid");
        let text = problems
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n");
        for name in [
            "PORT",
            "JWT_SECRET",
            "ALLOWED_ORIGINS",
            "TRUSTED_PROXIES",
            "LOGIN_RATE",
            "SCRYPT",
            "PASSWORD_MIN_SCORE",
            "ACCOUNT_RATE",
            "USER_DIRECTORY",
            "REGISTRATION",
            "SIGNING_ALG",
            "DATABASE_URL",
            "DATABASE_REQUIRE_STANDBY",
        ] {
            assert!(text.contains(name), "{name} is missing in:\n{text}");
        }
        assert!(
            !text.contains("hunter2") && !text.contains("geheim"),
            "{text}"
        );
    }

    #[test]
    fn limits_are_off_in_development_only() {
        let sources = Sources::of([
            ("LOGIN_RATE", "off"),
            ("ACCOUNT_RATE", "off"),
            ("SCRYPT_LOG_N", "4"),
            ("SCRYPT_P", "1"),
        ]);
        assert_eq!(
            Config::load(&sources, true).expect("valid").rates.login,
            Rate::OFF
        );
        assert_eq!(Config::load(&sources, false).expect_err("invalid").len(), 3);
    }

    #[test]
    fn in_development_every_password_will_do_unless_a_floor_is_set() {
        let policy = |sources| {
            let config = Config::load(&sources, true).expect("valid");
            config.password_policy
        };
        assert_eq!(policy(Sources::of([])), Policy::NONE);
        let set = Sources::of([("PASSWORD_MIN_SCORE", "3")]);
        assert_eq!(policy(set), Policy::new(3));
    }

    #[test]
    fn in_development_members_list_users_unless_a_setting_says_otherwise() {
        let directory = |sources, dev| Config::load(&sources, dev).expect("valid").directory;
        assert_eq!(directory(Sources::of([]), true), Directory::Members);
        for dev in [true, false] {
            for (text, expected) in [
                ("members", Directory::Members),
                ("admins", Directory::Admins),
            ] {
                let sources = Sources::of([("USER_DIRECTORY", text)]);
                assert_eq!(directory(sources, dev), expected);
            }
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let sources = Sources::of([
            ("JWT_SECRET", "a secret of more than thirty-two bytes"),
            ("DATABASE_URL", "postgres://user:geheim@db/x"),
        ]);
        let config = Config::load(&sources, false).expect("valid");
        let shown = format!("{config:?}");
        assert!(
            !shown.contains("thirty") && !shown.contains("geheim"),
            "{shown}"
        );
    }

    #[test]
    fn nodes_on_one_database_need_a_secret_that_they_share() {
        let sources = Sources::of([("DATABASE_URL", "postgres://user@db/x")]);
        let problems = Config::load(&sources, true).expect_err("invalid");
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].setting, "JWT_SECRET");
    }
}
