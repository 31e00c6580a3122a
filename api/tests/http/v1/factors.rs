//! Second factors: enrolled, asked for at every way in, used once, removed, and lost.

use std::time::Duration;

use password_auth_model::{Clock as _, EmailKind, SystemClock, totp_code, totp_step};
use password_auth_wire::ErrorCode;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::person::{V1, confirm_reset, login, request_reset, text};
use crate::support::{Engine, PASSWORD, Person, Reply, TestServer};

each_engine! {
    an_app_is_enrolled_by_its_first_code_and_asked_for_from_then_on,
    every_way_in_asks_for_the_factor_and_takes_it_at_once,
    a_code_is_good_once_even_if_it_comes_many_times_at_once,
    a_challenge_is_good_once_for_five_minutes_and_for_its_password,
    codes_of_the_neighbouring_steps_are_accepted_and_no_others,
    a_recovery_code_signs_in_once_and_a_new_set_voids_the_old,
    an_app_is_removed_with_password_and_code_and_not_replaced_without,
    tries_are_counted_by_account_whatever_challenge_they_come_with,
    who_knows_the_password_alone_keeps_the_owner_from_nothing_that_needs_it,
    only_the_right_password_tells_that_there_is_a_factor,
    a_reset_and_a_reactivation_do_not_get_around_the_factor,
    each_change_is_an_event_and_a_mail,
    a_session_proves_by_the_password_for_five_minutes,
    nobody_s_secrets_are_in_an_export,
}

/// An authenticator app.
pub struct App(Vec<u8>);

impl App {
    pub fn of(setup: &Value) -> Self {
        const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let secret = text(&setup["secret"]);
        assert_eq!(secret.len(), 32);
        let digits = secret.chars().map(|c| ALPHABET.find(c).expect("base32"));
        let bits: String = digits.map(|digit| format!("{digit:05b}")).collect();
        let bytes = bits.as_bytes().chunks_exact(8).map(|bits| {
            let bits = std::str::from_utf8(bits).expect("ASCII");
            u8::from_str_radix(bits, 2).expect("bits")
        });
        Self(bytes.collect())
    }

    /// The code that it shows.
    pub fn code_now(&self) -> String {
        let step = totp_step(SystemClock.now());
        format!("{:06}", totp_code(&self.0, step))
    }

    /// The code of the step that is `off` from the server's.
    pub fn code(&self, server: &TestServer, off: i64) -> String {
        let step = totp_step(server.clock.now()).saturating_add_signed(off);
        format!("{:06}", totp_code(&self.0, step))
    }
}

/// So that the next code is one that was not used.
pub async fn next_step(server: &TestServer) {
    server.advance(Duration::from_secs(60)).await;
}

/// Enrols an app; its recovery codes.
pub async fn enrol(server: &TestServer, person: &Person) -> (App, Vec<String>) {
    let body = json!({"password": PASSWORD});
    let setup = person.post("/auth/totp/setup", &body).await.expect_ok();
    let app = App::of(&setup.json());
    let body = json!({"code": app.code(server, 0)});
    let codes = person.post("/auth/totp/confirm", &body).await.expect_ok();
    next_step(server).await;
    let codes = codes.json()["recovery_codes"].clone();
    let codes = codes.as_array().expect("a list").iter().map(text);
    (app, codes.collect())
}

/// The first step: its challenge.
async fn challenged(person: &Person) -> String {
    let reply = login(&person.client, &person.name, PASSWORD).await;
    challenge(&reply)
}

fn challenge(reply: &Reply) -> String {
    let body = reply.expect_failure(401, ErrorCode::SecondFactorRequired);
    assert_eq!(body.methods[0], "totp");
    body.challenge.expect("a challenge").into_exposed()
}

async fn second_step(person: &Person, challenge: &str, code: &str) -> Reply {
    let body = json!({"challenge": challenge, "code": code});
    let path = format!("{V1}/auth/login/second-factor");
    person.client.post(&path, &body).await
}

async fn factors(person: &Person) -> Value {
    person.get("/auth/factors").await.expect_ok().json()
}

fn none() -> Value {
    json!({"totp": false, "recovery_codes_left": 0, "passkeys": []})
}

async fn an_app_is_enrolled_by_its_first_code_and_asked_for_from_then_on(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    assert_eq!(factors(&alice).await, none());
    let wrong = json!({"password": "a guess"});
    let refused = alice.post("/auth/totp/setup", &wrong).await;
    refused.expect_failure(400, ErrorCode::WrongPassword);
    let any = json!({"code": "123456"});
    let early = alice.post("/auth/totp/confirm", &any).await;
    early.expect_failure(400, ErrorCode::InvalidCode);

    let right = json!({"password": PASSWORD});
    let setup = alice.post("/auth/totp/setup", &right).await.expect_ok();
    assert_eq!(setup.header("cache-control"), "no-store");
    let setup = setup.json();
    let url = text(&setup["otpauth_url"]);
    assert!(url.starts_with("otpauth://totp/Password%20Auth:alice?secret="));
    assert!(url.contains(&text(&setup["secret"])));
    assert!(text(&setup["qr_svg"]).contains("<svg"));
    // The popup closes; nothing is asked for until the app has shown a code.
    login(&alice.client, "alice", PASSWORD).await.expect_ok();
    let app = App::of(&setup);
    let code = json!({"code": app.code(&server, 0)});
    let none = json!({"code": "abc"});
    let refused = alice.post("/auth/totp/confirm", &none).await;
    refused.expect_failure(400, ErrorCode::InvalidCode);
    server.advance(Duration::from_secs(600)).await;
    let late = json!({"code": app.code(&server, 0)});
    let late = alice.post("/auth/totp/confirm", &late).await;
    late.expect_failure(400, ErrorCode::InvalidCode);

    let (app, codes) = enrol(&server, &alice).await;
    assert_eq!(codes.len(), 10);
    let expected = json!({"totp": true, "recovery_codes_left": 10, "passkeys": []});
    assert_eq!(factors(&alice).await, expected);
    let again = alice.post("/auth/totp/confirm", &code).await;
    again.expect_failure(400, ErrorCode::InvalidCode);
    assert!(alice.is_let_in().await, "sessions stay");
    let challenge = challenged(&alice).await;
    let signed_in = second_step(&alice, &challenge, &app.code(&server, 0)).await;
    assert!(alice.with(signed_in).is_let_in().await);
}

async fn every_way_in_asks_for_the_factor_and_takes_it_at_once(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    let (app, _) = enrol(&server, &alice).await;
    let client = &alice.client;
    let json = async |path: &str, code: Option<&str>| {
        let mut body = json!({"username": "alice", "password": PASSWORD});
        if let Some(code) = code {
            body["code"] = code.into();
        }
        client.post(path, &body).await
    };
    let form = async |_: &str, code: Option<&str>| {
        let password = PASSWORD.replace(' ', "+");
        let code = code.map(|code| format!("&code={code}")).unwrap_or_default();
        let form = format!("grant_type=password&username=alice&password={password}{code}");
        let path = format!("{V1}/auth/login/form");
        let kind = "application/x-www-form-urlencoded";
        client.post_text(&path, kind, form).await
    };
    for path in ["/authenticate", "/api/v1/auth/login", "form"] {
        let ask = async |code: Option<&str>| match path {
            "form" => form(path, code).await,
            _ => json(path, code).await,
        };
        for nothing in [None, Some(""), Some("+ ")] {
            // In a form a plus is a blank.
            if nothing != Some("+ ") || path == "form" {
                let reply = ask(nothing.map(str::trim)).await;
                let code = app.code(&server, 0);
                let answered = second_step(&alice, &challenge(&reply), &code).await;
                assert!(alice.with(answered).is_let_in().await, "{path}");
                next_step(&server).await;
            }
        }
        let wrong = ask(Some("000000")).await;
        wrong.expect_failure(401, ErrorCode::InvalidCode);
        let pair = ask(Some(&app.code(&server, 0))).await.expect_ok();
        assert!(alice.with(pair).is_let_in().await, "{path}");
        next_step(&server).await;
    }
}

async fn a_code_is_good_once_even_if_it_comes_many_times_at_once(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    let (app, recovery_codes) = enrol(&server, &alice).await;
    for code in [app.code(&server, 0), recovery_codes[0].clone()] {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (alice, code) = (alice.clone(), code.clone());
            tasks.spawn(async move {
                let challenge = challenged(&alice).await;
                second_step(&alice, &challenge, &code).await.status
            });
        }
        let mut statuses = tasks.join_all().await;
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401, 401, 401, 401, 401, 401, 401]);
    }
    // Nor is an older one good after a newer one.
    let challenge = challenged(&alice).await;
    let older = second_step(&alice, &challenge, &app.code(&server, -1)).await;
    older.expect_failure(401, ErrorCode::InvalidCode);
}

async fn a_challenge_is_good_once_for_five_minutes_and_for_its_password(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    let (app, recovery_codes) = enrol(&server, &alice).await;
    let expired = |reply: Reply| {
        reply.expect_failure(401, ErrorCode::ChallengeExpired);
    };
    let code = || app.code(&server, 0);
    // A wrong code leaves it good; a good one does not.
    let used = challenged(&alice).await;
    let wrong = second_step(&alice, &used, "000000").await;
    wrong.expect_failure(401, ErrorCode::InvalidCode);
    second_step(&alice, &used, &code()).await.expect_ok();
    next_step(&server).await;
    expired(second_step(&alice, &used, &code()).await);
    expired(second_step(&alice, &used, &recovery_codes[0]).await);
    let late = challenged(&alice).await;
    server.advance(Duration::from_secs(300)).await;
    expired(second_step(&alice, &late, &code()).await);
    for forged in [
        "",
        "AQEB",
        &alice.access,
        &alice.refresh,
        &format!("{late}A"),
    ] {
        expired(second_step(&alice, forged, &code()).await);
    }
    let before = challenged(&alice).await;
    let body = json!({"current_password": PASSWORD, "new_password": "staple of another kind"});
    let alice = alice.with(alice.post("/auth/password/change", &body).await);
    expired(second_step(&alice, &before, &code()).await);
    // And the code was not spent on any of them.
    let reply = login(&alice.client, "alice", "staple of another kind").await;
    let signed_in = second_step(&alice, &challenge(&reply), &code()).await;
    let alice = alice.with(signed_in);
    assert_eq!(factors(&alice).await["recovery_codes_left"], 10);
}

async fn codes_of_the_neighbouring_steps_are_accepted_and_no_others(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    let (app, _) = enrol(&server, &alice).await;
    server.advance(Duration::from_secs(300)).await;
    for (off, status) in [(-2, 401), (2, 401), (-1, 200), (0, 200), (1, 200), (1, 401)] {
        let challenge = challenged(&alice).await;
        let reply = second_step(&alice, &challenge, &app.code(&server, off)).await;
        assert_eq!(reply.status, status, "{off}: {reply:?}");
    }
}

async fn a_recovery_code_signs_in_once_and_a_new_set_voids_the_old(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    let (app, old) = enrol(&server, &alice).await;
    let typed = old[0].to_uppercase().replace('-', " ");
    let signed_in = second_step(&alice, &challenged(&alice).await, &typed).await;
    assert!(alice.with(signed_in).is_let_in().await);
    let again = second_step(&alice, &challenged(&alice).await, &old[0]).await;
    again.expect_failure(401, ErrorCode::InvalidCode);
    assert_eq!(factors(&alice).await["recovery_codes_left"], 9);
    let body = json!({"password": PASSWORD, "code": "000000"});
    let refused = alice.post("/auth/recovery-codes", &body).await;
    refused.expect_failure(400, ErrorCode::InvalidCode);
    let body = json!({"password": PASSWORD, "code": app.code(&server, 0)});
    let new = alice.post("/auth/recovery-codes", &body).await.expect_ok();
    let new = new.json()["recovery_codes"].clone();
    assert_eq!(new.as_array().expect("a list").len(), 10);
    for (code, status) in [(&old[1], 401), (&text(&new[9]), 200)] {
        let reply = second_step(&alice, &challenged(&alice).await, code).await;
        assert_eq!(reply.status, status, "{reply:?}");
    }
    // Of another user, the same code is worth nothing.
    let bob = Person::sign_up(&server, "bob").await;
    enrol(&server, &bob).await;
    let reply = second_step(&bob, &challenged(&bob).await, &text(&new[8])).await;
    reply.expect_failure(401, ErrorCode::InvalidCode);
}

async fn an_app_is_removed_with_password_and_code_and_not_replaced_without(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    let (app, recovery_codes) = enrol(&server, &alice).await;
    let remove = async |password: &str, code: &str| {
        let body = json!({"password": password, "code": code});
        alice.tell(Method::DELETE, "/auth/totp", &body).await
    };
    let code = app.code(&server, 0);
    let body = json!({"password": PASSWORD});
    let again = alice.post("/auth/totp/setup", &body).await;
    again.expect_failure(409, ErrorCode::FactorExists);
    let refused = remove("a guess", &code).await;
    refused.expect_failure(400, ErrorCode::WrongPassword);
    for wrong in ["", "000000", "abcd-abcd-abcd-abcd"] {
        let refused = remove(PASSWORD, wrong).await;
        refused.expect_failure(400, ErrorCode::InvalidCode);
    }
    remove(PASSWORD, &code).await.expect_status(204);
    assert_eq!(factors(&alice).await, none());
    login(&alice.client, "alice", PASSWORD).await.expect_ok();
    // Whoever lost the app removes it with a recovery code.
    let refused = remove(PASSWORD, &recovery_codes[0]).await;
    refused.expect_failure(400, ErrorCode::InvalidCode);
    let (_, recovery_codes) = enrol(&server, &alice).await;
    remove(PASSWORD, &recovery_codes[9])
        .await
        .expect_status(204);
    assert_eq!(factors(&alice).await, none());
}

async fn tries_are_counted_by_account_whatever_challenge_they_come_with(engine: Engine) {
    let builder = TestServer::builder().engine(engine);
    let server = builder.setting("LOGIN_RATE", "60/second").start().await;
    let [alice, bob] = [
        Person::sign_up(&server, "alice").await,
        Person::sign_up(&server, "bob").await,
    ];
    let (app, _) = enrol(&server, &alice).await;
    let (bob_app, _) = enrol(&server, &bob).await;
    let mut tried = 0;
    let refused = loop {
        let challenge = challenged(&alice).await;
        let reply = second_step(&alice, &challenge, "000000").await;
        if reply.status == 429 {
            break reply;
        }
        reply.expect_failure(401, ErrorCode::InvalidCode);
        tried += 1;
    };
    assert_eq!(tried, 20, "in an hour");
    assert!(!refused.header("retry-after").is_empty());
    // The right one waits too; and another's account does not.
    let body = json!({"username": "alice", "password": PASSWORD, "code": app.code(&server, 0)});
    let right = alice.client.post("/authenticate", &body).await;
    right.expect_failure(429, ErrorCode::TooManyAttempts);
    let challenge = challenged(&bob).await;
    let other = second_step(&bob, &challenge, &bob_app.code(&server, 0)).await;
    other.expect_ok();
    // Nobody is locked out for good.
    server.advance(Duration::from_secs(180)).await;
    let challenge = challenged(&alice).await;
    let waited = second_step(&alice, &challenge, &app.code(&server, 0)).await;
    waited.expect_ok();
}

async fn who_knows_the_password_alone_keeps_the_owner_from_nothing_that_needs_it(engine: Engine) {
    let builder = TestServer::builder().engine(engine);
    let server = builder.setting("ACCOUNT_RATE", "10/hour").start().await;
    let alice = Person::sign_up(&server, "alice").await;
    enrol(&server, &alice).await;
    let challenge = challenged(&alice).await;
    let mut tried = 0;
    while second_step(&alice, &challenge, "000000").await.status != 429 {
        tried += 1;
    }
    assert_eq!(tried, 10, "each adds an event");
    challenged(&alice).await;
    let body = json!({"current_password": PASSWORD, "new_password": "the thief knows not"});
    let changed = alice.post("/auth/password/change", &body).await;
    changed.expect_ok();
}

async fn only_the_right_password_tells_that_there_is_a_factor(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let [alice, bob] = [
        Person::sign_up(&server, "alice").await,
        Person::sign_up(&server, "bob").await,
    ];
    let (app, _) = enrol(&server, &alice).await;
    let without = login(&bob.client, "bob", "a guess").await;
    for code in [None, Some("000000".to_owned()), Some(app.code(&server, 0))] {
        let mut body = json!({"username": "alice", "password": "a guess"});
        if let Some(code) = code {
            body["code"] = code.into();
        }
        let reply = alice.client.post(&format!("{V1}/auth/login"), &body).await;
        reply.expect_failure(401, ErrorCode::InvalidCredentials);
        assert_eq!(reply.text, without.text);
    }
    // A code beside a wrong password is not spent.
    let body = json!({"username": "alice", "password": PASSWORD, "code": app.code(&server, 0)});
    let path = format!("{V1}/auth/login");
    alice.client.post(&path, &body).await.expect_ok();
    // One that nobody asked for harms nobody.
    let body = json!({"username": "bob", "password": PASSWORD, "code": "123456"});
    bob.client.post(&path, &body).await.expect_ok();
}

async fn a_reset_and_a_reactivation_do_not_get_around_the_factor(engine: Engine) {
    const NEW: &str = "staple of another kind";
    let server = TestServer::start_on(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    let (app, _) = enrol(&server, &alice).await;
    let mailed = request_reset(&alice.client, &alice.email()).await;
    let token = mailed.dev_token();
    confirm_reset(&alice.client, &token, NEW).await.expect_ok();
    let reply = login(&alice.client, "alice", NEW).await;
    let signed_in = second_step(&alice, &challenge(&reply), &app.code(&server, 0)).await;
    let alice = alice.with(signed_in);
    next_step(&server).await;

    // A challenge for signing in does not reactivate.
    let to_sign_in = challenge(&login(&alice.client, "alice", NEW).await);
    let path = "/users/me/deactivate";
    alice.ask(Method::PUT, path).await.expect_ok();
    let refused = second_step(&alice, &to_sign_in, &app.code(&server, 0)).await;
    refused.expect_failure(403, ErrorCode::AccountDisabled);
    let refused = login(&alice.client, "alice", NEW).await;
    refused.expect_failure(403, ErrorCode::AccountDisabled);
    let body = json!({"username": "alice", "password": NEW});
    let path = format!("{V1}/auth/reactivate");
    let to_reactivate = challenge(&alice.client.post(&path, &body).await);
    assert!(!server.user("alice").await.is_active, "not by the password");
    let wrong = second_step(&alice, &to_reactivate, "000000").await;
    wrong.expect_failure(401, ErrorCode::InvalidCode);
    assert!(!server.user("alice").await.is_active);
    let active = second_step(&alice, &to_reactivate, &app.code(&server, 0)).await;
    assert!(alice.with(active).is_let_in().await);
}

async fn each_change_is_an_event_and_a_mail(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    alice.verify().await;
    let mails = async || {
        let now = server.clock.now();
        let mut kinds = Vec::new();
        let until = now.plus(Duration::from_secs(100_000));
        while let Some(mail) = server.store.claim_email(now, until).await.expect("answers") {
            kinds.push(mail.kind);
        }
        kinds
    };
    mails().await;
    let (app, codes) = enrol(&server, &alice).await;
    assert_eq!(mails().await, [EmailKind::FactorAdded]);
    let wrong = second_step(&alice, &challenged(&alice).await, "000000").await;
    wrong.expect_status(401);
    second_step(&alice, &challenged(&alice).await, &codes[0])
        .await
        .expect_ok();
    assert_eq!(mails().await, [EmailKind::RecoveryCodeUsed]);
    let body = json!({"password": PASSWORD, "code": app.code(&server, 0)});
    alice.post("/auth/recovery-codes", &body).await.expect_ok();
    assert_eq!(mails().await, [EmailKind::RecoveryCodesReplaced]);
    next_step(&server).await;
    let body = json!({"password": PASSWORD, "code": app.code(&server, 0)});
    let removed = alice.tell(Method::DELETE, "/auth/totp", &body).await;
    removed.expect_status(204);
    assert_eq!(mails().await, [EmailKind::FactorRemoved]);
    let events = alice.get("/users/me/events?limit=100").await.json();
    let events: Vec<String> = events
        .as_array()
        .expect("a list")
        .iter()
        .map(|event| text(&event["what"]))
        .collect();
    for what in [
        "totp_enabled",
        "second_factor_failed",
        "recovery_code_used",
        "recovery_codes_replaced",
        "totp_disabled",
    ] {
        assert_eq!(
            events.iter().filter(|event| *event == what).count(),
            1,
            "{what}"
        );
    }
}

async fn a_session_proves_by_the_password_for_five_minutes(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    let phone = alice.once_more().await;
    let export = async |person: &Person| person.get("/users/me/export").await;
    let required = |reply: Reply| {
        reply.expect_failure(403, ErrorCode::ProofRequired);
    };
    required(export(&alice).await);
    let wrong = json!({"password": "a guess"});
    let refused = alice.post("/auth/proof", &wrong).await;
    refused.expect_failure(400, ErrorCode::WrongPassword);
    required(export(&alice).await);
    alice.prove().await;
    export(&alice).await.expect_ok();
    required(export(&phone).await);
    server.advance(Duration::from_secs(299)).await;
    export(&alice).await.expect_ok();
    server.advance(Duration::from_secs(1)).await;
    required(export(&alice).await);
    // A changed password ends it.
    alice.prove().await;
    let body = json!({"current_password": PASSWORD, "new_password": "staple of another kind"});
    let alice = alice.with(alice.post("/auth/password/change", &body).await);
    required(export(&alice).await);
}

async fn nobody_s_secrets_are_in_an_export(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    let (_, codes) = enrol(&server, &alice).await;
    alice.prove().await;
    let export = alice.get("/users/me/export").await.expect_ok();
    let expected = json!({"totp": true, "recovery_codes_left": 10, "passkeys": []});
    assert_eq!(export.json()["factors"], expected);
    let kept = server
        .store
        .factors(alice.user_id())
        .await
        .expect("answers");
    let sealed = kept.totp.expect("an app").secret.to_text();
    for secret in codes.iter().chain([&sealed]) {
        assert!(!export.text.contains(secret.as_str()));
    }
}
