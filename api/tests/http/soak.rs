//! Users who sign in and out all the time leave nothing behind.

use std::collections::VecDeque;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use password_auth_model::{Clock, Generation, Party, Session, Timestamp, UserId};
use password_auth_store::{Loaded, NewSession};
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{PASSWORD, TestClient, TestServer};

/// Who presents tokens: always the same.
const PARTY: Party = Party {
    network: 1,
    device: 2,
};

const USERS: usize = 12;
const SESSIONS_EACH: usize = 4;
const TURNOVERS: usize = 10;

/// Sessions at any time, and how often all of them are replaced, where disk space is what is looked at. A device's
/// name is far longer there than any client can make it, so that few of them write a lot.
const LARGE: usize = 64;
const LARGE_TURNOVERS: usize = 60;
const DEVICE_BYTES: usize = 4_000;

/// What the folder may take on disk: a small part of what was written into it.
const AT_MOST: u64 = 16 << 20;

/// A user who always has some sessions, and signs in again before they sign out of the oldest.
struct Person {
    client: TestClient,
    name: String,
    refresh_tokens: VecDeque<String>,
}

impl Person {
    async fn sign_in(&mut self) {
        let tokens = self
            .client
            .authenticate(&self.name, PASSWORD)
            .await
            .tokens();
        self.client.protected(&tokens).await.expect_ok();
        let refreshed = self.client.refresh(tokens.refresh_token.expose()).await;
        let refresh_token = refreshed.tokens().refresh_token;
        self.refresh_tokens
            .push_back(refresh_token.expose().to_owned());
    }

    async fn turn_over(&mut self) {
        for _ in 0..SESSIONS_EACH {
            self.sign_in().await;
            if self.refresh_tokens.len() > SESSIONS_EACH {
                let oldest = self.refresh_tokens.pop_front();
                let body = json!({ "refresh_token": oldest });
                self.client.post("/logout", &body).await.expect_ok();
            }
        }
    }
}

async fn turn_over(people: &mut Vec<Person>) {
    let mut running = JoinSet::new();
    for mut person in people.drain(..) {
        running.spawn(async move {
            person.turn_over().await;
            person
        });
    }
    people.extend(running.join_all().await);
}

async fn kept(server: &TestServer) -> Loaded {
    let mut records = server.store.dump().await.expect("a dump");
    let mut kept = Loaded::default();
    while let Some(batch) = records.try_next().await.expect("records") {
        batch.iter().for_each(|record| kept.count(record));
    }
    kept
}

/// Blocks that are taken: a file may have holes.
fn bytes_in(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).expect("a folder");
    let bytes = entries.map(|entry| {
        let entry = entry.expect("an entry");
        let metadata = entry.metadata().expect("its metadata");
        if metadata.is_dir() {
            bytes_in(&entry.path())
        } else {
            metadata.blocks() * 512
        }
    });
    bytes.sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_in_and_out_ten_times_over_leaves_what_it_left_the_first_time() {
    let server = TestServer::start().await;
    let mut people = Vec::new();
    let all = server.client().with_many_addresses();
    for number in 0..USERS {
        let client = all.clone();
        let name = format!("user {number}");
        client.register(&name).await.expect_ok();
        people.push(Person {
            client,
            name,
            refresh_tokens: VecDeque::new(),
        });
    }
    turn_over(&mut people).await;
    let first = kept(&server).await;
    for _ in 0..TURNOVERS {
        turn_over(&mut people).await;
    }
    let last = kept(&server).await;
    let but_events = |kept| Loaded { events: 0, ..kept };
    // What happened is kept for its time, however much happens.
    assert!(last.events > first.events);
    assert_eq!(but_events(last), but_events(first));
    // The index of expiry, too, knows the sessions that there are, and no others.
    server.clock.advance(Duration::from_secs(400 * 86_400));
    let swept = server.store.sweep(server.clock.now()).await.expect("swept");
    let others = usize::try_from(last.attempts + last.events).expect("few");
    assert_eq!(swept, USERS * SESSIONS_EACH + others);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_is_written_to_all_the_time_stops_growing() {
    let server = TestServer::start().await;
    let now = server.clock.now();
    let mut running = JoinSet::new();
    for number in 0..LARGE {
        // Each somebody else's: of one person's there are not so many.
        let name = format!("user {number}");
        server.client().register(&name).await.expect_ok();
        let user = server.user(&name).await.id;
        let store = Arc::clone(&server.store);
        running.spawn(async move {
            let mut last = None;
            for _ in 0..LARGE_TURNOVERS {
                let session = large_session(user, now);
                let id = session.id;
                let added = store.create_session(session, 0).await;
                assert_eq!(added.expect("an answer"), NewSession::Added);
                let rotated = store.rotate_session(id, Generation(0), PARTY, now).await;
                assert!(rotated.expect("rotated").is_some());
                if let Some(last) = last.replace(id) {
                    store.end_session(last).await.expect("ended");
                }
            }
        });
    }
    running.join_all().await;
    let bytes = bytes_in(server.folder());
    let written = LARGE * LARGE_TURNOVERS * 2 * DEVICE_BYTES;
    println!("{bytes} bytes after {written}");
    assert!(bytes <= AT_MOST, "{bytes} bytes after {written}");
    assert_eq!(
        kept(&server).await.sessions,
        u64::try_from(LARGE).expect("few")
    );
}

fn large_session(user: UserId, now: Timestamp) -> Session {
    Session {
        confirmed: true,
        ..Session::new(
            user,
            "x".repeat(DEVICE_BYTES),
            now,
            now.plus(Duration::from_secs(86_400)),
        )
    }
}
