//! Tries at second factors: who knows the password alone keeps the owner from nothing, and leaves a trace.

use std::time::Duration;

use password_auth_wire::ErrorCode;
use reqwest::Method;
use serde_json::{Value, json};

use super::factors::{enrol, next_step};
use crate::support::person::{V1, request_reset, text};
use crate::support::{Engine, PASSWORD, Person, Reply, TestServer};
use crate::throttle::send_from;

each_engine! {
    who_holds_the_codes_limit_does_not_keep_out_who_gave_a_factor_here_lately,
    who_holds_the_codes_limit_does_not_keep_out_a_session,
    to_read_the_user_s_mail_is_not_enough_to_be_known_for_codes,
    waits_for_codes_double_and_a_right_one_makes_them_short_again,
    the_right_password_without_its_factor_leaves_a_trace_once_an_hour_for_each_network,
    a_wrong_password_in_a_session_is_on_record_with_its_session,
}

const HOME: &str = "192.0.2.1";
const THIEF: &str = "198.51.100.1";

/// Behind a proxy, so that tests can come from any address.
async fn server(engine: Engine, login_rate: &str) -> TestServer {
    TestServer::builder()
        .engine(engine)
        .setting("LOGIN_RATE", login_rate)
        .setting("TRUSTED_PROXIES", "127.0.0.1")
        .start()
        .await
}

async fn sign_in(person: &Person, address: &str, code: Option<&str>) -> Reply {
    let mut body = json!({"username": person.name, "password": PASSWORD});
    if let Some(code) = code {
        body["code"] = code.into();
    }
    send_from(person, address, Method::POST, "/auth/login", &body).await
}

async fn challenged(person: &Person, address: &str) -> String {
    let reply = sign_in(person, address, None).await;
    let body = reply.expect_failure(401, ErrorCode::SecondFactorRequired);
    body.challenge.expect("a challenge").into_exposed()
}

async fn second_step(person: &Person, address: &str, challenge: &str, code: &str) -> Reply {
    let body = json!({"challenge": challenge, "code": code});
    let path = "/auth/login/second-factor";
    send_from(person, address, Method::POST, path, &body).await
}

/// Somebody who knows the password uses up the codes, and more. How many were tried.
async fn hold_the_limit(person: &Person) -> usize {
    let challenge = challenged(person, THIEF).await;
    let mut tried = 0;
    loop {
        let reply = second_step(person, THIEF, &challenge, "000000").await;
        if reply.status == 429 {
            return tried;
        }
        reply.expect_failure(401, ErrorCode::InvalidCode);
        tried += 1;
    }
}

async fn who_holds_the_codes_limit_does_not_keep_out_who_gave_a_factor_here_lately(engine: Engine) {
    let server = server(engine, "60/second").await;
    let alice = Person::sign_up(&server, "alice").await;
    let (app, recovery_codes) = enrol(&server, &alice).await;
    let code = app.code(&server, 0);
    sign_in(&alice, HOME, Some(&code)).await.expect_ok();
    next_step(&server).await;
    for _ in 0..5 {
        hold_the_limit(&alice).await;
        // From elsewhere, also the right one waits.
        let code = app.code(&server, 0);
        let elsewhere = sign_in(&alice, "203.0.113.1", Some(&code)).await;
        elsewhere.expect_failure(429, ErrorCode::TooManyAttempts);
        // At home, and where the app was enrolled, it does not: in one step, or in two.
        sign_in(&alice, HOME, Some(&code)).await.expect_ok();
        next_step(&server).await;
        let challenge = challenged(&alice, "127.0.0.1").await;
        let code = app.code(&server, 0);
        second_step(&alice, "127.0.0.1", &challenge, &code)
            .await
            .expect_ok();
        next_step(&server).await;
    }
    hold_the_limit(&alice).await;
    let challenge = challenged(&alice, HOME).await;
    second_step(&alice, HOME, &challenge, &recovery_codes[0])
        .await
        .expect_ok();
    // There, codes are guessed no faster than elsewhere.
    let mut tried = 0;
    while sign_in(&alice, HOME, Some("000000")).await.status != 429 {
        tried += 1;
    }
    assert!((5..=20).contains(&tried), "{tried}");
}

async fn who_holds_the_codes_limit_does_not_keep_out_a_session(engine: Engine) {
    let server = server(engine, "60/second").await;
    let alice = Person::sign_up(&server, "alice").await;
    let (app, _) = enrol(&server, &alice).await;
    assert_eq!(hold_the_limit(&alice).await, 20);
    let cafe = "203.0.113.1";
    let with_code = |code: &str| json!({"password": PASSWORD, "code": code});
    let path = "/auth/recovery-codes";
    for _ in 0..3 {
        let wrong = send_from(&alice, cafe, Method::POST, path, &with_code("000000")).await;
        wrong.expect_failure(400, ErrorCode::InvalidCode);
    }
    let right = with_code(&app.code(&server, 0));
    send_from(&alice, cafe, Method::POST, path, &right)
        .await
        .expect_ok();
    next_step(&server).await;
    // And from there on, at a sign-in from there.
    hold_the_limit(&alice).await;
    sign_in(&alice, cafe, Some(&app.code(&server, 0)))
        .await
        .expect_ok();
}

async fn to_read_the_user_s_mail_is_not_enough_to_be_known_for_codes(engine: Engine) {
    const NEW: &str = "staple of another kind";
    let server = server(engine, "60/second").await;
    let alice = Person::sign_up(&server, "alice").await;
    enrol(&server, &alice).await;
    hold_the_limit(&alice).await;
    let token = request_reset(&alice.client, &alice.email())
        .await
        .dev_token();
    let confirm = json!({"token": token, "new_password": NEW});
    let path = "/auth/password/reset/confirm";
    send_from(&alice, THIEF, Method::POST, path, &confirm)
        .await
        .expect_ok();
    let body = json!({"username": "alice", "password": NEW, "code": "000000"});
    send_from(&alice, THIEF, Method::POST, "/auth/login", &body)
        .await
        .expect_failure(429, ErrorCode::TooManyAttempts);
}

async fn waits_for_codes_double_and_a_right_one_makes_them_short_again(engine: Engine) {
    let server = server(engine, "5/minute").await;
    let alice = Person::sign_up(&server, "alice").await;
    let (app, _) = enrol(&server, &alice).await;
    let mut numbers = 1..;
    let mut address = || format!("203.0.113.{}", numbers.next().expect("a number"));
    let challenge = challenged(&alice, &address()).await;
    let fails = async |address: String| {
        second_step(&alice, &address, &challenge, "000000")
            .await
            .expect_failure(401, ErrorCode::InvalidCode);
    };
    for _ in 0..5 {
        fails(address()).await;
    }
    for doubled in [12, 24, 48] {
        let refused = second_step(&alice, &address(), &challenge, "000000").await;
        refused.expect_failure(429, ErrorCode::TooManyAttempts);
        assert_eq!(refused.header("retry-after"), doubled.to_string());
        server.advance(Duration::from_secs(doubled)).await;
        fails(address()).await;
    }
    server.advance(Duration::from_secs(96)).await;
    let right = second_step(&alice, &address(), &challenge, &app.code(&server, 0)).await;
    right.expect_ok();
    let challenge = challenged(&alice, &address()).await;
    let refused = second_step(&alice, &address(), &challenge, "000000").await;
    assert_eq!(refused.header("retry-after"), "12");
}

async fn events(person: &Person, what: &str) -> Vec<Value> {
    let events = person.get("/users/me/events?limit=100").await;
    let events = events.expect_ok().json();
    let events = events.as_array().expect("a list");
    let found = events.iter().filter(|event| event["what"] == what);
    found.cloned().collect()
}

async fn the_right_password_without_its_factor_leaves_a_trace_once_an_hour_for_each_network(
    engine: Engine,
) {
    const WHAT: &str = "second_factor_asked";
    let server = server(engine, "60/second").await;
    let alice = Person::sign_up(&server, "alice").await;
    // Nobody is asked who has none.
    alice.once_more().await;
    assert_eq!(events(&alice, WHAT).await, [] as [Value; 0]);
    let (app, _) = enrol(&server, &alice).await;
    for _ in 0..5 {
        challenged(&alice, THIEF).await;
    }
    let path = format!("{V1}/auth/login");
    let wrong = json!({"username": "alice", "password": "a guess"});
    alice.client.post(&path, &wrong).await.expect_status(401);
    let found = events(&alice, WHAT).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["address"], THIEF);
    // By every way in.
    let body = json!({"username": "alice", "password": PASSWORD});
    for (number, path) in [
        "/authenticate",
        "/api/v1/auth/login/form",
        "/api/v1/auth/reactivate",
    ]
    .into_iter()
    .enumerate()
    {
        let request = alice
            .client
            .request(Method::POST, path)
            .header("x-forwarded-for", format!("203.0.113.{number}"));
        let request = if path.ends_with("form") {
            request
                .header("content-type", crate::landing::FORM)
                .body(format!(
                    "username=alice&password={}",
                    PASSWORD.replace(' ', "+")
                ))
        } else {
            request.json(&body)
        };
        let reply = alice.client.send(request).await;
        reply.expect_failure(401, ErrorCode::SecondFactorRequired);
    }
    assert_eq!(events(&alice, WHAT).await.len(), 4);
    // With the code at once, nothing was asked for.
    sign_in(&alice, HOME, Some(&app.code(&server, 0)))
        .await
        .expect_ok();
    assert_eq!(events(&alice, WHAT).await.len(), 4);
    server.advance(Duration::from_secs(3600)).await;
    let alice_again = {
        let code = app.code(&server, 0);
        let reply = sign_in(&alice, HOME, Some(&code)).await;
        alice.with(reply)
    };
    challenged(&alice, THIEF).await;
    let latest = events(&alice_again, WHAT).await;
    assert_eq!(latest.len(), 5);
    assert_eq!(text(&latest[0]["address"]), THIEF);
}

async fn a_wrong_password_in_a_session_is_on_record_with_its_session(engine: Engine) {
    let server = server(engine, "60/second").await;
    let alice = Person::sign_up(&server, "alice").await;
    let session = alice.session().await;
    let password = json!({"password": "a guess"});
    let change = json!({"current_password": "a guess", "new_password": "staple of another kind"});
    let email = json!({"password": "a guess", "new_email": "other@example.org"});
    let ways = [
        (Method::POST, "/auth/proof", &password),
        (Method::POST, "/auth/password/change", &change),
        (Method::POST, "/auth/email/change", &email),
        (Method::POST, "/auth/totp/setup", &password),
        (Method::DELETE, "/users/me", &password),
    ];
    for (number, (method, path, body)) in ways.into_iter().enumerate() {
        let reply = send_from(&alice, THIEF, method, path, body).await;
        assert!((400..=403).contains(&reply.status), "{path}: {reply:?}");
        let found = events(&alice, "proof_failed").await;
        assert_eq!(found.len(), number + 1, "{path}");
        assert_eq!(found[0]["session_id"], session.as_str());
        assert_eq!(found[0]["address"], THIEF);
    }
    assert_eq!(events(&alice, "sign_in_failed").await, [] as [Value; 0]);
}
