//! Forms that pages of other sites send in a visitor's browser: refused, before they are counted.

use password_auth_model::Purpose;
use password_auth_wire::ErrorCode;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;

use crate::landing::FORM;
use crate::mail::{ADDRESS, address, person, token_for};
use crate::support::{PASSWORD, Reply, TestServer};

const EXTENSION: &str = "chrome-extension://abcdefghijklmnopabcdefghijklmnop";
const LOGIN: &str = "/api/v1/auth/login/form";

async fn production() -> TestServer {
    TestServer::builder()
        .production()
        .setting(
            "ALLOWED_ORIGINS",
            &format!("{EXTENSION},https://app.example.org"),
        )
        .setting("PUBLIC_URL", "https://auth.example.org")
        .start()
        .await
}

async fn send(
    server: &TestServer,
    path: &str,
    content_type: &str,
    form: &str,
    headers: &[(&str, &str)],
) -> Reply {
    let client = server.client();
    let mut request = client
        .request(Method::POST, path)
        .header(CONTENT_TYPE, content_type)
        .body(form.to_owned());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    client.send(request).await
}

fn sign_in(password: &str) -> String {
    format!("username=alice&password={}", password.replace(' ', "+"))
}

const FOREIGN: [&[(&str, &str)]; 5] = [
    &[
        ("origin", "https://evil.example"),
        ("sec-fetch-site", "cross-site"),
    ],
    &[("origin", "https://evil.example")],
    &[("sec-fetch-site", "cross-site")],
    &[("origin", "null"), ("sec-fetch-site", "cross-site")],
    &[
        ("origin", "https://blog.example.org"),
        ("sec-fetch-site", "same-site"),
    ],
];

#[tokio::test]
async fn a_page_of_another_site_uses_none_of_its_visitor_s_tries_up() {
    for server in [
        production().await,
        TestServer::builder()
            .setting("LOGIN_RATE", "5/minute")
            .start()
            .await,
    ] {
        let client = server.client();
        client.register("alice").await.expect_ok();
        for _ in 0..4 {
            for headers in FOREIGN {
                let reply = send(&server, LOGIN, FORM, &sign_in("a guess"), headers).await;
                reply.expect_failure(403, ErrorCode::CrossSite);
                let confirm = "token=token&new_password=a+new+good+password";
                let page = send(&server, "/reset-password", FORM, confirm, headers).await;
                assert_eq!(page.status, 403, "{page:?}");
                assert!(page.text.contains("another site"), "{page:?}");
                // Of a whole kind: what a browser sends without asking first, to where no form is taken.
                for kind in ["text/plain", FORM, "multipart/form-data; boundary=x"] {
                    let json = r#"{"username":"alice","password":"a guess"}"#;
                    for path in ["/authenticate", "/api/v1/auth/login"] {
                        let reply = send(&server, path, kind, json, headers).await;
                        reply.expect_failure(415, ErrorCode::UnsupportedMediaType);
                    }
                }
            }
        }
        let own = format!("http://{}", server.address);
        let headers = [("origin", &*own), ("sec-fetch-site", "same-origin")];
        let reply = send(&server, LOGIN, FORM, &sign_in(PASSWORD), &headers).await;
        reply.expect_ok();
        // Five were left to her: this is the second.
        for _ in 1..5 {
            let reply = send(&server, LOGIN, FORM, &sign_in("a guess"), &[]).await;
            reply.expect_failure(401, ErrorCode::InvalidCredentials);
        }
        let reply = send(&server, LOGIN, FORM, &sign_in(PASSWORD), &[]).await;
        reply.expect_failure(429, ErrorCode::TooManyAttempts);
    }
}

#[tokio::test]
async fn own_and_listed_pages_extensions_and_programs_send_forms() {
    let server = production().await;
    let client = server.client();
    client.register("alice").await.expect_ok();
    for headers in [
        &[][..],
        &[
            ("origin", "https://auth.example.org"),
            ("sec-fetch-site", "same-origin"),
        ],
        &[
            ("origin", "https://app.example.org"),
            ("sec-fetch-site", "cross-site"),
        ],
        &[("origin", EXTENSION), ("sec-fetch-site", "cross-site")],
        &[("origin", "null"), ("sec-fetch-site", "same-origin")],
    ] {
        let reply = send(&server, LOGIN, FORM, &sign_in(PASSWORD), headers).await;
        assert_eq!(reply.status, 200, "{headers:?} {reply:?}");
    }
}

#[tokio::test]
async fn a_token_is_not_used_by_a_form_of_another_site_and_is_by_the_page_s_own() {
    let server = TestServer::start().await;
    let alice = person(&server, "alice", ADDRESS).await;
    let new = "new@example.org";
    token_for(&server, &alice, "token", Purpose::ChangeEmail(address(new))).await;
    for headers in FOREIGN {
        let page = send(&server, "/verify-email", FORM, "token=token", headers).await;
        assert_eq!(page.status, 403, "{page:?}");
    }
    assert_eq!(server.user("alice").await.email, Some(address(ADDRESS)));
    let page = server.client().get("/verify-email?token=token").await;
    // Else a browser would say "null" where it says anything.
    assert!(
        page.text
            .contains(r#"<meta name="referrer" content="strict-origin">"#)
    );
    let own = format!("http://{}", server.address);
    send(
        &server,
        "/verify-email",
        FORM,
        "token=token",
        &[("origin", &own)],
    )
    .await
    .expect_ok();
    assert_eq!(server.user("alice").await.email, Some(address(new)));
}
