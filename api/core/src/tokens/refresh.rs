//! Refresh tokens: opaque to clients, and never stored.
//!
//! A token is `base64url(version, kid, session, generation, MAC over all of that)`. The store only contains the
//! session's generation. So somebody who steals the store has no tokens, and the server can compute the successor of a
//! token again if the first response was lost.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use password_auth_model::{Client, Generation, Party, SessionId, printed_network};
use password_auth_wire::Secret;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::keys::{Kid, SigningKeys};
use super::mac::mac;

const VERSION: u8 = 1;
const MAC_START: usize = 1 + 8 + 16 + 4;
const TOKEN_BYTES: usize = MAC_START + 32;
const TOKEN_CHARS: usize = TOKEN_BYTES.div_ceil(3) * 4;

/// The content of a refresh token with a valid MAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presented {
    /// The session.
    pub session: SessionId,
    /// Which of its tokens.
    pub generation: Generation,
}

/// Creates and verifies refresh tokens.
pub struct RefreshTokens {
    current: Subkey,
    all: Vec<Subkey>,
}

#[derive(Clone)]
struct Subkey {
    kid: Kid,
    key: Zeroizing<[u8; 32]>,
}

impl fmt::Debug for RefreshTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshTokens").finish_non_exhaustive()
    }
}

impl RefreshTokens {
    /// Uses a subkey of each of `keys`.
    #[must_use]
    pub fn new(keys: &SigningKeys) -> Self {
        let subkey = |key: &super::SigningKey| Subkey {
            kid: key.kid(),
            key: key.refresh_subkey(),
        };
        Self {
            current: subkey(keys.current()),
            all: keys.all().map(subkey).collect(),
        }
    }

    /// The token of this generation. It is the same text each time, with the same key.
    #[must_use]
    pub fn issue(&self, session: SessionId, generation: Generation) -> Secret {
        let mut bytes = Zeroizing::new([0; TOKEN_BYTES]);
        bytes[0] = VERSION;
        bytes[1..9].copy_from_slice(self.current.kid.as_bytes());
        bytes[9..25].copy_from_slice(session.as_bytes());
        bytes[25..MAC_START].copy_from_slice(&generation.0.to_be_bytes());
        let mac = self
            .current
            .mac(&bytes[..MAC_START])
            .finalize()
            .into_bytes();
        bytes[MAC_START..].copy_from_slice(&mac);
        Secret::new(URL_SAFE_NO_PAD.encode(*bytes))
    }

    /// Short keyed hashes of a client, for one session. They cannot be compared across sessions, or reversed without
    /// the key.
    #[must_use]
    pub fn party(&self, session: SessionId, client: &Client) -> Party {
        let network = printed_network(client.address).to_string();
        Party {
            network: self.print(session, b"network", network.as_bytes()),
            device: self.print(session, b"device", client.device.as_bytes()),
        }
    }

    /// This cannot be a token: tokens are longer and begin with a version.
    fn print(&self, session: SessionId, what: &[u8], text: &[u8]) -> u32 {
        let mut mac = self.current.mac(b"print of a client: ");
        for part in [what, session.as_bytes(), text] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        let mac = mac.finalize().into_bytes();
        u32::from_be_bytes([mac[0], mac[1], mac[2], mac[3]])
    }

    /// Reads `token`. `None` if it was not made with one of our keys.
    #[must_use]
    pub fn read(&self, token: &str) -> Option<Presented> {
        if token.len() > TOKEN_CHARS {
            return None;
        }
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(token).ok()?);
        let bytes: &[u8; TOKEN_BYTES] = bytes.as_slice().try_into().ok()?;
        let (signed, mac) = bytes.split_at(MAC_START);
        if signed[0] != VERSION {
            return None;
        }
        let key = self
            .all
            .iter()
            .find(|key| signed[1..9] == *key.kid.as_bytes())?;
        // Compares in constant time.
        key.mac(signed).verify_slice(mac).ok()?;
        Some(Presented {
            session: SessionId::from_bytes(signed[9..25].try_into().ok()?),
            generation: Generation(u32::from_be_bytes(signed[25..].try_into().ok()?)),
        })
    }
}

impl Subkey {
    fn mac(&self, message: &[u8]) -> Hmac<Sha256> {
        mac(&self.key, message)
    }
}

#[cfg(test)]
mod tests {
    use super::{Presented, RefreshTokens};
    use crate::tokens::{SigningKey, SigningKeys};
    use password_auth_model::Generation;
    use password_auth_model::SessionId;
    use password_auth_model::Timestamp;

    fn key(byte: u8) -> SigningKey {
        SigningKey::new(&[byte; 32]).expect("long enough")
    }

    fn session() -> SessionId {
        SessionId::new(Timestamp::from_millis(1_700_000_000_000))
    }

    #[test]
    fn a_token_says_what_it_was_made_for_and_is_made_again_alike() {
        let tokens = RefreshTokens::new(&SigningKeys::new(key(1), vec![]));
        let presented = Presented {
            session: session(),
            generation: Generation(7),
        };
        let token = tokens.issue(presented.session, presented.generation);
        assert_eq!(tokens.read(token.expose()), Some(presented));
        assert_eq!(tokens.issue(presented.session, presented.generation), token);
    }

    #[test]
    fn a_token_with_any_character_changed_is_refused() {
        let tokens = RefreshTokens::new(&SigningKeys::new(key(1), vec![]));
        let token = tokens.issue(session(), Generation(7));
        for at in 0..token.expose().len() {
            let mut changed = token.expose().as_bytes().to_vec();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).expect("ASCII");
            assert_eq!(tokens.read(&changed), None, "character {at}");
        }
    }

    #[test]
    fn an_older_key_still_reads_and_another_does_not() {
        let before = RefreshTokens::new(&SigningKeys::new(key(1), vec![]));
        let token = before.issue(session(), Generation(0));
        let rotated = RefreshTokens::new(&SigningKeys::new(key(2), vec![key(1)]));
        assert!(rotated.read(token.expose()).is_some());
        let other = RefreshTokens::new(&SigningKeys::new(key(3), vec![]));
        assert_eq!(other.read(token.expose()), None);
    }
}
