//! Swagger UI: one page that works offline, with a policy of its own.

use crate::support::TestServer;

/// The web page is embedded if it was built before the server. `e2e` tests it.
#[tokio::test]
async fn the_root_is_the_web_page_or_leads_to_the_documentation() {
    let server = TestServer::start().await;
    let reply = server.client().get("/").await;
    if reply.status == 200 {
        assert!(reply.text.contains("href=\"docs\""), "{}", reply.text);
    } else {
        assert_eq!((reply.status, reply.header("location")), (307, "/docs"));
    }
}

#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere_and_its_policy_names_its_own_scripts() {
    let server = TestServer::start().await;
    let page = server.client().get("/docs").await.expect_ok();
    assert!(page.header("content-type").starts_with("text/html"));
    for loading in ["<script src", "<link", "@import"] {
        assert!(!page.text.contains(loading), "{loading}");
    }
    let policy = page.header("content-security-policy");
    let (_, scripts) = policy.split_once("script-src").expect("a rule for scripts");
    let (scripts, _) = scripts.split_once(';').expect("its end");
    assert!(
        scripts.contains("'sha256-") && !scripts.contains("unsafe"),
        "{policy}"
    );
}

#[tokio::test]
async fn every_other_answer_may_run_nothing() {
    let server = TestServer::start().await;
    for path in ["/ping", "/protected", "/openapi.json", "/nothing"] {
        let policy = server.client().get(path).await;
        let policy = policy.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'") && !policy.contains("script-src"),
            "{path}"
        );
    }
}
