//! Challenges: what the first step of a sign-in hands out for the second. They are not stored, so that asking for them
//! costs no space.
//!
//! A challenge is `base64url(version, purpose, user, version of the password, expiry, nonce, MAC over all of that)`. It
//! is used once: the store remembers its nonce with the user until it expires.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::Mac as _;
use password_auth_model::{CHALLENGE_LIFETIME, Timestamp, UsedChallenge, User, UserId};
use password_auth_wire::Secret;
use zeroize::Zeroizing;

use super::keys::SigningKeys;
use super::mac::mac;

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 16;
const MAC_START: usize = 1 + 1 + 16 + 4 + 8 + NONCE_BYTES;
const CHALLENGE_BYTES: usize = MAC_START + 32;
const CHALLENGE_CHARS: usize = CHALLENGE_BYTES.div_ceil(3) * 4;

/// What a challenge is for. It is good for nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChallengePurpose {
    /// The second step of a sign-in of somebody who wants to stay signed in.
    SignIn,
    /// The second step of a sign-in for a day at most.
    ShortSignIn,
    /// The second step of a reactivation.
    Reactivate,
    /// Adding a passkey.
    AddPasskey,
    /// Using a passkey, whosoever it is.
    UsePasskey,
}

impl ChallengePurpose {
    const ALL: [Self; 5] = [
        Self::SignIn,
        Self::ShortSignIn,
        Self::Reactivate,
        Self::AddPasskey,
        Self::UsePasskey,
    ];

    /// The byte in a challenge. It never changes.
    const fn number(self) -> u8 {
        match self {
            Self::SignIn => 1,
            Self::ShortSignIn => 2,
            Self::Reactivate => 3,
            Self::AddPasskey => 4,
            Self::UsePasskey => 5,
        }
    }
}

/// The content of a challenge with a valid MAC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Challenge {
    /// What it is for.
    pub(crate) purpose: ChallengePurpose,
    /// Whom it is for.
    pub(crate) user: UserId,
    /// The version of the password that was right.
    pub(crate) password_version: u32,
    /// For remembering that it was used.
    pub(crate) used: UsedChallenge,
}

/// Makes and reads challenges.
pub(crate) struct Challenges {
    current: Zeroizing<[u8; 32]>,
    all: Vec<Zeroizing<[u8; 32]>>,
}

impl fmt::Debug for Challenges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenges").finish_non_exhaustive()
    }
}

impl Challenges {
    /// Uses a subkey of each of `keys`.
    #[must_use]
    pub(crate) fn new(keys: &SigningKeys) -> Self {
        Self {
            current: keys.current().challenge_subkey(),
            all: keys
                .all()
                .map(super::SigningKey::challenge_subkey)
                .collect(),
        }
    }

    /// A new challenge.
    ///
    /// # Errors
    /// If the system provides no random bytes.
    pub(crate) fn issue(
        &self,
        purpose: ChallengePurpose,
        user: &User,
        now: Timestamp,
    ) -> Result<Secret, getrandom::Error> {
        self.make(purpose, user.id, user.password_version, now)
    }

    /// A new challenge for using a passkey: who answers it is not known yet.
    ///
    /// # Errors
    /// If the system provides no random bytes.
    pub(crate) fn issue_to_anybody(&self, now: Timestamp) -> Result<Secret, getrandom::Error> {
        let nobody = UserId::from_bytes([0; 16]);
        self.make(ChallengePurpose::UsePasskey, nobody, 0, now)
    }

    fn make(
        &self,
        purpose: ChallengePurpose,
        user: UserId,
        password_version: u32,
        now: Timestamp,
    ) -> Result<Secret, getrandom::Error> {
        let mut bytes = [0; CHALLENGE_BYTES];
        bytes[0] = VERSION;
        bytes[1] = purpose.number();
        bytes[2..18].copy_from_slice(user.as_bytes());
        bytes[18..22].copy_from_slice(&password_version.to_be_bytes());
        let expires = now.plus(CHALLENGE_LIFETIME).as_millis();
        bytes[22..30].copy_from_slice(&expires.to_be_bytes());
        getrandom::fill(&mut bytes[30..MAC_START])?;
        let mac = mac(&self.current, &bytes[..MAC_START]).finalize();
        bytes[MAC_START..].copy_from_slice(&mac.into_bytes());
        Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Reads a challenge. `None` if it has expired at `now`, or was not made with one of our keys.
    #[must_use]
    pub(crate) fn read(&self, challenge: &str, now: Timestamp) -> Option<Challenge> {
        if challenge.len() > CHALLENGE_CHARS {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(challenge).ok()?;
        let bytes: &[u8; CHALLENGE_BYTES] = bytes.as_slice().try_into().ok()?;
        let (content, found) = bytes.split_at(MAC_START);
        // Compares in constant time.
        let is_ours = |key: &Zeroizing<_>| mac(key, content).verify_slice(found).is_ok();
        if content[0] != VERSION || !self.all.iter().any(is_ours) {
            return None;
        }
        let mut purposes = ChallengePurpose::ALL.into_iter();
        let purpose = purposes.find(|purpose| purpose.number() == content[1])?;
        let until = u64::from_be_bytes(content[22..30].try_into().ok()?);
        let until = Timestamp::from_millis(until);
        if !until.is_ahead(now, CHALLENGE_LIFETIME) {
            return None;
        }
        Some(Challenge {
            purpose,
            user: UserId::from_bytes(content[2..18].try_into().ok()?),
            password_version: u32::from_be_bytes(content[18..22].try_into().ok()?),
            used: UsedChallenge {
                nonce: content[30..].into(),
                until,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{ChallengePurpose, Challenges};
    use crate::tokens::{SigningKey, SigningKeys};
    use password_auth_model::{CHALLENGE_LIFETIME, Timestamp, User, Username};
    use std::time::Duration;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn key(byte: u8) -> SigningKey {
        SigningKey::new(&[byte; 32]).expect("long enough")
    }

    fn challenges(byte: u8) -> Challenges {
        Challenges::new(&SigningKeys::new(key(byte), vec![]))
    }

    fn user() -> User {
        let hash = serde_json::from_value("hash".into()).expect("a text");
        User::new(Username::parse("alice").expect("a name"), hash, NOW)
    }

    #[test]
    fn a_challenge_says_what_it_was_made_for_for_five_minutes() {
        let (challenges, user) = (challenges(1), user());
        for purpose in ChallengePurpose::ALL {
            let issued = challenges.issue(purpose, &user, NOW).expect("random");
            let last = NOW
                .plus(CHALLENGE_LIFETIME)
                .minus(std::time::Duration::from_millis(1));
            for now in [NOW, last] {
                let read = challenges.read(issued.expose(), now).expect("valid");
                assert_eq!((read.purpose, read.user), (purpose, user.id));
                assert_eq!(read.password_version, user.password_version);
            }
            let late = NOW.plus(CHALLENGE_LIFETIME);
            assert_eq!(challenges.read(issued.expose(), late), None);
            let other = challenges.issue(purpose, &user, NOW).expect("random");
            assert_ne!(issued, other);
        }
    }

    #[test]
    fn a_challenge_with_any_character_changed_or_of_another_key_is_refused() {
        let challenges = challenges(1);
        let issued = challenges.issue(ChallengePurpose::SignIn, &user(), NOW);
        let issued = issued.expect("random");
        for at in 0..issued.expose().len() {
            let mut changed = issued.expose().as_bytes().to_vec();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).expect("ASCII");
            assert_eq!(challenges.read(&changed, NOW), None, "character {at}");
        }
        assert_eq!(super::tests::challenges(2).read(issued.expose(), NOW), None);
        let rotated = Challenges::new(&SigningKeys::new(key(2), vec![key(1)]));
        assert!(rotated.read(issued.expose(), NOW).is_some());
    }

    #[test]
    fn a_challenge_of_a_node_whose_clock_is_ahead_counts_and_one_from_before_the_clock_was_set_back_does_not()
     {
        let challenges = challenges(1);
        let issued_at = |ahead| {
            let issued = challenges.issue(ChallengePurpose::SignIn, &user(), NOW.plus(ahead));
            challenges.read(issued.expect("random").expose(), NOW)
        };
        for ahead in [1, 5, 60].map(Duration::from_secs) {
            assert!(issued_at(ahead).is_some(), "{ahead:?}");
        }
        assert_eq!(issued_at(Duration::from_secs(61)), None);
    }
}
