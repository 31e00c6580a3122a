//! The server's own TLS, and what production refuses because somebody on the way could read or change it.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use ipnet::IpNet;
use password_auth_http::server::{Tls, TlsError, TlsFiles};
use url::{Host, Url};

use super::Reader;
use crate::config::Config;
use crate::config::source::credentials_directory;

/// A secret with fewer different bytes was typed, not drawn.
const MIN_DIFFERENT_BYTES: usize = 8;

impl Reader<'_> {
    /// The certificate and its key, which must be readable and belong together.
    pub(in crate::config) fn tls(&mut self) -> Option<TlsFiles> {
        let files = match (self.text("TLS_CERT"), self.text("TLS_KEY")) {
            ("", "") => return None,
            ("", _) | (_, "") => {
                self.problem("TLS_CERT, TLS_KEY", "expected both or neither");
                return None;
            }
            _ => TlsFiles {
                certificate: self.path("TLS_CERT"),
                key: self.path("TLS_KEY"),
            },
        };
        match Tls::load(files.clone()) {
            Ok(_) => {}
            Err(TlsError::Certificate(why)) => self.problem("TLS_CERT", why),
            Err(TlsError::Key(why)) => self.problem("TLS_KEY", why),
        }
        if !self.dev && is_readable_by_all(&files.key) {
            let why = format!(
                "every user can read it: run `chmod 640 {}`",
                files.key.display()
            );
            self.problem("TLS_KEY", why);
        }
        Some(files)
    }

    /// What production refuses: settings that are valid, but with which nobody is safe.
    pub(in crate::config) fn refuse_what_is_unsafe(&mut self, config: &Config) {
        let url = config.public_url.as_deref();
        let is_https = url.is_some_and(|url| url.starts_with("https://"));
        if config.tls.is_some() && url.is_some() && !is_https {
            self.problem("PUBLIC_URL", "must be https when TLS_CERT is set");
        }
        if self.dev {
            return;
        }
        if !config.listen.ip().is_loopback() && config.tls.is_none() && !is_https {
            self.problem(
                "HOST",
                "passwords would cross the network unencrypted: set TLS_CERT and TLS_KEY, or put a \
                 proxy with TLS in front of the server and set PUBLIC_URL=https://…",
            );
        }
        if url.is_some_and(|url| !is_https && !is_of_this_machine(url)) {
            self.problem(
                "PUBLIC_URL",
                "must be https: passwords would cross the network unencrypted",
            );
        }
        if config.trusted_proxies.iter().any(is_everybody) {
            self.problem(
                "TRUSTED_PROXIES",
                "would believe anybody: every client could claim any address, and rate limits \
                 would have no effect. List your proxies alone",
            );
        }
        let secret = self.text("JWT_SECRET").bytes().collect::<BTreeSet<u8>>();
        if !secret.is_empty() && secret.len() < MIN_DIFFERENT_BYTES {
            self.problem(
                "JWT_SECRET",
                "is easy to guess: try `openssl rand -base64 48`",
            );
        }
    }
}

/// Files of the service manager's are mounted for this process alone, with whatever mode.
fn is_readable_by_all(key: &Path) -> bool {
    let is_mounted = credentials_directory().is_some_and(|folder| key.starts_with(folder));
    let mode = fs::metadata(key).map(|file| file.permissions().mode());
    !is_mounted && mode.is_ok_and(|mode| mode & 0o007 != 0)
}

fn is_everybody(network: &IpNet) -> bool {
    network.prefix_len() == 0
}

fn is_of_this_machine(url: &str) -> bool {
    let url = Url::parse(url).ok();
    match url.as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
