//! A mail as it goes over the wire (RFC 5322, MIME).

use std::time::{Duration, SystemTime};

use lettre::Address;
use lettre::address::AddressError;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, Message, MultiPart, SinglePart};
use password_auth_model::{EmailAddress, QueuedEmailId, Timestamp};

use super::text::Text;

/// The most characters of a line, its end not counted.
const MAX_LINE: usize = 998;

/// A mail, and its envelope.
pub(super) struct Mail {
    /// The letter that it was.
    pub(super) id: QueuedEmailId,
    pub(super) from: Address,
    pub(super) to: Address,
    pub(super) bytes: Vec<u8>,
    /// The same for a server that takes ASCII alone, where `bytes` is more.
    seven_bit: Option<Vec<u8>>,
}

impl Mail {
    /// As it goes to a server that has 8BITMIME (RFC 6152), or has not.
    pub(super) fn for_server(&self, takes_eight_bit: bool) -> &[u8] {
        match &self.seven_bit {
            Some(seven_bit) if !takes_eight_bit => seven_bit,
            _ => &self.bytes,
        }
    }
}

/// Something that no mail can hold.
#[derive(Debug, thiserror::Error)]
pub(super) enum BuildError {
    #[error("no mail can be sent to such an address")]
    Address(#[from] AddressError),
    #[error("no mail can be made of it: {0}")]
    Mail(#[from] lettre::error::Error),
}

/// The address as mail servers take it.
pub(super) fn address(address: &EmailAddress) -> Result<Address, AddressError> {
    let (local, domain) = address.mailbox().ok_or(AddressError::InvalidDomain)?;
    Address::new(local, domain)
}

/// Puts the parts together. A letter that is sent twice has the same `Message-ID` both times.
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
            // RFC 3834: no holiday answers to it.
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

/// The plain part as it is, if that may be (RFC 5322 §2.1.1): lettre would break lines of 76 characters, and with them
/// the link, for whoever reads the file of a mail in development, or has a program that is no good at
/// quoted-printable.
fn stays_as_it_is(plain: &str) -> Option<ContentTransferEncoding> {
    let may = !plain.contains(['\r', '\0']) && plain.lines().all(|line| line.len() <= MAX_LINE);
    may.then_some(if plain.is_ascii() {
        ContentTransferEncoding::SevenBit
    } else {
        ContentTransferEncoding::EightBit
    })
}

/// Both parts; the plain one as it is, in `encoding`, or as lettre encodes it.
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
    // RFC 2045 §6.4: what holds a part of eight bits says so too.
    MultiPart::alternative()
        .header(encoding.unwrap_or(ContentTransferEncoding::SevenBit))
        .singlepart(plain)
        .singlepart(part(ContentType::TEXT_HTML, text.html.clone()))
}

fn part(kind: ContentType, text: String) -> SinglePart {
    SinglePart::builder().header(kind).body(text)
}

/// The host of a URL without a path: what stands behind the scheme and before the port.
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
    fn every_address_that_somebody_may_have_can_stand_on_a_letter() {
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
