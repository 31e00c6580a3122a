//! The SMTP dialogue with a mail server (RFC 5321): commands and replies. Only the code of a reply counts (§4.2).
//!
//! Replaces lettre's connection, which treats a reply without text, or with bytes that are not UTF-8, as a broken
//! connection: after a mail, it would be sent again and again. lettre also misses EHLO keywords in lower case.

use std::io;

use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};

/// The longest line of a reply. RFC 5321 §4.5.3.1.5 says 512; some servers send more.
const MAX_LINE: u64 = 4096;

/// The most lines of one reply.
const MAX_LINES: usize = 128;

/// A dialogue.
pub(super) struct Dialogue<S>(BufReader<S>);

/// Why there is no reply.
#[derive(Debug)]
pub(super) enum Broken {
    /// The network, or TLS.
    Io(io::Error),
    /// The server closed the connection, or sent something that is not a reply.
    NoReply,
}

/// A reply.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ServerReply {
    code: u16,
    /// The text of each line, without the code.
    lines: Vec<Vec<u8>>,
}

/// Extensions that the server supports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Capabilities {
    pub(super) start_tls: bool,
    pub(super) smtp_utf8: bool,
    pub(super) eight_bit: bool,
    pub(super) auth_plain: bool,
    pub(super) auth_login: bool,
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Dialogue<S> {
    pub(super) fn new(stream: S) -> Self {
        Self(BufReader::new(stream))
    }

    /// Sends a line and reads the reply.
    pub(super) async fn say(&mut self, line: &str) -> Result<ServerReply, Broken> {
        self.0.write_all(format!("{line}\r\n").as_bytes()).await?;
        self.0.flush().await?;
        self.listen().await
    }

    /// Sends a mail, and its end, and reads the reply.
    pub(super) async fn say_mail(&mut self, mail: &[u8]) -> Result<ServerReply, Broken> {
        self.0.write_all(&transparent(mail)).await?;
        self.0.flush().await?;
        self.listen().await
    }

    /// Reads a reply.
    pub(super) async fn listen(&mut self) -> Result<ServerReply, Broken> {
        let mut lines = Vec::new();
        while lines.len() < MAX_LINES {
            let mut line = Vec::new();
            let mut bounded = (&mut self.0).take(MAX_LINE);
            bounded.read_until(b'\n', &mut line).await?;
            let (code, is_last, text) = read_line(&line).ok_or(Broken::NoReply)?;
            lines.push(text.to_vec());
            if is_last {
                return Ok(ServerReply { code, lines });
            }
        }
        Err(Broken::NoReply)
    }

    /// The connection, to encrypt it. `None` if there is unread input, which an attacker may have injected before
    /// encryption.
    pub(super) fn into_inner(self) -> Option<S> {
        self.0.buffer().is_empty().then(|| self.0.into_inner())
    }
}

/// Parses a line of a reply: the code, whether it is the last line, and the text.
fn read_line(line: &[u8]) -> Option<(u16, bool, &[u8])> {
    let line = line.strip_suffix(b"\n")?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let (number, rest) = line.split_at_checked(3)?;
    let code = std::str::from_utf8(number).ok()?.parse().ok()?;
    if !(200..600).contains(&code) {
        return None;
    }
    match rest {
        [] => Some((code, true, rest)),
        [b'-', text @ ..] => Some((code, false, text)),
        [b' ' | b'\t', text @ ..] => Some((code, true, text)),
        _ => None,
    }
}

/// The mail with dot-stuffing and the final line (RFC 5321 §4.5.2).
fn transparent(mail: &[u8]) -> Vec<u8> {
    let mut sent = Vec::with_capacity(mail.len() + 5);
    for line in mail.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            sent.push(b'.');
        }
        sent.extend_from_slice(line);
    }
    if !sent.ends_with(b"\r\n") {
        sent.extend_from_slice(b"\r\n");
    }
    sent.extend_from_slice(b".\r\n");
    sent
}

impl ServerReply {
    pub(super) const fn code(&self) -> u16 {
        self.code
    }

    /// Whether the reply is positive, by its first digit.
    pub(super) const fn is_positive(&self) -> bool {
        self.code / 100 == 2
    }

    /// Whether the reply asks for more input.
    pub(super) const fn is_intermediate(&self) -> bool {
        self.code / 100 == 3
    }

    /// The enhanced status code (RFC 3463) at the start of the text, if there is one.
    pub(super) fn longer_code(&self) -> Option<&str> {
        let text = std::str::from_utf8(self.lines.first()?.split(|byte| *byte == b' ').next()?);
        let is_number =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        text.ok()
            .filter(|word| word.split('.').count() == 3 && word.split('.').all(is_number))
    }

    /// The extensions in a reply to EHLO. Keywords are case-insensitive (RFC 5321 §2.4).
    pub(super) fn capabilities(&self) -> Capabilities {
        let mut found = Capabilities::default();
        for line in &self.lines {
            let line = String::from_utf8_lossy(line).to_ascii_uppercase();
            // `AUTH=PLAIN` is the form before the standard.
            let mut words = line.split([' ', '\t', '=']).filter(|word| !word.is_empty());
            match words.next() {
                Some("STARTTLS") => found.start_tls = true,
                Some("SMTPUTF8") => found.smtp_utf8 = true,
                Some("8BITMIME") => found.eight_bit = true,
                Some("AUTH") => {
                    for mechanism in words {
                        found.auth_plain |= mechanism == "PLAIN";
                        found.auth_login |= mechanism == "LOGIN";
                    }
                }
                _ => {}
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::{Capabilities, ServerReply, read_line, transparent};

    fn ehlo(lines: &[&[u8]]) -> Capabilities {
        let lines = lines.iter().map(|line| line.to_vec()).collect();
        ServerReply { code: 250, lines }.capabilities()
    }

    #[test]
    fn the_number_alone_counts() {
        for (line, code, is_last) in [
            (&b"250\r\n"[..], 250, true),
            (b"250 \r\n", 250, true),
            (b"250 OK\n", 250, true),
            (b"250-\r\n", 250, false),
            (b"354 \xff\xfe\r\n", 354, true),
            (b"550-5.1.1 no\r\n", 550, false),
        ] {
            let (found, last, _) = read_line(line).expect("a reply");
            assert_eq!((found, last), (code, is_last), "{line:?}");
        }
        for line in [
            &b""[..],
            b"\r\n",
            b"25\r\n",
            b"2500 OK\r\n",
            b"+50 OK\r\n",
            b"150 OK\r\n",
            b"600 OK\r\n",
            b"250 cut",
            b"HTTP/1.1 400 Bad Request\r\n",
        ] {
            assert!(read_line(line).is_none(), "{line:?}");
        }
    }

    #[test]
    fn keywords_are_seen_in_any_case() {
        let all = Capabilities {
            start_tls: true,
            smtp_utf8: true,
            eight_bit: true,
            auth_plain: true,
            auth_login: true,
        };
        assert_eq!(
            ehlo(&[
                b"mail.example",
                b"starttls",
                b"SmtpUtf8",
                b"8bitmime",
                b"auth cram-md5 plain login"
            ]),
            all
        );
        assert_eq!(
            ehlo(&[
                b"",
                b"STARTTLS ",
                b"SMTPUTF8",
                b"8BITMIME",
                b"AUTH=LOGIN PLAIN",
                b"\xff"
            ]),
            all
        );
        assert_eq!(
            ehlo(&[b"mail.example", b"XSTARTTLS", b"AUTH"]),
            Capabilities::default()
        );
    }

    #[test]
    fn a_longer_number_is_found_where_the_text_begins_with_one() {
        for (text, expected) in [
            (&b"5.7.1 relaying denied"[..], Some("5.7.1")),
            (b"5.7.1", Some("5.7.1")),
            (b"10.0.0.1 is blocked", None),
            (b"no", None),
            (b"\xff 5.7.1", None),
            (b"", None),
        ] {
            let reply = ServerReply {
                code: 550,
                lines: vec![text.to_vec()],
            };
            assert_eq!(reply.longer_code(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_line_of_a_dot_does_not_end_a_mail() {
        assert_eq!(
            transparent(b"a\r\n.\r\n..b\r\n"),
            b"a\r\n..\r\n...b\r\n.\r\n"
        );
        assert_eq!(transparent(b"a"), b"a\r\n.\r\n");
    }
}
