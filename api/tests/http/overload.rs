//! More sign-ins than the machine can hash: memory is limited, refused clients are told when to retry, and other
//! requests do not wait. With the hashes of production.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::available_parallelism;

use password_auth_wire::ErrorCode;
use reqwest::Method;
use serde_json::json;
use tokio::process::Command;
use tokio::task::JoinSet;

use crate::support::{PASSWORD, Reply, ServerProcess, TestClient};

/// What one hash allocates (N = 2^15, r = 8).
const HASH_MIB: usize = 32;

/// Everything else: the program, its caches, two hundred connections.
const REST_MIB: usize = 64;

/// For each core one may hash and sixteen may wait: twice that, and two hundred at least, is a storm.
const PLACES_PER_CORE: usize = 17;

/// How many sign-ins it sends at once.
fn storm() -> usize {
    200.max(2 * PLACES_PER_CORE * cores())
}

fn cores() -> usize {
    available_parallelism().map_or(1, Into::into)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_sign_ins_takes_bounded_memory_and_keeps_nobody_else_waiting() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = ServerProcess::start(hashing_as_in_production(folder.path())).await;
    let client = server.client();
    let tokens = client.sign_up("Alice").await;

    let over = Arc::new(AtomicBool::new(false));
    let greetings = Arc::new(AtomicUsize::new(0));
    let visitor = tokio::spawn({
        let (client, over, greetings) = (server.client(), over.clone(), greetings.clone());
        async move {
            while !over.load(Ordering::SeqCst) {
                client.protected(&tokens).await.expect_ok();
                greetings.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    let mut storm_replies = JoinSet::new();
    for number in 0..storm() {
        let client = client.clone();
        let password = if number % 2 == 0 { PASSWORD } else { "a guess" };
        storm_replies.spawn(async move { client.authenticate("Alice", password).await });
    }
    let mut seen = Seen::default();
    // How many greetings came between the storm's first hash and its last.
    let (mut greeted_first, mut greeted_last) = (None, 0);
    while let Some(reply) = storm_replies.join_next().await {
        let hashed = seen.note(&reply.expect("it was asked"));
        if hashed {
            greeted_last = greetings.load(Ordering::SeqCst);
            greeted_first.get_or_insert(greeted_last);
        }
    }
    over.store(true, Ordering::SeqCst);
    visitor.await.expect("each was greeted");

    let peak = peak_mib(server.id());
    println!("{seen:?}, peak {peak} MiB, {greeted_first:?} to {greeted_last} greetings");
    let ceiling = cores() * HASH_MIB + REST_MIB;
    assert!(peak <= ceiling, "{peak} MiB, more than {ceiling}");
    assert!(
        seen.busy > 0 && seen.right > 0 && seen.wrong > 0,
        "{seen:?}"
    );
    // Behind the queue of hashes, one greeting would take as long as the queue: there would be a few.
    let greeted = greeted_last - greeted_first.expect("something was hashed");
    assert!(
        greeted > seen.right + seen.wrong,
        "only {greeted}: {seen:?}"
    );
    server.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_told_to_stop_does_not_hash_for_all_who_wait() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = hashing_as_in_production(folder.path());
    command.env("SCRYPT_P", "16").env("SCRYPT_LOG_N", "16");
    let server = ServerProcess::start(command).await;
    // One address alone would have a few of the places.
    let client = server.client().with_many_addresses();
    client.sign_up("Alice").await;
    let mut storm_replies = JoinSet::new();
    for _ in 0..PLACES_PER_CORE * cores() {
        let client = client.clone();
        storm_replies.spawn(async move {
            let body = json!({"username": "Alice", "password": "a guess"});
            let request = client.request(Method::POST, "/authenticate").json(&body);
            // Whoever still waits when the server stops may get no answer.
            client.try_send(request).await.ok();
        });
    }
    // All of them are asked once one has its answer.
    let first = storm_replies.join_next().await.expect("one of them");
    first.expect("it was asked");
    server.tell_to_stop().await;
    // They wait no longer than the connections do that they came by.
    storm_replies.abort_all();
    let begun = std::time::Instant::now();
    let (status, _log) = server.ended().await;
    assert!(status.success(), "{status}");
    // After ten seconds it waits for the hashes alone that are being made. All of them would take much longer.
    assert!(begun.elapsed().as_secs() < 30, "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_who_want_one_name_at_once_one_gets_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = ServerProcess::start(hashing_as_in_production(folder.path())).await;
    let client = server.client();
    let mut wanting = JoinSet::new();
    for number in 0..100 {
        let client = client.clone();
        wanting.spawn(async move {
            let password = format!("the password of number {number}");
            let body = json!({"username": "Alice", "password": password});
            (password, client.post("/register", &body).await)
        });
    }
    let (mut winners, mut losers) = (Vec::new(), Vec::new());
    for (password, reply) in wanting.join_all().await {
        match reply.status {
            200 => winners.push(password),
            503 => {
                reply.expect_failure(503, ErrorCode::ServiceUnavailable);
                losers.push(password);
            }
            _ => {
                reply.expect_failure(400, ErrorCode::UserExists);
                losers.push(password);
            }
        }
    }
    let [winner] = &winners[..] else {
        panic!("{} got it", winners.len());
    };
    client.authenticate("Alice", winner).await.expect_ok();
    let refused = client.authenticate("Alice", &losers[0]).await;
    refused.expect_failure(401, ErrorCode::InvalidCredentials);
    server.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_contexts_that_refresh_at_once_all_get_the_same_token() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = ServerProcess::start(ServerProcess::command(folder.path())).await;
    let client = server.client();
    let first = client.sign_up("Alice").await.refresh_token;
    let mut contexts = JoinSet::new();
    for _ in 0..64 {
        // A client of its own has a connection of its own.
        let (client, token) = (TestClient::new(&server.url), first.clone());
        contexts.spawn(async move { client.refresh(token.expose()).await.tokens() });
    }
    let answers = contexts.join_all().await;
    let second = answers[0].clone();
    assert_ne!(second.refresh_token, first);
    for answer in &answers {
        // Had it moved twice, one of them would have another.
        assert_eq!(answer.refresh_token, second.refresh_token);
        client.protected(answer).await.expect_ok();
    }
    let third = client.refresh(second.refresh_token.expose()).await.tokens();
    assert_ne!(third.refresh_token, second.refresh_token);
    assert_ne!(third.refresh_token, first);
    server.kill().await;
}

/// What the sign-ins heard.
#[derive(Debug, Default)]
struct Seen {
    right: usize,
    wrong: usize,
    busy: usize,
}

impl Seen {
    /// Says whether it took a hash.
    fn note(&mut self, reply: &Reply) -> bool {
        match reply.status {
            200 => self.right += 1,
            401 => {
                reply.expect_failure(401, ErrorCode::InvalidCredentials);
                self.wrong += 1;
            }
            _ => {
                reply.expect_failure(503, ErrorCode::ServiceUnavailable);
                let seconds: u64 = reply.header("retry-after").parse().expect("seconds");
                assert!(seconds > 0);
                self.busy += 1;
                return false;
            }
        }
        true
    }
}

fn hashing_as_in_production(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_password-auth"));
    command
        .args(["serve", "--dev", "--port", "0", "--login-rate", "off"])
        // Many connections from one address are those of a proxy.
        .args(["--trusted-proxies", "127.0.0.1"])
        .args(["--register-rate", "off", "--account-rate", "off"])
        .arg("--data-dir")
        .arg(folder)
        .current_dir(folder)
        .env_clear()
        .env("RUST_LOG", "warn");
    command
}

/// The most memory that the process ever held.
fn peak_mib(process: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .expect("VmHWM");
    let kib = line.trim().trim_end_matches(" kB");
    kib.parse::<usize>().expect("a number") / 1024
}
