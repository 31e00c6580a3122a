//! Guessing is slowed down by address and by account, and nobody is locked out.

use std::time::Duration;

use password_auth_wire::ErrorCode;
use reqwest::Method;
use serde_json::{Value, json};

use crate::mail::person;
use crate::support::person::{V1, email_of};
use crate::support::{Engine, PASSWORD, Person, Reply, TestClient, TestServer};

each_engine! {
    the_sixth_try_from_one_address_waits_whatever_names_it_tries,
    whoever_has_very_many_networks_of_ipv6_tries_as_often_as_a_few_clients,
    an_account_is_guessed_at_no_faster_with_many_addresses_also_one_that_is_not_there,
    a_stranger_who_uses_up_an_account_s_tries_does_not_keep_its_owner_out,
    a_stranger_s_tries_keep_nobody_who_is_signed_in_from_what_takes_the_password,
    whoever_has_reset_the_password_signs_in_whatever_strangers_try,
    a_stranger_who_uses_up_an_unverified_address_keeps_its_owner_out_of_nothing_at_home,
    tries_at_a_name_do_not_tell_whose_address_it_is,
    a_name_that_nobody_can_have_costs_what_any_other_does,
    a_forwarded_address_is_believed_from_a_trusted_proxy_only,
    registrations_from_one_address_are_counted_and_mistakes_are_not,
    refreshing_and_what_is_protected_are_not_throttled,
}

/// A server behind a proxy, so that tests can come from any address. Hashing stays cheap.
pub async fn limited(engine: Engine) -> TestServer {
    TestServer::builder()
        .engine(engine)
        .setting("LOGIN_RATE", "5/minute")
        .setting("REGISTER_RATE", "20/minute")
        .setting("TRUSTED_PROXIES", "127.0.0.1")
        .start()
        .await
}

pub async fn post_from(
    client: &TestClient,
    address: &str,
    path: &str,
    username: &str,
    password: &str,
) -> Reply {
    let request = client
        .request(Method::POST, path)
        .header("x-forwarded-for", address)
        .json(&json!({"username": username, "password": password}));
    client.send(request).await
}

async fn the_sixth_try_from_one_address_waits_whatever_names_it_tries(engine: Engine) {
    let server = limited(engine).await;
    let client = server.client();
    client.register("alice").await.expect_ok();
    for number in 0..5 {
        post_from(
            &client,
            "192.0.2.1",
            "/authenticate",
            &format!("user{number}"),
            "wrong password",
        )
        .await
        .expect_failure(401, ErrorCode::InvalidCredentials);
    }
    let reply = post_from(&client, "192.0.2.1", "/authenticate", "alice", PASSWORD).await;
    reply.expect_failure(429, ErrorCode::TooManyAttempts);
    assert_eq!(reply.header("retry-after"), "12");
    post_from(&client, "192.0.2.2", "/authenticate", "alice", PASSWORD)
        .await
        .expect_ok();
    server.advance(Duration::from_secs(12)).await;
    post_from(&client, "192.0.2.1", "/authenticate", "alice", PASSWORD)
        .await
        .expect_ok();
}

async fn whoever_has_very_many_networks_of_ipv6_tries_as_often_as_a_few_clients(engine: Engine) {
    let server = limited(engine).await;
    let client = server.client();
    let mut names = 0..;
    let mut tries = async |addresses: Vec<String>| {
        let mut allowed = 0;
        for address in addresses {
            let name = format!("user{}", names.next().expect("a number"));
            let reply = post_from(&client, &address, "/authenticate", &name, "a guess").await;
            allowed += usize::from(reply.status == 401);
        }
        allowed
    };
    let of_56 = (0..30).map(|n| format!("2001:db8:0:1{n:02x}::1"));
    assert_eq!(tries(of_56.collect()).await, 4 * 5);
    let of_48 = (0..100).map(|n| format!("2001:db8:0:{:x}{:02x}::1", 2 + n % 8, n));
    assert_eq!(tries(of_48.collect()).await, 12 * 5);
    let others = (0..5).map(|n| format!("2001:db8:1:{n}::1"));
    assert_eq!(tries(others.collect()).await, 5);
}

async fn an_account_is_guessed_at_no_faster_with_many_addresses_also_one_that_is_not_there(
    engine: Engine,
) {
    let server = limited(engine).await;
    let client = server.client();
    client.register("alice").await.expect_ok();
    for name in ["alice", "nobody"] {
        let mut replies = Vec::new();
        for number in 1..=6 {
            // Spellings of one name are one account.
            let name = if number % 2 == 0 {
                name.to_uppercase()
            } else {
                format!(" {name}")
            };
            let address = format!("192.0.2.{number}");
            let reply =
                post_from(&client, &address, "/authenticate", &name, "wrong password").await;
            replies.push(reply.status);
        }
        assert_eq!(replies, [401, 401, 401, 401, 401, 429], "{name}");
    }
    server.advance(Duration::from_secs(12)).await;
    post_from(&client, "198.51.100.1", "/authenticate", "alice", PASSWORD)
        .await
        .expect_ok();
}

async fn a_stranger_who_uses_up_an_account_s_tries_does_not_keep_its_owner_out(engine: Engine) {
    let server = limited(engine).await;
    let client = server.client();
    client.register("alice").await.expect_ok();
    let (home, stranger) = ("192.0.2.1", "198.51.100.1");
    post_from(&client, home, "/authenticate", "alice", PASSWORD)
        .await
        .expect_ok();
    for _ in 0..20 {
        server.advance(Duration::from_secs(12)).await;
        for _ in 0..6 {
            post_from(
                &client,
                stranger,
                "/authenticate",
                "alice",
                "wrong password",
            )
            .await;
        }
        post_from(&client, stranger, "/authenticate", "alice", PASSWORD)
            .await
            .expect_failure(429, ErrorCode::TooManyAttempts);
        post_from(&client, home, "/authenticate", "Alice", PASSWORD)
            .await
            .expect_ok();
    }
    // The owner's network may guess no faster than any other.
    for _ in 0..5 {
        post_from(&client, home, "/authenticate", "alice", "wrong password").await;
    }
    post_from(&client, home, "/authenticate", "alice", PASSWORD)
        .await
        .expect_failure(429, ErrorCode::TooManyAttempts);
}

async fn use_up(client: &TestClient, name: &str) {
    for _ in 0..6 {
        post_from(client, "198.51.100.1", "/authenticate", name, "a wrong one").await;
    }
    post_from(client, "198.51.100.2", "/authenticate", name, PASSWORD)
        .await
        .expect_failure(429, ErrorCode::TooManyAttempts);
}

pub async fn send_from(
    person: &Person,
    address: &str,
    method: Method,
    path: &str,
    body: &Value,
) -> Reply {
    let request = person
        .client
        .request(method, &format!("{V1}{path}"))
        .header("x-forwarded-for", address)
        .bearer_auth(&person.access)
        .json(body);
    person.client.send(request).await
}

async fn a_stranger_s_tries_keep_nobody_who_is_signed_in_from_what_takes_the_password(
    engine: Engine,
) {
    let server = limited(engine).await;
    let client = server.client();
    // Signed in by one network, and by another now.
    let alice = Person::sign_up(&server, "alice").await;
    use_up(&client, "alice").await;
    let elsewhere = "203.0.113.7";
    let change = json!({"password": PASSWORD, "new_email": "other@example.org"});
    send_from(
        &alice,
        elsewhere,
        Method::POST,
        "/auth/email/change",
        &change,
    )
    .await
    .expect_ok();
    // Whoever has shown the password there signs in there, too.
    use_up(&client, "alice").await;
    post_from(&client, elsewhere, "/authenticate", "alice", PASSWORD)
        .await
        .expect_ok();
    let new = "another-good-passphrase";
    let change = json!({"current_password": PASSWORD, "new_password": new});
    let changed = send_from(
        &alice,
        "203.0.113.8",
        Method::POST,
        "/auth/password/change",
        &change,
    )
    .await;
    let alice = alice.with(changed);
    server.advance(Duration::from_secs(60)).await;
    // Guessing by a stolen token is slow, from however many addresses, and keeps no other sign-in from it.
    let mut statuses = Vec::new();
    for number in 0..6 {
        let wrong = json!({"password": "a wrong one"});
        let from = format!("198.51.100.{}", 10 + number);
        let reply = send_from(&alice, &from, Method::DELETE, "/users/me", &wrong).await;
        statuses.push(reply.status);
    }
    assert_eq!(statuses[5], 429, "{statuses:?}");
    assert!(
        statuses[..5].iter().all(|status| *status != 429),
        "{statuses:?}"
    );
    let again = post_from(&client, elsewhere, "/api/v1/auth/login", "alice", new).await;
    let again = alice.with(again);
    let leave = json!({"password": new});
    send_from(&again, "203.0.113.9", Method::DELETE, "/users/me", &leave)
        .await
        .expect_status(204);
}

async fn whoever_has_reset_the_password_signs_in_whatever_strangers_try(engine: Engine) {
    let server = limited(engine).await;
    let client = server.client();
    let alice = Person::sign_up(&server, "alice").await;
    let home = "203.0.113.7";
    let ask = json!({"email": alice.email()});
    let asked = send_from(
        &alice,
        home,
        Method::POST,
        "/auth/password/reset/request",
        &ask,
    )
    .await;
    let token = asked.expect_ok().dev_token();
    let new = "another-good-passphrase";
    let confirm = json!({"token": token, "new_password": new});
    use_up(&client, "alice").await;
    send_from(
        &alice,
        home,
        Method::POST,
        "/auth/password/reset/confirm",
        &confirm,
    )
    .await
    .expect_ok();
    post_from(&client, home, "/authenticate", "alice", new)
        .await
        .expect_ok();
}

async fn a_stranger_who_uses_up_an_unverified_address_keeps_its_owner_out_of_nothing_at_home(
    engine: Engine,
) {
    let server = limited(engine).await;
    let client = server.client();
    let path = &format!("{V1}/auth/login");
    let address = &email_of("alice");
    Person::sign_up(&server, "alice").await;
    let (home, elsewhere, mallorys) = ("192.0.2.1", "203.0.113.1", "198.51.100.99");
    post_from(&client, home, path, "alice", PASSWORD)
        .await
        .expect_ok();
    // Somebody else gives the address, and signs in by it, too.
    let mallory =
        json!({"username": "mallory", "email": address, "password": "mallory's password"});
    client
        .post(&format!("{V1}/auth/register"), &mallory)
        .await
        .expect_status(201);
    post_from(&client, mallorys, path, address, "mallory's password")
        .await
        .expect_ok();
    server.advance(Duration::from_secs(60)).await;
    for number in 1..=6 {
        let from = format!("198.51.100.{number}");
        post_from(&client, &from, path, address, "a wrong one").await;
    }
    post_from(&client, home, path, address, PASSWORD)
        .await
        .expect_ok();
    // Nobody else is let in, and a right guess looks like a wrong one, also to whoever has an account with it.
    for from in [elsewhere, mallorys] {
        for guess in ["a wrong one", PASSWORD] {
            post_from(&client, from, path, address, guess)
                .await
                .expect_failure(429, ErrorCode::TooManyAttempts);
        }
    }
    post_from(&client, mallorys, path, address, "mallory's password")
        .await
        .expect_ok();
    // At home, guesses are slow all the same.
    for _ in 0..4 {
        post_from(&client, home, path, address, "a wrong one").await;
    }
    post_from(&client, home, path, address, PASSWORD)
        .await
        .expect_failure(429, ErrorCode::TooManyAttempts);
}

/// A stranger who uses up a name's tries learns nothing about an address, nor the other way round.
async fn tries_at_a_name_do_not_tell_whose_address_it_is(engine: Engine) {
    let server = limited(engine).await;
    let client = server.client();
    let path = &format!("{V1}/auth/login");
    let used_up = async |what: &str, network: &str| {
        for number in 1..=5 {
            let from = format!("{network}.{number}");
            post_from(&client, &from, path, what, "wrong password")
                .await
                .expect_status(401);
        }
        post_from(
            &client,
            &format!("{network}.9"),
            path,
            what,
            "wrong password",
        )
        .await
        .expect_status(429);
    };
    person(&server, "alice", &email_of("alice")).await;
    let bob = json!({"username": "bob", "email": email_of("bob"), "password": PASSWORD});
    client
        .post(&format!("{V1}/auth/register"), &bob)
        .await
        .expect_status(201);
    for (number, name) in ["alice", "bob", "nobody"].into_iter().enumerate() {
        used_up(name, &format!("192.0.{number}")).await;
        used_up(&email_of(name), &format!("198.51.{number}")).await;
    }
    // Whoever has verified the address gets in by it from where they signed in before.
    post_from(&client, "203.0.113.1", path, "alice", PASSWORD)
        .await
        .expect_status(429);
    server.advance(Duration::from_secs(60)).await;
    post_from(&client, "203.0.113.1", path, "alice", PASSWORD)
        .await
        .expect_ok();
    used_up(&email_of("alice"), "198.51.7").await;
    post_from(&client, "203.0.113.1", path, &email_of("alice"), PASSWORD)
        .await
        .expect_ok();
}

async fn a_name_that_nobody_can_have_costs_what_any_other_does(engine: Engine) {
    let server = limited(engine).await;
    let name = "\u{FDFA}".repeat(10_000);
    server
        .client()
        .authenticate(&name, PASSWORD)
        .await
        .expect_failure(401, ErrorCode::InvalidCredentials);
}

#[tokio::test]
async fn an_account_s_count_survives_a_restart() {
    let server = limited(Engine::Sled).await;
    let client = server.client();
    for number in 0..5 {
        post_from(
            &client,
            &format!("192.0.2.{number}"),
            "/authenticate",
            "alice",
            "wrong password",
        )
        .await;
    }
    let folder = server.stop().await;
    let server = TestServer::builder()
        .setting("LOGIN_RATE", "5/minute")
        .setting("TRUSTED_PROXIES", "127.0.0.1")
        .start_in(folder)
        .await;
    post_from(
        &server.client(),
        "192.0.2.77",
        "/authenticate",
        "alice",
        PASSWORD,
    )
    .await
    .expect_failure(429, ErrorCode::TooManyAttempts);
}

async fn a_forwarded_address_is_believed_from_a_trusted_proxy_only(engine: Engine) {
    let server = TestServer::builder()
        .engine(engine)
        .setting("LOGIN_RATE", "5/minute")
        .start()
        .await;
    let client = server.client();
    let mut statuses = Vec::new();
    for number in 0..6 {
        let address = format!("192.0.2.{number}");
        let name = format!("user{number}");
        statuses.push(
            post_from(&client, &address, "/authenticate", &name, "wrong password")
                .await
                .status,
        );
    }
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429]);
}

async fn registrations_from_one_address_are_counted_and_mistakes_are_not(engine: Engine) {
    let server = limited(engine).await;
    let client = server.client();
    for _ in 0..30 {
        post_from(&client, "192.0.2.1", "/register", "alice", "short")
            .await
            .expect_failure(422, ErrorCode::ValidationFailed);
    }
    for number in 0..20 {
        post_from(
            &client,
            "192.0.2.1",
            "/register",
            &format!("user{number}"),
            PASSWORD,
        )
        .await
        .expect_ok();
    }
    post_from(&client, "192.0.2.1", "/register", "one too many", PASSWORD)
        .await
        .expect_failure(429, ErrorCode::TooManyAttempts);
}

async fn refreshing_and_what_is_protected_are_not_throttled(engine: Engine) {
    let server = limited(engine).await;
    let client = server.client();
    let mut tokens = client.sign_up("alice").await;
    for _ in 0..50 {
        tokens = client.refresh(tokens.refresh_token.expose()).await.tokens();
        client.protected(&tokens).await.expect_ok();
    }
}
