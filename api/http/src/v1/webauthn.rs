//! What Web Authentication says in JSON: options for browsers, and what they return.

use password_auth_core::accounts::PasskeyCreation;
use password_auth_core::webauthn::{ALGORITHMS, RelyingParty};
use password_auth_model::{CHALLENGE_LIFETIME, OpaqueBytes, Passkey, User};
use password_auth_wire::Secret;
use poem_openapi::types::Any;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::error::Failure;

/// A credential as the browser writes it.
pub(super) fn credential_of<T: DeserializeOwned>(credential: Any<Value>) -> Result<T, Failure> {
    serde_json::from_value(credential.0)
        .map_err(|_| Failure::of_field("credential", "invalid", "The credential is not valid."))
}

/// `PublicKeyCredentialCreationOptionsJSON` (Web Authentication Level 3, §5.4).
pub(super) fn creation_options(user: &User, creation: &PasskeyCreation) -> Value {
    let PasskeyCreation {
        challenge,
        party,
        site,
        existing,
    } = creation;
    let handle = OpaqueBytes::from(*user.id.as_bytes()).to_text();
    let name = user.username.as_str();
    let algorithm = |alg: &i64| json!({"type": "public-key", "alg": alg});
    let known =
        |passkey: &Passkey| json!({"type": "public-key", "id": passkey.credential.to_text()});
    json!({
        "rp": {"id": party.id, "name": site},
        "user": {"id": handle, "name": name, "displayName": name},
        "challenge": challenge.expose(),
        "pubKeyCredParams": ALGORITHMS.iter().map(algorithm).collect::<Vec<_>>(),
        "timeout": CHALLENGE_LIFETIME.as_secs() * 1000,
        "excludeCredentials": existing.iter().map(known).collect::<Vec<_>>(),
        "authenticatorSelection": {
            "residentKey": "required", "requireResidentKey": true, "userVerification": "required",
        },
        "attestation": "none",
    })
}

/// `PublicKeyCredentialRequestOptionsJSON` (Web Authentication Level 3, §5.5).
pub(super) fn request_options(challenge: &Secret, party: &RelyingParty) -> Value {
    json!({
        "challenge": challenge.expose(),
        "rpId": party.id,
        "timeout": CHALLENGE_LIFETIME.as_secs() * 1000,
        "allowCredentials": [],
        "userVerification": "required",
    })
}
