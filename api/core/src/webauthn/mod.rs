//! Passkeys: what a server verifies (Web Authentication Level 3, §7). Pure: knows no store and no clock.
//!
//! Written here, over aws-lc-rs and a CBOR decoder: origins are compared as exact strings, so that those of extensions
//! (`chrome-extension://ID`) are like any other. Attestation is neither asked for nor read: it would only say which
//! make an authenticator is.

mod authenticator_data;
#[cfg(test)]
mod fuzz;
mod key;

use aws_lc_rs::digest::{SHA256, digest};
use minicbor::Decoder;
use password_auth_model::{OpaqueBytes, Passkey};
use serde::Deserialize;

use self::authenticator_data::AuthenticatorData;
pub use self::key::ALGORITHMS;
use self::key::PublicKey;

/// The longest credential that is read. Attestation, which is not read, is the most of it.
const MAX_BYTES: usize = 16 << 10;

/// Who asks for passkeys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelyingParty {
    /// The RP ID: a domain, to which passkeys are bound.
    pub id: String,
    /// The origins from which passkeys may be used, as browsers write them.
    pub origins: Vec<String>,
}

/// A credential is not valid. Why is for nobody to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the passkey is not valid")]
pub struct InvalidCredential;

/// A new credential (`RegistrationResponseJSON`). Other fields are ignored.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewCredential {
    raw_id: OpaqueBytes,
    #[serde(rename = "type")]
    kind: String,
    response: AttestationResponse,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AttestationResponse {
    #[serde(rename = "clientDataJSON")]
    client_data: OpaqueBytes,
    attestation_object: OpaqueBytes,
}

/// A use of a credential (`AuthenticationResponseJSON`). Other fields are ignored.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Assertion {
    raw_id: OpaqueBytes,
    #[serde(rename = "type")]
    kind: String,
    response: AssertionResponse,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AssertionResponse {
    #[serde(rename = "clientDataJSON")]
    client_data: OpaqueBytes,
    authenticator_data: OpaqueBytes,
    signature: OpaqueBytes,
    #[serde(default)]
    user_handle: Option<OpaqueBytes>,
}

/// What an authenticator made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// The authenticator's identifier of the credential.
    pub credential: OpaqueBytes,
    /// The public key, in COSE.
    pub public_key: OpaqueBytes,
    /// The count of signatures.
    pub counter: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
}

impl ClientData {
    fn read(json: &OpaqueBytes) -> Result<Self, InvalidCredential> {
        if json.as_slice().len() > MAX_BYTES {
            return Err(InvalidCredential);
        }
        serde_json::from_slice(json.as_slice()).map_err(|_| InvalidCredential)
    }

    fn check(&self, kind: &str, party: &RelyingParty) -> Result<(), InvalidCredential> {
        let is_listed = party.origins.contains(&self.origin);
        require(self.kind == kind && is_listed && !self.cross_origin)
    }
}

impl NewCredential {
    /// The challenge that it says it answers.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn challenge(&self) -> Result<String, InvalidCredential> {
        ClientData::read(&self.response.client_data).map(|data| data.challenge)
    }

    /// Verifies everything but the challenge (§7.1).
    ///
    /// # Errors
    /// If anything is wrong.
    pub(crate) fn verify(&self, party: &RelyingParty) -> Result<Created, InvalidCredential> {
        let client_data = ClientData::read(&self.response.client_data)?;
        client_data.check("webauthn.create", party)?;
        let data = authenticator_data_of(&self.response.attestation_object)?;
        let data = AuthenticatorData::read(data)?;
        require(self.kind == "public-key" && data.is_for(&party.id) && data.user_verified)?;
        let (credential, public_key) = data.attested.ok_or(InvalidCredential)?;
        require(credential == self.raw_id.as_slice())?;
        PublicKey::read(public_key)?.check()?;
        Ok(Created {
            credential: credential.into(),
            public_key: public_key.into(),
            counter: data.counter,
        })
    }
}

impl Assertion {
    /// The challenge that it says it answers.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn challenge(&self) -> Result<String, InvalidCredential> {
        ClientData::read(&self.response.client_data).map(|data| data.challenge)
    }

    /// The credential that it says it is of.
    #[must_use]
    pub(crate) const fn credential(&self) -> &OpaqueBytes {
        &self.raw_id
    }

    /// The user whom a discoverable credential names.
    #[must_use]
    pub(crate) const fn user_handle(&self) -> Option<&OpaqueBytes> {
        self.response.user_handle.as_ref()
    }

    /// Verifies everything but challenge, user and count (§7.2). Returns the count.
    ///
    /// # Errors
    /// If anything is wrong.
    pub(crate) fn verify(
        &self,
        party: &RelyingParty,
        passkey: &Passkey,
        needs_verified_user: bool,
    ) -> Result<u32, InvalidCredential> {
        let client_data = ClientData::read(&self.response.client_data)?;
        client_data.check("webauthn.get", party)?;
        let raw = self.response.authenticator_data.as_slice();
        let data = AuthenticatorData::read(raw)?;
        require(self.kind == "public-key" && self.raw_id == passkey.credential)?;
        require(data.is_for(&party.id) && (data.user_verified || !needs_verified_user))?;
        let hash = digest(&SHA256, self.response.client_data.as_slice());
        let signed = [raw, hash.as_ref()].concat();
        let key = PublicKey::read(passkey.public_key.as_slice())?;
        key.verify(&signed, self.response.signature.as_slice())?;
        Ok(data.counter)
    }
}

/// The `authData` of an attestation object (§6.5.4).
fn authenticator_data_of(object: &OpaqueBytes) -> Result<&[u8], InvalidCredential> {
    require(object.as_slice().len() <= MAX_BYTES)?;
    let mut decoder = Decoder::new(object.as_slice());
    let mut found = None;
    let fields = decoder.map().ok().flatten().ok_or(InvalidCredential)?;
    for _ in 0..fields {
        match decoder.str().map_err(|_| InvalidCredential)? {
            "authData" => found = Some(decoder.bytes().map_err(|_| InvalidCredential)?),
            _ => decoder.skip().map_err(|_| InvalidCredential)?,
        }
    }
    require(decoder.position() == object.as_slice().len())?;
    found.ok_or(InvalidCredential)
}

fn require(holds: bool) -> Result<(), InvalidCredential> {
    if holds {
        Ok(())
    } else {
        Err(InvalidCredential)
    }
}
