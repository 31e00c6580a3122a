//! Files that lost their end, or one byte of which changed: the server serves and everything is there, or it
//! says what happened and what to do. It never panics, and never serves in silence without what it had
//! acknowledged.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use password_auth_model::{Clock, Event, EventId, EventKind, SystemClock, UsernameKey};
use password_auth_store::sled::SledStore;
use password_auth_store::{EventStore as _, Lifecycle as _, UserStore as _};
use password_auth_wire::Tokens;
use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::support::{PASSWORD, Random, ServerProcess, TestClient, copy_of, everyday_or_long};

const DAMAGES: (usize, usize) = (60, 1_500);

/// Events that nobody asks for, between what is asked for: sled's log gets a dozen segments.
const FILLING: usize = 900;

const PEOPLE: usize = 12;

/// Folders at once.
const AT_ONCE: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_ends_in_service_or_in_a_sentence() {
    let seed = Random::seed();
    println!("PASSWORD_AUTH_SEED={seed} repeats the choices of these damages");
    let mut random = Random::new(seed);
    let whole = Arc::new(Whole::make().await);
    let mut outcomes = BTreeMap::<(String, String), usize>::new();
    let mut trials = JoinSet::new();
    for _ in 0..everyday_or_long(DAMAGES.0, DAMAGES.1) {
        if trials.len() == AT_ONCE {
            let outcome = trials.join_next().await.expect("one").expect("a fair end");
            *outcomes.entry(outcome).or_default() += 1;
        }
        let damage = Damage::choose(whole.folder.path(), &mut random);
        let whole = Arc::clone(&whole);
        trials.spawn(async move { whole.damaged_by(damage).await });
    }
    for outcome in trials.join_all().await {
        *outcomes.entry(outcome).or_default() += 1;
    }
    let mut unfair = 0;
    for ((file, outcome), count) in outcomes {
        println!("{count:5}  {file}: {outcome}");
        if outcome.starts_with(UNFAIR) {
            unfair += count;
        }
    }
    assert_eq!(unfair, 0, "damages ended badly");
}

#[derive(Debug)]
enum How {
    Flipped { at: u64, bit: u32 },
    Cut { at: u64 },
}

#[derive(Debug)]
struct Damage {
    /// In the data folder.
    file: PathBuf,
    how: How,
}

impl Damage {
    fn choose(folder: &Path, random: &mut Random) -> Self {
        let file = match random.below(10) {
            0 => PathBuf::from("keys.json"),
            1 => PathBuf::from("sled/conf"),
            2 => snapshot(folder),
            3 => PathBuf::from(["lock", "mark"][random.below(2)]),
            _ => PathBuf::from("sled/db"),
        };
        let length = fs::metadata(folder.join(&file)).expect("there").len();
        let at = random.below(usize::try_from(length).expect("fits").max(1));
        let at = u64::try_from(at).expect("fits");
        let how = if random.percent(35) || length == 0 {
            How::Cut { at }
        } else {
            let bit = u32::try_from(random.below(8)).expect("fits");
            How::Flipped { at, bit }
        };
        Self { file, how }
    }

    fn apply(&self, folder: &Path) {
        let path = folder.join(&self.file);
        let mut content = fs::read(&path).expect("read");
        match self.how {
            How::Flipped { at, bit } => content[usize::try_from(at).expect("fits")] ^= 1 << bit,
            How::Cut { at } => content.truncate(usize::try_from(at).expect("fits")),
        }
        fs::write(&path, content).expect("written");
    }
}

fn snapshot(folder: &Path) -> PathBuf {
    let names = fs::read_dir(folder.join("sled")).expect("a folder");
    let mut names = names.map(|entry| entry.expect("an entry").file_name());
    let name = names.find(|name| name.to_string_lossy().starts_with("snap."));
    Path::new("sled").join(name.expect("a snapshot"))
}

/// A folder of a stopped server, and what it had acknowledged.
struct Whole {
    folder: TempDir,
    people: Vec<(String, Tokens)>,
}

impl Whole {
    async fn make() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut people = Vec::new();
        for number in 0..PEOPLE {
            // A start now and then: sled takes a snapshot of what was before it.
            let mut command = ServerProcess::command(folder.path());
            command.args(["--access-token-expire-minutes", "1440"]);
            let server = ServerProcess::start(command).await;
            let client = server.client();
            let name = format!("Person {number}");
            let tokens = client.sign_up(&name).await;
            let tokens = client.refresh(tokens.refresh_token.expose()).await.tokens();
            client.protected(&tokens).await.expect_ok();
            people.push((name, tokens));
            assert!(server.terminate().await.success());
            if number % 4 == 1 {
                fill(folder.path(), &people[0].0).await;
            }
        }
        Self { folder, people }
    }

    /// What became of it: the file, and a few words.
    async fn damaged_by(&self, damage: Damage) -> (String, String) {
        let folder = copy_of(self.folder.path());
        damage.apply(folder.path());
        let outcome = match self.outcome(folder.path()).await {
            Ok(outcome) => outcome.to_owned(),
            Err(why) => format!("{UNFAIR}: {damage:?}: {why}"),
        };
        let file = damage.file.to_string_lossy();
        (
            file.split('.').next().unwrap_or_default().to_owned(),
            outcome,
        )
    }

    async fn outcome(&self, folder: &Path) -> Result<&'static str, String> {
        let mut command = ServerProcess::command(folder);
        command.args(["--access-token-expire-minutes", "1440"]);
        let server = match ServerProcess::try_start(command).await {
            Ok(server) => server,
            Err(sentence) if says_what_to_do(&sentence) => return Ok("refused, with a sentence"),
            Err(sentence) => return Err(format!("refused: {sentence}")),
        };
        let (lost, failed) = match self.ask(&server.client()).await {
            Ok(counts) => counts,
            Err(error) => {
                // It ends when it cannot write any more.
                let ended = tokio::time::timeout(ENDS, server.ended()).await;
                let (status, log) = ended.map_err(|_| format!("no answer, {error}"))?;
                let cannot_write = log.contains("the store cannot write any more");
                return if status.code() == Some(1) && cannot_write && says_what_to_do(&log) {
                    Ok("ends at the damage, with a sentence")
                } else {
                    Err(format!("no answer, {error}; {status}: {log}"))
                };
            }
        };
        let log = server.kill().await;
        match (lost, failed) {
            (0, 0) if log.is_empty() => Ok("serves"),
            (0, 0) if !panicked(&log) => Ok("serves, with a word"),
            (0, _) if says_what_to_do(&log) => Ok("fails at the damage, with a sentence"),
            (_, 0) if says_what_to_do(&log) => Ok("lost something, with a sentence"),
            _ => Err(format!("{lost} lost, {failed} failed: {log}")),
        }
    }

    /// How many answers say that something is lost, and how many that something failed.
    async fn ask(&self, client: &TestClient) -> Result<(usize, usize), reqwest::Error> {
        let (mut lost, mut failed) = (0, 0);
        for (name, tokens) in &self.people {
            let credentials = json!({"username": name, "password": PASSWORD});
            let refresh = json!({"refresh_token": tokens.refresh_token.expose()});
            let protected = client.request(Method::GET, "/protected");
            let requests = [
                client
                    .request(Method::POST, "/authenticate")
                    .json(&credentials),
                protected.bearer_auth(tokens.access_token.expose()),
                client.request(Method::POST, "/refresh").json(&refresh),
            ];
            for request in requests {
                // The client has looked at the body.
                match client.try_send(request).await?.status {
                    200 => {}
                    500.. => failed += 1,
                    _ => lost += 1,
                }
            }
        }
        client.try_send(client.request(Method::GET, "/")).await?;
        Ok((lost, failed))
    }
}

/// How long the end of a server that cannot write any more may take.
const ENDS: Duration = Duration::from_secs(60);

/// What must not happen.
const UNFAIR: &str = "NOT ALLOWED";

fn says_what_to_do(log: &str) -> bool {
    let advice = ["estore a backup", "estore it from a backup", "restore it"];
    advice.iter().any(|advice| log.contains(advice)) && !panicked(log)
}

fn panicked(log: &str) -> bool {
    ["panicked", "thread '", "RUST_BACKTRACE"]
        .iter()
        .any(|trace| log.contains(trace))
}

/// What happened to the person, written to the folder of a stopped server.
async fn fill(folder: &Path, name: &str) {
    let store = Arc::new(SledStore::open(folder).expect("a store"));
    let user = store.user_by_name(&UsernameKey::of(name)).await;
    let user = user.expect("it answers").expect("there");
    let now = SystemClock.now();
    let mut adding = JoinSet::new();
    for _ in 0..FILLING {
        let event = Event {
            id: EventId::new(now),
            at: now,
            user: user.id,
            by: None,
            what: EventKind::SignInFailed,
            session: None,
            address: None,
            device: Some("x".repeat(200)),
        };
        let store = Arc::clone(&store);
        adding.spawn(async move { store.add_event(event).await });
    }
    for added in adding.join_all().await {
        added.expect("it answers");
    }
    store.close().await;
}
