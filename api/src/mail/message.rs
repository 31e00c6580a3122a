//! A mail as it goes over the wire (RFC 5322, MIME).

use std::time::{Duration, SystemTime};

use lettre::Address;
use lettre::address::AddressError;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, Message, MultiPart, SinglePart};

use super::text::Text;
use crate::accounts::EmailAddress;
use crate::clock::Timestamp;
use crate::id::LetterId;

/// The most characters of a line, its end not counted.
const MAX_LINE: usize = 998;

/// A mail, and its envelope.
pub(super) struct Mail {
    /// The letter that it was.
    pub(super) id: LetterId,
    pub(super) from: Address,
    pub(super) to: Address,
    pub(super) bytes: Vec<u8>,
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
    id: LetterId,
    from: &Mailbox,
    to: Address,
    public_url: &str,
    now: Timestamp,
    text: Text,
) -> Result<Mail, BuildError> {
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
        .multipart(
            MultiPart::alternative()
                .singlepart(plain(text.plain))
                .singlepart(part(ContentType::TEXT_HTML, text.html)),
        )?;
    Ok(Mail {
        id,
        from: from.email.clone(),
        to,
        bytes: message.formatted(),
    })
}

/// As it is, where it may be (RFC 5322 §2.1.1): lettre would break lines of 76 characters, and with them the link, for
/// whoever reads the file of a mail in development, or has a program that is no good at quoted-printable.
fn plain(text: String) -> SinglePart {
    let stays = text.is_ascii()
        && !text.contains(['\r', '\0'])
        && text.lines().all(|line| line.len() <= MAX_LINE);
    if !stays {
        return part(ContentType::TEXT_PLAIN, text);
    }
    let bytes = text.replace('\n', "\r\n").into_bytes();
    SinglePart::builder()
        .header(ContentType::TEXT_PLAIN)
        .body(Body::dangerous_pre_encoded(
            bytes,
            ContentTransferEncoding::SevenBit,
        ))
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
    use crate::accounts::EmailAddress;

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
