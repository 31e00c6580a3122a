//! The page that asks for a link, and the two that mailed links lead to.

use password_auth_model::{Clock as _, Purpose, TokenHash};

use crate::mail::{ADDRESS, address, person, token_for};
use crate::support::{PASSWORD, Reply, TestServer};

pub const FORM: &str = "application/x-www-form-urlencoded";
const NEW: &str = "another good password";

async fn post(server: &TestServer, path: &str, form: &str) -> Reply {
    server.client().post_text(path, FORM, form.to_owned()).await
}

async fn with_token(purpose: Purpose) -> TestServer {
    let server = TestServer::start().await;
    let alice = person(&server, "alice", ADDRESS).await;
    token_for(&server, &alice, "token", purpose).await;
    server
}

async fn is_good(server: &TestServer, token: &str) -> bool {
    let found = server
        .store
        .one_time_token(&TokenHash::of(token), server.clock.now())
        .await;
    found.expect("read").is_some()
}

#[tokio::test]
async fn a_look_uses_no_token_up_and_the_button_does() {
    let server = with_token(Purpose::ResetPassword(address(ADDRESS))).await;
    for _ in 0..3 {
        let page = server
            .client()
            .get("/reset-password?token=token")
            .await
            .expect_ok();
        assert!(page.text.contains("value=\"token\""), "{}", page.text);
    }
    assert!(is_good(&server, "token").await);
    let form = "token=token&new_password=another+good+password";
    let page = post(&server, "/reset-password", form).await.expect_ok();
    assert!(page.text.contains("Your password is changed"));
    server.client().authenticate("alice", NEW).await.expect_ok();
    assert_eq!(
        server.client().authenticate("alice", PASSWORD).await.status,
        401
    );
    let again = post(&server, "/reset-password", form).await;
    assert_eq!(again.status, 400);
    assert!(again.text.contains("not good any more"), "{}", again.text);
}

#[tokio::test]
async fn an_address_is_confirmed_by_the_button() {
    let server = with_token(Purpose::ChangeEmail(address("new@example.org"))).await;
    let page = server
        .client()
        .get("/verify-email?token=token")
        .await
        .expect_ok();
    assert!(page.text.contains("action=\"/verify-email\""));
    assert_eq!(server.user("alice").await.email, Some(address(ADDRESS)));
    // A button is soon pressed twice.
    for _ in 0..2 {
        let page = post(&server, "/verify-email", "token=token").await;
        let page = page.expect_ok();
        assert!(page.text.contains("Your e-mail address is confirmed"));
        assert_eq!(
            server.user("alice").await.email,
            Some(address("new@example.org"))
        );
    }
    let later = Purpose::ChangeEmail(address("later@example.org"));
    let alice = server.user("alice").await;
    token_for(&server, &alice, "later", later).await;
    post(&server, "/verify-email", "token=later")
        .await
        .expect_ok();
    assert_eq!(
        post(&server, "/verify-email", "token=token").await.status,
        400
    );
}

#[tokio::test]
async fn a_password_that_breaks_a_rule_shows_the_form_again_and_uses_nothing_up() {
    let server = with_token(Purpose::ResetPassword(address(ADDRESS))).await;
    let page = post(&server, "/reset-password", "token=token&new_password=short").await;
    assert_eq!(page.status, 422);
    assert!(page.text.contains("value=\"token\"") && page.text.contains("8 characters"));
    assert!(!page.text.contains("short\""), "{}", page.text);
    assert!(is_good(&server, "token").await);
}

#[tokio::test]
async fn a_token_of_another_purpose_or_none_is_refused_alike() {
    let server = with_token(Purpose::VerifyEmail(address(ADDRESS))).await;
    let password = "new_password=another+good+password";
    let mut answers = Vec::new();
    for form in [
        format!("token=token&{password}"),
        format!("token=&{password}"),
        format!("token=toke%6E%00&{password}"),
        password.to_owned(),
        "no form".to_owned(),
    ] {
        let page = post(&server, "/reset-password", &form).await;
        assert_eq!(page.status, 400, "{form}");
        answers.push(page.text);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
    server
        .client()
        .authenticate("alice", PASSWORD)
        .await
        .expect_ok();
}

#[tokio::test]
async fn the_pages_keep_their_token_to_themselves() {
    let server = TestServer::start().await;
    for path in ["/reset-password?token=token", "/verify-email?token=token"] {
        let page = server.client().get(path).await.expect_ok();
        assert!(page.header("content-type").starts_with("text/html"));
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert_eq!(page.header("cache-control"), "no-store");
        let policy = page.header("content-security-policy");
        for rule in [
            "default-src 'none'",
            "style-src 'sha256-",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(rule), "{policy}");
        }
        for loading in ["<script", "src=", "href=", "url(", "@import", "style="] {
            assert!(!page.text.contains(loading), "{loading} in {}", page.text);
        }
        assert_eq!(page.text.matches("token=").count(), 0, "{}", page.text);
    }
}

#[tokio::test]
async fn whatever_stands_in_a_link_is_text_on_the_page() {
    let server = TestServer::start().await;
    let page = server
        .client()
        .get("/verify-email?token=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
        .await
        .expect_ok();
    assert!(!page.text.contains("<script"), "{}", page.text);
    for path in [
        "/verify-email",
        "/verify-email?token=%FF",
        "/verify-email?token=a&token=b",
    ] {
        server.client().get(path).await.expect_ok();
    }
}

#[tokio::test]
async fn the_style_is_the_one_that_the_policy_allows() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest as _, Sha256};
    let server = TestServer::start().await;
    let page = server.client().get("/verify-email").await.expect_ok();
    let (_, style) = page.text.split_once("<style>").expect("a style");
    let (style, _) = style.split_once("</style>").expect("its end");
    let hash = STANDARD.encode(Sha256::digest(style));
    assert!(
        page.header("content-security-policy")
            .contains(&format!("'sha256-{hash}'"))
    );
}

#[tokio::test]
async fn another_method_is_told_which_ones_there_are() {
    let server = TestServer::start().await;
    let request = server
        .client()
        .request(reqwest::Method::DELETE, "/reset-password");
    let reply = server.client().send(request).await;
    assert_eq!(
        (reply.status, reply.header("allow")),
        (405, "GET, HEAD, POST")
    );
}

#[tokio::test]
async fn a_link_is_asked_for_by_a_page_that_tells_nothing_of_accounts() {
    let server = TestServer::builder()
        .setting("MAIL_RATE", "2/hour")
        .start()
        .await;
    person(&server, "alice", ADDRESS).await;
    let page = server.client().get("/forgot-password").await.expect_ok();
    assert!(
        page.text.contains("action=\"/forgot-password\""),
        "{}",
        page.text
    );
    let ask = async |email: &str| {
        let form = format!("email={}", email.replace('@', "%40"));
        post(&server, "/forgot-password", &form).await
    };
    let wrong = ask("nonsense").await;
    assert_eq!(wrong.status, 422);
    assert!(
        wrong.text.contains("action=\"/forgot-password\""),
        "{}",
        wrong.text
    );
    let known = ask(ADDRESS).await.expect_ok();
    let unknown = ask("nobody@example.org").await.expect_ok();
    assert_eq!(known.text, unknown.text);
    // It is the request that /api/v1 takes, with its rate.
    ask(ADDRESS).await;
    let refused = ask(ADDRESS).await;
    assert_eq!(refused.status, 429, "{}", refused.text);
    assert!(refused.header("retry-after").parse::<u64>().is_ok());
}
