//! Access tokens of a secret, read without the library: it parses the header, the claims and then the claims again, and
//! prepares the key, each time. This costs a fifth, which is less than to look up what a token of a hundred thousand said
//! before.
//!
//! Only tokens whose header is, byte for byte, the one that the library writes for that secret, so it names the key and the
//! algorithm. The library reads all others.

use std::str::FromStr;

use aws_lc_rs::hmac;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::{DecodeSliceError, Engine as _};
use password_auth_model::{Generation, Party, TokenId};

use super::{AccessClaims, AccessToken, AccessTokenError, CLIENT_ID};
use crate::tokens::SigningKey;

/// Bytes of an HMAC-SHA-256, and characters of its base64url form.
const MAC: usize = 32;
const MAC_CHARS: usize = 43;

/// Bytes of the claims of most tokens.
const CLAIMS: usize = 512;

/// A secret, and how its tokens begin.
pub(super) struct OwnTokens {
    /// The encoded header and the dot after it.
    start: String,
    /// The claims up to the user's id.
    first_claims: String,
    issuer: String,
    key: hmac::Key,
}

impl OwnTokens {
    pub(super) fn new(start: String, secret: &SigningKey, issuer: &str) -> Self {
        let json = serde_json::Value::from(issuer);
        Self {
            start,
            first_claims: format!(
                r#"{{"iss":{json},"aud":{json},"client_id":"{CLIENT_ID}","sub":""#
            ),
            issuer: issuer.to_owned(),
            key: hmac::Key::new(hmac::HMAC_SHA256, secret.secret()),
        }
    }

    /// What the token says, expired or not. `None` if its header is another one.
    pub(super) fn read(&self, token: &str) -> Option<Result<AccessToken, AccessTokenError>> {
        let rest = token.strip_prefix(&self.start)?;
        let read = rest.split_once('.').and_then(|(claims, mac)| {
            let signed = &token.as_bytes()[..self.start.len() + claims.len()];
            self.is_signed(signed, mac).then(|| self.said(claims))?
        });
        Some(read.ok_or(AccessTokenError::Invalid))
    }

    fn is_signed(&self, signed: &[u8], mac: &str) -> bool {
        let mut bytes = [0; MAC];
        // One spelling alone: no padding, no bits behind the last byte.
        let is_one =
            mac.len() == MAC_CHARS && URL_SAFE_NO_PAD.decode_slice(mac, &mut bytes) == Ok(MAC);
        is_one && hmac::verify(&self.key, signed, &bytes).is_ok()
    }

    fn said(&self, claims: &str) -> Option<AccessToken> {
        let mut bytes = [0; CLAIMS];
        let decoded = URL_SAFE_NO_PAD.decode_slice(claims, &mut bytes);
        match decoded {
            Ok(length) => {
                let json = std::str::from_utf8(bytes.get(..length)?).ok()?;
                self.as_written(json).or_else(|| parsed(json, &self.issuer))
            }
            // Longer than most.
            Err(DecodeSliceError::OutputSliceTooSmall) => {
                let json = URL_SAFE_NO_PAD.decode(claims).ok()?;
                parsed(std::str::from_utf8(&json).ok()?, &self.issuer)
            }
            Err(DecodeSliceError::DecodeError(_)) => None,
        }
    }

    /// What the claims say, if they are, byte for byte, as the library writes them, and the name needs no escapes.
    fn as_written(&self, json: &str) -> Option<AccessToken> {
        let mut rest = Rest(json.strip_prefix(&self.first_claims)?);
        let user = rest.id()?.parse().ok()?;
        rest.skip(r#"","preferred_username":""#)?;
        rest.text()?;
        rest.skip(r#"","sid":""#)?;
        let session = rest.id()?.parse().ok()?;
        rest.skip(r#"","gen":"#)?;
        let generation = Generation(rest.number()?);
        rest.skip(r#","epoch":"#)?;
        let epoch = rest.number()?;
        rest.skip(r#","party":"#)?;
        let party = match rest.skip("null") {
            Some(()) => None,
            None => {
                rest.skip(r#"{"n":"#)?;
                let network = rest.number()?;
                rest.skip(r#","d":"#)?;
                let device = rest.number()?;
                rest.skip("}")?;
                Some(Party { network, device })
            }
        };
        rest.skip(r#","jti":""#)?;
        rest.id()?.parse::<TokenId>().ok()?;
        rest.skip(r#"","iat":"#)?;
        rest.number::<u64>()?;
        rest.skip(r#","exp":"#)?;
        let expires = rest.number()?;
        (rest.0 == "}").then_some(AccessToken {
            user,
            session,
            generation,
            epoch,
            party,
            expires,
        })
    }
}

fn parsed(json: &str, issuer: &str) -> Option<AccessToken> {
    let claims: AccessClaims = serde_json::from_str(json).ok()?;
    (claims.iss == issuer && claims.aud == issuer).then(|| claims.into())
}

/// What of a text is not read yet.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn skip(&mut self, text: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(text)?;
        Some(())
    }

    fn take(&mut self, length: usize) -> Option<&'a str> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// The characters of a UUID with hyphens.
    fn id(&mut self) -> Option<&'a str> {
        self.take(36)
    }

    /// A text up to its quote, without escapes.
    fn text(&mut self) -> Option<&'a str> {
        let ends = |c: char| c == '"' || c == '\\' || c.is_control();
        let end = self.0.find(ends)?;
        self.take(end)
    }

    /// As serde writes it: no sign, no zero before other digits.
    fn number<T: FromStr>(&mut self) -> Option<T> {
        let is_digit = |byte: &u8| byte.is_ascii_digit();
        let digits = self.0.bytes().take_while(is_digit).count();
        let number = self.take(digits)?;
        let is_plain = digits == 1 || !number.starts_with('0');
        is_plain.then(|| number.parse().ok())?
    }
}

#[cfg(test)]
mod tests;
