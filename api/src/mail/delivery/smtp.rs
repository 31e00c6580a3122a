//! A mail server (RFC 5321), by lettre's connection.
//!
//! lettre's transport would say that a mail was refused, and not at which step: a wrong password of ours would
//! look as an address that is none. So the steps stand here. Its time-out covers connecting alone; the courier
//! bounds the rest.

use std::fmt;
use std::path::Path;

use lettre::Address;
use lettre::message::Mailbox;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters, TlsParametersBuilder,
};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::super::message::{Mail, host_of};
use super::super::{SmtpSettings, SmtpTls};
use super::{Closed, MailError, Refused, Reply};

/// A mail server, ready to be asked.
pub struct Smtp {
    settings: SmtpSettings,
    tls: Option<TlsParameters>,
    hello: ClientId,
}

/// A connection on which mails may follow each other.
pub(in crate::mail) struct Connection(AsyncSmtpConnection);

impl Smtp {
    pub(super) fn new(settings: &SmtpSettings, public_url: &str) -> Result<Self, MailError> {
        let tls = match settings.tls {
            SmtpTls::Off => None,
            SmtpTls::StartTls | SmtpTls::Tls => Some(tls(settings)?),
        };
        let host = host_of(public_url);
        // RFC 5321 §4.1.3: an address is said in brackets; lettre's default is one.
        let is_a_name = host.contains(|c: char| c.is_ascii_alphabetic()) && !host.starts_with('[');
        Ok(Self {
            settings: settings.clone(),
            tls,
            hello: if is_a_name {
                ClientId::Domain(host.to_owned())
            } else {
                ClientId::default()
            },
        })
    }

    pub(super) fn from(&self) -> Mailbox {
        self.settings.from.clone()
    }

    pub(super) async fn connect(&self) -> Result<Connection, Closed> {
        let SmtpSettings { host, port, .. } = &self.settings;
        let at_once = self
            .tls
            .clone()
            .filter(|_| self.settings.tls == SmtpTls::Tls);
        let connecting = AsyncSmtpConnection::connect_tokio1(
            (host.as_str(), *port),
            None,
            &self.hello,
            at_once,
            None,
        );
        let mut connection = connecting
            .await
            .map_err(|error| closed("connecting", &error))?;
        if let (SmtpTls::StartTls, Some(tls)) = (self.settings.tls, &self.tls) {
            connection
                .starttls(tls.clone(), &self.hello)
                .await
                .map_err(|error| closed("STARTTLS", &error))?;
        }
        if let Some((name, password)) = &self.settings.credentials {
            let credentials = Credentials::new(name.clone(), password.expose().to_owned());
            connection
                .auth(&[Mechanism::Plain, Mechanism::Login], &credentials)
                .await
                .map_err(|error| match error.status() {
                    Some(_) => Closed(format!(
                        "it refuses SMTP_USERNAME and SMTP_PASSWORD: {}",
                        reply("AUTH", &error)
                    )),
                    None => closed("AUTH", &error),
                })?;
        }
        Ok(Connection(connection))
    }
}

impl fmt::Display for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.settings.host, self.settings.port)
    }
}

impl Connection {
    /// Sends a mail. After a refusal the connection is in the middle of one, and of no more use.
    pub(super) async fn deliver(&mut self, mail: &Mail) -> Result<(), Refused> {
        let mut parameters = Vec::new();
        if !is_ascii(&mail.from) || !is_ascii(&mail.to) {
            if !self
                .0
                .server_info()
                .supports_feature(Extension::SmtpUtfEight)
            {
                return Err(Refused::ForGood(Reply {
                    step: "EHLO",
                    code: "no SMTPUTF8".to_owned(),
                }));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        // What it says here is about SMTP_FROM, and so about every mail.
        self.0
            .command(MailFrom::new(Some(mail.from.clone()), parameters))
            .await
            .map_err(|error| Refused::Closed(closed("MAIL FROM", &error)))?;
        self.0
            .command(Rcpt::new(mail.to.clone(), Vec::new()))
            .await
            .map_err(|error| refused("RCPT TO", &error))?;
        self.0
            .command(Data)
            .await
            .map_err(|error| refused("DATA", &error))?;
        self.0
            .message(&mail.bytes)
            .await
            .map_err(|error| refused("the mail", &error))?;
        Ok(())
    }

    pub(super) async fn quit(mut self: Box<Self>) {
        self.0.quit().await.ok();
    }
}

fn is_ascii(address: &Address) -> bool {
    address.user().is_ascii() && address.domain().is_ascii()
}

fn tls(settings: &SmtpSettings) -> Result<TlsParameters, MailError> {
    let mut builder = TlsParametersBuilder::new(settings.host.clone());
    if let Some(path) = &settings.ca_file {
        builder = builder.certificate_store(CertificateStore::None);
        for certificate in certificates(path)? {
            builder = builder.add_root_certificate(certificate);
        }
    }
    builder
        .build()
        .map_err(|error| MailError::Tls(error.to_string()))
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, MailError> {
    let unusable = |cause: String| MailError::Certificates {
        path: path.to_owned(),
        cause,
    };
    let certificates = CertificateDer::pem_file_iter(path)
        .map_err(|error| unusable(error.to_string()))?
        .map(|certificate| {
            let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
            Certificate::from_der(certificate.to_vec()).map_err(|error| unusable(error.to_string()))
        })
        .collect::<Result<Vec<_>, _>>()?;
    if certificates.is_empty() {
        return Err(unusable("it holds no certificate".to_owned()));
    }
    Ok(certificates)
}

/// The connection broke, or the server refuses whatever would come.
fn closed(step: &'static str, error: &Error) -> Closed {
    Closed(match error.status() {
        Some(_) => format!("it refuses: {}", reply(step, error)),
        // lettre quotes what it could not read, and the server may have quoted an address.
        None if error.is_response() => {
            format!("{step}: it ended the connection, or does not speak SMTP")
        }
        // The network, or TLS: nothing of ours stands in it.
        None => format!("{step}: {error}"),
    })
}

/// One mail was refused, if it was not the connection that broke.
fn refused(step: &'static str, error: &Error) -> Refused {
    match error.status().map(u16::from) {
        // RFC 5321 §3.8: the server is about to close.
        None | Some(421) => Refused::Closed(closed(step, error)),
        Some(code) => {
            let reply = reply(step, error);
            if step == "RCPT TO" && is_about_the_address(code, &reply) {
                Refused::ForGood(reply)
            } else {
                Refused::ForNow(reply)
            }
        }
    }
}

/// RFC 5321 §4.2.3: there is no such mailbox. The same numbers, with a status of class 7 (RFC 3463 §3.8), say that
/// we may not send there: the operator's to mend, and then the mail goes out.
fn is_about_the_address(code: u16, reply: &Reply) -> bool {
    matches!(code, 550 | 551 | 553) && !reply.code.contains(" 5.7.")
}

fn reply(step: &'static str, error: &Error) -> Reply {
    let number = error
        .status()
        .map(|code| code.to_string())
        .unwrap_or_default();
    let text = std::error::Error::source(error)
        .map(ToString::to_string)
        .unwrap_or_default();
    let longer = text.split_whitespace().next().filter(|word| {
        let parts: Vec<&str> = word.split('.').collect();
        parts.len() == 3
            && parts
                .iter()
                .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    });
    Reply {
        step,
        code: match longer {
            Some(longer) => format!("{number} {longer}"),
            None => number,
        },
    }
}
