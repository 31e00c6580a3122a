//! Backups to pipes and devices, and what is never overwritten.

use std::fs::{self, File};
use std::os::unix::fs::{FileTypeExt as _, symlink};
use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::command::{Restored, backup, binary, filler, lines, restore};

/// `backup -` or `restore -`, on this store.
fn stream(what: &str, store: &Path) -> Command {
    let mut command = binary();
    command
        .args([what, "-", "--data-dir"])
        .arg(store)
        .current_dir(store)
        .env_clear()
        .env("RUST_LOG", "warn")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

#[track_caller]
fn succeeded(output: Output) -> Vec<u8> {
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

#[tokio::test]
async fn a_backup_goes_to_standard_output_and_comes_back_from_standard_input() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    filler(&file, 30);
    let store = Restored::from(&file, &[]).await;
    let output = stream("backup", store.folder()).output().await;
    let streamed = succeeded(output.expect("it runs"));
    assert!(streamed == fs::read(&file).expect("a file"));

    // From a pipe, and from a file.
    for from_file in [false, true] {
        let new = tempfile::tempdir().expect("a folder");
        let mut command = stream("restore", new.path());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let ended = if from_file {
            let file = File::open(&file).expect("a file");
            command.stdin(file).output().await
        } else {
            let mut running = command.stdin(Stdio::piped()).spawn().expect("it runs");
            let mut input = running.stdin.take().expect("piped");
            input.write_all(&streamed).await.expect("written");
            drop(input);
            running.wait_with_output().await
        };
        succeeded(ended.expect("it ended"));
        let again = stream("backup", new.path()).output().await;
        assert!(succeeded(again.expect("it runs")) == streamed);
    }
    // What breaks off is no backup, from there either.
    let new = tempfile::tempdir().expect("a folder");
    let mut running = stream("restore", new.path())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut input = running.stdin.take().expect("piped");
    input
        .write_all(&streamed[..streamed.len() / 2])
        .await
        .expect("written");
    drop(input);
    let ended = running.wait_with_output().await.expect("it ended");
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert_eq!(fs::read_dir(new.path()).expect("a folder").count(), 0);
}

#[tokio::test]
async fn force_replaces_a_plain_file_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    filler(&path("filler"), 3);
    let store = Restored::from(&path("filler"), &[]).await;
    fs::write(path("precious"), "precious").expect("written");
    symlink(path("precious"), path("link")).expect("linked");
    symlink(path("nowhere"), path("dangling")).expect("linked");
    symlink("/dev/null", path("null")).expect("linked");
    fs::create_dir(path("folder")).expect("made");
    let made = Command::new("mkfifo").arg(path("fifo")).status().await;
    assert!(made.expect("mkfifo runs").success());
    for name in ["link", "dangling", "null", "folder", "fifo"] {
        for arguments in [&["--force"][..], &[]] {
            let refused = backup(store.folder(), &path(name), arguments).await;
            let said = refused.expect_failure();
            assert!(said.contains("use - and"), "{said}");
        }
    }
    let kind = |name: &str| path(name).symlink_metadata().expect("there").file_type();
    assert!(kind("fifo").is_fifo() && kind("link").is_symlink() && kind("null").is_symlink());
    let device = Command::new("mknod")
        .arg(path("device"))
        .args(["c", "1", "3"])
        .status()
        .await;
    if device.expect("mknod runs").success() {
        let refused = backup(store.folder(), &path("device"), &["--force"]).await;
        refused.expect_failure();
        assert!(kind("device").is_char_device());
    }
    assert_eq!(fs::read(path("precious")).expect("there"), b"precious");
    backup(store.folder(), &path("precious"), &["--force"])
        .await
        .expect_success();
    assert!(lines(&path("precious")).len() > 3);
}

#[tokio::test]
async fn a_file_that_is_called_part_is_somebody_s() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    filler(&path("filler"), 3);
    let store = Restored::from(&path("filler"), &[]).await;
    fs::write(path("new.part"), "mine").expect("written");
    fs::write(path("new.1.part"), "mine too").expect("written");
    backup(store.folder(), &path("new"), &[])
        .await
        .expect_success();
    assert_eq!(fs::read(path("new.part")).expect("there"), b"mine");
    assert_eq!(fs::read(path("new.1.part")).expect("there"), b"mine too");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 4);
    assert!(lines(&path("new")).len() > 3);
}

#[tokio::test]
async fn what_registration_would_refuse_is_not_restored_though_its_sum_is_right() {
    let folder = tempfile::tempdir().expect("a folder");
    let (good, bad) = (folder.path().join("good"), folder.path().join("bad"));
    filler(&good, 3);
    let user = |field: &'static str, value: &'static str| {
        move |lines: &mut Vec<Value>| lines[1]["user"][field] = value.into()
    };
    type Change = Box<dyn Fn(&mut Vec<Value>)>;
    let changes: [(&str, Change); 14] = [
        ("username", Box::new(user("username", "\u{1b}[2Jfiller"))),
        ("username", Box::new(user("username", "fil\u{9b}ler"))),
        ("username", Box::new(user("username", "fil\u{202e}ler"))),
        ("username", Box::new(user("username", "root@example.org"))),
        ("username", Box::new(user("username", "root＠example"))),
        ("username", Box::new(user("username", " filler"))),
        ("username", Box::new(user("username", ""))),
        ("full name", Box::new(user("full_name", "a\nb"))),
        ("hash", Box::new(user("password", "$scrypt$of no password"))),
        ("hash", Box::new(user("password", ""))),
        (
            "hash",
            Box::new(user(
                "password",
                "$argon2id$v=19$m=4194304,t=3,p=4$01gATBhllUeP5p/GUUbR6Q$AR3qmuKkzL8ypnKu3HmIAeYW+LnrCoGO1xc9KJ7JaFc",
            )),
        ),
        (
            "email",
            Box::new(user("email", "a@b.example\r\nBcc: x@y.example")),
        ),
        ("email", Box::new(user("email", "none"))),
        (
            "device",
            Box::new(|lines| lines[4]["session"]["device"] = "\u{1b}]0;x\u{7}".into()),
        ),
    ];
    for (what, change) in changes {
        let mut lines = lines(&good);
        change(&mut lines);
        sign_and_write(&bad, lines);
        let new = tempfile::tempdir().expect("a folder");
        let said = restore(new.path(), &bad, &[]).await.expect_failure();
        assert!(
            said.contains("nothing was restored: line "),
            "{what}: {said}"
        );
        assert!(!said.contains(['\u{1b}', '\u{9b}', '\r']), "{what}: {said}");
        assert_eq!(fs::read_dir(new.path()).expect("a folder").count(), 0);
    }
    // Unchanged, and signed in the same way, it is restored.
    sign_and_write(&bad, lines(&good));
    Restored::from(&bad, &[]).await;
}

/// Writes these lines, the last one with the sum of the others.
fn sign_and_write(file: &Path, mut lines: Vec<Value>) {
    let mut end = lines.pop().expect("an end");
    let mut text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let sum = Sha256::digest(text.as_bytes());
    let sum: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
    end["end"]["sha256"] = sum.into();
    text.push_str(&format!("{end}\n"));
    fs::write(file, text).expect("written");
}
