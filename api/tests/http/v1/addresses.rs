//! Which addresses there are, and that a letter goes to the address that an account has.

use password_auth_testing::MailServer;
use password_auth_wire::ErrorCode;
use serde_json::{Value, json};

use crate::mail::{PACING, links, person, queue_is_empty};
use crate::support::person::{V1, confirm_reset, login, request_reset};
use crate::support::{Engine, PASSWORD, Reply, TestClient, TestServer};

each_engine! {
    people_of_every_script_register_and_sign_in_by_their_addresses,
    what_passes_for_another_address_is_refused_wherever_one_is_typed,
    a_blank_address_is_none,
    one_mailbox_is_one_address_however_its_domain_is_spelt,
    a_look_alike_resets_nothing,
}

async fn register(client: &TestClient, name: &str, email: &str) -> Reply {
    let body = json!({"username": name, "email": email, "password": PASSWORD});
    client.post(&format!("{V1}/auth/register"), &body).await
}

async fn people_of_every_script_register_and_sign_in_by_their_addresses(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    for (number, (email, again)) in [
        ("संपर्क@डाटामेल.भारत", "संपर्क@डाटामेल。भारत"),
        ("ทดสอบ@ตัวอย่าง.ไทย", "ทดสอบ@ตัวอย่าง.ไทย"),
        ("যোগাযোগ@উদাহরণ.বাংলা", "যোগাযোগ@উদাহরণ．বাংলা"),
        ("தொடர்பு@எடுத்துக்காட்டு.இந்தியா", "தொடர்பு@எடுத்துக்காட்டு.இந்தியா"),
        ("ဆက်သွယ်ရန်@ဥပမာ.မြန်မာ", "ဆက်သွယ်ရန်@ဥပမာ.မြန်မာ"),
        (
            "می\u{200C}خواهم@نامه\u{200C}ای.example",
            "می\u{200C}خواهم@نامه\u{200C}ای.EXAMPLE",
        ),
        (
            "ju\u{308}rgen@bu\u{308}cher.example",
            "Jürgen@xn--bcher-kva.example",
        ),
        ("taro@例え。テスト", "TARO@xn--r8jz45g.xn--zckzah"),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("user {number}");
        register(&client, &name, email).await.expect_status(201);
        login(&client, again, PASSWORD).await.expect_ok();
        login(&client, email, PASSWORD).await.expect_ok();
        let reply = request_reset(&client, again).await.expect_ok();
        assert!(reply.text.contains("DEV ONLY"), "{again}: {reply:?}");
    }
}

async fn what_passes_for_another_address_is_refused_wherever_one_is_typed(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    for email in [
        "ſusan@example.org",
        "ａlice@example.org",
        "ali\u{200D}ce@example.org",
        "alice\u{3164}@example.org",
        "a@exam\u{3164}ple.example",
        "a@exam\u{AD}ple.example",
    ] {
        for reply in [
            register(&client, "somebody", email).await,
            request_reset(&client, email).await,
        ] {
            let error = reply.expect_failure(422, ErrorCode::ValidationFailed);
            assert_eq!(&*error.errors[0].code, "invalid_email", "{email:?}");
        }
        login(&client, email, PASSWORD).await.expect_status(401);
    }
}

async fn a_blank_address_is_none(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    for (name, email) in [("alice", ""), ("bob", " \t")] {
        let reply = register(&client, name, email).await;
        reply.expect_status(201);
        let user = server.user(name).await;
        assert_eq!(user.email, None);
    }
}

async fn one_mailbox_is_one_address_however_its_domain_is_spelt(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    person(&server, "alice", "alice@bücher.example").await;
    for email in [
        "alice@xn--bcher-kva.example",
        "ALICE@XN--BCHER-KVA.example",
        "alice@bu\u{308}cher。example",
    ] {
        register(&client, "mallory", email)
            .await
            .expect_failure(409, ErrorCode::EmailExists);
        login(&client, email, PASSWORD).await.expect_ok();
    }
}

/// U+03F2 is a sigma to NFKC, and another domain to the name system.
const LOOK_ALIKE: &str = "nikos@κοσμοϲ.example";
const NIKOS: &str = "Nikos@κοσμος.example";

async fn a_look_alike_resets_nothing(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    person(&server, "nikos", NIKOS).await;
    let reply = request_reset(&client, LOOK_ALIKE).await.expect_ok();
    assert!(!reply.text.contains("DEV ONLY"), "{reply:?}");
    // Nor is it taken.
    register(&client, "stranger", LOOK_ALIKE)
        .await
        .expect_status(201);
    login(&client, NIKOS, PASSWORD).await.expect_ok();
    let token = request_reset(&client, LOOK_ALIKE).await.dev_token();
    confirm_reset(&client, &token, "staple of another kind")
        .await
        .expect_ok();
    login(&client, "nikos", PASSWORD).await.expect_ok();
    let me: Value = login(&client, "stranger", "staple of another kind")
        .await
        .expect_ok()
        .json();
    assert!(me["access_token"].is_string());
}

#[tokio::test]
async fn a_reset_is_mailed_to_the_address_that_the_account_has_whatever_was_typed() {
    let mut mails = MailServer::builder().start().await;
    let server = TestServer::builder()
        .mail(mails.port(), PACING)
        .start()
        .await;
    let client = server.client();
    person(&server, "nikos", NIKOS).await;
    for typed in [
        LOOK_ALIKE,
        "nikos@κοσμοσ.example",
        "nikos@κοσμος.example",
        "NIKOS@xn--vxaeibpd.EXAMPLE",
    ] {
        request_reset(&client, typed).await.expect_ok();
        if typed == LOOK_ALIKE || typed == "nikos@κοσμοσ.example" {
            queue_is_empty(&server).await;
            continue;
        }
        let taken = mails.taken().await;
        assert_eq!(taken.to, ["Nikos@xn--vxaeibpd.example"], "{typed}");
        assert_eq!(links(&taken).len(), 1);
    }
    server.stop().await;
    assert_eq!(mails.stop().await, 0, "nothing else was sent");
}
