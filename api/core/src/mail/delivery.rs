//! The way out: a mail server, or a folder. Knows mails, and no letters.

mod dialogue;
mod folder;
mod smtp;

use std::fmt;
use std::path::PathBuf;

use lettre::Address;
use lettre::message::Mailbox;

use self::folder::Folder;
use self::smtp::{Connection, Smtp};
use super::Delivery;
use super::message::Mail;

/// Where mail goes.
pub enum Transport {
    /// To a mail server.
    #[doc(hidden)]
    Smtp(Smtp),
    /// Into a folder.
    #[doc(hidden)]
    Folder(Folder),
}

/// Mail can not be set up.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The certificates that `SMTP_CA_FILE` names are of no use.
    #[error("SMTP_CA_FILE {}: {cause}", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// TLS can not be set up.
    #[error("the connection to SMTP_HOST can not be encrypted: {0}")]
    Tls(String),
    /// The folder can not be made.
    #[error("the folder for mail {}: {cause}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        cause: std::io::Error,
    },
}

/// The way out is closed, whatever the letter. The text is for the log: it holds no address and no secret.
#[derive(Debug)]
pub(super) struct Closed(pub(super) String);

/// One mail did not go out.
#[derive(Debug)]
pub(super) enum Refused {
    /// Not now: trying again later is right.
    ForNow(Reply),
    /// The address will never do.
    ForGood(Reply),
    /// Nothing goes out any more.
    Closed(Closed),
}

/// What a mail server said, as far as the log may know: its sentences like to quote the address.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    /// The step that it refused.
    step: &'static str,
    /// Its number (RFC 5321 §4.2), and the longer one (RFC 3463) if there is one.
    code: String,
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} after {}", self.code, self.step)
    }
}

impl Transport {
    /// The way out that is configured; `None` if there is none. `public_url` is how this server calls itself.
    ///
    /// # Errors
    /// If the certificates, or the folder, are of no use.
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
            Self::Folder(_) => Mailbox::new(
                Some("Password Auth".to_owned()),
                Address::new_dangerous("password-auth", "localhost"),
            ),
        }
    }

    /// Opens the way out.
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

/// A way out that is open, for any number of mails.
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

    /// Says good-bye; nothing depends on the answer.
    pub(super) async fn close(self) {
        match self {
            Self::Smtp(connection) => connection.quit().await,
            Self::Folder(_) => {}
        }
    }
}
