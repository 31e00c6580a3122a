//! How mail is delivered, as the operator set it.

use std::path::PathBuf;
use std::time::Duration;

use lettre::message::Mailbox;
use password_auth_model::Purpose;
use password_auth_wire::Secret;

/// How mail leaves.
#[derive(Clone, Debug)]
pub enum Delivery {
    /// By a mail server.
    Smtp(Box<SmtpSettings>),
    /// As `.eml` files into this folder: development.
    Folder(PathBuf),
    /// Not at all: what needs mail is refused.
    Nowhere,
}

/// A mail server, and what it is told.
#[derive(Clone, Debug)]
pub struct SmtpSettings {
    /// Its name: its certificate must be for it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub tls: SmtpTls,
    /// Certificates of the authorities to trust, as PEM, in place of the system's.
    pub ca_file: Option<PathBuf>,
    /// Name and password, if it asks for them.
    pub credentials: Option<(String, Secret)>,
    /// Whom the mail is from.
    pub from: Mailbox,
}

/// How the connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpTls {
    /// Plain at first, and nothing but STARTTLS said before it is encrypted (RFC 3207).
    StartTls,
    /// From the first byte (RFC 8314).
    Tls,
    /// Not at all.
    Off,
}

impl SmtpTls {
    /// The port that goes with it.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Tls => 465,
            Self::Off => 25,
        }
    }
}

/// How long the links in letters are good.
#[derive(Clone, Copy, Debug)]
pub struct LinkLifetimes {
    /// For a new password.
    pub password_reset: Duration,
    /// That show that somebody reads an address.
    pub email_verification: Duration,
}

impl LinkLifetimes {
    /// How long a token of this purpose is good.
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
