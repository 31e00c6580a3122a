//! `DATABASE_URL`: the hosts, the user, and how far the network is trusted.
//!
//! tokio-postgres parses the URL, except for what it does not support: `sslrootcert`, and the values of `sslmode` that
//! check the server's certificate. An encrypted connection always checks the certificate.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

/// Where the database is. `Debug` only shows the hosts: the rest may contain a password.
#[derive(Clone)]
pub struct DatabaseUrl {
    /// One for each host, in the order of preference.
    pub(super) hosts: Vec<HostConfig>,
    /// PEM file with CA certificates to trust instead of the system's.
    pub(super) root_certificates: Option<PathBuf>,
}

/// How to reach one host.
#[derive(Clone)]
pub(super) struct HostConfig {
    pub(super) name: String,
    pub(super) config: Config,
}

/// What is wrong with a URL. The sentence never quotes the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDatabaseUrl {
    /// Another scheme, or none.
    #[error(
        "expected postgres://USER:PASSWORD@HOST:PORT/DATABASE, with several HOST:PORT separated by commas"
    )]
    Scheme,
    /// tokio-postgres cannot parse it.
    #[error(
        "it is not a valid URL: percent-encode everything except letters and digits in the user name and the password, and check the parameters"
    )]
    Unreadable,
    /// No host.
    #[error("it names no host")]
    NoHost,
    /// An `sslmode` that does not protect, or is unknown.
    #[error(
        "sslmode must be verify-full (encrypted, with a checked certificate) or disable (for a \
         trusted network); the other modes do not protect from somebody in between"
    )]
    SslMode,
}

/// What the URL says about encryption.
#[derive(Clone, Copy)]
enum Encryption {
    Verified,
    Off,
    /// Nothing: off for this machine, verified for other hosts.
    Unsaid,
}

impl FromStr for DatabaseUrl {
    type Err = InvalidDatabaseUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(InvalidDatabaseUrl::Scheme);
        }
        let (base, query) = text.split_once('?').unwrap_or((text, ""));
        let mut encryption = Encryption::Unsaid;
        let mut root_certificates = None;
        let mut rest = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", "disable")) => encryption = Encryption::Off,
                Some(("sslmode", "require" | "verify-ca" | "verify-full")) => {
                    encryption = Encryption::Verified;
                }
                Some(("sslmode", _)) => return Err(InvalidDatabaseUrl::SslMode),
                Some(("sslrootcert", path)) => {
                    let path = percent_decode_str(path)
                        .decode_utf8()
                        .map_err(|_| InvalidDatabaseUrl::Unreadable)?;
                    root_certificates = Some(PathBuf::from(path.into_owned()));
                }
                _ => rest.push(pair),
            }
        }
        let config: Config = format!("{base}?{}", rest.join("&"))
            .parse()
            .map_err(|_| InvalidDatabaseUrl::Unreadable)?;
        Ok(Self {
            hosts: hosts(&config, encryption)?,
            root_certificates,
        })
    }
}

/// One configuration per host, so that each has its own time limit.
fn hosts(config: &Config, encryption: Encryption) -> Result<Vec<HostConfig>, InvalidDatabaseUrl> {
    let hosts = config.get_hosts();
    if hosts.is_empty() {
        return Err(InvalidDatabaseUrl::NoHost);
    }
    let port_of = |index: usize| match config.get_ports() {
        [] => 5432,
        [one] => *one,
        many => many.get(index).copied().unwrap_or(5432),
    };
    Ok(hosts
        .iter()
        .enumerate()
        .map(|(index, host)| {
            let port = port_of(index);
            // PostgreSQL does not support TLS on Unix sockets.
            let encrypted = match (host, encryption) {
                (Host::Unix(_), _) | (_, Encryption::Off) => false,
                (_, Encryption::Verified) => true,
                (Host::Tcp(name), Encryption::Unsaid) => !is_this_machine(name),
            };
            let ssl_mode = if encrypted {
                SslMode::Require
            } else {
                SslMode::Disable
            };
            let mut one = without_hosts(config);
            one.port(port)
                .ssl_mode(ssl_mode)
                .target_session_attrs(TargetSessionAttrs::ReadWrite);
            let name = match host {
                Host::Tcp(name) => {
                    one.host(name);
                    format!("{name}:{port}")
                }
                Host::Unix(folder) => {
                    one.host_path(folder);
                    format!("{}:{port}", folder.display())
                }
            };
            HostConfig { name, config: one }
        })
        .collect())
}

fn without_hosts(config: &Config) -> Config {
    let mut copy = Config::new();
    if let Some(user) = config.get_user() {
        copy.user(user);
    }
    if let Some(password) = config.get_password() {
        copy.password(password);
    }
    if let Some(name) = config.get_dbname() {
        copy.dbname(name);
    }
    if let Some(options) = config.get_options() {
        copy.options(options);
    }
    copy.application_name(config.get_application_name().unwrap_or("password-auth"));
    copy.channel_binding(config.get_channel_binding());
    copy
}

fn is_this_machine(name: &str) -> bool {
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.hosts.iter().map(|host| &*host.name).collect();
        f.write_str(&names.join(","))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self}, …)")
    }
}

#[cfg(test)]
mod tests {
    use tokio_postgres::config::SslMode;

    use super::{DatabaseUrl, InvalidDatabaseUrl};

    fn modes(text: &str) -> Vec<SslMode> {
        let url: DatabaseUrl = text.parse().expect("a URL");
        let modes = url.hosts.iter().map(|host| host.config.get_ssl_mode());
        modes.collect()
    }

    #[test]
    fn several_hosts_keep_their_ports_and_no_secret_is_shown() {
        let url: DatabaseUrl =
            "postgres://app:ge%20heim@db1:5433,db2,/run/pg/auth?connect_timeout=9"
                .replace("/run/pg", "%2Frun%2Fpg")
                .parse()
                .expect("a URL");
        let shown = format!("{url:?} {url}");
        assert!(shown.contains("db1:5433,db2:5432,/run/pg:5432"), "{shown}");
        assert!(!shown.contains("heim") && !shown.contains("app"), "{shown}");
    }

    #[test]
    fn only_this_machine_is_spoken_to_in_the_clear_unless_the_url_says_so() {
        assert_eq!(
            modes("postgres://u@127.0.0.1,[::1],localhost,db.example/x"),
            [
                SslMode::Disable,
                SslMode::Disable,
                SslMode::Disable,
                SslMode::Require
            ]
        );
        assert_eq!(
            modes("postgres://u@db/x?sslmode=disable"),
            [SslMode::Disable]
        );
        assert_eq!(
            modes("postgres://u@localhost/x?sslmode=verify-full&sslrootcert=%2Fca.pem"),
            [SslMode::Require]
        );
    }

    #[test]
    fn what_is_no_promise_or_no_url_is_refused() {
        for (text, expected) in [
            ("mysql://u@db/x", InvalidDatabaseUrl::Scheme),
            ("host=db user=u", InvalidDatabaseUrl::Scheme),
            (
                "postgres://u@db/x?sslmode=prefer",
                InvalidDatabaseUrl::SslMode,
            ),
            ("postgres://u@db:99999/x", InvalidDatabaseUrl::Unreadable),
            (
                "postgres://u@db/x?sslcert=a",
                InvalidDatabaseUrl::Unreadable,
            ),
            ("postgres://", InvalidDatabaseUrl::NoHost),
        ] {
            assert_eq!(text.parse::<DatabaseUrl>().expect_err(text), expected);
        }
    }
}
