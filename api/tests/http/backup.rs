//! `backup` and `restore`, through the binary: the content of a file, and that it is complete or does not exist.

mod command;
mod damage;
mod keys;
mod moment;
mod older;
mod postgres;
mod socket;
mod streams;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use password_auth_wire::ErrorCode;

use self::command::{Restored, backup, filler, lines, restore};
use crate::support::{PASSWORD, ServerProcess};

#[tokio::test]
async fn the_same_records_are_the_same_bytes_wherever_they_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = tempfile::tempdir().expect("a folder");
    let server = ServerProcess::start(ServerProcess::command(folder.path())).await;
    let client = server.client();
    client.sign_up("Alice").await;
    let bob = client.sign_up("Bób 😀").await;
    client.refresh(bob.refresh_token.expose()).await.expect_ok();
    let [running, again, stopped, restored, over] =
        ["running", "again", "stopped", "restored", "over"].map(|name| files.path().join(name));
    backup(folder.path(), &running, &["--with-keys"])
        .await
        .expect_success();
    backup(folder.path(), &again, &["--with-keys"])
        .await
        .expect_success();
    assert!(server.terminate().await.success());
    backup(folder.path(), &stopped, &["--with-keys"])
        .await
        .expect_success();
    let new = Restored::from(&running, &[]).await;
    backup(new.folder(), &restored, &["--with-keys"])
        .await
        .expect_success();
    // Served meanwhile, and not used, it says the same.
    let server = ServerProcess::start(ServerProcess::command(new.folder())).await;
    backup(new.folder(), &over, &["--with-keys"])
        .await
        .expect_success();
    assert!(server.terminate().await.success());

    let first = fs::read(&running).expect("a file");
    assert!(
        lines(&running).len() > 6,
        "header, users, sessions, keys, end"
    );
    for file in [again, stopped, restored, over] {
        assert!(
            fs::read(&file).expect("a file") == first,
            "{} differs",
            file.display()
        );
    }
}

#[tokio::test]
async fn what_was_restored_serves_and_whoever_was_signed_in_still_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("backup");
    let server = ServerProcess::start(ServerProcess::command(folder.path())).await;
    let tokens = server.client().sign_up("Alice").await;
    backup(folder.path(), &file, &["--with-keys"])
        .await
        .expect_success();
    // What comes later is not there.
    server.client().sign_up("Bob").await;
    assert!(server.terminate().await.success());

    let new = Restored::from(&file, &[]).await;
    let server = ServerProcess::start(ServerProcess::command(new.folder())).await;
    let client = server.client();
    client.protected(&tokens).await.expect_ok();
    client
        .refresh(tokens.refresh_token.expose())
        .await
        .expect_ok();
    let taken = client.register("ALICE").await;
    taken.expect_failure(400, ErrorCode::UserExists);
    client.authenticate("alice", PASSWORD).await.expect_ok();
    client.sign_up("Bob").await;
    assert!(server.terminate().await.success());
}

#[tokio::test]
async fn a_file_is_its_owner_s_alone_and_never_overwritten_unasked() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, file) = (folder.path().join("store"), folder.path().join("backup"));
    fs::create_dir(&store).expect("made");
    let server = ServerProcess::start(ServerProcess::command(&store)).await;
    fs::write(&file, "precious").expect("written");
    let refused = backup(&store, &file, &[]).await.expect_failure();
    assert!(
        refused.contains("already exists: choose another name, or use --force"),
        "{refused}"
    );
    assert_eq!(fs::read(&file).expect("there"), b"precious");

    backup(&store, &file, &["--force"]).await.expect_success();
    let mode = fs::metadata(&file).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut names: Vec<_> = fs::read_dir(folder.path())
        .expect("a folder")
        .map(|entry| entry.expect("a name").file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["backup", "store"]);
    assert!(server.terminate().await.success());
}

#[tokio::test]
async fn a_backup_of_nothing_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let (nowhere, file) = (folder.path().join("nowhere"), folder.path().join("backup"));
    let refused = backup(&nowhere, &file, &[]).await.expect_failure();
    assert!(
        refused.contains("there is no store in the folder"),
        "{refused}"
    );
    assert!(!nowhere.exists() && !file.exists());
}

#[tokio::test]
async fn a_disk_that_is_full_leaves_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, files) = (folder.path().join("store"), folder.path().join("files"));
    fs::create_dir(&files).expect("made");
    let full = files.join("full");
    filler(&files.join("filler"), 2000);
    restore(&store, &files.join("filler"), &[])
        .await
        .expect_success();
    let server = ServerProcess::start(ServerProcess::command(&store)).await;
    // Files of this process may not grow past 64 KiB: what a write hears is what a full disk says.
    let mut command = tokio::process::Command::new("sh");
    command
        .args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\""])
        .arg(env!("CARGO_BIN_EXE_password-auth"));
    let refused = command::run(command, "backup", &store, &full, &[])
        .await
        .expect_failure();
    assert!(refused.contains("full.part cannot be used"), "{refused}");
    assert_eq!(fs::read_dir(&files).expect("a folder").count(), 1);
    // The server hears at its next word that the first is gone, and has room for the next one.
    while backup(&store, &full, &[]).await.is_failure() {}
    server.client().sign_up("Alice").await;
    assert!(server.terminate().await.success());
}

#[tokio::test]
async fn a_store_that_is_in_use_is_not_restored_into() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("backup");
    let server = ServerProcess::start(ServerProcess::command(folder.path())).await;
    backup(folder.path(), &file, &[]).await.expect_success();
    let refused = restore(folder.path(), &file, &[]).await.expect_failure();
    assert!(
        refused.contains("stop it, restore, and start it again"),
        "{refused}"
    );
    server.client().sign_up("Alice").await;
    assert!(server.terminate().await.success());

    let refused = restore(folder.path(), &file, &[]).await.expect_failure();
    assert!(refused.contains("the store is not empty"), "{refused}");
    let server = ServerProcess::start(ServerProcess::command(folder.path())).await;
    server
        .client()
        .authenticate("Alice", PASSWORD)
        .await
        .expect_ok();
    assert!(server.terminate().await.success());
}
