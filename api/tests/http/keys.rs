//! Keys that sign access tokens so that others can verify them (`SIGNING_ALG=EdDSA`).

mod command;
mod hostile;

use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use password_auth_model::PUBLISHED_BEFORE;
use password_auth_wire::ErrorCode;
use serde_json::{Value, json};

use crate::support::{Engine, Person, TestServer, TestServerBuilder};

each_engine! {
    others_verify_a_token_with_the_published_keys_alone,
    a_change_of_the_algorithm_signs_nobody_out_in_either_direction,
    a_new_key_is_published_before_it_signs_and_no_request_fails_meanwhile,
    nodes_share_the_keys_and_one_that_meets_an_unknown_key_looks_again,
    a_retired_key_is_refused_and_its_clients_refresh,
}

const SECRET: &str = "a secret of more than thirty-two bytes";
const LIFETIME: Duration = Duration::from_secs(15 * 60);

fn signing(engine: Engine, alg: &str) -> TestServerBuilder {
    TestServer::builder()
        .engine(engine)
        .setting("SIGNING_ALG", alg)
        .setting("JWT_SECRET", SECRET)
}

async fn published(server: &TestServer) -> Vec<Value> {
    let reply = server.client().get("/.well-known/jwks.json").await;
    let reply = reply.expect_ok();
    assert_eq!(reply.header("cache-control"), "max-age=300");
    reply.json()["keys"].as_array().expect("a list").clone()
}

async fn published_ids(server: &TestServer) -> Vec<String> {
    let keys = published(server).await;
    let ids = keys.iter().map(|key| key["kid"].as_str().expect("an id"));
    ids.map(str::to_owned).collect()
}

fn kid(token: &str) -> String {
    let header = jsonwebtoken::decode_header(token).expect("a header");
    header.kid.expect("a kid")
}

fn alg(person: &Person) -> Algorithm {
    let header = jsonwebtoken::decode_header(&person.access);
    header.expect("a header").alg
}

/// As another service does it.
fn verified(token: &str, keys: &[Value]) -> Option<Value> {
    let key = keys.iter().find(|key| key["kid"] == kid(token).as_str())?;
    let key = DecodingKey::from_ed_components(key["x"].as_str()?).ok()?;
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_audience(&["password-auth"]);
    validation.set_issuer(&["password-auth"]);
    let data = jsonwebtoken::decode::<Value>(token, &key, &validation);
    data.ok().map(|data| data.claims)
}

async fn others_verify_a_token_with_the_published_keys_alone(engine: Engine) {
    let server = signing(engine, "EdDSA").start().await;
    let alice = Person::sign_up(&server, "alice").await;
    let keys = published(&server).await;
    assert_eq!(keys.len(), 1);
    let fields = ["kty", "crv", "use", "alg"].map(|name| keys[0][name].clone());
    assert_eq!(fields, ["OKP", "Ed25519", "sig", "EdDSA"].map(Value::from));
    let claims = verified(&alice.access, &keys).expect("verified");
    assert_eq!(claims["sub"], alice.id.as_str());
    assert!(alice.is_let_in().await);
    let with_secret = signing(engine, "HS256").start().await;
    assert_eq!(published(&with_secret).await, [] as [Value; 0]);
}

async fn a_change_of_the_algorithm_signs_nobody_out_in_either_direction(engine: Engine) {
    let before = signing(engine, "HS256").start().await;
    let alice = Person::sign_up(&before, "alice").await;
    let after = signing(engine, "EdDSA").start_beside(&before).await;
    let alice_there = Person {
        client: after.client(),
        ..alice.clone()
    };
    assert!(alice_there.is_let_in().await);
    let refreshed = alice_there.with(alice_there.refresh().await);
    assert_eq!(
        (alg(&alice), alg(&refreshed)),
        (Algorithm::HS256, Algorithm::EdDSA)
    );
    assert!(refreshed.is_let_in().await);
    // A node that still signs with the secret, or signs with it again.
    let alice = Person {
        client: before.client(),
        ..refreshed
    };
    assert!(alice.is_let_in().await);
    let back = signing(engine, "HS256").start_beside(&before).await;
    let alice = Person {
        client: back.client(),
        ..alice
    };
    assert!(alice.is_let_in().await);
    let alice = alice.with(alice.refresh().await);
    assert_eq!(alg(&alice), Algorithm::HS256);
    assert!(alice.is_let_in().await);
}

async fn a_new_key_is_published_before_it_signs_and_no_request_fails_meanwhile(engine: Engine) {
    let server = signing(engine, "EdDSA").start().await;
    let mut alice = Person::sign_up(&server, "alice").await;
    let first = kid(&alice.access);
    server.advance(Duration::from_secs(3600)).await;
    server
        .token_keys()
        .rotate(PUBLISHED_BEFORE)
        .await
        .expect("rotated");
    let ids = published_ids(&server).await;
    assert_eq!((ids.len(), &ids[0]), (2, &first));
    // What others keep for 5 minutes verifies every token of that time, and the next one's.
    let kept = published(&server).await;
    let (mut last, mut minutes) = (alice.clone(), 0);
    while minutes < 12 {
        alice = alice.with(alice.refresh().await);
        assert!(alice.is_let_in().await);
        assert!(verified(&alice.access, &kept).is_some());
        let is_new = kid(&alice.access) == ids[1];
        assert_eq!(is_new, minutes >= 10, "after {minutes} minutes");
        if !is_new {
            last = alice.clone();
        }
        server.advance(Duration::from_secs(60)).await;
        minutes += 1;
    }
    assert_eq!(
        published_ids(&server).await,
        [ids[1].clone(), first.clone()]
    );
    // The last token of the old key, issued 3 minutes ago.
    server
        .advance(LIFETIME - Duration::from_secs(3 * 60 + 10))
        .await;
    assert!(last.is_let_in().await);
    server.advance(Duration::from_secs(3 * 60)).await;
    let expired = last.get("/auth/me").await;
    expired.expect_status(401);
    assert_eq!(published_ids(&server).await, [ids[1].clone()]);
    let signed_out = last.client.request(reqwest::Method::POST, "/logout");
    let signed_out = signed_out.bearer_auth(&last.access);
    last.client.send(signed_out).await.expect_ok();
    alice.refresh().await.expect_status(401);
}

async fn nodes_share_the_keys_and_one_that_meets_an_unknown_key_looks_again(engine: Engine) {
    let here = signing(engine, "EdDSA").start().await;
    let there = signing(engine, "EdDSA").start_beside(&here).await;
    assert_eq!(published_ids(&here).await, published_ids(&there).await);
    let first = published_ids(&here).await;
    here.advance(Duration::from_secs(1)).await;
    there
        .token_keys()
        .rotate(Duration::ZERO)
        .await
        .expect("rotated");
    let alice = Person::sign_up(&there, "alice").await;
    assert_ne!(kid(&alice.access), first[0]);
    let alice = Person {
        client: here.client(),
        ..alice
    };
    assert!(alice.is_let_in().await);
    assert_eq!(published_ids(&here).await, published_ids(&there).await);
    // A restart keeps them.
    let again = signing(engine, "EdDSA").start_beside(&here).await;
    assert_eq!(published_ids(&again).await, published_ids(&there).await);
}

async fn a_retired_key_is_refused_and_its_clients_refresh(engine: Engine) {
    let server = signing(engine, "EdDSA").start().await;
    let alice = Person::sign_up(&server, "alice").await;
    let first = kid(&alice.access);
    assert!(alice.is_let_in().await);
    let id = first.parse().expect("an id");
    server.token_keys().retire(id).await.expect("retired");
    assert!(!published_ids(&server).await.contains(&first));
    let refused = alice.get("/auth/me").await;
    refused.expect_failure(401, ErrorCode::InvalidToken);
    let alice = alice.with(alice.refresh().await);
    assert!(alice.is_let_in().await);
    assert_ne!(kid(&alice.access), first);
    assert_eq!(published(&server).await.len(), 1);
    let body = json!({"keys": published(&server).await}).to_string();
    assert!(!body.contains("\"d\""), "{body}");
}
