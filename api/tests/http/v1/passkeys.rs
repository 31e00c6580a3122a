//! Passkeys: added, used alone and as a second factor, renamed and removed; and hostile credentials.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use password_auth_wire::ErrorCode;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::person::{V1, login, text};
use crate::support::{Engine, PASSWORD, Person, Reply, TestServer};

each_engine! {
    a_passkey_signs_in_alone_from_the_page_and_from_an_extension,
    a_passkey_s_session_lasts_a_day_for_who_does_not_stay,
    a_passkey_is_a_second_factor_and_proves_who_uses_a_session,
    a_hostile_credential_is_not_added,
    a_hostile_assertion_does_not_sign_in,
    an_assertion_is_good_once_even_if_it_comes_many_times_at_once,
    a_passkey_is_renamed_and_removed_with_a_proof_alone,
    a_challenge_is_bound_to_what_it_is_for,
    a_credential_that_no_authenticator_makes_is_not_added,
    a_credential_of_another_account_signs_in_to_no_other,
}

const RP: &str = "auth.example.org";
const PAGE: &str = "https://auth.example.org";
const EXTENSION: &str = "chrome-extension://abcdefghijklmnopabcdefghijklmnop";

async fn start(engine: Engine) -> TestServer {
    TestServer::builder()
        .engine(engine)
        .setting("WEBAUTHN_RP_ID", RP)
        .setting("WEBAUTHN_ORIGINS", &format!("{PAGE},{EXTENSION}"))
        .start()
        .await
}

/// An authenticator of software, and a browser that says what it is told.
#[derive(Clone)]
struct Authenticator {
    key: std::sync::Arc<EcdsaKeyPair>,
    credential: Vec<u8>,
    handle: Vec<u8>,
    counter: u32,
    origin: String,
    party: String,
    flags: u8,
    cross_origin: bool,
    kind: Option<&'static str>,
    algorithm: i64,
    /// What stands behind the other parameters of the public key.
    padding: usize,
    point: Option<[u8; 64]>,
}

const PRESENT_AND_VERIFIED: u8 = 0b101;

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Authenticator {
    fn new(number: u8) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING);
        Self {
            key: std::sync::Arc::new(key.expect("a key")),
            credential: vec![number; 32],
            handle: Vec::new(),
            counter: 0,
            origin: PAGE.to_owned(),
            party: RP.to_owned(),
            flags: PRESENT_AND_VERIFIED,
            cross_origin: false,
            kind: None,
            algorithm: -7,
            padding: 0,
            point: None,
        }
    }

    fn with(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut other = self.clone();
        change(&mut other);
        other
    }

    fn client_data(&self, kind: &str, challenge: &str) -> Vec<u8> {
        let data = json!({
            "type": self.kind.unwrap_or(kind), "challenge": challenge, "origin": self.origin,
            "crossOrigin": self.cross_origin, "other_keys_can_be_added_here": "yes",
        });
        data.to_string().into_bytes()
    }

    fn data(&self, flags: u8) -> Vec<u8> {
        let hash = digest(&SHA256, self.party.as_bytes());
        [hash.as_ref(), &[flags][..], &self.counter.to_be_bytes()[..]].concat()
    }

    /// COSE: {1: 2, 3: alg, -1: 1, -2: x, -3: y}.
    fn public_key(&self) -> Vec<u8> {
        let point = self.key.public_key().as_ref();
        let point = self.point.as_ref().map_or(&point[1..], |point| point);
        let negative = u8::try_from(-1 - self.algorithm).expect("small");
        let algorithm = match negative {
            0..=23 => vec![0x20 | negative],
            _ => vec![0x38, negative],
        };
        [
            &[0xA5 + u8::from(self.padding > 0), 1, 2, 3][..],
            &algorithm,
            &[0x20, 1, 0x21, 0x58, 32],
            &point[..32],
            &[0x22, 0x58, 32],
            &point[32..],
            &self.padding(),
        ]
        .concat()
    }

    fn padding(&self) -> Vec<u8> {
        match u16::try_from(self.padding).expect("short") {
            0 => Vec::new(),
            length => [
                &[0x18, 99, 0x59][..],
                &length.to_be_bytes(),
                &vec![0; self.padding],
            ]
            .concat(),
        }
    }

    fn create(&self, options: &Value) -> Value {
        let client_data = self.client_data("webauthn.create", &text(&options["challenge"]));
        let length = u16::try_from(self.credential.len()).expect("short");
        let data = [
            &self.data(self.flags | 0b100_0000)[..],
            &[0; 16],
            &length.to_be_bytes(),
            &self.credential,
            &self.public_key(),
        ]
        .concat();
        let length = u16::try_from(data.len()).expect("short");
        // {"fmt": "none", "attStmt": {}, "authData": data}
        let object = [
            &b"\xA3\x63fmt\x64none\x67attStmt\xA0\x68authData\x59"[..],
            &length.to_be_bytes(),
            &data,
        ]
        .concat();
        json!({
            "id": encoded(&self.credential), "rawId": encoded(&self.credential),
            "type": "public-key", "clientExtensionResults": {"credProps": {"rk": true}},
            "authenticatorAttachment": "platform",
            "response": {
                "clientDataJSON": encoded(&client_data), "attestationObject": encoded(&object),
                "transports": ["internal"],
            },
        })
    }

    fn get(&self, challenge: &str) -> Value {
        let client_data = self.client_data("webauthn.get", challenge);
        let data = self.data(self.flags);
        let hash = digest(&SHA256, &client_data);
        let signed = [&data, hash.as_ref()].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed);
        json!({
            "id": encoded(&self.credential), "rawId": encoded(&self.credential),
            "type": "public-key", "clientExtensionResults": {},
            "response": {
                "clientDataJSON": encoded(&client_data), "authenticatorData": encoded(&data),
                "signature": encoded(signature.expect("signed").as_ref()),
                "userHandle": encoded(&self.handle),
            },
        })
    }
}

async fn creation_options(person: &Person) -> Value {
    let body = json!({"password": PASSWORD});
    let path = "/auth/passkeys/register/options";
    person.post(path, &body).await.expect_ok().json()
}

async fn add(person: &Person, credential: &Value) -> Reply {
    let body = json!({"name": "Phone", "credential": credential});
    person.post("/auth/passkeys", &body).await
}

/// Adds a passkey; the authenticator, which now knows the user, and the passkey's id.
async fn added(person: &Person, number: u8) -> (Authenticator, String) {
    let options = creation_options(person).await;
    let authenticator = Authenticator::new(number).with(|it| {
        let handle = text(&options["user"]["id"]);
        it.handle = URL_SAFE_NO_PAD.decode(handle).expect("base64url");
    });
    let reply = add(person, &authenticator.create(&options)).await;
    let reply = reply.expect_status(201).json();
    (authenticator, text(&reply["id"]))
}

async fn challenge(person: &Person) -> String {
    let path = format!("{V1}/auth/passkeys/login/options");
    let request = person.client.request(Method::POST, &path);
    let options = person.client.send(request).await.expect_ok().json();
    assert_eq!(options["rpId"], RP);
    assert_eq!(options["userVerification"], "required");
    text(&options["challenge"])
}

async fn sign_in(person: &Person, challenge: &str, credential: &Value) -> Reply {
    let body = json!({"challenge": challenge, "credential": credential});
    let path = format!("{V1}/auth/passkeys/login");
    person.client.post(&path, &body).await
}

async fn a_passkey_signs_in_alone_from_the_page_and_from_an_extension(engine: Engine) {
    let server = start(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    let options = creation_options(&alice).await;
    assert_eq!(options["rp"]["name"], "Password Auth");
    assert_eq!(options["rp"]["id"], RP);
    assert_eq!(options["attestation"], "none");
    let (authenticator, id) = added(&alice, 1).await;
    let listed = alice.get("/auth/factors").await.expect_ok().json();
    assert_eq!(listed["passkeys"][0]["id"], id.as_str());
    assert_eq!(listed["passkeys"][0]["name"], "Phone");
    for origin in [PAGE, EXTENSION] {
        let challenge = challenge(&alice).await;
        let at = authenticator.with(|it| it.origin = origin.to_owned());
        let reply = sign_in(&alice, &challenge, &at.get(&challenge)).await;
        assert!(alice.with(reply).is_let_in().await, "{origin}");
    }
    // An authenticator makes one passkey for an account.
    let again = creation_options(&alice).await;
    assert_eq!(
        again["excludeCredentials"][0]["id"],
        encoded(&authenticator.credential)
    );
    let reply = add(&alice, &authenticator.create(&again)).await;
    reply.expect_failure(400, ErrorCode::InvalidPasskey);
}

async fn a_passkey_s_session_lasts_a_day_for_who_does_not_stay(engine: Engine) {
    let server = start(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    let (authenticator, _) = added(&alice, 1).await;
    let sign_in = async |stay: Option<bool>| {
        let challenge = challenge(&alice).await;
        let credential = authenticator.get(&challenge);
        let mut body = json!({"challenge": challenge, "credential": credential});
        if let Some(stay) = stay {
            body["stay_signed_in"] = stay.into();
        }
        let path = format!("{V1}/auth/passkeys/login");
        alice.with(alice.client.post(&path, &body).await)
    };
    let (staying, silent) = (sign_in(Some(true)).await, sign_in(None).await);
    let short = sign_in(Some(false)).await;
    server.advance(Duration::from_secs(86_401)).await;
    staying.refresh().await.expect_ok();
    silent.refresh().await.expect_ok();
    let ended = short.refresh().await;
    ended.expect_failure(401, ErrorCode::RefreshTokenExpired);
}

async fn a_passkey_is_a_second_factor_and_proves_who_uses_a_session(engine: Engine) {
    let server = start(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    let (authenticator, _) = added(&alice, 1).await;
    let second = async |first: &str, credential: Value| {
        let body = json!({"challenge": first, "passkey": credential});
        let path = format!("{V1}/auth/login/second-factor");
        alice.client.post(&path, &body).await
    };
    let first_step = async || {
        let reply = login(&alice.client, "alice", PASSWORD).await;
        let body = reply.expect_failure(401, ErrorCode::SecondFactorRequired);
        assert_eq!(body.methods, ["passkey"]);
        body.challenge.expect("a challenge").into_exposed()
    };
    // It answers the challenge of the first step, or one of its own; the user need not be verified.
    let first = first_step().await;
    let present = authenticator.with(|it| it.flags = 1);
    let reply = second(&first, present.get(&first)).await;
    assert!(alice.with(reply).is_let_in().await);
    let first = first_step().await;
    let own = challenge(&alice).await;
    let reply = second(&first, authenticator.get(&own)).await;
    assert!(alice.with(reply).is_let_in().await);
    for challenge in [&first, &own] {
        let used = second(&first, authenticator.get(challenge)).await;
        used.expect_failure(401, ErrorCode::ChallengeExpired);
    }
    let other = Authenticator::new(1).with(|it| it.handle.clone_from(&authenticator.handle));
    let first = first_step().await;
    let refused = second(&first, other.get(&first)).await;
    refused.expect_failure(401, ErrorCode::InvalidCode);

    let export = async || alice.get("/users/me/export").await.status;
    let prove = async |credential: Value| {
        let body = json!({"passkey": credential});
        alice.post("/auth/proof", &body).await
    };
    assert_eq!(export().await, 403);
    let asked = challenge(&alice).await;
    let refused = prove(present.get(&asked)).await;
    refused.expect_failure(401, ErrorCode::InvalidPasskey);
    assert_eq!(export().await, 403);
    let proof = authenticator.get(&asked);
    prove(proof.clone()).await.expect_ok();
    assert_eq!(export().await, 200);
    let again = prove(proof).await;
    again.expect_failure(401, ErrorCode::ChallengeExpired);
}

/// What an attacker changes, and what is told.
type Change = (&'static str, Box<dyn FnOnce(&mut Authenticator)>);

fn hostile() -> Vec<Change> {
    vec![
        (
            "origin",
            Box::new(|it| it.origin = "https://evil.example".to_owned()),
        ),
        (
            "origin with a slash",
            Box::new(|it| it.origin = format!("{PAGE}/")),
        ),
        (
            "origin in capitals",
            Box::new(|it| it.origin = PAGE.to_uppercase()),
        ),
        (
            "subdomain",
            Box::new(|it| it.origin = "https://a.auth.example.org".to_owned()),
        ),
        (
            "another extension",
            Box::new(|it| it.origin = "chrome-extension://aaaa".to_owned()),
        ),
        ("RP ID", Box::new(|it| it.party = "evil.example".to_owned())),
        ("nobody there", Box::new(|it| it.flags = 0b100)),
        ("not verified", Box::new(|it| it.flags = 0b001)),
        ("in a frame", Box::new(|it| it.cross_origin = true)),
        (
            "another ceremony",
            Box::new(|it| it.kind = Some("payment.get")),
        ),
        (
            "extension flag without data",
            Box::new(|it| it.flags = 0b1000_0101),
        ),
    ]
}

async fn a_hostile_credential_is_not_added(engine: Engine) {
    let server = start(engine).await;
    let [alice, bob] = [
        Person::sign_up(&server, "alice").await,
        Person::sign_up(&server, "bob").await,
    ];
    let algorithm: Change = ("another algorithm", Box::new(|it| it.algorithm = -35));
    for (what, change) in hostile().into_iter().chain([algorithm]) {
        let options = creation_options(&alice).await;
        let credential = Authenticator::new(1).with(change).create(&options);
        let refused = add(&alice, &credential).await;
        assert_eq!(refused.status, 400, "{what}: {refused:?}");
        refused.expect_failure(400, ErrorCode::InvalidPasskey);
    }
    let options = creation_options(&alice).await;
    let good = Authenticator::new(1).create(&options);
    let stolen = add(&bob, &good).await;
    stolen.expect_failure(401, ErrorCode::ChallengeExpired);
    let mut other_id = good.clone();
    other_id["rawId"] = encoded(&[9; 32]).into();
    let refused = add(&alice, &other_id).await;
    refused.expect_failure(400, ErrorCode::InvalidPasskey);
    add(&alice, &good).await.expect_status(201);
    let replayed = add(&alice, &good).await;
    replayed.expect_failure(401, ErrorCode::ChallengeExpired);
    let late = Authenticator::new(2).create(&creation_options(&alice).await);
    server.advance(Duration::from_secs(300)).await;
    let late = add(&alice, &late).await;
    late.expect_failure(401, ErrorCode::ChallengeExpired);
    for malformed in [json!({}), json!(null), json!("x"), json!({"rawId": 5})] {
        let refused = add(&alice, &malformed).await;
        refused.expect_failure(422, ErrorCode::ValidationFailed);
    }
}

async fn a_hostile_assertion_does_not_sign_in(engine: Engine) {
    let server = start(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    let bob = Person::sign_up(&server, "bob").await;
    let (authenticator, _) = added(&alice, 1).await;
    let (of_bob, _) = added(&bob, 2).await;
    let authenticator = authenticator.with(|it| it.counter = 5);
    let asked = challenge(&alice).await;
    sign_in(&alice, &asked, &authenticator.get(&asked))
        .await
        .expect_ok();
    let mut attacks = hostile();
    attacks.push(("a count that does not grow", Box::new(|it| it.counter = 5)));
    attacks.push(("a count that goes back", Box::new(|it| it.counter = 4)));
    attacks.push(("no count any more", Box::new(|it| it.counter = 0)));
    let key = Authenticator::new(1).key;
    attacks.push(("another key", Box::new(move |it| it.key = key)));
    attacks.push((
        "an unknown credential",
        Box::new(|it| it.credential = vec![9; 32]),
    ));
    attacks.push((
        "a credential of another",
        Box::new(|it| it.credential = vec![2; 32]),
    ));
    let handle = of_bob.handle.clone();
    attacks.push((
        "in the name of another",
        Box::new(move |it| it.handle = handle),
    ));
    attacks.push(("of nobody", Box::new(|it| it.handle = Vec::new())));
    let next = authenticator.with(|it| it.counter = 6);
    for (what, change) in attacks {
        let asked = challenge(&alice).await;
        let refused = sign_in(&alice, &asked, &next.with(change).get(&asked)).await;
        assert_eq!(refused.status, 401, "{what}: {refused:?}");
        refused.expect_failure(401, ErrorCode::InvalidPasskey);
    }
    let (asked, other) = (challenge(&alice).await, challenge(&alice).await);
    let refused = sign_in(&alice, &asked, &next.get(&other)).await;
    refused.expect_failure(401, ErrorCode::InvalidPasskey);
    for forged in [encoded(&[7; 32]), String::new(), format!("{asked}A")] {
        let refused = sign_in(&alice, &forged, &next.get(&forged)).await;
        refused.expect_failure(401, ErrorCode::ChallengeExpired);
    }
    let mut tampered = next.get(&asked);
    let signature = text(&tampered["response"]["signature"]);
    let mut signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    *signature.last_mut().expect("bytes") ^= 1;
    tampered["response"]["signature"] = encoded(&signature).into();
    let refused = sign_in(&alice, &asked, &tampered).await;
    refused.expect_failure(401, ErrorCode::InvalidPasskey);
    server.advance(Duration::from_secs(299)).await;
    sign_in(&alice, &asked, &next.get(&asked)).await.expect_ok();
    let asked = challenge(&alice).await;
    server.advance(Duration::from_secs(300)).await;
    let late = next.with(|it| it.counter = 9);
    let refused = sign_in(&alice, &asked, &late.get(&asked)).await;
    refused.expect_failure(401, ErrorCode::ChallengeExpired);
}

async fn an_assertion_is_good_once_even_if_it_comes_many_times_at_once(engine: Engine) {
    let server = start(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    // It does not count, so that only the challenge tells.
    let (authenticator, _) = added(&alice, 1).await;
    let asked = challenge(&alice).await;
    let assertion = authenticator.get(&asked);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (alice, asked, assertion) = (alice.clone(), asked.clone(), assertion.clone());
        tasks.spawn(async move { sign_in(&alice, &asked, &assertion).await.status });
    }
    let mut statuses = tasks.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401, 401, 401, 401, 401, 401, 401]);
}

async fn a_passkey_is_renamed_and_removed_with_a_proof_alone(engine: Engine) {
    let server = start(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    let bob = Person::sign_up(&server, "bob").await;
    let (authenticator, id) = added(&alice, 1).await;
    let path = format!("/auth/passkeys/{id}");
    let rename = async |person: &Person, name: &str| {
        let body = json!({"name": name});
        person.tell(Method::PATCH, &path, &body).await
    };
    let renamed = rename(&alice, " Blue key ").await.expect_ok().json();
    assert_eq!(renamed["name"], "Blue key");
    for bad in ["", " ", "a\u{202e}b", &"x".repeat(65)] {
        let refused = rename(&alice, bad).await;
        refused.expect_failure(422, ErrorCode::ValidationFailed);
    }
    let refused = rename(&bob, "Mine").await;
    refused.expect_failure(404, ErrorCode::NotFound);
    let refused = alice.ask(Method::DELETE, &path).await;
    refused.expect_failure(403, ErrorCode::ProofRequired);
    bob.prove().await;
    let refused = bob.ask(Method::DELETE, &path).await;
    refused.expect_failure(404, ErrorCode::NotFound);
    alice.prove().await;
    alice.ask(Method::DELETE, &path).await.expect_status(204);
    login(&alice.client, "alice", PASSWORD).await.expect_ok();
    let asked = challenge(&alice).await;
    let gone = sign_in(&alice, &asked, &authenticator.get(&asked)).await;
    gone.expect_failure(401, ErrorCode::InvalidPasskey);
}

async fn a_challenge_is_bound_to_what_it_is_for(engine: Engine) {
    let server = start(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    let (authenticator, _) = added(&alice, 1).await;
    let to_add = text(&creation_options(&alice).await["challenge"]);
    let reply = login(&alice.client, "alice", PASSWORD).await;
    let body = reply.expect_failure(401, ErrorCode::SecondFactorRequired);
    let to_sign_in = body.challenge.expect("a challenge").into_exposed();
    for wrong in [&to_add, &to_sign_in] {
        let refused = sign_in(&alice, wrong, &authenticator.get(wrong)).await;
        refused.expect_failure(401, ErrorCode::ChallengeExpired);
        let body = json!({"passkey": authenticator.get(wrong)});
        let refused = alice.post("/auth/proof", &body).await;
        refused.expect_failure(401, ErrorCode::ChallengeExpired);
    }
    let to_use = challenge(&alice).await;
    for wrong in [&to_add, &to_use] {
        let body = json!({"challenge": wrong, "passkey": authenticator.get(wrong)});
        let path = format!("{V1}/auth/login/second-factor");
        let refused = alice.client.post(&path, &body).await;
        refused.expect_failure(401, ErrorCode::ChallengeExpired);
    }
    for wrong in [&to_use, &to_sign_in] {
        let credential = Authenticator::new(3).create(&json!({"challenge": wrong}));
        let refused = add(&alice, &credential).await;
        refused.expect_failure(401, ErrorCode::ChallengeExpired);
    }
}

/// All passkeys of a user are one record: a key with kilobytes of unknown parameters is none, nor one that no signature
/// can be of.
async fn a_credential_that_no_authenticator_makes_is_not_added(engine: Engine) {
    let server = start(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    let changes: [Change; 6] = [
        ("a long key", Box::new(|it| it.padding = 2000)),
        ("a very long key", Box::new(|it| it.padding = 12_000)),
        (
            "a long identifier",
            Box::new(|it| it.credential = vec![7; 1024]),
        ),
        ("no identifier", Box::new(|it| it.credential = vec![])),
        (
            "a point off the curve",
            Box::new(|it| it.point = Some([1; 64])),
        ),
        // Backed up, and not eligible for it.
        ("impossible flags", Box::new(|it| it.flags = 0b1_0101)),
    ];
    for (what, change) in changes {
        let options = creation_options(&alice).await;
        let credential = Authenticator::new(1).with(change).create(&options);
        let refused = add(&alice, &credential).await;
        assert_eq!(refused.status, 400, "{what}: {refused:?}");
        refused.expect_failure(400, ErrorCode::InvalidPasskey);
    }
    let largest = |it: &mut Authenticator| {
        it.credential = vec![7; 1023];
        it.flags |= 0b1_1000;
    };
    let options = creation_options(&alice).await;
    let credential = Authenticator::new(1).with(largest).create(&options);
    add(&alice, &credential).await.expect_status(201);
}

/// With attestation `none`, whoever knows a credential's identifier and public key can add it to their own account.
async fn a_credential_of_another_account_signs_in_to_no_other(engine: Engine) {
    let server = start(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    let mallory = Person::sign_up(&server, "mallory").await;
    let (authenticator, _) = added(&alice, 1).await;
    let options = creation_options(&mallory).await;
    let copied = add(&mallory, &authenticator.create(&options)).await;
    copied.expect_status(201);
    let asked = challenge(&alice).await;
    let reply = sign_in(&alice, &asked, &authenticator.get(&asked)).await;
    let signed_in = alice.with(reply);
    let me = signed_in.get("/auth/me").await.expect_ok().json();
    assert_eq!(me["username"], "alice");
    // Nor is mallory's session proved, or her second step made, by it.
    let first = login(&mallory.client, "mallory", PASSWORD).await;
    let first = first.expect_failure(401, ErrorCode::SecondFactorRequired);
    let first = first.challenge.expect("a challenge").into_exposed();
    let body = json!({"challenge": first, "passkey": authenticator.get(&first)});
    let path = format!("{V1}/auth/login/second-factor");
    let refused = mallory.client.post(&path, &body).await;
    refused.expect_failure(401, ErrorCode::InvalidCode);
    let asked = challenge(&mallory).await;
    let body = json!({"passkey": authenticator.get(&asked)});
    let refused = mallory.post("/auth/proof", &body).await;
    refused.expect_failure(401, ErrorCode::InvalidPasskey);
}
