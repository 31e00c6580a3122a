//! No credential makes its reader panic, and no changed assertion is good.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use password_auth_model::{Passkey, PasskeyId, Timestamp};
use password_auth_testing::fuzz;

use super::authenticator_data::AuthenticatorData;
use super::key::PublicKey;
use super::{
    Assertion, AssertionResponse, ClientData, NewCredential, RelyingParty, authenticator_data_of,
};

const CLIENT_DATA: &str =
    r#"{"type":"webauthn.get","challenge":"AAAA","origin":"https://auth.example.org"}"#;

/// As an authenticator and a browser make them: its passkey, and a use of it.
fn ours(party: &RelyingParty) -> (Passkey, Assertion) {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
    let (x, y) = key.public_key().as_ref()[1..].split_at(32);
    let public_key = [
        &[0xA5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32][..],
        x,
        &[0x22, 0x58, 32],
        y,
    ];
    let passkey = Passkey {
        id: PasskeyId::new(Timestamp::from_millis(1_700_000_000_000)),
        name: "Phone".to_owned(),
        credential: [7; 32].into(),
        public_key: public_key.concat().into(),
        counter: 0,
        created: Timestamp::from_millis(1_700_000_000_000),
        last_used: None,
    };
    let party = digest(&SHA256, party.id.as_bytes());
    let data = [party.as_ref(), &[0b101, 0, 0, 0, 1]].concat();
    let client_data = digest(&SHA256, CLIENT_DATA.as_bytes());
    let signed = [&data, client_data.as_ref()].concat();
    let signature = key.sign(&SystemRandom::new(), &signed).expect("signed");
    let assertion = Assertion {
        raw_id: passkey.credential.clone(),
        kind: "public-key".to_owned(),
        response: AssertionResponse {
            client_data: CLIENT_DATA.as_bytes().into(),
            authenticator_data: data.into(),
            signature: signature.as_ref().into(),
            user_handle: None,
        },
    };
    (passkey, assertion)
}

#[test]
fn fuzz_passkeys() {
    let party = RelyingParty {
        id: "auth.example.org".to_owned(),
        origins: vec!["https://auth.example.org".to_owned()],
    };
    let (passkey, ours) = ours(&party);
    ours.verify(&party, &passkey, true).expect("ours is good");
    fuzz("passkeys", move |bytes| {
        // Each part by itself.
        ClientData::read(&bytes.into()).ok();
        AuthenticatorData::read(bytes).ok();
        if let Ok(data) = authenticator_data_of(&bytes.into()) {
            AuthenticatorData::read(data).ok();
        }
        if let Ok(key) = PublicKey::read(bytes) {
            key.check().ok();
            key.verify(bytes, bytes).ok();
        }
        // As they come over the wire.
        if let Ok(new) = serde_json::from_slice::<NewCredential>(bytes) {
            new.challenge().ok();
            if let Ok(created) = new.verify(&party) {
                let key = PublicKey::read(created.public_key.as_slice()).expect("it was read");
                key.check().expect("it was checked");
            }
        }
        if let Ok(assertion) = serde_json::from_slice::<Assertion>(bytes) {
            assertion.challenge().ok();
            let verified = assertion.verify(&party, &passkey, false);
            verified.expect_err("nobody else can sign");
        }
        // A good one that was changed anywhere is none.
        for part in 0..3 {
            let mut changed = ours.clone();
            let response = &mut changed.response;
            let part = match part {
                0 => &mut response.client_data,
                1 => &mut response.authenticator_data,
                _ => &mut response.signature,
            };
            let whole = part.as_slice().to_vec();
            let mut other = whole.clone();
            let at = bytes.len() % other.len();
            let end = other.len().min(at + bytes.len());
            other.splice(at..end, bytes.iter().copied());
            let is_ours = other == whole;
            *part = other.into();
            assert_eq!(changed.verify(&party, &passkey, true).is_ok(), is_ours);
        }
    });
}
