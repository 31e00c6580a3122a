//! Real mail servers: aiosmtpd, a process each, which fail as a test wants it.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

const SERVER: &str = include_str!("mail/server.py");

/// Debian's Python knows Debian's packages; another one in the `PATH` may not.
static PYTHON: LazyLock<Option<&str>> = LazyLock::new(|| {
    ["/usr/bin/python3", "python3"].into_iter().find(|python| {
        std::process::Command::new(python)
            .args(["-c", "import aiosmtpd"])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    })
});

/// How the connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// Not at all.
    None,
    /// After STARTTLS, and nothing is taken before.
    StartTls,
    /// From the first byte.
    Tls,
}

/// How a server words its replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wording {
    /// With a text behind the number.
    Usual,
    /// The number alone.
    Bare,
    /// With a text that is no UTF-8.
    Garbled,
    /// What EHLO promises in lower case.
    Lower,
    /// As usual, and it takes ASCII alone.
    SevenBit,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// A sender whose mail asks for this parameter of MAIL FROM is answered so.
    Parameter(&'static str, &'static str),
    /// A recipient is answered so.
    Recipient(&'static str),
    /// A mail that was sent whole is answered so.
    Mail(&'static str),
    /// The connection breaks after a mail was sent whole, before the answer.
    Drop,
    /// Nothing is answered to a mail that was sent whole, until something else is wished.
    Stall,
    /// Nothing does.
    None,
}

/// A mail that the server took.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// The mail, as it came.
    pub content: Vec<u8>,
    /// Whether it came encrypted.
    pub encrypted: bool,
    /// Whether its sender had signed in.
    pub authenticated: bool,
}

/// What a mail server is started with.
#[derive(Clone, Debug)]
pub struct MailServerBuilder {
    port: u16,
    encryption: Encryption,
    credentials: Option<(String, String)>,
    login: bool,
    name: String,
    wording: Wording,
}

impl MailServerBuilder {
    /// On this port; by default on a free one.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Encrypted so, with a certificate of an authority of its own.
    #[must_use]
    pub fn encryption(mut self, encryption: Encryption) -> Self {
        self.encryption = encryption;
        self
    }

    /// Only for who signs in so.
    #[must_use]
    pub fn credentials(mut self, name: &str, password: &str) -> Self {
        self.credentials = Some((name.to_owned(), password.to_owned()));
        self
    }

    /// Signing in is by AUTH LOGIN, and not by AUTH PLAIN.
    #[must_use]
    pub fn by_login(mut self) -> Self {
        self.login = true;
        self
    }

    /// It words its replies so.
    #[must_use]
    pub fn wording(mut self, wording: Wording) -> Self {
        self.wording = wording;
        self
    }

    /// Its certificate is for this name, and not for `localhost`.
    #[must_use]
    pub fn certificate_for(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Starts it and waits until it takes connections.
    pub async fn start(self) -> MailServer {
        let python = PYTHON.unwrap_or_else(|| {
            panic!(
                "this needs aiosmtpd, and it is not installed here: \
                 `apt-get install python3-aiosmtpd`, or `./build.sh test`, which does it"
            )
        });
        let folder = tempfile::tempdir().expect("a folder");
        let files = crate::certificates::make_certificates(folder.path(), &self.name);
        let settings = json!({
            "port": self.port,
            "encryption": match self.encryption {
                Encryption::None => "none",
                Encryption::StartTls => "starttls",
                Encryption::Tls => "tls",
            },
            "certificate": files.certificate,
            "key": files.key,
            "credentials": self.credentials,
            "login": self.login,
            "wording": match self.wording {
                Wording::Usual => "usual",
                Wording::Bare => "bare",
                Wording::Garbled => "garbled",
                Wording::Lower => "lower",
                Wording::SevenBit => "seven",
            },
        });
        let mut child = Command::new(python)
            .args(["-W", "ignore", "-c", SERVER, &settings.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("Python runs");
        let orders = child.stdin.take().expect("piped");
        let events = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut server = MailServer {
            port: self.port,
            authority: files.authority,
            child,
            orders,
            events,
            _folder: folder,
        };
        let ready = server.wait_for("ready").await;
        server.port = ready["port"]
            .as_u64()
            .and_then(|port| port.try_into().ok())
            .expect("a port");
        server
    }
}

/// A mail server on 127.0.0.1; it is gone when this is.
pub struct MailServer {
    port: u16,
    authority: PathBuf,
    child: Child,
    orders: ChildStdin,
    events: Lines<BufReader<ChildStdout>>,
    _folder: TempDir,
}

impl MailServer {
    /// A server without encryption that takes everybody's mail.
    #[must_use]
    pub fn builder() -> MailServerBuilder {
        MailServerBuilder {
            port: 0,
            encryption: Encryption::None,
            credentials: None,
            login: false,
            wording: Wording::Usual,
            name: "localhost".to_owned(),
        }
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The file with the certificate of its authority.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.authority.to_str().expect("a text")
    }

    /// From now on this goes wrong.
    pub async fn become_so(&mut self, fault: Fault) {
        let order = match fault {
            Fault::Parameter(step, answer) => json!({"step": step, "answer": answer}),
            Fault::Recipient(answer) => json!({"step": "RCPT", "answer": answer}),
            Fault::Mail(answer) => json!({"step": "DATA", "answer": answer}),
            Fault::Drop => json!({"step": "DATA", "answer": "drop"}),
            Fault::Stall => json!({"step": "DATA", "answer": "stall"}),
            Fault::None => json!({}),
        };
        let line = format!("{order}\n");
        self.orders
            .write_all(line.as_bytes())
            .await
            .expect("it reads");
        self.wait_for("changed").await;
    }

    /// Waits until something has gone wrong once more.
    pub async fn failed(&mut self) {
        self.wait_for("failed").await;
    }

    /// Waits until somebody waits for its answer to a mail.
    pub async fn stalled(&mut self) {
        self.wait_for("stalled").await;
    }

    /// Waits for the next mail that it takes.
    pub async fn taken(&mut self) -> Taken {
        let event = self.wait_for("taken").await;
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        Taken {
            from: text(&event["from"]),
            to: event["to"]
                .as_array()
                .expect("a list")
                .iter()
                .map(text)
                .collect(),
            content: STANDARD.decode(text(&event["content"])).expect("base64"),
            encrypted: event["encrypted"] == true,
            authenticated: event["authenticated"] == true,
        }
    }

    /// Ends it, and says what mails it had taken that nobody has waited for.
    pub async fn stop(mut self) -> usize {
        drop(self.orders);
        let mut taken = 0;
        while let Ok(Some(line)) = self.events.next_line().await {
            taken += usize::from(line.contains("\"event\": \"taken\""));
        }
        self.child.wait().await.expect("it ended");
        taken
    }

    /// The next event of that kind; others before it are passed over, but no mail that was taken is.
    async fn wait_for(&mut self, kind: &str) -> Value {
        loop {
            let line = self.events.next_line().await.expect("text");
            let line = line.unwrap_or_else(|| panic!("the mail server ended before it was {kind}"));
            let event: Value = serde_json::from_str(&line).expect("JSON");
            if event["event"] == kind {
                return event;
            }
            assert_ne!(event["event"], "taken", "a mail came before it was {kind}");
        }
    }
}
