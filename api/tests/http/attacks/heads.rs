//! Heads and bodies that are too large, never end, or that two readers could read differently.

use std::time::Duration;

use password_auth_wire::ErrorCode;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{TestServer, raw};

const PATIENCE: Duration = Duration::from_secs(60);

/// Behind each attack: a request that must not be taken for one of its own.
const SMUGGLED: &str = "GET /ping HTTP/1.1\r\nhost: x\r\n\r\n";

/// Everything that comes until the server closes.
async fn everything(server: &TestServer, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address).await.expect("connected");
    // A server that refuses early may close before it has read all.
    stream.write_all(request).await.ok();
    let mut received = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut received)).await;
    read.expect("it is closed").ok();
    String::from_utf8_lossy(&received).into_owned()
}

#[tokio::test]
async fn a_head_that_two_readers_could_read_differently_is_refused_and_ends_the_connection() {
    let server = TestServer::start().await;
    for head in [
        "GET /ping HTTP/1.1\r\nhost: x\r\n folded\r\n\r\n",
        "GET /ping HTTP/1.1\r\nhost : x\r\n\r\n",
        "GET /ping HTTP/1.1\r\n host: x\r\n\r\n",
        "GET /ping HTTP/1.1\r\nhost: x\r\nx\0y: 1\r\n\r\n",
        "GET /ping HTTP/1.1\r\nhost: x\r\ny: a\0b\r\n\r\n",
        "GET /ping HTTP/1.1\r\nhost: x\r\ny: a\rb\r\n\r\n",
        "GET /ping HTTP/1.1\r\nhost: x\r\nno colon\r\n\r\n",
        "GET /ping HTTP/1.1\r\nhost: x\r\n: no name\r\n\r\n",
        "GET /ping HTTP/1.1\r\nhost: x\r\nn\u{e4}me: 1\r\n\r\n",
        "GET  /ping HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /ping HTTP/1.1 \r\nhost: x\r\n\r\n",
        "GET /pi ng HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /ping HTTP/3.7\r\nhost: x\r\n\r\n",
        "GET /ping http/1.1\r\nhost: x\r\n\r\n",
        "GET /ping\r\n\r\n",
        "G\x01T /ping HTTP/1.1\r\nhost: x\r\n\r\n",
        "\x16\x03\x01\x01\x00\x01\x00\x00\x00\x00\x00\x00",
        "* HTTP/1.1\r\nhost: x\r\n\r\n",
    ] {
        let answer = everything(&server, format!("{head}{SMUGGLED}").as_bytes()).await;
        assert!(
            answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.1 505"),
            "{head:?}: {answer}"
        );
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{head:?}: {answer}");
    }
    // HTTP/2 is not spoken: whoever begins it is hung up on.
    let answer = everything(&server, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    assert!(!answer.contains(" 200 "), "{answer}");
    server.client().get("/ping").await.expect_ok();
}

/// RFC 9112, §2.2, lets a server take a line feed alone for the end of a line. Then it does so everywhere: what stands
/// behind it is a header, whatever another reader takes it for.
#[tokio::test]
async fn a_line_feed_alone_ends_a_line_and_hides_no_header() {
    let server = TestServer::start().await;
    for hidden in [
        "content-length: 0\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked\ncontent-length: 5\r\n",
        "content-length: 5\ncontent-length: 6\r\n",
        "x: a\ntransfer-encoding: gzip, chunked\r\n",
        "x: a\nhost: y\r\n",
        "x: a\n folded\r\n",
    ] {
        let head = format!("POST /ping HTTP/1.1\r\nhost: x\r\n{hidden}connection: close\r\n\r\n");
        let answer = everything(&server, format!("{head}{SMUGGLED}").as_bytes()).await;
        let is_refused = answer.starts_with("HTTP/1.1 400") || answer.starts_with("HTTP/1.1 501");
        assert!(is_refused, "{hidden:?}: {answer}");
        assert_eq!(
            answer.matches("HTTP/1.1 ").count(),
            1,
            "{hidden:?}: {answer}"
        );
    }
    let head = "GET /ping HTTP/1.1\nhost: x\nconnection: close\n\n";
    let answer = everything(&server, head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn chunks_that_are_none_are_refused_and_end_the_connection() {
    let server = TestServer::start().await;
    let head = "POST /refresh HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                transfer-encoding: chunked\r\n\r\n";
    for chunks in [
        "fffffffffffffffff\r\n",
        "-1\r\n",
        "0x2\r\n{}\r\n0\r\n\r\n",
        "+2\r\n{}\r\n0\r\n\r\n",
        "2_\r\n{}\r\n0\r\n\r\n",
        "\r\n",
        "2\r\n{}0\r\n\r\n",
        "2\r\n{}}\r\n0\r\n\r\n",
        "2\n{}\n0\n\n",
        "2\r\r\n{}\r\n0\r\n\r\n",
    ] {
        let answer = everything(&server, format!("{head}{chunks}{SMUGGLED}").as_bytes()).await;
        assert!(!answer.contains("\"pong\""), "{chunks:?}: {answer}");
        assert!(
            answer.matches("HTTP/1.1 ").count() <= 1,
            "{chunks:?}: {answer}"
        );
    }
    server.client().get("/ping").await.expect_ok();
}

#[tokio::test]
async fn floods_of_headers_and_long_lines_are_refused_before_they_are_kept() {
    let server = TestServer::start().await;
    let many: String = (0..65).map(|number| format!("x-{number}: 1\r\n")).collect();
    let long = "a".repeat(40_000);
    for (head, status) in [
        (
            format!("GET /ping HTTP/1.1\r\nhost: x\r\n{many}\r\n"),
            "431",
        ),
        (
            format!("GET /ping HTTP/1.1\r\nhost: x\r\nx: {long}\r\n\r\n"),
            "431",
        ),
        (
            format!("GET /ping HTTP/1.1\r\nhost: x\r\n{long}: x\r\n\r\n"),
            "431",
        ),
        (format!("GET /{long} HTTP/1.1\r\nhost: x\r\n\r\n"), "4"),
        (format!("{long} / HTTP/1.1\r\nhost: x\r\n\r\n"), "4"),
    ] {
        let answer = everything(&server, head.as_bytes()).await;
        assert!(
            answer.is_empty() || answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
    }
    // As many as a client may send.
    let few: String = (0..60).map(|number| format!("x-{number}: 1\r\n")).collect();
    let answer = raw::exchange(
        server.address,
        &format!("GET /ping HTTP/1.1\r\nhost: x\r\n{few}\r\n"),
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

/// Sends `again` until the server has had enough; what it said, and how much it took.
async fn endless(server: &TestServer, head: &str, again: &str) -> (String, usize) {
    let stream = TcpStream::connect(server.address).await.expect("connected");
    let (mut reader, mut writer) = stream.into_split();
    writer.write_all(head.as_bytes()).await.expect("sent");
    let again = again.repeat(1024 / again.len() + 1);
    let sending = async {
        let mut taken = 0;
        while writer.write_all(again.as_bytes()).await.is_ok() {
            taken += again.len();
            assert!(taken < 64 << 20, "it takes everything");
        }
        taken
    };
    let reading = async {
        let mut received = Vec::new();
        reader.read_to_end(&mut received).await.ok();
        String::from_utf8_lossy(&received).into_owned()
    };
    let both = tokio::time::timeout(PATIENCE, async { tokio::join!(reading, sending) }).await;
    both.expect("it ends")
}

#[tokio::test]
async fn a_body_without_an_end_is_cut_off_at_its_limit() {
    let server = TestServer::start().await;
    let head = "POST /register HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                transfer-encoding: chunked\r\n\r\n";
    for (again, what) in [
        ("400\r\n".to_owned() + &" ".repeat(1024) + "\r\n", "a body"),
        ("1\r\n \r\n".to_owned(), "tiny chunks"),
        (
            "1;extension=1234567890123456\r\n \r\n".to_owned(),
            "extensions of chunks",
        ),
    ] {
        let (answer, taken) = endless(&server, head, &again).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
            "{what}: {answer}"
        );
        assert!(taken < 16 << 20, "{what}: {taken}");
    }
    let (answer, _) = endless(&server, &format!("{head}0\r\n"), "x-trailer: 1\r\n").await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
        "{answer}"
    );
    let (answer, _) = endless(&server, "GET /ping HTTP/1.1\r\nhost: x\r\nx: ", "a").await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
        "{answer}"
    );
    server.client().get("/ping").await.expect_ok();
}

#[tokio::test]
async fn a_body_of_a_get_is_not_read_as_the_next_request() {
    let server = TestServer::start().await;
    let request = format!(
        "GET /ping HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{SMUGGLED}GET /ping HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        SMUGGLED.len()
    );
    let answer = everything(&server, request.as_bytes()).await;
    assert!(answer.matches("HTTP/1.1 200 ").count() <= 2, "{answer}");
}

#[tokio::test]
async fn nothing_that_a_client_claims_about_hosts_is_repeated() {
    let server = TestServer::start().await;
    let client = server.client();
    client
        .post(
            "/api/v1/auth/register",
            &json!({"username": "alice", "email": "alice@example.org", "password": crate::support::PASSWORD}),
        )
        .await
        .expect_status(201);
    let body = json!({"email": "alice@example.org"}).to_string();
    for (target, host) in [
        ("", "evil.example"),
        ("http://evil.example", "evil.example"),
        ("http://evil.example", "x"),
    ] {
        for request in [
            format!("GET {target}/ HTTP/1.1\r\nhost: {host}\r\n\r\n"),
            format!(
                "GET {target}/docs HTTP/1.1\r\nhost: {host}\r\nx-forwarded-host: evil.example\r\nforwarded: host=evil.example\r\n\r\n"
            ),
            format!("GET {target}/forgot-password HTTP/1.1\r\nhost: {host}\r\n\r\n"),
            format!(
                "POST {target}/api/v1/auth/password/reset/request HTTP/1.1\r\nhost: {host}\r\nx-forwarded-host: evil.example\r\n\
                 content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            ),
        ] {
            let answer = raw::exchange(server.address, &request).await;
            assert!(!answer.contains("evil"), "{request}: {answer}");
        }
    }
    // Neither is a line break that a path spells.
    let answer = raw::exchange(
        server.address,
        "GET /%0d%0aset-cookie:%20a=b HTTP/1.1\r\nhost: x\r\norigin: https://a.example%0d%0aset-cookie: a\r\n\r\n",
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    assert!(!answer.to_lowercase().contains("set-cookie"), "{answer}");
}

#[tokio::test]
async fn an_origin_that_only_looks_like_a_listed_one_reads_nothing() {
    let server = TestServer::builder()
        .setting("ALLOWED_ORIGINS", "https://app.example.org")
        .production()
        .setting("ALLOWED_ORIGINS", "https://app.example.org")
        .start()
        .await;
    for (origin, reads) in [
        ("https://app.example.org", true),
        ("https://app.example.org.evil.example", false),
        ("https://evil-app.example.org", false),
        ("https://app.example.org:8443", false),
        ("http://app.example.org", false),
        ("https://APP.example.org", false),
        ("https://app.example.org/", false),
        ("https://app.example.org, https://evil.example", false),
        ("https://app.example.org https://evil.example", false),
        ("https://app_example_org", false),
        ("null", false),
        ("*", false),
        ("", false),
    ] {
        let client = server.client();
        let request = client
            .request(reqwest::Method::GET, "/ping")
            .header("origin", origin);
        let reply = client.send(request).await.expect_ok();
        let allowed = reply.header("access-control-allow-origin");
        assert_eq!(allowed, if reads { origin } else { "" }, "{origin}");
        assert_eq!(reply.header("access-control-allow-credentials"), "");
        assert!(reply.header("vary").contains("Origin"));
    }
    let reply = server
        .client()
        .post_text("/authenticate", "text/plain", "{}")
        .await;
    reply.expect_failure(415, ErrorCode::UnsupportedMediaType);
}
