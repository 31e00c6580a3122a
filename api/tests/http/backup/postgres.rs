//! From one engine to the other and back: the way to move is a backup.

use std::fs;
use std::path::Path;

use futures_util::StreamExt as _;
use password_auth_model::{
    Clock as _, Decision, Generation, Party, REPLAY_WINDOW, SignInAttempt, SystemClock, UsernameKey,
};
use password_auth_store::sled::SledStore;
use password_auth_store::{
    AttemptStore as _, Backup as _, Lifecycle as _, Record, SessionStore as _,
};
use password_auth_testing::Cluster;
use password_auth_wire::ErrorCode;

use super::command::{Ended, Restored, backup, run};
use crate::support::{PASSWORD, ServerProcess};

/// Who presents tokens: always the same.
const PARTY: Party = Party {
    network: 1,
    device: 2,
};

/// A command on a database, with more settings.
async fn on_database(
    url: &str,
    settings: &[(&str, &str)],
    name: &str,
    file: &Path,
    arguments: &[&str],
) -> Ended {
    let mut command = tokio::process::Command::new("env");
    command.arg(format!("DATABASE_URL={url}"));
    command.args(
        settings
            .iter()
            .map(|(name, value)| format!("{name}={value}")),
    );
    command.arg(env!("CARGO_BIN_EXE_password-auth"));
    let nowhere = file.with_file_name("nowhere");
    let ended = run(command, name, &nowhere, file, arguments).await;
    assert!(!nowhere.exists(), "a database needs no folder");
    ended
}

/// Ends the last session for a theft; counts a try, and remembers a network.
async fn add_what_is_rare(data_dir: &Path) {
    let store = SledStore::open(data_dir).expect("a store");
    let records: Vec<_> = store.dump().await.expect("a dump").collect().await;
    let records = records
        .into_iter()
        .flat_map(|batch| batch.expect("records"));
    let last = records.fold(None, |last, record| match record {
        Record::Session(session) => Some(session.id),
        _ => last,
    });
    let (id, now) = (last.expect("a session"), SystemClock.now());
    let rotate = async |presented, at| {
        let rotated = store
            .rotate_session(id, Generation(presented), PARTY, at)
            .await;
        rotated.expect("written").expect("a session").decision
    };
    rotate(0, now).await;
    store
        .note_use(id, Generation(1), Some(PARTY))
        .await
        .expect("confirmed");
    let late = now.plus(2 * REPLAY_WINDOW);
    assert_eq!(rotate(0, late).await, Decision::Theft);
    let rate = "5/minute".parse().expect("a rate");
    for (name, address) in [("alice", "192.0.2.1"), ("nobody", "2001:db8::1")] {
        let address = address.parse().expect("an address");
        let attempt = SignInAttempt::new(&UsernameKey::of(name), address);
        store
            .count_attempt(attempt, rate, now)
            .await
            .expect("counted");
        store
            .remember_network(attempt, late)
            .await
            .expect("remembered");
    }
    store.close().await;
}

#[tokio::test]
async fn from_sled_to_postgresql_and_back_nothing_changes_and_everybody_stays_signed_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let [first, second, third, key] =
        ["first", "second", "third", "key"].map(|name| folder.path().join(name));
    let store = folder.path().join("store");
    fs::create_dir(&store).expect("made");
    let server = ServerProcess::start(ServerProcess::command(&store)).await;
    let client = server.client();
    let tokens = client.sign_up("Alice").await;
    let bob = client.sign_up("Bób 😀 \"\\").await;
    let next = client.refresh(bob.refresh_token.expose()).await.tokens();
    client
        .refresh(next.refresh_token.expose())
        .await
        .expect_ok();
    client.sign_up("Straße").await;
    assert!(server.terminate().await.success());
    add_what_is_rare(&store).await;
    backup(&store, &first, &["--with-keys"])
        .await
        .expect_success();
    let text = fs::read_to_string(&first).expect("a file");
    for rare in ["{\"attempt\":", "\"ended\":\"theft\"", "\"retired\":[{"] {
        assert!(text.contains(rare), "no {rare}");
    }

    let url = Cluster::shared().await.create_database().await;
    let refused = on_database(&url, &[], "restore", &first, &[])
        .await
        .expect_failure();
    assert!(
        refused.contains("JWT_SECRET, which is not set"),
        "{refused}"
    );
    let to = ["--keys-to", key.to_str().expect("text")];
    on_database(&url, &[], "restore", &first, &to)
        .await
        .expect_success();
    let setting = fs::read_to_string(&key).expect("a line");
    let setting = [setting.trim_end().split_once('=').expect("a setting")];
    let again = on_database(&url, &setting, "restore", &first, &[]).await;
    assert!(again.expect_failure().contains("the store is not empty"));
    on_database(&url, &setting, "backup", &second, &["--with-keys"])
        .await
        .expect_success();
    let new = Restored::from(&second, &[]).await;
    backup(new.folder(), &third, &["--with-keys"])
        .await
        .expect_success();
    let bytes = fs::read(&first).expect("a file");
    assert!(
        fs::read(&second).expect("a file") == bytes,
        "PostgreSQL says something else"
    );
    assert!(
        fs::read(&third).expect("a file") == bytes,
        "sled says something else"
    );

    let mut on_postgres = ServerProcess::command(folder.path());
    on_postgres.env("DATABASE_URL", &url).envs(setting);
    for command in [on_postgres, ServerProcess::command(new.folder())] {
        let server = ServerProcess::start(command).await;
        let client = server.client();
        client.protected(&tokens).await.expect_ok();
        client
            .refresh(tokens.refresh_token.expose())
            .await
            .expect_ok();
        client.authenticate("strasse", PASSWORD).await.expect_ok();
        let taken = client.register("alice").await;
        taken.expect_failure(400, ErrorCode::UserExists);
        assert!(server.terminate().await.success());
    }
}
