//! Signing keys and their identifiers.

use std::fmt;

use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, Engine as _};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

/// The fewest bytes of a secret: the output size of the hash (RFC 7518 §3.2).
pub const MIN_SECRET_BYTES: usize = 32;

/// The prefix of an encoded secret.
const ENCODED: &str = "base64:";

/// The id of a key: the `kid` of a JWT, and eight bytes of a refresh token. It is derived from the secret, so that
/// nodes with the same secret agree, and one-way, so that it reveals nothing about the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kid([u8; 8]);

impl Kid {
    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl fmt::Display for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A secret and the keys derived from it.
#[derive(Clone)]
pub struct SigningKey {
    kid: Kid,
    secret: Zeroizing<Vec<u8>>,
}

impl SigningKey {
    /// The key for `secret`. `None` if it is shorter than [`MIN_SECRET_BYTES`].
    #[must_use]
    pub fn new(secret: &[u8]) -> Option<Self> {
        (secret.len() >= MIN_SECRET_BYTES).then(|| Self::of(secret))
    }

    fn of(secret: &[u8]) -> Self {
        let secret = Zeroizing::new(secret.to_vec());
        let mut kid = [0; 8];
        derive(&secret, b"password-auth kid v1", &mut kid);
        Self {
            kid: Kid(kid),
            secret,
        }
    }

    /// A new key.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut secret = Zeroizing::new([0; MIN_SECRET_BYTES]);
        getrandom::fill(&mut *secret)?;
        Ok(Self::of(&*secret))
    }

    /// The key for the value of `JWT_SECRET`: the text itself or, after `base64:`, the encoded bytes, in either
    /// alphabet, padded or not. `None` if it is too short or not valid base64.
    #[must_use]
    pub fn from_setting(text: &str) -> Option<Self> {
        let Some(encoded) = text.strip_prefix(ENCODED) else {
            return Self::new(text.as_bytes());
        };
        let config =
            GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        [alphabet::STANDARD, alphabet::URL_SAFE]
            .iter()
            .find_map(|alphabet| GeneralPurpose::new(alphabet, config).decode(encoded).ok())
            .and_then(|secret| Self::new(&Zeroizing::new(secret)))
    }

    /// The value of `JWT_SECRET` for this key.
    #[must_use]
    pub fn to_setting(&self) -> Zeroizing<String> {
        let encoded = Zeroizing::new(URL_SAFE_NO_PAD.encode(&*self.secret));
        Zeroizing::new(format!("{ENCODED}{}", *encoded))
    }

    /// Its identifier.
    #[must_use]
    pub const fn kid(&self) -> Kid {
        self.kid
    }

    /// The secret itself, which signs access tokens.
    #[must_use]
    pub fn secret(&self) -> &[u8] {
        &self.secret
    }

    /// The private half of the key pair with this salt (HKDF, RFC 5869). A pair reveals nothing about the secret or other
    /// pairs.
    #[must_use]
    pub(crate) fn token_key_seed(&self, salt: &[u8; 16]) -> Zeroizing<[u8; 32]> {
        self.subkey(&[&b"password-auth Ed25519 v1"[..], salt].concat())
    }

    /// The subkey for challenges.
    #[must_use]
    pub(crate) fn challenge_subkey(&self) -> Zeroizing<[u8; 32]> {
        self.subkey(b"password-auth challenge v1")
    }

    /// The subkey that seals the secrets of authenticator apps.
    #[must_use]
    pub(crate) fn sealing_subkey(&self) -> Zeroizing<[u8; 32]> {
        self.subkey(b"password-auth sealing v1")
    }

    /// The subkey for refresh tokens (HKDF, RFC 5869), so that the key of one kind of token cannot create the other.
    #[must_use]
    pub(crate) fn refresh_subkey(&self) -> Zeroizing<[u8; 32]> {
        self.subkey(b"password-auth refresh token v1")
    }

    fn subkey(&self, info: &[u8]) -> Zeroizing<[u8; 32]> {
        let mut subkey = Zeroizing::new([0; 32]);
        derive(&self.secret, info, &mut *subkey);
        subkey
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

fn derive(secret: &[u8], info: &[u8], output: &mut [u8]) {
    #[expect(
        clippy::expect_used,
        reason = "HKDF fails only past 255 hashes of output, and ours is 32 bytes at most"
    )]
    Hkdf::<Sha256>::new(None, secret)
        .expand(info, output)
        .expect("the output is short");
}

/// The current key, which signs, and older keys, which only verify.
#[derive(Clone, Debug)]
pub struct SigningKeys {
    current: SigningKey,
    older: Vec<SigningKey>,
}

impl SigningKeys {
    /// `current` signs and verifies; `older` only verify.
    #[must_use]
    pub const fn new(current: SigningKey, older: Vec<SigningKey>) -> Self {
        Self { current, older }
    }

    /// The key that signs.
    #[must_use]
    pub const fn current(&self) -> &SigningKey {
        &self.current
    }

    /// All keys that verify.
    pub fn all(&self) -> impl Iterator<Item = &SigningKey> {
        std::iter::once(&self.current).chain(&self.older)
    }
}

#[cfg(test)]
mod tests {
    use super::{MIN_SECRET_BYTES, SigningKey};

    #[test]
    fn a_short_secret_is_refused() {
        assert!(SigningKey::new(&[7; MIN_SECRET_BYTES - 1]).is_none());
        assert!(SigningKey::new(&[7; MIN_SECRET_BYTES]).is_some());
    }

    #[test]
    fn a_setting_is_its_text_or_the_bytes_that_it_encodes() {
        let bytes: Vec<u8> = (0xD8..=0xFF).collect();
        let key = SigningKey::new(&bytes).expect("long enough");
        let url_safe = "base64:2Nna29zd3t_g4eLj5OXm5-jp6uvs7e7v8PHy8_T19vf4-fr7_P3-_w";
        assert_eq!(*key.to_setting(), url_safe);
        let padded = url_safe.replace('-', "+").replace('_', "/") + "==";
        for text in [url_safe, &padded] {
            let same = SigningKey::from_setting(text).expect("a key");
            assert_eq!(same.secret(), bytes, "{text}");
        }
        let text = "plain text of more than thirty-two bytes";
        let key = SigningKey::from_setting(text).expect("a key");
        assert_eq!(key.secret(), text.as_bytes());
        for refused in [
            "",
            "short",
            "base64:AAAA",
            &format!("{url_safe}!"),
            &format!("base64:{text}"),
        ] {
            assert!(SigningKey::from_setting(refused).is_none(), "{refused}");
        }
    }

    #[test]
    fn the_identifier_is_stable_and_debug_hides_the_secret() {
        let key = SigningKey::new(&[0x41; 32]).expect("long enough");
        let same = SigningKey::new(&[0x41; 32]).expect("long enough");
        assert_eq!(key.kid(), same.kid());
        let printed = format!("{key:?}");
        assert!(
            !printed.contains("65") && !printed.contains("AAAA"),
            "{printed}"
        );
    }
}
