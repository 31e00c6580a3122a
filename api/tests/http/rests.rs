//! Who asks again at once after a refusal is refused a moment later; nothing else waits for that.

use std::time::{Duration, Instant};

use password_auth_http::measures::Counted;
use password_auth_http::server::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{TestServer, raw};

const REST: Duration = Duration::from_millis(200);

const PING: &str = "GET /ping HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// Each client has one try, and is refused then. Behind a proxy, so that tests can come from any address.
async fn server(limits: Limits) -> TestServer {
    TestServer::builder()
        .setting("LOGIN_RATE", "1/hour")
        .setting("TRUSTED_PROXIES", "127.0.0.1")
        .limits(limits)
        .start()
        .await
}

/// A sign-in with a wrong password, of an account of that address, so that the address alone counts.
fn sign_in(address: &str) -> String {
    let body = format!(r#"{{"username":"from {address}","password":"a wrong one"}}"#);
    format!(
        "POST /authenticate HTTP/1.1\r\nhost: localhost\r\nx-forwarded-for: {address}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn ask(stream: &mut TcpStream, request: &str) -> String {
    let sent = stream.write_all(request.as_bytes()).await;
    sent.expect("sent");
    raw::answer(stream).await
}

fn is_refused(answer: &str) {
    assert!(answer.starts_with("HTTP/1.1 429 "), "{answer}");
    assert!(answer.contains("\r\nretry-after: "), "{answer}");
}

/// Uses up the one try, and is refused once.
async fn refused_once(stream: &mut TcpStream, address: &str) {
    let hashed = ask(stream, &sign_in(address)).await;
    assert!(hashed.starts_with("HTTP/1.1 401 "), "{hashed}");
    is_refused(&ask(stream, &sign_in(address)).await);
}

async fn connect(server: &TestServer) -> TcpStream {
    let connected = TcpStream::connect(server.address).await;
    connected.expect("connected")
}

/// Refusals come no closer than that, however late this machine sends them.
fn rested(times: u32, since: Instant) {
    let least = REST * times - Duration::from_millis(2);
    assert!(since.elapsed() >= least, "{:?}", since.elapsed());
}

#[tokio::test]
async fn a_refusal_right_after_another_comes_a_moment_later_on_any_connection() {
    let server = server(Limits::DEFAULT).await;
    let began = Instant::now();
    let mut first = connect(&server).await;
    refused_once(&mut first, "192.0.2.1").await;
    for _ in 0..3 {
        is_refused(&ask(&mut first, &sign_in("192.0.2.1")).await);
        is_refused(&raw::exchange(server.address, &sign_in("192.0.2.1")).await);
    }
    rested(6, began);
}

/// Each in one of many rounds at least: a machine that does other work may take longer than a rest for anything.
#[tokio::test]
async fn a_refusal_to_somebody_else_and_what_is_not_refused_do_not_wait() {
    let server = server(Limits::DEFAULT).await;
    let mut stream = connect(&server).await;
    refused_once(&mut stream, "192.0.2.1").await;
    let (mut refusal, mut ping) = (Duration::MAX, Duration::MAX);
    for number in 0..50 {
        if refusal.max(ping) < REST {
            return;
        }
        let other = sign_in(&format!("198.51.100.{number}"));
        ask(&mut stream, &other).await;
        is_refused(&ask(&mut stream, &sign_in("192.0.2.1")).await);
        let asked = Instant::now();
        is_refused(&ask(&mut stream, &other).await);
        refusal = refusal.min(asked.elapsed());
        let asked = Instant::now();
        let answer = ask(
            &mut stream,
            &PING.replace("localhost", "localhost\r\nx-forwarded-for: 192.0.2.1"),
        )
        .await;
        ping = ping.min(asked.elapsed());
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
    panic!("a refusal: {refusal:?}, a ping: {ping:?}");
}

#[tokio::test]
async fn pipelined_requests_rest_one_by_one_and_are_answered_to_a_half_closed_connection() {
    let server = server(Limits::DEFAULT).await;
    let began = Instant::now();
    let mut stream = connect(&server).await;
    refused_once(&mut stream, "192.0.2.1").await;
    let requests = sign_in("192.0.2.1").repeat(4) + PING;
    stream.write_all(requests.as_bytes()).await.expect("sent");
    stream.shutdown().await.expect("half closed");
    let mut answers = String::new();
    let all = stream.read_to_string(&mut answers).await;
    all.expect("all answers");
    assert_eq!(answers.matches("HTTP/1.1 429 ").count(), 4, "{answers}");
    assert_eq!(answers.matches("HTTP/1.1 200 ").count(), 1, "{answers}");
    rested(4, began);
}

/// A proxy's connections are everybody's: what is refused to some takes none of them from others.
#[tokio::test]
async fn on_a_proxy_s_connections_nothing_rests_while_places_run_short() {
    let server = server(Limits {
        connections: 8,
        ..Limits::DEFAULT
    })
    .await;
    let mut stream = connect(&server).await;
    refused_once(&mut stream, "192.0.2.1").await;
    let mut others = Vec::new();
    for _ in 0..6 {
        let mut other = connect(&server).await;
        ask(&mut other, PING).await;
        others.push(other);
    }
    is_refused(&ask(&mut stream, &sign_in("192.0.2.1")).await);
    let mut least = Duration::MAX;
    for _ in 0..20 {
        let asked = Instant::now();
        is_refused(&ask(&mut stream, &sign_in("192.0.2.1")).await);
        least = least.min(asked.elapsed());
    }
    assert!(least < REST, "{least:?}");
    drop(others);
}

#[tokio::test]
async fn a_refusal_that_rests_is_sent_before_the_server_stops() {
    let server = server(Limits::DEFAULT).await;
    let mut stream = connect(&server).await;
    refused_once(&mut stream, "192.0.2.1").await;
    let request = sign_in("192.0.2.1");
    stream.write_all(request.as_bytes()).await.expect("sent");
    // It is counted before it rests.
    while refusals(&server) < 2 {
        tokio::task::yield_now().await;
    }
    let (refused, _folder) = tokio::join!(raw::answer(&mut stream), server.stop());
    is_refused(&refused);
}

fn refusals(server: &TestServer) -> u64 {
    let requests = server.measures.requests.counted();
    let statuses = requests.flat_map(Counted::by_status);
    let refused = statuses.filter(|(status, _)| *status == 429);
    refused.map(|(_, count)| count).sum()
}
