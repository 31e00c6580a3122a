//! Signing keys are included and restored as the operator chooses.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use password_auth_wire::{ErrorCode, Tokens};
use tempfile::TempDir;

use super::command::{Restored, backup, restore, run};
use crate::support::ServerProcess;

/// Where somebody is signed in, with a backup that holds the keys and one that does not.
struct SignedIn {
    folder: TempDir,
    tokens: Tokens,
}

impl SignedIn {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = folder.path().join("store");
        fs::create_dir(&store).expect("made");
        let server = ServerProcess::start(ServerProcess::command(&store)).await;
        let tokens = server.client().sign_up("Alice").await;
        let new = Self { folder, tokens };
        backup(&store, &new.file("with"), &["--with-keys"])
            .await
            .expect_success();
        let said = backup(&store, &new.file("without"), &[])
            .await
            .expect_success();
        assert!(said.contains("all users have to sign in again"), "{said}");
        assert!(
            said.contains("authenticator apps are not accepted"),
            "{said}"
        );
        assert!(server.terminate().await.success());
        new
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Whether she still is, on a server on `data_dir`.
    async fn is_signed_in(&self, data_dir: &Path, environment: &[(&str, &str)]) -> bool {
        let mut command = ServerProcess::command(data_dir);
        command.envs(environment.iter().copied());
        let server = ServerProcess::start(command).await;
        let reply = server.client().protected(&self.tokens).await;
        let refreshed = server
            .client()
            .refresh(self.tokens.refresh_token.expose())
            .await;
        if reply.status != 200 {
            refreshed.expect_failure(400, ErrorCode::InvalidRefreshToken);
        }
        assert_eq!(
            reply.status == 200,
            refreshed.status == 200,
            "{reply:?} {refreshed:?}"
        );
        assert!(server.terminate().await.success());
        reply.status == 200
    }
}

#[tokio::test]
async fn keys_are_in_a_backup_only_if_they_are_asked_for_and_restored_only_if_they_are_wanted() {
    let her = SignedIn::new().await;
    let secret = fs::read_to_string(her.file("store/keys.json")).expect("keys");
    let secret = secret
        .split('"')
        .rfind(|part| part.len() > 40)
        .expect("a secret");
    assert!(
        fs::read_to_string(her.file("with"))
            .expect("a file")
            .contains(secret)
    );
    assert!(
        !fs::read_to_string(her.file("without"))
            .expect("a file")
            .contains(secret)
    );

    let with = Restored::from(&her.file("with"), &[]).await;
    let keys = with.folder().join("keys.json");
    let mode = fs::metadata(&keys).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(
        fs::read(&keys).expect("keys"),
        fs::read(her.file("store/keys.json")).expect("keys")
    );
    assert!(her.is_signed_in(with.folder(), &[]).await);
    for (file, arguments) in [("without", &[][..]), ("with", &["--without-keys"])] {
        let without = Restored::from(&her.file(file), arguments).await;
        assert!(!without.folder().join("keys.json").exists());
        assert!(!her.is_signed_in(without.folder(), &[]).await);
    }
}

#[tokio::test]
async fn other_keys_are_never_replaced() {
    let her = SignedIn::new().await;
    // A server that was started before its restore has made a key.
    let folder = tempfile::tempdir().expect("a folder");
    let server = ServerProcess::start(ServerProcess::command(folder.path())).await;
    assert!(server.terminate().await.success());
    let keys = folder.path().join("keys.json");
    let before = fs::read(&keys).expect("keys");
    let refused = restore(folder.path(), &her.file("with"), &[])
        .await
        .expect_failure();
    for said in [
        "other signing keys",
        "--without-keys",
        "--keys-to",
        "have to sign in again",
    ] {
        assert!(refused.contains(said), "{refused}");
    }
    assert_eq!(fs::read(&keys).expect("keys"), before);
    // Nothing was restored: the same folder takes it.
    fs::remove_file(&keys).expect("removed");
    restore(folder.path(), &her.file("with"), &[])
        .await
        .expect_success();
    assert!(her.is_signed_in(folder.path(), &[]).await);
}

#[tokio::test]
async fn keys_that_a_refused_restore_brought_do_not_stay() {
    let her = SignedIn::new().await;
    let store = her.file("store");
    fs::remove_file(store.join("keys.json")).expect("removed");
    let refused = restore(&store, &her.file("with"), &[])
        .await
        .expect_failure();
    assert!(refused.contains("the store is not empty"), "{refused}");
    assert!(!store.join("keys.json").exists());
}

#[tokio::test]
async fn a_key_that_the_server_made_can_become_jwt_secret_and_back() {
    let her = SignedIn::new().await;
    let line = her.file("line");
    let to = ["--keys-to", line.to_str().expect("text")];
    let new = Restored::from(&her.file("with"), &to).await;
    assert!(!new.folder().join("keys.json").exists());
    let mode = fs::metadata(&line).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let setting = fs::read_to_string(&line).expect("a line");
    let (name, value) = setting.trim_end().split_once('=').expect("a setting");
    assert_eq!(name, "JWT_SECRET");
    assert!(value.starts_with("base64:"), "{value}");

    // With the setting in force, the same backup is the same bytes, and restores without a question.
    let again = her.file("again");
    let with_setting = || {
        let mut command = tokio::process::Command::new("env");
        command
            .arg(format!("JWT_SECRET={value}"))
            .arg(env!("CARGO_BIN_EXE_password-auth"));
        command
    };
    run(
        with_setting(),
        "backup",
        new.folder(),
        &again,
        &["--with-keys"],
    )
    .await
    .expect_success();
    assert_eq!(
        fs::read(&again).expect("a file"),
        fs::read(her.file("with")).expect("a file")
    );
    let other = tempfile::tempdir().expect("a folder");
    let restored = run(with_setting(), "restore", other.path(), &again, &[]).await;
    let said = restored.expect_success();
    assert!(said.contains("already in use"), "{said}");
    assert!(!other.path().join("keys.json").exists());
    assert!(
        her.is_signed_in(other.path(), &[("JWT_SECRET", value)])
            .await
    );

    // Any other key is not the same.
    let refused = tempfile::tempdir().expect("a folder");
    let mut command = tokio::process::Command::new("env");
    command
        .arg("JWT_SECRET=a text of more than thirty-two bytes")
        .arg(env!("CARGO_BIN_EXE_password-auth"));
    let refused = run(command, "restore", refused.path(), &again, &[])
        .await
        .expect_failure();
    assert!(
        refused.contains("other signing keys than JWT_SECRET"),
        "{refused}"
    );
}
