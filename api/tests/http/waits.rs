//! Whoever goes on failing waits twice as long each time, by address and by account. It is forgiven, forgotten, and keeps no
//! owner out.

use std::time::Duration;

use password_auth_wire::ErrorCode;
use reqwest::Method;
use serde_json::json;

use crate::support::{Engine, PASSWORD, Person, Reply, TestClient, TestServer};
use crate::throttle::{limited, post_from, send_from};

each_engine! {
    waits_at_an_account_double_from_however_many_addresses_and_are_told_in_both_dialects,
    waits_at_an_address_double_whatever_names_it_tries,
    a_client_that_asks_again_too_early_waits_no_longer_for_it,
    a_success_makes_waits_as_short_as_at_first_at_its_own_account_alone,
    a_success_at_an_address_that_several_have_forgives_nothing,
    what_has_grown_is_forgotten_in_some_hours,
    guessing_slowly_becomes_slower,
    failures_at_the_owner_s_own_address_keep_nobody_out_who_is_known_there,
    a_right_password_in_a_session_makes_its_waits_short_again,
}

const LOGIN: &str = "/api/v1/auth/login";

/// A wrong password, which is refused as such.
async fn fails(client: &TestClient, address: &str, name: &str) {
    post_from(client, address, "/authenticate", name, "a wrong one")
        .await
        .expect_failure(401, ErrorCode::InvalidCredentials);
}

/// How long the right password has to wait, in seconds.
async fn wait(client: &TestClient, address: &str, path: &str, name: &str) -> u64 {
    let reply = post_from(client, address, path, name, PASSWORD).await;
    seconds(&reply)
}

fn seconds(refused: &Reply) -> u64 {
    refused.expect_failure(429, ErrorCode::TooManyAttempts);
    refused.header("retry-after").parse().expect("seconds")
}

async fn advance(server: &TestServer, seconds: u64) {
    server.advance(Duration::from_secs(seconds)).await;
}

async fn waits_at_an_account_double_from_however_many_addresses_and_are_told_in_both_dialects(
    engine: Engine,
) {
    let server = limited(engine).await;
    let client = server.client();
    client.register("alice").await.expect_ok();
    let mut addresses = (1..).map(|number| format!("192.0.2.{number}"));
    let mut address = || addresses.next().expect("an address");
    // Of one that is not there, too.
    for name in ["alice", "nobody"] {
        for _ in 0..5 {
            fails(&client, &address(), name).await;
        }
        for doubled in [12, 24, 48, 96, 192, 384, 768, 768] {
            for path in ["/authenticate", LOGIN] {
                let told = wait(&client, &address(), path, name).await;
                assert_eq!(told, doubled, "{name} {path}");
            }
            advance(&server, doubled - 1).await;
            assert_eq!(wait(&client, &address(), LOGIN, name).await, 1);
            advance(&server, 1).await;
            fails(&client, &address(), name).await;
        }
    }
    // Others do not wait, and nobody for good.
    client.register("bob").await.expect_ok();
    post_from(&client, "198.51.100.1", "/authenticate", "bob", PASSWORD)
        .await
        .expect_ok();
    advance(&server, 900).await;
    post_from(&client, "198.51.100.1", "/authenticate", "alice", PASSWORD)
        .await
        .expect_ok();
}

async fn waits_at_an_address_double_whatever_names_it_tries(engine: Engine) {
    let server = limited(engine).await;
    let client = server.client();
    client.register("alice").await.expect_ok();
    let mut names = (0..).map(|number| format!("name {number}"));
    let mut name = || names.next().expect("a name");
    let guesser = "192.0.2.1";
    for _ in 0..5 {
        fails(&client, guesser, &name()).await;
    }
    for doubled in [12, 24, 48, 96] {
        for path in ["/authenticate", LOGIN] {
            assert_eq!(wait(&client, guesser, path, "alice").await, doubled);
        }
        // After a while, the address is over no plain limit any more.
        advance(&server, doubled - 1).await;
        assert_eq!(wait(&client, guesser, LOGIN, "alice").await, 1);
        advance(&server, 1).await;
        fails(&client, guesser, &name()).await;
    }
    post_from(&client, "192.0.2.2", "/authenticate", "alice", PASSWORD)
        .await
        .expect_ok();
}

async fn a_client_that_asks_again_too_early_waits_no_longer_for_it(engine: Engine) {
    let server = limited(engine).await;
    let client = server.client();
    client.register("alice").await.expect_ok();
    let home = "192.0.2.1";
    for _ in 0..5 {
        fails(&client, home, "alice").await;
    }
    advance(&server, 12).await;
    fails(&client, home, "alice").await;
    for left in (1..=24).rev() {
        assert_eq!(wait(&client, home, "/authenticate", "alice").await, left);
        advance(&server, 1).await;
    }
    post_from(&client, home, "/authenticate", "alice", PASSWORD)
        .await
        .expect_ok();
}

async fn a_success_makes_waits_as_short_as_at_first_at_its_own_account_alone(engine: Engine) {
    let server = limited(engine).await;
    let client = server.client();
    for name in ["alice", "mallory", "carol"] {
        client.register(name).await.expect_ok();
    }
    let home = "192.0.2.1";
    let fails_to = async |name: &str, longest: u64| {
        for _ in 0..5 {
            fails(&client, home, name).await;
        }
        let mut told = 12;
        while told < longest {
            advance(&server, told).await;
            fails(&client, home, name).await;
            told *= 2;
        }
        assert_eq!(wait(&client, home, "/authenticate", name).await, told);
        advance(&server, told).await;
    };
    fails_to("alice", 96).await;
    post_from(&client, home, "/authenticate", "alice", PASSWORD)
        .await
        .expect_ok();
    // From a new address, for the account's own count: the first five, and twelve seconds.
    advance(&server, 60).await;
    for number in 1..=5 {
        fails(&client, &format!("203.0.113.{number}"), "alice").await;
    }
    let told = wait(&client, "203.0.113.9", "/authenticate", "alice").await;
    assert_eq!(told, 12);
    // And for the address: carol is not known here.
    fails_to("carol", 12).await;
    // Whoever signs in to their own account between guesses at another is not forgiven those.
    advance(&server, 4 * 3600).await;
    fails_to("alice's friend", 96).await;
    post_from(&client, home, "/authenticate", "mallory", PASSWORD)
        .await
        .expect_ok();
    advance(&server, 60).await;
    fails(&client, home, "alice's friend").await;
    let told = wait(&client, home, "/authenticate", "carol").await;
    assert!(told > 96, "{told}");
    // A sign-in from where the owner is known does not forgive what strangers tried elsewhere.
    advance(&server, 4 * 3600).await;
    for number in 0..6 {
        fails(&client, &format!("198.51.100.{number}"), "mallory").await;
        if number >= 4 {
            advance(&server, 12).await;
        }
    }
    post_from(&client, home, "/authenticate", "mallory", PASSWORD)
        .await
        .expect_ok();
    let told = wait(&client, "203.0.113.77", "/authenticate", "mallory").await;
    assert_eq!(told, 12, "of the 24 that the sixth led to");
}

async fn a_success_at_an_address_that_several_have_forgives_nothing(engine: Engine) {
    let server = limited(engine).await;
    let client = server.client();
    let (address, own) = ("alice@example.org", "a password of mallory's");
    for (name, password) in [("alice", PASSWORD), ("mallory", own)] {
        let account = json!({"username": name, "password": password, "email": address});
        let registered = client.post("/api/v1/auth/register", &account).await;
        registered.expect_status(201);
    }
    let guesser = "192.0.2.1";
    for _ in 0..4 {
        post_from(&client, guesser, LOGIN, address, "a guess")
            .await
            .expect_status(401);
    }
    post_from(&client, guesser, LOGIN, address, own)
        .await
        .expect_ok();
    advance(&server, 60).await;
    for number in 0..5 {
        fails(&client, guesser, &format!("name {number}")).await;
    }
    assert_eq!(wait(&client, guesser, LOGIN, "nobody").await, 24);
}

async fn what_has_grown_is_forgotten_in_some_hours(engine: Engine) {
    let server = limited(engine).await;
    let client = server.client();
    client.register("alice").await.expect_ok();
    let (home, name) = ("192.0.2.1", "alice");
    for _ in 0..5 {
        fails(&client, home, name).await;
    }
    for doubled in [12, 24, 48, 96, 192] {
        advance(&server, doubled).await;
        fails(&client, home, name).await;
    }
    advance(&server, 3 * 3600).await;
    for _ in 0..5 {
        fails(&client, home, name).await;
    }
    assert_eq!(wait(&client, home, "/authenticate", name).await, 12);
}

async fn guessing_slowly_becomes_slower(engine: Engine) {
    let server = limited(engine).await;
    let client = server.client();
    client.register("alice").await.expect_ok();
    // As fast as the rate allows in the long run, and from many addresses.
    let mut allowed = 0;
    for number in 0..150 {
        let address = format!("192.0.2.{number}");
        let reply = post_from(&client, &address, "/authenticate", "alice", "a guess").await;
        allowed += usize::from(reply.status == 401);
        advance(&server, 12).await;
    }
    assert!(allowed < 30, "{allowed} of 150 in half an hour");
}

async fn failures_at_the_owner_s_own_address_keep_nobody_out_who_is_known_there(engine: Engine) {
    let server = limited(engine).await;
    let client = server.client();
    // Everybody behind one address.
    let office = "192.0.2.1";
    let alice = Person::sign_up(&server, "alice").await;
    post_from(&client, office, "/authenticate", "alice", PASSWORD)
        .await
        .expect_ok();
    advance(&server, 60).await;
    for number in 0..5 {
        fails(&client, office, &format!("guess {number}")).await;
    }
    for doubled in [12, 24, 48, 96] {
        advance(&server, doubled).await;
        fails(&client, office, "another guess").await;
    }
    // A stranger waits; the owner does not, and has the rate's wait after attempts of their own.
    assert_eq!(wait(&client, office, LOGIN, "nobody").await, 192);
    post_from(&client, office, LOGIN, "alice", PASSWORD)
        .await
        .expect_ok();
    for _ in 0..3 {
        fails(&client, office, "alice").await;
    }
    assert_eq!(wait(&client, office, LOGIN, "alice").await, 12);
    assert_eq!(wait(&client, office, LOGIN, "nobody").await, 192);
    advance(&server, 12).await;
    post_from(&client, office, LOGIN, "alice", PASSWORD)
        .await
        .expect_ok();
    assert_eq!(wait(&client, office, LOGIN, "nobody").await, 180);
    // Neither does who is signed in, from an address where they are not known.
    let cafe = "203.0.113.1";
    for number in 0..5 {
        fails(&client, cafe, &format!("guess {number}")).await;
    }
    for doubled in [12, 24, 48] {
        advance(&server, doubled).await;
        fails(&client, cafe, "another guess").await;
    }
    advance(&server, 12).await;
    let proof = json!({"password": PASSWORD});
    send_from(&alice, cafe, Method::POST, "/auth/proof", &proof)
        .await
        .expect_ok();
    // Now they are known there.
    advance(&server, 12).await;
    post_from(&client, cafe, LOGIN, "alice", PASSWORD)
        .await
        .expect_ok();
}

async fn a_right_password_in_a_session_makes_its_waits_short_again(engine: Engine) {
    let server = limited(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    let mut numbers = 1..;
    let mut prove = async |password: &str| {
        let address = format!("192.0.2.{}", numbers.next().expect("a number"));
        let proof = json!({"password": password});
        send_from(&alice, &address, Method::POST, "/auth/proof", &proof).await
    };
    for _ in 0..5 {
        prove("a wrong one").await.expect_status(400);
    }
    for doubled in [12, 24, 48] {
        assert_eq!(seconds(&prove(PASSWORD).await), doubled);
        advance(&server, doubled).await;
        prove("a wrong one").await.expect_status(400);
    }
    assert_eq!(seconds(&prove(PASSWORD).await), 96);
    advance(&server, 96).await;
    prove(PASSWORD).await.expect_ok();
    assert_eq!(seconds(&prove(PASSWORD).await), 12);
    let events = alice.get("/users/me/events?limit=100").await;
    let events = events.expect_ok().json();
    let is_failure = |event: &&serde_json::Value| event["what"] == "proof_failed";
    let failures = events.as_array().expect("a list").iter().filter(is_failure);
    assert_eq!(failures.count(), 8);
}
