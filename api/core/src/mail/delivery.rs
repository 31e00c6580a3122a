//! Delivery: to a mail server or a folder. Knows finished mails, not the queue.

mod dialogue;
mod folder;
#[cfg(test)]
mod fuzz;
mod replies;
mod smtp;
mod tls;

use std::fmt;
use std::path::PathBuf;

use lettre::Address;
use lettre::message::Mailbox;

use self::folder::Folder;
use self::smtp::{Connection, Smtp};
use super::Delivery;
use super::message::Mail;

/// Where mail is delivered to.
pub enum Transport {
    /// To a mail server.
    #[doc(hidden)]
    Smtp(Smtp),
    /// Into a folder.
    #[doc(hidden)]
    Folder(Folder),
}

/// Why delivery cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The certificates in `SMTP_CA_FILE` cannot be used.
    #[error("SMTP_CA_FILE {}: {cause}", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// TLS cannot be set up.
    #[error("cannot encrypt the connection to SMTP_HOST: {0}")]
    Tls(String),
    /// The folder cannot be created.
    #[error("cannot use the folder for mail {}: {cause}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        cause: std::io::Error,
    },
}

/// No mail can be delivered. The text is for the log: it contains no addresses and no secrets.
#[derive(Debug)]
pub(super) struct Closed(pub(super) String);

/// One mail was not delivered.
#[derive(Debug)]
pub(super) enum Refused {
    /// A temporary failure: try again later.
    ForNow(Reply),
    /// The address was refused for good.
    ForGood(Reply),
    /// No mail can be delivered.
    Closed(Closed),
}

/// The part of a reply that may be logged. Its text often quotes the address, so only codes are kept.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    /// The step that was refused.
    step: &'static str,
    /// The reply code (RFC 5321 §4.2), and the enhanced status code (RFC 3463) if there is one.
    code: String,
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} after {}", self.code, self.step)
    }
}

impl Transport {
    /// The configured delivery. `None` if there is none. `public_url` is the name of this server.
    ///
    /// # Errors
    /// If the certificates or the folder cannot be used.
    pub fn new(delivery: &Delivery, public_url: &str) -> Result<Option<Self>, MailError> {
        Ok(match delivery {
            Delivery::Smtp(settings) => Some(Self::Smtp(Smtp::new(settings, public_url)?)),
            Delivery::Folder(path) => Some(Self::Folder(Folder::new(path)?)),
            Delivery::Nowhere => None,
        })
    }

    /// Whom the mail is from.
    pub(super) fn from(&self) -> Mailbox {
        match self {
            Self::Smtp(smtp) => smtp.from(),
            Self::Folder(_) => {
                Mailbox::new(None, Address::new_dangerous("password-auth", "localhost"))
            }
        }
    }

    /// Connects.
    pub(super) async fn open(&self) -> Result<Open<'_>, Closed> {
        match self {
            Self::Smtp(smtp) => Ok(Open::Smtp(Box::new(smtp.connect().await?))),
            Self::Folder(folder) => Ok(Open::Folder(folder)),
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Smtp(smtp) => smtp.fmt(f),
            Self::Folder(folder) => folder.fmt(f),
        }
    }
}

/// An open connection, for any number of mails.
pub(super) enum Open<'a> {
    Smtp(Box<Connection>),
    Folder(&'a Folder),
}

impl Open<'_> {
    pub(super) async fn deliver(&mut self, mail: &Mail) -> Result<(), Refused> {
        match self {
            Self::Smtp(connection) => connection.deliver(mail).await,
            Self::Folder(folder) => folder.deliver(mail).await,
        }
    }

    /// Closes the connection. The reply does not matter.
    pub(super) async fn close(self) {
        match self {
            Self::Smtp(connection) => connection.quit().await,
            Self::Folder(_) => {}
        }
    }
}
