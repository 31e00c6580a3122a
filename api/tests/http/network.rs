//! The network: limits for connections, valid request heads, trusted proxies.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use password_auth_http::server::Limits;
use password_auth_wire::ErrorCode;
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::support::{TestServer, raw};

const SHORT: Duration = Duration::from_millis(300);

/// Far longer than any test.
const LONG: Duration = Duration::from_secs(3600);

/// Long enough to tell a limit that works from one that does not, on any machine.
const PATIENCE: Duration = Duration::from_secs(60);

const PING: &str = "GET /ping HTTP/1.1\r\nhost: x\r\n\r\n";

/// A head that never ends.
const HALF_A_HEAD: &str = "GET /ping HTTP/1.1\r\nhost: x\r\n";

/// A body that never comes.
const HALF_A_BODY: &str = "POST /register HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{";

/// A connection from another address of this machine.
async fn connect_from(source: &str, server: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    let source: IpAddr = source.parse().expect("an address");
    socket.bind(SocketAddr::new(source, 0)).expect("bound");
    socket.connect(server).await.expect("connected")
}

/// What it answers, and that it does.
async fn ask(stream: &mut TcpStream, request: &str) -> String {
    // A server that refuses may have closed.
    stream.write_all(request.as_bytes()).await.ok();
    let answer = tokio::time::timeout(PATIENCE, raw::answer(stream)).await;
    answer.expect("the server answers, or closes")
}

#[tokio::test]
async fn one_address_has_a_quarter_of_the_places_and_keeps_nobody_else_waiting() {
    let server = TestServer::builder()
        .limits(Limits {
            head: LONG,
            first: LONG,
            crowded: LONG,
            ..Limits::of_connections(16)
        })
        .start()
        .await;
    let mut greedy = Vec::new();
    for _ in 0..4 {
        let mut stream = connect_from("127.0.0.2", server.address).await;
        stream
            .write_all(HALF_A_HEAD.as_bytes())
            .await
            .expect("sent");
        greedy.push(stream);
    }
    for _ in 0..40 {
        let mut more = connect_from("127.0.0.2", server.address).await;
        let mut answer = String::new();
        let refused = tokio::time::timeout(PATIENCE, more.read_to_string(&mut answer)).await;
        refused.expect("refused at once").expect("told why");
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert!(answer.contains("retry-after: 1\r\n"), "{answer}");
        assert!(
            answer.contains(r#""code":"service_unavailable""#),
            "{answer}"
        );
    }
    let mut other = connect_from("127.0.0.3", server.address).await;
    assert!(ask(&mut other, PING).await.starts_with("HTTP/1.1 200 "));
    // What is given back is there for whoever gave it.
    let mut first = greedy.remove(0);
    let rest = ask(&mut first, "connection: close\r\n\r\n").await;
    assert!(rest.starts_with("HTTP/1.1 200 "), "{rest}");
    drop(first);
    let again = async {
        loop {
            let mut stream = connect_from("127.0.0.2", server.address).await;
            if ask(&mut stream, PING).await.starts_with("HTTP/1.1 200 ") {
                break;
            }
        }
    };
    tokio::time::timeout(PATIENCE, again)
        .await
        .expect("a place of its own again");
}

#[tokio::test]
async fn a_trusted_proxy_has_as_many_places_as_there_are() {
    let server = TestServer::builder()
        .limits(Limits::of_connections(16))
        .setting("TRUSTED_PROXIES", "127.0.0.2")
        .start()
        .await;
    let mut open = Vec::new();
    for _ in 0..12 {
        let mut stream = connect_from("127.0.0.2", server.address).await;
        assert!(ask(&mut stream, PING).await.starts_with("HTTP/1.1 200 "));
        open.push(stream);
    }
}

#[tokio::test]
async fn while_places_run_short_heads_and_bodies_have_a_shorter_time() {
    for slow in ["", HALF_A_HEAD, HALF_A_BODY] {
        let server = TestServer::builder()
            .limits(Limits {
                head: LONG,
                first: LONG,
                body: LONG,
                crowded: SHORT,
                ..Limits::of_connections(16)
            })
            .start()
            .await;
        let mut slow_ones = Vec::new();
        for number in 0..16 {
            let source = format!("127.0.1.{}", number + 1);
            let mut stream = connect_from(&source, server.address).await;
            stream.write_all(slow.as_bytes()).await.expect("sent");
            slow_ones.push(stream);
        }
        let mut other = connect_from("127.0.0.3", server.address).await;
        let answer = ask(&mut other, PING).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{slow:?}: {answer}");
        if slow == HALF_A_BODY {
            let answer = ask(&mut slow_ones[0], "").await;
            assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        }
    }
}

#[tokio::test]
async fn a_host_that_is_missing_doubled_or_invalid_is_400() {
    let server = TestServer::start().await;
    for head in [
        "GET /ping HTTP/1.1\r\n",
        "GET /ping HTTP/1.1\r\nhost: a\r\nhost: a\r\n",
        "GET /ping HTTP/1.0\r\nhost: a\r\nhost: b\r\n",
        "GET /ping HTTP/1.1\r\nhost:\r\n",
        "GET /ping HTTP/1.1\r\nhost: a b\r\n",
        "GET /ping HTTP/1.1\r\nhost: a, b\r\n",
        "GET /ping HTTP/1.1\r\nhost: user@a\r\n",
        "GET /ping HTTP/1.1\r\nhost: a/b\r\n",
        "GET /ping HTTP/1.1\r\nhost: a:99999\r\n",
        "GET /ping HTTP/1.1\r\nhost: a:b\r\n",
        "GET /ping HTTP/1.1\r\nhost: [::1\r\n",
        "GET /ping HTTP/1.1\r\nhost: ü\r\n",
        "OPTIONS /register HTTP/1.1\r\norigin: http://x\r\naccess-control-request-method: POST\r\n",
        "POST /register HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 2\r\n",
    ] {
        let answer = raw::exchange(server.address, &format!("{head}\r\n")).await;
        let status = answer.split(' ').nth(1);
        assert_eq!(status, Some("400"), "{head}: {answer}");
        assert!(answer.contains(r#""code":"malformed_request""#), "{answer}");
    }
    for head in [
        "GET /ping HTTP/1.0\r\n",
        "GET /ping HTTP/1.0\r\nhost: a\r\n",
        "GET /ping HTTP/1.1\r\nhost: auth.example.org:443\r\n",
        "GET /ping HTTP/1.1\r\nhost: [::1]:8000\r\n",
        "GET http://auth.example.org/ping HTTP/1.1\r\nhost: auth.example.org\r\n",
    ] {
        let answer = raw::exchange(server.address, &format!("{head}\r\n")).await;
        assert_eq!(answer.split(' ').nth(1), Some("200"), "{head}: {answer}");
    }
}

#[tokio::test]
async fn a_transfer_coding_other_than_chunked_is_501() {
    let server = TestServer::start().await;
    for (coding, status) in [
        ("gzip, chunked", "501"),
        ("GZIP , chunked", "501"),
        ("x\r\ntransfer-encoding: chunked", "501"),
        ("identity, chunked", "501"),
        ("chunked, chunked", "400"),
        // Without an end, RFC 9112 §6.3 has it.
        ("gzip", "400"),
        ("chunked, gzip", "400"),
        // Read, and found to be no JSON that registers somebody.
        ("Chunked", "422"),
    ] {
        for method in ["POST", "GET"] {
            let path = if method == "POST" {
                "/register"
            } else {
                "/ping"
            };
            let request = format!(
                "{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                 transfer-encoding: {coding}\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"
            );
            let answer = raw::exchange(server.address, &request).await;
            let expected = match (method, status) {
                ("GET", "422") => "200",
                _ => status,
            };
            assert_eq!(
                answer.split(' ').nth(1),
                Some(expected),
                "{method} {coding}: {answer}"
            );
        }
    }
}

/// RFC 9112 §6.3: with chunks and a length the chunks count, and nothing that follows is a request. A proxy that goes by
/// the length cannot smuggle one in.
#[tokio::test]
async fn after_chunks_that_also_have_a_length_the_connection_is_closed() {
    let server = TestServer::start().await;
    let body = r#"{"refresh_token":"none"}"#;
    let chunks = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let head = "POST /refresh HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let (chunked, length) = ("transfer-encoding: chunked\r\n", "content-length: 4\r\n");
    for (lines, answers) in [
        (chunked.to_owned(), 2),
        (format!("{chunked}{length}"), 1),
        (format!("{length}{chunked}"), 1),
        (format!("{length}{chunked}content-length: 5\r\n"), 1),
        (format!("{chunked}content-length: x\r\n"), 1),
    ] {
        let mut stream = TcpStream::connect(server.address).await.expect("connected");
        let last = PING.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n");
        let requests = format!("{head}{lines}\r\n{chunks}{last}");
        stream.write_all(requests.as_bytes()).await.ok();
        let mut received = String::new();
        let ended = tokio::time::timeout(PATIENCE, stream.read_to_string(&mut received)).await;
        // A server that closes with bytes unread resets the connection.
        ended.expect("it is closed").ok();
        assert!(
            received.contains("Invalid refresh token."),
            "{lines}: {received}"
        );
        assert_eq!(
            received.matches("HTTP/1.1 ").count(),
            answers,
            "{lines}: {received}"
        );
    }
}

#[tokio::test]
async fn two_lengths_that_differ_and_a_length_that_is_no_number_are_400() {
    let server = TestServer::start().await;
    let body = r#"{"refresh_token":"none"}"#;
    let right = body.len();
    for (lengths, is_read) in [
        (format!("{right}"), true),
        // Says the same twice: RFC 9112 §6.3.
        (format!("{right}\r\ncontent-length: {right}"), true),
        (format!("{right}\r\ncontent-length: 3"), false),
        (format!("3\r\ncontent-length: {right}"), false),
        (format!("{right}, 3"), false),
        (format!("+{right}"), false),
        (format!("0x{right:x}"), false),
        ("-1".to_owned(), false),
        ("99999999999999999999999".to_owned(), false),
    ] {
        let request = format!(
            "POST /refresh HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
             content-length: {lengths}\r\n\r\n{body}"
        );
        let answer = raw::exchange(server.address, &request).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{lengths}: {answer}");
        let code = if is_read {
            r#""code":"invalid_refresh_token""#
        } else {
            r#""code":"malformed_request""#
        };
        assert!(answer.contains(code), "{lengths}: {answer}");
    }
}

#[tokio::test]
async fn a_client_that_closes_its_sending_half_gets_its_answer() {
    let server = TestServer::start().await;
    let body = r#"{"username":"alice","password":"correct horse battery"}"#;
    let registration = format!(
        "POST /register HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let sign_in = registration.replace("/register", "/authenticate");
    // One request, and several down one connection.
    for (requests, answers) in [(registration, 1), (format!("{PING}{sign_in}{PING}"), 3)] {
        let mut stream = TcpStream::connect(server.address).await.expect("connected");
        stream.write_all(requests.as_bytes()).await.expect("sent");
        stream.shutdown().await.expect("closed by half");
        let mut received = String::new();
        let ended = tokio::time::timeout(PATIENCE, stream.read_to_string(&mut received)).await;
        ended.expect("the server closes too").expect("read");
        assert_eq!(
            received.matches("HTTP/1.1 200 ").count(),
            answers,
            "{received}"
        );
    }
    // A request that breaks off in its body is none.
    let mut stream = TcpStream::connect(server.address).await.expect("connected");
    stream
        .write_all(HALF_A_BODY.as_bytes())
        .await
        .expect("sent");
    stream.shutdown().await.expect("closed by half");
    let answer = ask(&mut stream, "").await;
    assert!(!answer.contains(" 200 "), "{answer}");
}

#[tokio::test]
async fn every_405_says_what_is_allowed_also_with_a_parameter_in_the_path() {
    let server = TestServer::start().await;
    let id = "0190aaaa-0000-7000-8000-000000000000";
    for (path, allowed) in [
        ("/register", "POST"),
        ("/ping", "GET, HEAD"),
        ("/", "GET, HEAD"),
        ("/docs", "GET, HEAD"),
        (&format!("/api/v1/auth/sessions/{id}"), "DELETE"),
        (&format!("/api/v1/users/{id}"), "DELETE, GET, HEAD, PATCH"),
        ("/api/v1/users/me", "DELETE, GET, HEAD"),
    ] {
        for method in ["TRACE", "PUT", "OPTIONS", "QUERY"] {
            let request = format!("{method} {path} HTTP/1.1\r\nhost: x\r\n\r\n");
            let answer = raw::exchange(server.address, &request).await;
            assert!(
                answer.starts_with("HTTP/1.1 405 "),
                "{method} {path}: {answer}"
            );
            let allow = answer
                .lines()
                .find_map(|line| line.strip_prefix("allow: "))
                .unwrap_or_else(|| panic!("{method} {path}: {answer}"));
            let mut methods: Vec<_> = allow.split(", ").collect();
            methods.sort_unstable();
            assert_eq!(methods.join(", "), allowed, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn each_client_behind_a_proxy_is_its_own_however_the_proxy_writes_its_address() {
    let server = TestServer::builder()
        .setting("LOGIN_RATE", "5/minute")
        .setting("TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8")
        .start()
        .await;
    let client = server.client();
    let mut names = 0..;
    let mut try_from = async |lists: &[&str]| {
        let mut request = client.request(Method::POST, "/authenticate");
        for list in lists {
            request = request.header("x-forwarded-for", *list);
        }
        let name = format!("user{}", names.next().expect("a number"));
        let body = json!({"username": name, "password": "a wrong password"});
        client.send(request.json(&body)).await
    };
    // Each line is one client, written in several ways.
    for client in [
        &[
            &["203.0.113.1:5432"][..],
            &["203.0.113.1:5433"],
            &["\"203.0.113.1:80\""],
        ][..],
        &[&["203.0.113.2"], &["203.0.113.2:1"]],
        &[
            &["[2001:db8:1::7]:5432"],
            &["2001:db8:1::7"],
            &["[2001:db8:1::7]"],
        ],
        &[&["[2001:db8:2::7%25eth0]:1"], &["2001:db8:2::7%eth0"]],
        &[
            &["203.0.113.3, , 10.0.0.7:80,"],
            &["evil", "203.0.113.3:1", " , "],
        ],
    ] {
        for number in 0..5 {
            let reply = try_from(client[number % client.len()]).await;
            reply.expect_failure(401, ErrorCode::InvalidCredentials);
        }
        for lists in client {
            let reply = try_from(lists).await;
            reply.expect_failure(429, ErrorCode::TooManyAttempts);
        }
    }
    // What cannot be read is nobody: the last believed hop counts.
    for number in 0..5 {
        let list = format!("203.0.113.{}, unknown, 10.0.0.9", 10 + number);
        let reply = try_from(&[&list]).await;
        reply.expect_failure(401, ErrorCode::InvalidCredentials);
    }
    let reply = try_from(&["203.0.113.99, 203.0.113.7:x, 10.0.0.9:443"]).await;
    reply.expect_failure(429, ErrorCode::TooManyAttempts);
}
