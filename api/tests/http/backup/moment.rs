//! A backup is of one moment, whatever is written meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::{StreamExt as _, stream};
use password_auth_model::{Generation, Party, Session, Timestamp};
use password_auth_store::sled::SledStore;
use password_auth_store::{Backup as _, Lifecycle as _, Record, SessionStore as _};
use serde_json::Value;
use tokio::task::JoinSet;

use super::command::{Restored, backup, filler, filler_records, lines, restore};
use crate::support::{ServerProcess, TestClient};

/// Who presents tokens: always the same.
const PARTY: Party = Party {
    network: 1,
    device: 2,
};

const WORKERS: usize = 8;
const BACKUPS: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_under_load_is_backed_up_as_of_one_moment() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, file) = (folder.path().join("store"), folder.path().join("filler"));
    // So much that reading it takes long enough for writes to come between.
    filler(&file, 6_000);
    restore(&store, &file, &[]).await.expect_success();
    let server = ServerProcess::start(ServerProcess::command(&store)).await;
    let load = Load::start(&server.client());
    for number in 0..BACKUPS {
        load.wait_for_more().await;
        let before = load.acknowledged();
        let file = folder.path().join(format!("backup {number}"));
        backup(&store, &file, &[]).await.expect_success();
        let meanwhile: usize =
            load.acknowledged().iter().sum::<usize>() - before.iter().sum::<usize>();
        println!("{meanwhile} people signed up meanwhile");
        check(&file, &before);
        Restored::from(&file, &[]).await;
    }
    load.stop().await;
    assert!(server.terminate().await.success());
}

/// Workers that register and sign in one person after the other.
struct Load {
    workers: JoinSet<()>,
    acknowledged: Arc<Vec<AtomicUsize>>,
    stop: Arc<AtomicBool>,
}

impl Load {
    fn start(client: &TestClient) -> Self {
        let acknowledged: Arc<Vec<AtomicUsize>> =
            Arc::new((0..WORKERS).map(|_| AtomicUsize::new(0)).collect());
        let stop = Arc::new(AtomicBool::new(false));
        let mut workers = JoinSet::new();
        for worker in 0..WORKERS {
            let (client, acknowledged) = (client.clone(), Arc::clone(&acknowledged));
            let stop = Arc::clone(&stop);
            workers.spawn(async move {
                for number in 0.. {
                    if stop.load(Ordering::SeqCst) {
                        return;
                    }
                    client.sign_up(&format!("load {worker} {number}")).await;
                    acknowledged[worker].store(number + 1, Ordering::SeqCst);
                }
            });
        }
        Self {
            workers,
            acknowledged,
            stop,
        }
    }

    /// How many people of each worker are signed in.
    fn acknowledged(&self) -> Vec<usize> {
        let all = self.acknowledged.iter();
        all.map(|number| number.load(Ordering::SeqCst)).collect()
    }

    /// Until every worker has got on.
    async fn wait_for_more(&self) {
        let before = self.acknowledged();
        while self
            .acknowledged()
            .iter()
            .zip(&before)
            .any(|(now, before)| now <= before)
        {
            tokio::task::yield_now().await;
        }
    }

    async fn stop(mut self) {
        self.stop.store(true, Ordering::SeqCst);
        while let Some(ended) = self.workers.join_next().await {
            ended.expect("everybody was let in");
        }
    }
}

/// Whoever was acknowledged before is in; of each worker's people, all are signed in but maybe the last.
fn check(file: &std::path::Path, before: &[usize]) {
    let mut people = BTreeMap::<usize, BTreeMap<usize, String>>::new();
    let mut signed_in = BTreeSet::new();
    for line in lines(file) {
        if let Some(name) = line["user"]["username"].as_str()
            && let Some(name) = name.strip_prefix("load ")
        {
            let (worker, number) = name.split_once(' ').expect("two numbers");
            let id = text(&line["user"]["id"]);
            let of_worker = people.entry(worker.parse().expect("a number")).or_default();
            of_worker.insert(number.parse().expect("a number"), id);
        }
        if line["session"].is_object() {
            signed_in.insert(text(&line["session"]["user"]));
        }
    }
    for (worker, acknowledged) in before.iter().enumerate() {
        let people = people.get(&worker).expect("the worker's people");
        assert!(people.len() >= *acknowledged, "somebody is missing");
        for (expected, (number, id)) in people.iter().enumerate() {
            assert_eq!(*number, expected, "one before is missing");
            let is_last = expected + 1 == people.len();
            let must_be_signed_in = !is_last || expected < *acknowledged;
            assert!(
                !must_be_signed_in || signed_in.contains(id),
                "person {number} of worker {worker} is not signed in"
            );
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// The first session in the picture's order rotates, then the last one, and so on: at any moment the first
/// is ahead by one at most. Whoever reads them one after the other, while they rotate, sees the last ahead.
#[tokio::test(flavor = "multi_thread")]
async fn two_sessions_that_change_in_turns_are_seen_at_one_moment() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Arc::new(SledStore::open(folder.path()).expect("a store"));
    let (people, sessions) = filler_records(12_000);
    let Some((first, last)) = sessions.first().zip(sessions.last()) else {
        panic!("no sessions");
    };
    let turn = [session(first).id, session(last).id];
    let all = stream::iter([Ok(people), Ok(sessions.clone())]);
    store.load(all.boxed()).await.expect("loaded");

    let stop = Arc::new(AtomicBool::new(false));
    let rotating = tokio::spawn({
        let (store, stop) = (Arc::clone(&store), Arc::clone(&stop));
        async move {
            let mut rotations = 0;
            for generation in (0..).map(Generation) {
                for id in turn {
                    if stop.load(Ordering::SeqCst) {
                        return rotations;
                    }
                    let arrival = Timestamp::from_millis(2_000_000 + u64::from(generation.0));
                    let rotated = store.rotate_session(id, generation, PARTY, arrival).await;
                    rotated.expect("written").expect("a session");
                    rotations += 1;
                }
            }
            rotations
        }
    });
    let mut seen = BTreeSet::new();
    for _ in 0..BACKUPS {
        let mut found = BTreeMap::new();
        let mut records = store.dump().await.expect("a picture");
        while let Some(batch) = records.next().await {
            for record in batch.expect("records") {
                if let Record::Session(session) = record {
                    found.insert(session.id, session.generation.0);
                }
            }
        }
        let [first, last] = turn.map(|id| found[&id]);
        assert!(first == last || first == last + 1, "{first} {last}");
        assert_eq!(found.len(), sessions.len());
        seen.insert(first);
    }
    stop.store(true, Ordering::SeqCst);
    let rotations = rotating.await.expect("rotated");
    println!("{rotations} rotations; seen at {seen:?}");
    assert!(seen.len() > 1, "nothing was written meanwhile: {seen:?}");
    store.close().await;
}

fn session(record: &Record) -> &Session {
    match record {
        Record::Session(session) => session,
        other => panic!("{other:?}"),
    }
}
