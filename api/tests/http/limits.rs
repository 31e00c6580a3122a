//! What a connection may do, over real sockets.

use std::time::Duration;

use password_auth_http::server::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{TestServer, raw};

const SHORT: Duration = Duration::from_millis(300);

/// Long enough to tell a limit that works from one that does not, on any machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// All connections come from one address, which may hold all of them, as a proxy may.
async fn server_with(limits: Limits) -> TestServer {
    let builder = TestServer::builder().setting("TRUSTED_PROXIES", "127.0.0.1");
    builder.limits(limits).start().await
}

/// Waits until the server closes; what it sent before.
async fn until_closed(stream: &mut TcpStream) -> String {
    let mut received = String::new();
    let closed = tokio::time::timeout(PATIENCE, stream.read_to_string(&mut received)).await;
    // A reset is a close as well.
    closed.expect("the server closes").ok();
    received
}

#[tokio::test]
async fn a_head_that_does_not_end_is_cut_off() {
    let server = server_with(Limits {
        head: SHORT,
        ..Limits::DEFAULT
    })
    .await;
    let mut stream = TcpStream::connect(server.address).await.expect("connected");
    stream
        .write_all(b"GET /ping HTTP/1.1\r\nhost: x\r\n")
        .await
        .expect("sent");
    until_closed(&mut stream).await;
}

#[tokio::test]
async fn a_head_that_drips_is_cut_off_too() {
    let server = server_with(Limits {
        head: SHORT,
        ..Limits::DEFAULT
    })
    .await;
    let mut stream = TcpStream::connect(server.address).await.expect("connected");
    let drip = async {
        // Ends when the server has closed: a write fails then.
        while stream.write_all(b"a").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, drip)
        .await
        .expect("the server closes");
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed_before_and_between_requests() {
    let server = server_with(Limits {
        first: SHORT,
        idle: SHORT,
        ..Limits::DEFAULT
    })
    .await;
    let mut silent = TcpStream::connect(server.address).await.expect("connected");
    until_closed(&mut silent).await;
    let mut idle = TcpStream::connect(server.address).await.expect("connected");
    idle.write_all(b"GET /ping HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .expect("sent");
    let answer = raw::answer(&mut idle).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    until_closed(&mut idle).await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_answered_408() {
    let server = TestServer::start().await;
    let head = "POST /register HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{";
    let answer = tokio::time::timeout(PATIENCE, raw::exchange(server.address, head)).await;
    let answer = answer.expect("the server answers");
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains(r#""code":"request_timeout""#), "{answer}");
}

#[tokio::test]
async fn a_peer_that_takes_nothing_of_its_answers_is_cut_off() {
    let server = server_with(Limits {
        stalled: SHORT,
        ..Limits::DEFAULT
    })
    .await;
    let mut stream = TcpStream::connect(server.address).await.expect("connected");
    let flood = async {
        // More documentation than the kernel's buffers hold, and none of it is read.
        while stream
            .write_all(b"GET /docs HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .is_ok()
        {}
    };
    tokio::time::timeout(PATIENCE, flood)
        .await
        .expect("the server closes");
}

#[tokio::test]
async fn when_places_run_short_whoever_says_nothing_goes_first() {
    let server = server_with(Limits {
        connections: 8,
        crowded: SHORT,
        ..Limits::DEFAULT
    })
    .await;
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(TcpStream::connect(server.address).await.expect("connected"));
    }
    let ping = raw::exchange(server.address, "GET /ping HTTP/1.1\r\nhost: x\r\n\r\n");
    let answer = tokio::time::timeout(PATIENCE, ping).await;
    assert!(
        answer
            .expect("a place came free")
            .starts_with("HTTP/1.1 200 ")
    );
}

#[tokio::test]
async fn past_the_cap_a_connection_waits_for_its_turn() {
    let server = server_with(Limits {
        connections: 2,
        ..Limits::DEFAULT
    })
    .await;
    let ping = b"GET /ping HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut first = TcpStream::connect(server.address).await.expect("connected");
    let mut second = TcpStream::connect(server.address).await.expect("connected");
    for stream in [&mut first, &mut second] {
        stream.write_all(ping).await.expect("sent");
        assert!(raw::answer(stream).await.starts_with("HTTP/1.1 200 "));
    }
    let mut third = TcpStream::connect(server.address)
        .await
        .expect("in the backlog");
    third.write_all(ping).await.expect("sent");
    let early = tokio::time::timeout(SHORT, third.readable()).await;
    assert!(early.is_err(), "the third is served before its turn");
    drop(first);
    let answer = tokio::time::timeout(PATIENCE, raw::answer(&mut third)).await;
    assert!(answer.expect("its turn came").starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn several_requests_down_one_connection_are_answered_in_order() {
    let server = TestServer::start().await;
    let mut stream = TcpStream::connect(server.address).await.expect("connected");
    stream
        .write_all(
            b"GET /ping HTTP/1.1\r\nhost: x\r\n\r\nGET /nothing HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        )
        .await
        .expect("sent");
    let answers = until_closed(&mut stream).await;
    let ping = answers.find("HTTP/1.1 200 ").expect("the first answer");
    let nothing = answers.find("HTTP/1.1 404 ").expect("the second answer");
    assert!(ping < nothing);
}

#[tokio::test]
async fn told_to_stop_the_server_finishes_what_is_under_way_and_takes_nothing_new() {
    let server = TestServer::start().await;
    let address = server.address;
    let mut busy = TcpStream::connect(address).await.expect("connected");
    let body = r#"{"username":"alice","password":"correct horse battery"}"#;
    let head = format!(
        "POST /register HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    busy.write_all(head.as_bytes()).await.expect("sent");
    // The server asks for the body: the request is under way.
    let mut interim = [0; 25];
    busy.read_exact(&mut interim)
        .await
        .expect("asked for the body");
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    let mut idle = TcpStream::connect(address).await.expect("connected");
    server.tell_to_stop();
    until_closed(&mut idle).await;
    busy.write_all(body.as_bytes()).await.expect("sent");
    let answer = until_closed(&mut busy).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    server.stop().await;
    assert!(TcpStream::connect(address).await.is_err());
}
