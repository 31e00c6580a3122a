//! Input: names, passwords, and bodies in all forms that standards allow.

use password_auth_core::passwords::{ScryptParams, hash};
use password_auth_model::{Clock as _, Purpose, User, Username};
use password_auth_wire::ErrorCode;
use reqwest::Method;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::json;

use crate::landing::FORM;
use crate::mail::{ADDRESS, address, person, token_for};
use crate::support::person::{V1, confirm_reset, login};
use crate::support::{Engine, PASSWORD, Person, TestServer};

each_engine! {
    every_emoji_and_what_spelling_needs_is_a_name,
    a_blank_full_name_is_none_whoever_gives_it,
    a_password_is_one_in_every_spelling_of_its_letters,
}

const NFC: &str = "p\u{E4}ssw\u{F6}rter";
const NFD: &str = "pa\u{308}sswo\u{308}rter";

async fn every_emoji_and_what_spelling_needs_is_a_name(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    for name in [
        "🏳️\u{200D}🌈",
        "#️⃣",
        "🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}",
        "👁️\u{200D}🗨️",
        "❤️",
        "⭐️",
        "శ్రీనివాస్\u{200C}",
        "രാജന്\u{200D}",
        "می\u{200C}خواهم",
    ] {
        let body = json!({"username": name, "password": PASSWORD, "full_name": name});
        let reply = server
            .client()
            .post(&format!("{V1}/auth/register"), &body)
            .await;
        let user = reply.expect_status(201).json();
        assert_eq!(
            (&user["username"], &user["full_name"]),
            (&json!(name), &json!(name))
        );
    }
}

/// A password that is too short costs no hash, and all fields are looked at.
#[tokio::test]
async fn every_emoji_of_unicodes_list_passes_as_either_name() {
    let server = TestServer::start().await;
    let client = server.client();
    let list = include_str!("../../../testing/data/emoji-18.txt");
    let emoji: Vec<String> = list
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let code = |hex| u32::from_str_radix(hex, 16).ok().and_then(char::from_u32);
            line.split(' ')
                .map(|hex| code(hex).expect("a code point"))
                .collect()
        })
        .collect();
    assert_eq!(emoji.len(), 3963);
    for name in emoji {
        let body = json!({"username": name, "password": "short", "full_name": name});
        let refused = client.post(&format!("{V1}/auth/register"), &body).await;
        let errors = refused
            .expect_failure(422, ErrorCode::ValidationFailed)
            .errors;
        let fields: Vec<_> = errors.iter().map(|error| &*error.field).collect();
        assert_eq!(fields, ["password"], "{name}");
    }
}

#[tokio::test]
async fn a_character_that_is_not_seen_is_refused_in_either_name() {
    let server = TestServer::start().await;
    let client = server.client();
    for c in [
        '\u{AD}',
        '\u{34F}',
        '\u{61C}',
        '\u{115F}',
        '\u{17B4}',
        '\u{180B}',
        '\u{180F}',
        '\u{200B}',
        '\u{200C}',
        '\u{200D}',
        '\u{202E}',
        '\u{2060}',
        '\u{2065}',
        '\u{206F}',
        '\u{3164}',
        '\u{FE00}',
        '\u{FE0E}',
        '\u{FE0F}',
        '\u{FEFF}',
        '\u{FFA0}',
        '\u{FFF0}',
        '\u{1BCA0}',
        '\u{1D173}',
        '\u{1D17A}',
        '\u{E0001}',
        '\u{E0041}',
        '\u{E0100}',
        '\u{E0FFF}',
    ] {
        for name in [
            format!("ali{c}cia"),
            format!("{c}x"),
            format!("x{c}"),
            format!("😀{c}😀"),
        ] {
            let body = json!({"username": name, "password": PASSWORD, "full_name": name});
            let refused = client.post(&format!("{V1}/auth/register"), &body).await;
            let errors = refused
                .expect_failure(422, ErrorCode::ValidationFailed)
                .errors;
            let codes: Vec<_> = errors
                .iter()
                .map(|error| (&*error.field, &*error.code))
                .collect();
            let expected = [
                ("username", "invalid_characters"),
                ("full_name", "invalid_characters"),
            ];
            assert_eq!(codes, expected, "{name:?}");
        }
    }
}

async fn a_blank_full_name_is_none_whoever_gives_it(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let admin = Person::admin(&server, "root").await;
    for (number, blank) in ["", " ", "\u{3000}\t"].into_iter().enumerate() {
        let path = format!("{V1}/auth/register");
        let body =
            json!({"username": format!("a{number}"), "password": PASSWORD, "full_name": blank});
        let made = server
            .client()
            .post(&path, &body)
            .await
            .expect_status(201)
            .json();
        assert_eq!(made.get("full_name"), None);
        let body =
            json!({"username": format!("b{number}"), "password": PASSWORD, "full_name": blank});
        let made = admin.post("/users", &body).await.expect_status(201).json();
        assert_eq!(made.get("full_name"), None);
        let path = format!("/users/{}", admin.id);
        for name in ["Alice", blank] {
            let changed = admin
                .tell(Method::PATCH, &path, &json!({"full_name": name}))
                .await;
            let full_name = changed.expect_ok().json().get("full_name").cloned();
            assert_eq!(full_name, (name == "Alice").then(|| json!("Alice")));
        }
    }
}

async fn a_password_is_one_in_every_spelling_of_its_letters(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    for (name, chosen) in [("nfc", NFC), ("nfd", NFD)] {
        let body = json!({"username": name, "password": chosen});
        client.post("/register", &body).await.expect_ok();
        for typed in [NFC, NFD] {
            client.authenticate(name, typed).await.expect_ok();
            login(&client, name, typed).await.expect_ok();
        }
        for wrong in [
            "passworter",
            "p\u{E4}sswo\u{300}rter",
            "P\u{E4}ssw\u{F6}rter",
        ] {
            assert_eq!(client.authenticate(name, wrong).await.status, 401);
        }
    }
    // What asks for the password of somebody who is signed in.
    let alice = Person::sign_up(&server, "alice").await;
    let change = json!({"current_password": PASSWORD, "new_password": NFD});
    alice
        .post("/auth/password/change", &change)
        .await
        .expect_ok();
    login(&client, "alice", NFC).await.expect_ok();
}

#[tokio::test]
async fn a_hash_of_the_text_as_it_came_is_right_and_becomes_one_of_nfc() {
    let server = TestServer::start().await;
    let client = server.client();
    let params = ScryptParams::new(4, 8, 1).expect("valid");
    let old = hash(NFD.as_bytes(), params).expect("hashed");
    let name = Username::parse("alice").expect("a name");
    let user = User::new(name, old, server.clock.now());
    server.store.create_user(user).await.expect("written");
    assert_eq!(client.authenticate("alice", NFC).await.status, 401);
    client.authenticate("alice", NFD).await.expect_ok();
    client.authenticate("alice", NFC).await.expect_ok();
}

#[tokio::test]
async fn the_bounds_of_a_password_hold_as_typed_and_in_nfc() {
    let server = TestServer::start().await;
    for (password, code) in [
        ("u\u{308}".repeat(4), "too_short"),
        ("\u{958}".repeat(4), "too_short"),
        ("\u{958}".repeat(341), "too_long"),
    ] {
        let body = json!({"username": "alice", "password": password});
        let refused = server.client().post("/register", &body).await;
        let errors = refused
            .expect_failure(422, ErrorCode::ValidationFailed)
            .errors;
        assert_eq!(errors[0].code, code);
    }
}

#[tokio::test]
async fn bytes_that_are_no_utf_8_are_no_form() {
    let server = TestServer::start().await;
    let client = server.client();
    let alice = person(&server, "alice", ADDRESS).await;
    token_for(
        &server,
        &alice,
        "token",
        Purpose::ResetPassword(address(ADDRESS)),
    )
    .await;
    let bytes = "%E4".repeat(8);
    let raw = |head: &str| [head.as_bytes(), &[0xE4; 8]].concat();
    let login = format!("{V1}/auth/login/form");
    for (path, body) in [
        (
            &*login,
            format!("username=alice&password={bytes}").into_bytes(),
        ),
        (&*login, raw("username=alice&password=")),
        (
            &*login,
            format!("username=%FF&password={PASSWORD}").into_bytes(),
        ),
        (
            "/reset-password",
            format!("token=token&new_password={bytes}").into_bytes(),
        ),
        ("/reset-password", raw("token=token&new_password=")),
        ("/verify-email", b"token=%C3".to_vec()),
    ] {
        client
            .post_text(path, FORM, body)
            .await
            .expect_failure(400, ErrorCode::MalformedRequest);
    }
    // Nothing was set, and the token is as good as it was.
    client.authenticate("alice", PASSWORD).await.expect_ok();
    confirm_reset(&client, "token", "\u{FFFD}\u{FFFD} another good one")
        .await
        .expect_ok();
}

#[tokio::test]
async fn a_content_type_may_have_blanks_and_empty_parameters() {
    let server = TestServer::start().await;
    let client = server.client();
    client.register("alice").await.expect_ok();
    let body = json!({"username": "alice", "password": PASSWORD}).to_string();
    for kind in [
        "application/json ;charset=utf-8",
        "application/json\t; charset=utf-8 ;",
        "Application/JSON;;",
    ] {
        client
            .post_text("/authenticate", kind, body.clone())
            .await
            .expect_ok();
        client
            .post_text(&format!("{V1}/auth/login"), kind, body.clone())
            .await
            .expect_ok();
    }
    let form = format!("username=alice&password={}", PASSWORD.replace(' ', "+"));
    let kind = "application/x-www-form-urlencoded ;charset=utf-8";
    client
        .post_text(&format!("{V1}/auth/login/form"), kind, form)
        .await
        .expect_ok();
}

#[tokio::test]
async fn a_body_in_an_encoding_is_415_and_identity_is_none() {
    let server = TestServer::start().await;
    let client = server.client();
    client.register("alice").await.expect_ok();
    let body = json!({"username": "alice", "password": PASSWORD});
    for (coding, status) in [
        ("gzip", 415),
        ("identity, br", 415),
        ("x-zip", 415),
        ("Identity", 200),
    ] {
        for path in ["/authenticate", "/api/v1/auth/login"] {
            let request = client.request(Method::POST, path).json(&body);
            let reply = client.send(request.header(CONTENT_ENCODING, coding)).await;
            assert_eq!(reply.status, status, "{coding}: {reply:?}");
        }
        let request = client.request(Method::POST, "/api/v1/auth/login/form");
        let request = request
            .header(CONTENT_TYPE, FORM)
            .header(CONTENT_ENCODING, coding);
        let form = format!("username=alice&password={}", PASSWORD.replace(' ', "+"));
        let reply = client.send(request.body(form)).await;
        assert_eq!(reply.status, status, "{coding}: {reply:?}");
    }
}
