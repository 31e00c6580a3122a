//! Authenticator data (Web Authentication Level 3, §6.1).

use aws_lc_rs::digest::{SHA256, digest};
use minicbor::Decoder;

use super::{InvalidCredential, require};

const HASH_BYTES: usize = 32;
const USER_PRESENT: u8 = 1;
const USER_VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKED_UP: u8 = 1 << 4;
const ATTESTED: u8 = 1 << 6;
const EXTENSIONS: u8 = 1 << 7;
/// The longest identifier of a credential (§7.1, step 25).
const MAX_CREDENTIAL: usize = 1023;

/// Data that an authenticator signed.
pub(super) struct AuthenticatorData<'a> {
    party_hash: &'a [u8],
    user_present: bool,
    pub(super) user_verified: bool,
    pub(super) counter: u32,
    /// The credential's identifier and public key.
    pub(super) attested: Option<(&'a [u8], &'a [u8])>,
}

impl<'a> AuthenticatorData<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, InvalidCredential> {
        let (party_hash, rest) = split(bytes, HASH_BYTES)?;
        let (flags, rest) = split(rest, 1)?;
        let (counter, mut rest) = split(rest, 4)?;
        let flags = flags[0];
        // §6.1.3: what cannot be backed up is not.
        require(flags & BACKUP_ELIGIBLE != 0 || flags & BACKED_UP == 0)?;
        let mut attested = None;
        if flags & ATTESTED != 0 {
            let (_model, after) = split(rest, 16)?;
            let (length, after) = split(after, 2)?;
            let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
            require((1..=MAX_CREDENTIAL).contains(&length))?;
            let (credential, after) = split(after, length)?;
            let (key, after) = split(after, item_length(after)?)?;
            attested = Some((credential, key));
            rest = after;
        }
        if flags & EXTENSIONS != 0 {
            rest = split(rest, item_length(rest)?)?.1;
        }
        require(rest.is_empty())?;
        let counter = counter.try_into().map_err(|_| InvalidCredential)?;
        Ok(Self {
            party_hash,
            user_present: flags & USER_PRESENT != 0,
            user_verified: flags & USER_VERIFIED != 0,
            counter: u32::from_be_bytes(counter),
            attested,
        })
    }

    /// Whether it was made for this RP ID, with somebody there.
    pub(super) fn is_for(&self, party: &str) -> bool {
        self.user_present && self.party_hash == digest(&SHA256, party.as_bytes()).as_ref()
    }
}

fn split(bytes: &[u8], at: usize) -> Result<(&[u8], &[u8]), InvalidCredential> {
    bytes.split_at_checked(at).ok_or(InvalidCredential)
}

/// The length of the CBOR item at the start.
fn item_length(bytes: &[u8]) -> Result<usize, InvalidCredential> {
    let mut decoder = Decoder::new(bytes);
    decoder.skip().map_err(|_| InvalidCredential)?;
    Ok(decoder.position())
}
