//! The settings for mail delivery.

use std::path::PathBuf;
use std::time::Duration;

use lettre::message::Mailbox;
use password_auth_model::Purpose;
use password_auth_wire::Secret;

/// The site that mails are from.
#[derive(Clone, Debug)]
pub struct Site {
    /// What it calls itself.
    pub name: String,
    /// The base URL of links: scheme, host and port.
    pub url: String,
}

/// The address of a page of the site at `url` that takes a token.
pub(super) fn link(url: &str, page: &str, token: &Secret) -> String {
    format!("{url}/{page}?token={}", token.expose())
}

/// Where somebody who is invited registers at the site at `url`.
#[must_use]
pub fn invitation_link(url: &str, token: &Secret) -> String {
    link(url, "join", token)
}

/// How mail is delivered.
#[derive(Clone, Debug)]
pub enum Delivery {
    /// To a mail server.
    Smtp(Box<SmtpSettings>),
    /// As `.eml` files in this folder, for development.
    Folder(PathBuf),
    /// Not at all. Requests that need mail are refused.
    Nowhere,
}

/// The settings for a mail server.
#[derive(Clone, Debug)]
pub struct SmtpSettings {
    /// The host name. The certificate must be for it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub tls: SmtpTls,
    /// PEM file with the CA certificates to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// User name and password, if the server needs them.
    pub credentials: Option<(String, Secret)>,
    /// The sender.
    pub from: Mailbox,
}

/// How the connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpTls {
    /// Plain at first. Nothing but STARTTLS is sent before encryption (RFC 3207).
    StartTls,
    /// From the first byte (RFC 8314).
    Tls,
    /// Not at all.
    Off,
}

impl SmtpTls {
    /// The default port.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Tls => 465,
            Self::Off => 25,
        }
    }
}

/// How long links in mail are valid.
#[derive(Clone, Copy, Debug)]
pub struct LinkLifetimes {
    /// Password reset links.
    pub password_reset: Duration,
    /// Verification links.
    pub email_verification: Duration,
}

impl LinkLifetimes {
    /// How long a token for this purpose is valid.
    #[must_use]
    pub const fn of(self, purpose: &Purpose) -> Duration {
        match purpose {
            Purpose::ResetPassword(_) => self.password_reset,
            Purpose::VerifyEmail(_) | Purpose::ChangeEmail(_) | Purpose::ConfirmedEmail(_) => {
                self.email_verification
            }
        }
    }
}
