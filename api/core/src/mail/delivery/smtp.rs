//! Sends mail to a mail server (RFC 5321), step by step. The meaning of a reply code depends on the step: a wrong SMTP
//! password must not look like an unknown recipient. The sender limits the time.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::Address;
use lettre::message::Mailbox;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use zeroize::Zeroizing;

use super::super::message::{Mail, host_of};
use super::super::{SmtpSettings, SmtpTls};
use super::dialogue::{Broken, Capabilities, Dialogue, ServerReply};
use super::replies::{Fault, agreed, asked_for_more, closed, refused, reply};
use super::tls::Tls;
use super::{Closed, MailError, Refused, Reply};

/// A configured mail server.
pub struct Smtp {
    settings: SmtpSettings,
    tls: Option<Tls>,
    hello: String,
}

/// A connection, for one mail after the other.
pub(in crate::mail) struct Connection {
    dialogue: Dialogue<Box<dyn Stream>>,
    server: Capabilities,
}

/// Encrypted or not.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Smtp {
    pub(super) fn new(settings: &SmtpSettings, public_url: &str) -> Result<Self, MailError> {
        let tls = match settings.tls {
            SmtpTls::Off => None,
            SmtpTls::StartTls | SmtpTls::Tls => Some(Tls::new(settings)?),
        };
        let host = host_of(public_url);
        // RFC 5321 §4.1.3: an IP address is written in brackets.
        let is_a_name = host.contains(|c: char| c.is_ascii_alphabetic()) && !host.starts_with('[');
        Ok(Self {
            settings: settings.clone(),
            tls,
            hello: if is_a_name { host } else { "[127.0.0.1]" }.to_owned(),
        })
    }

    pub(super) fn from(&self) -> Mailbox {
        self.settings.from.clone()
    }

    pub(super) async fn connect(&self) -> Result<Connection, Closed> {
        let SmtpSettings { host, port, .. } = &self.settings;
        let stream = TcpStream::connect((host.as_str(), *port))
            .await
            .map_err(|error| closed("connecting", &Broken::Io(error).into()))?;
        let stream: Box<dyn Stream> = match (self.settings.tls, &self.tls) {
            (SmtpTls::StartTls, Some(tls)) => {
                Box::new(tls.encrypt(self.start_tls(stream).await?).await?)
            }
            (SmtpTls::Tls, Some(tls)) => Box::new(tls.encrypt(stream).await?),
            _ => Box::new(stream),
        };
        let mut dialogue = Dialogue::new(stream);
        // After STARTTLS the server has already sent its greeting.
        if self.settings.tls != SmtpTls::StartTls {
            greeted(&mut dialogue).await?;
        }
        let server = self.say_hello(&mut dialogue).await?;
        let mut connection = Connection { dialogue, server };
        if let Some((name, password)) = &self.settings.credentials {
            connection.sign_in(name, password.expose()).await?;
        }
        Ok(connection)
    }

    /// Sends nothing but STARTTLS before the connection is encrypted.
    async fn start_tls(&self, stream: TcpStream) -> Result<TcpStream, Closed> {
        let mut dialogue = Dialogue::new(stream);
        greeted(&mut dialogue).await?;
        if !self.say_hello(&mut dialogue).await?.start_tls {
            return Err(Closed(
                "STARTTLS is not supported on this server".to_owned(),
            ));
        }
        agreed(dialogue.say("STARTTLS").await).map_err(|fault| closed("STARTTLS", &fault))?;
        dialogue
            .into_inner()
            .ok_or_else(|| closed("STARTTLS", &Broken::NoReply.into()))
    }

    async fn say_hello<S: Stream>(
        &self,
        dialogue: &mut Dialogue<S>,
    ) -> Result<Capabilities, Closed> {
        agreed(dialogue.say(&format!("EHLO {}", self.hello)).await)
            .map(|reply| reply.capabilities())
            .map_err(|fault| closed("EHLO", &fault))
    }
}

impl fmt::Display for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.settings.host, self.settings.port)
    }
}

impl Connection {
    async fn sign_in(&mut self, name: &str, password: &str) -> Result<(), Closed> {
        let base64 = |text: &str| Zeroizing::new(STANDARD.encode(text));
        let outcome = if self.server.auth_plain {
            let both = Zeroizing::new(format!("\0{name}\0{password}"));
            let line = Zeroizing::new(format!("AUTH PLAIN {}", &*base64(&both)));
            agreed(self.dialogue.say(&line).await)
        } else if self.server.auth_login {
            self.sign_in_by_login(&base64(name), &base64(password))
                .await
        } else {
            return Err(Closed(
                "it accepts no password, or not with AUTH PLAIN or LOGIN".to_owned(),
            ));
        };
        match outcome {
            Ok(_) => Ok(()),
            Err(Fault::Refused(answer)) => Err(Closed(format!(
                "it refused SMTP_USERNAME and SMTP_PASSWORD: {}",
                reply("AUTH", &answer)
            ))),
            Err(fault) => Err(closed("AUTH", &fault)),
        }
    }

    /// The server asks for the user name, then for the password, whatever its wording.
    async fn sign_in_by_login(&mut self, name: &str, password: &str) -> Result<ServerReply, Fault> {
        asked_for_more(self.dialogue.say("AUTH LOGIN").await)?;
        asked_for_more(self.dialogue.say(name).await)?;
        agreed(self.dialogue.say(password).await)
    }

    /// Sends a mail. After a refusal, the connection cannot be used for another mail.
    pub(super) async fn deliver(&mut self, mail: &Mail) -> Result<(), Refused> {
        let mut parameters = String::new();
        // What this mail asks for, and not every mail from SMTP_FROM.
        let mut asks_for_more = false;
        if !is_ascii(&mail.from) || !is_ascii(&mail.to) {
            if !self.server.smtp_utf8 {
                return Err(Refused::ForGood(Reply {
                    step: "EHLO",
                    code: "no SMTPUTF8".to_owned(),
                }));
            }
            parameters.push_str(" SMTPUTF8");
            asks_for_more |= is_ascii(&mail.from);
        }
        let bytes = mail.for_server(self.server.eight_bit);
        if self.server.eight_bit && !bytes.is_ascii() {
            parameters.push_str(" BODY=8BITMIME");
            asks_for_more = true;
        }
        let from = format!("MAIL FROM:<{}>{parameters}", mail.from);
        let to = format!("RCPT TO:<{}>", mail.to);
        // A refusal here is about SMTP_FROM, and so about every mail, unless this one asks for more. A stranger chooses
        // whether it does, by their address, and must not stop the others' mail.
        agreed(self.dialogue.say(&from).await).map_err(|fault| {
            if asks_for_more {
                refused("MAIL FROM", &fault)
            } else {
                Refused::Closed(closed("MAIL FROM", &fault))
            }
        })?;
        agreed(self.dialogue.say(&to).await).map_err(|fault| refused("RCPT TO", &fault))?;
        asked_for_more(self.dialogue.say("DATA").await).map_err(|fault| refused("DATA", &fault))?;
        agreed(self.dialogue.say_mail(bytes).await).map_err(|fault| refused("the mail", &fault))?;
        Ok(())
    }

    pub(super) async fn quit(mut self: Box<Self>) {
        self.dialogue.say("QUIT").await.ok();
    }
}

async fn greeted<S: Stream>(dialogue: &mut Dialogue<S>) -> Result<(), Closed> {
    agreed(dialogue.listen().await)
        .map(drop)
        .map_err(|fault| closed("connecting", &fault))
}

fn is_ascii(address: &Address) -> bool {
    address.user().is_ascii() && address.domain().is_ascii()
}
