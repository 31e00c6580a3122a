//! The message format (RFC 5322, MIME).

use std::time::{Duration, SystemTime};

use lettre::Address;
use lettre::address::AddressError;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, Message, MultiPart, SinglePart};
use password_auth_model::{EmailAddress, QueuedEmailId, Timestamp};

use super::text::Text;

/// The most characters of a line, without its end.
const MAX_LINE: usize = 998;

/// A mail, and its envelope.
pub(super) struct Mail {
    /// The id in the queue.
    pub(super) id: QueuedEmailId,
    pub(super) from: Address,
    pub(super) to: Address,
    pub(super) bytes: Vec<u8>,
    /// The same for servers without 8BITMIME, if `bytes` is not ASCII.
    seven_bit: Option<Vec<u8>>,
}

impl Mail {
    /// The bytes for a server with or without 8BITMIME (RFC 6152).
    pub(super) fn for_server(&self, takes_eight_bit: bool) -> &[u8] {
        match &self.seven_bit {
            Some(seven_bit) if !takes_eight_bit => seven_bit,
            _ => &self.bytes,
        }
    }
}

/// Something that is not valid in a mail.
#[derive(Debug, thiserror::Error)]
pub(super) enum BuildError {
    #[error("no mail can be sent to this address")]
    Address(#[from] AddressError),
    #[error("the mail cannot be built: {0}")]
    Mail(#[from] lettre::error::Error),
}

/// The address in the form for mail servers.
pub(super) fn address(address: &EmailAddress) -> Result<Address, AddressError> {
    let (local, domain) = address.mailbox().ok_or(AddressError::InvalidDomain)?;
    Address::new(local, domain)
}

/// Builds the message. A mail that is sent twice has the same `Message-ID` both times.
pub(super) fn build(
    id: QueuedEmailId,
    from: &Mailbox,
    to: Address,
    public_url: &str,
    now: Timestamp,
    text: Text,
) -> Result<Mail, BuildError> {
    let formatted = |encoding: Option<ContentTransferEncoding>| {
        let auto_submitted = HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            // RFC 3834: prevents automatic replies.
            "auto-generated".to_owned(),
        );
        let message = Message::builder()
            .from(from.clone())
            .to(Mailbox::new(None, to.clone()))
            .subject(text.subject)
            .date(SystemTime::UNIX_EPOCH + Duration::from_secs(now.as_secs()))
            .message_id(Some(format!("<{id}@{}>", host_of(public_url))))
            .raw_header(auto_submitted)
            .multipart(parts(&text, encoding))?;
        Ok::<_, BuildError>(message.formatted())
    };
    let as_it_is = stays_as_it_is(&text.plain);
    let bytes = formatted(as_it_is)?;
    let seven_bit = match as_it_is {
        Some(ContentTransferEncoding::EightBit) => Some(formatted(None)?),
        _ => None,
    };
    Ok(Mail {
        id,
        from: from.email.clone(),
        to,
        bytes,
        seven_bit,
    })
}

/// The encoding that leaves the plain part unchanged, if possible (RFC 5322 §2.1.1). lettre would break lines at 76
/// characters, and so break links for developers who read the file, and for mail programs with poor support for
/// quoted-printable.
fn stays_as_it_is(plain: &str) -> Option<ContentTransferEncoding> {
    let may = !plain.contains(['\r', '\0']) && plain.lines().all(|line| line.len() <= MAX_LINE);
    may.then_some(if plain.is_ascii() {
        ContentTransferEncoding::SevenBit
    } else {
        ContentTransferEncoding::EightBit
    })
}

/// Both parts. The plain one is unchanged with `encoding`, or encoded by lettre.
fn parts(text: &Text, encoding: Option<ContentTransferEncoding>) -> MultiPart {
    let plain = match encoding {
        None => part(ContentType::TEXT_PLAIN, text.plain.clone()),
        Some(encoding) => {
            let bytes = text.plain.replace('\n', "\r\n").into_bytes();
            SinglePart::builder()
                .header(ContentType::TEXT_PLAIN)
                .body(Body::dangerous_pre_encoded(bytes, encoding))
        }
    };
    // RFC 2045 §6.4: a container of 8-bit parts must declare it.
    MultiPart::alternative()
        .header(encoding.unwrap_or(ContentTransferEncoding::SevenBit))
        .singlepart(plain)
        .singlepart(part(ContentType::TEXT_HTML, text.html.clone()))
}

fn part(kind: ContentType, text: String) -> SinglePart {
    SinglePart::builder().header(kind).body(text)
}

/// The host of a URL: the part between the scheme and the port.
pub(super) fn host_of(url: &str) -> &str {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::{address, host_of};
    use password_auth_model::EmailAddress;

    #[test]
    fn every_address_that_somebody_may_have_can_stand_on_a_mail() {
        for (text, expected) in [
            (
                "Alice.Smith+demo@mail.example.co.uk",
                "Alice.Smith+demo@mail.example.co.uk",
            ),
            ("o'neil@example.ie", "o'neil@example.ie"),
            ("alice@bücher.example", "alice@xn--bcher-kva.example"),
            ("用户@例子.广告", "用户@xn--fsqu00a.xn--4rr70v"),
            ("{a}!#$%&*/=?^`|~-_@b.c1", "{a}!#$%&*/=?^`|~-_@b.c1"),
        ] {
            let parsed = EmailAddress::parse(text).expect("an address");
            assert_eq!(address(&parsed).expect(text).to_string(), expected);
        }
    }

    #[test]
    fn the_host_is_found_in_a_url() {
        assert_eq!(host_of("https://auth.example.org"), "auth.example.org");
        assert_eq!(host_of("http://127.0.0.1:8000"), "127.0.0.1");
        assert_eq!(host_of("http://[::1]:8000"), "[::1]");
    }
}
