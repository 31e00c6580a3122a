//! Parses values. Mistakes are collected, and parsing goes on.

mod mail;
mod network;
mod tls;

use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use password_auth_core::accounts::{Directory, Registration};
use password_auth_core::passwords::{MAX_SCORE, Policy, ScryptParams};
use password_auth_core::tokens::{MIN_SECRET_BYTES, SigningAlg, SigningKey};
use password_auth_model::Rate;
use password_auth_store::postgres::{DatabaseUrl, InvalidDatabaseUrl};

use super::log_filter::parse_log_filter;
use super::setting::Setting;
use super::{LogFormat, Problem, Sources};

pub(super) struct Reader<'a> {
    sources: &'a Sources,
    dev: bool,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(sources: &'a Sources, dev: bool) -> Self {
        Self {
            sources,
            dev,
            problems: Vec::new(),
        }
    }

    pub(super) fn finish<T>(self, config: T) -> Result<T, Vec<Problem>> {
        if self.problems.is_empty() {
            Ok(config)
        } else {
            Err(self.problems)
        }
    }

    /// The text of a setting. Every start reads every setting, so a name that is not in the list cannot go unnoticed.
    #[expect(
        clippy::expect_used,
        reason = "a name that is not in the list is a slip in this source, not a mistake of a user"
    )]
    pub(super) fn text(&self, name: &'static str) -> &'a str {
        let setting = Setting::named(name).expect("a setting in the list");
        self.sources.get(setting).0
    }

    fn problem(&mut self, name: &str, message: impl Into<String>) {
        self.problems.push(Problem {
            setting: name.to_owned(),
            message: message.into(),
        });
    }

    /// The value, or a placeholder if it cannot be parsed. The mistake is recorded.
    pub(super) fn parse<T: FromStr + Placeholder>(
        &mut self,
        name: &'static str,
        expected: &str,
    ) -> T {
        let text = self.text(name);
        text.parse().unwrap_or_else(|_| {
            self.problem(name, format!("expected {expected}, not {text:?}"));
            T::PLACEHOLDER
        })
    }

    /// A file or a folder. No shell expands it, so `~` would be a folder of that name.
    pub(super) fn path(&mut self, name: &'static str) -> PathBuf {
        let text = self.text(name);
        if text.starts_with('~') {
            self.problem(
                name,
                format!("~ is not expanded here: write the whole path, such as /home/auth/data, not {text:?}"),
            );
        }
        PathBuf::from(text)
    }

    /// In production, other users must not be able to read a file with secrets.
    pub(super) fn secrets_are_hidden(&mut self) {
        if !self.dev {
            self.problems.extend(self.sources.exposed_secret());
        }
    }

    pub(super) fn within(&mut self, name: &'static str, range: RangeInclusive<u64>) -> u64 {
        let text = self.text(name);
        match text.parse() {
            Ok(value) if range.contains(&value) => value,
            _ => {
                let (least, most) = (range.start(), range.end());
                self.problem(
                    name,
                    format!("expected a whole number from {least} to {most}, not {text:?}"),
                );
                *least
            }
        }
    }

    pub(super) fn rate(&mut self, name: &'static str) -> Rate {
        match self.text(name).parse::<Rate>() {
            Ok(rate) if rate.is_off() && !self.dev => {
                self.problem(name, "off is only allowed in development (--dev)");
                rate
            }
            Ok(rate) => rate,
            Err(error) => {
                self.problem(name, error.to_string());
                Rate::OFF
            }
        }
    }

    pub(super) fn scrypt(&mut self) -> ScryptParams {
        let log_n = self.within("SCRYPT_LOG_N", 1..=29);
        let r = self.within("SCRYPT_R", 1..=64);
        let p = self.within("SCRYPT_P", 1..=16);
        let params = u8::try_from(log_n).ok().and_then(|log_n| {
            ScryptParams::new(log_n, u32::try_from(r).ok()?, u32::try_from(p).ok()?)
        });
        match params {
            Some(params) if params.meets_owasp() || self.dev => params,
            Some(params) => {
                self.problem(
                    "SCRYPT_LOG_N, SCRYPT_R, SCRYPT_P",
                    format!(
                        "{params} is weaker than OWASP recommends; this is only allowed in \
                         development (--dev)"
                    ),
                );
                params
            }
            None => {
                self.problem(
                    "SCRYPT_LOG_N, SCRYPT_R, SCRYPT_P",
                    "these need more memory than the limit for one hash (256 MiB)",
                );
                ScryptParams::DEFAULT
            }
        }
    }

    pub(super) fn password_policy(&mut self, name: &'static str) -> Policy {
        if self.text(name).is_empty() {
            // In development, users try the demo's example passwords.
            return if self.dev {
                Policy::NONE
            } else {
                Policy::DEFAULT
            };
        }
        let score = self.within(name, 0..=u64::from(MAX_SCORE));
        Policy::new(u8::try_from(score).unwrap_or(MAX_SCORE))
    }

    pub(super) fn directory(&mut self, name: &'static str) -> Directory {
        match self.text(name) {
            "" if self.dev => Directory::Members,
            "" | "admins" => Directory::Admins,
            "members" => Directory::Members,
            other => {
                self.problem(name, format!("expected members or admins, not {other:?}"));
                Directory::Admins
            }
        }
    }

    /// Shown to users as text, also in the header of mails.
    pub(super) fn site_name(&mut self, name: &'static str) -> String {
        let text = self.text(name).trim().to_owned();
        let length = text.chars().count();
        if !(1..=64).contains(&length) || text.chars().any(char::is_control) {
            self.problem(name, "expected 1 to 64 characters, in one line");
        }
        text
    }

    pub(super) fn registration(&mut self, name: &'static str) -> Registration {
        match self.text(name) {
            "open" => Registration::Open,
            "invite" => Registration::Invite,
            "closed" => Registration::Closed,
            other => {
                self.problem(
                    name,
                    format!("expected open, invite or closed, not {other:?}"),
                );
                Registration::Closed
            }
        }
    }

    pub(super) fn signing_key(&mut self, name: &'static str) -> Option<SigningKey> {
        let secret = self.text(name);
        if secret.is_empty() {
            return None;
        }
        let key = SigningKey::from_setting(secret);
        if key.is_none() {
            self.problem(
                name,
                format!(
                    "expected at least {MIN_SECRET_BYTES} bytes, as text or as base64:…: try \
                     `openssl rand -base64 48`"
                ),
            );
        }
        key
    }

    pub(super) fn log_format(&mut self, name: &'static str) -> LogFormat {
        match self.text(name) {
            "text" => LogFormat::Text,
            "json" => LogFormat::Json,
            other => {
                self.problem(name, format!("expected text or json, not {other:?}"));
                LogFormat::Text
            }
        }
    }

    pub(super) fn log_filter(&mut self, name: &'static str) -> String {
        // tracing-subscriber panics within a letter of several bytes, and after a blank it cuts names in the wrong place.
        let parts: Vec<&str> = self.text(name).split(',').map(str::trim).collect();
        let text = parts.join(",");
        if !text.is_ascii() {
            self.problem(name, "only ASCII can be used in a filter");
        } else if let Err(error) = parse_log_filter(&text) {
            self.problem(name, error.to_string());
        }
        text
    }

    pub(super) fn signing_alg(&mut self, name: &'static str) -> SigningAlg {
        match self.text(name) {
            "HS256" => SigningAlg::Hs256,
            "EdDSA" => SigningAlg::EdDsa,
            other => {
                self.problem(name, format!("expected HS256 or EdDSA, not {other:?}"));
                SigningAlg::Hs256
            }
        }
    }

    /// Does not quote the value, which may contain a password. Nodes on one database share the secret that signs the
    /// tokens: if `secret` is given, it must be set too.
    pub(super) fn database(
        &mut self,
        name: &'static str,
        secret: Option<&'static str>,
    ) -> Option<DatabaseUrl> {
        let text = self.text(name);
        if text.is_empty() {
            return None;
        }
        if let Some(secret) = secret
            && self.text(secret).is_empty()
        {
            self.problem(
                secret,
                format!("must be set when {name} is set, to the same value on every node: try `openssl rand -base64 48`"),
            );
        }
        text.parse()
            .map_err(|error: InvalidDatabaseUrl| self.problem(name, error.to_string()))
            .ok()
    }

    pub(super) fn switch(&mut self, name: &'static str) -> bool {
        match self.text(name) {
            "on" => true,
            "off" => false,
            other => {
                self.problem(name, format!("expected on or off, not {other:?}"));
                false
            }
        }
    }
}

/// A placeholder for a value that could not be parsed, while the other mistakes are collected.
pub(super) trait Placeholder {
    const PLACEHOLDER: Self;
}

impl Placeholder for IpAddr {
    const PLACEHOLDER: Self = Self::V4(Ipv4Addr::LOCALHOST);
}

impl Placeholder for u16 {
    const PLACEHOLDER: Self = 0;
}
