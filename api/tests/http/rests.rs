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
async fn refused_once(server: &TestServer, address: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.expect("connected");
    let hashed = ask(&mut stream, &sign_in(address)).await;
    assert!(hashed.starts_with("HTTP/1.1 401 "), "{hashed}");
    is_refused(&ask(&mut stream, &sign_in(address)).await);
    stream
}

#[tokio::test]
async fn a_refusal_right_after_another_comes_a_moment_later_on_any_connection() {
    let server = server(Limits::DEFAULT).await;
    let mut first = refused_once(&server, "192.0.2.1").await;
    for _ in 0..3 {
        let asked = Instant::now();
        is_refused(&ask(&mut first, &sign_in("192.0.2.1")).await);
        is_refused(&raw::exchange(server.address, &sign_in("192.0.2.1")).await);
        assert!(asked.elapsed() >= 2 * REST, "{:?}", asked.elapsed());
    }
}

/// Each in one of many rounds at least: a machine that does other work may take longer than a rest for anything.
#[tokio::test]
async fn a_refusal_to_somebody_else_and_what_is_not_refused_do_not_wait() {
    let server = server(Limits::DEFAULT).await;
    let mut resting = refused_once(&server, "192.0.2.1").await;
    let (mut other_was_first, mut ping_was_first) = (false, false);
    for number in 0..100 {
        if other_was_first && ping_was_first {
            return;
        }
        let mut other = refused_once(&server, &format!("198.51.100.{number}")).await;
        // It would rest for its own refusal, if not for another client's.
        tokio::time::sleep(2 * REST).await;
        is_refused(&ask(&mut resting, &sign_in("192.0.2.1")).await);
        let mut rests = tokio::spawn(async move {
            is_refused(&ask(&mut resting, &sign_in("192.0.2.1")).await);
            resting
        });
        is_refused(&ask(&mut other, &sign_in(&format!("198.51.100.{number}"))).await);
        other_was_first |= !rests.is_finished();
        let ping = PING.replace("\r\n\r\n", "\r\nx-forwarded-for: 192.0.2.1\r\n\r\n");
        let answer = ask(&mut other, &ping).await;
        ping_was_first |= !rests.is_finished();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        resting = (&mut rests).await.expect("refused");
    }
    panic!("other: {other_was_first}, ping: {ping_was_first}");
}

#[tokio::test]
async fn pipelined_requests_rest_one_by_one_and_are_answered_to_a_half_closed_connection() {
    let server = server(Limits::DEFAULT).await;
    let mut stream = refused_once(&server, "192.0.2.1").await;
    let asked = Instant::now();
    let requests = sign_in("192.0.2.1").repeat(4) + PING;
    stream.write_all(requests.as_bytes()).await.expect("sent");
    stream.shutdown().await.expect("half closed");
    let mut answers = String::new();
    let all = stream.read_to_string(&mut answers).await;
    all.expect("all answers");
    assert_eq!(answers.matches("HTTP/1.1 429 ").count(), 4, "{answers}");
    assert_eq!(answers.matches("HTTP/1.1 200 ").count(), 1, "{answers}");
    assert!(asked.elapsed() >= 4 * REST, "{:?}", asked.elapsed());
}

/// A proxy's connections are everybody's: what is refused to some takes none of them from others.
#[tokio::test]
async fn on_a_proxy_s_connections_nothing_rests_while_places_run_short() {
    let server = server(Limits {
        connections: 8,
        ..Limits::DEFAULT
    })
    .await;
    let mut stream = refused_once(&server, "192.0.2.1").await;
    let mut others = Vec::new();
    for _ in 0..6 {
        let mut other = TcpStream::connect(server.address).await.expect("connected");
        ask(&mut other, PING).await;
        others.push(other);
    }
    let mut least = Duration::MAX;
    for _ in 0..100 {
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
    let mut stream = refused_once(&server, "192.0.2.1").await;
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
