//! Input: passwords, which are not shown, and mistakes.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{ChildStdin, Command};

use super::site::Site;
use crate::support::{Engine, PASSWORD};

const OTHER_PASSWORD: &str = "staple of another kind";

#[tokio::test]
async fn a_password_is_in_no_output_and_in_no_log() {
    let site = Site::new(Engine::Sled).await;
    let server = site.serve_logging("trace").await;
    let mut said = String::new();
    for (password, arguments) in [
        (PASSWORD, &["create", "Alice", "--role", "admin"][..]),
        (PASSWORD, &["create", "alice"]),
        (OTHER_PASSWORD, &["set-password", "alice", "--json"]),
        (OTHER_PASSWORD, &["set-password", "nobody"]),
        ("secret1", &["set-password", "alice"]),
    ] {
        said += &site.run_with(password, arguments).await.everything();
    }
    server.tell_to_stop().await;
    let (status, log) = server.ended().await;
    assert!(status.success(), "{status}");
    assert!(log.contains("the password was set by an operator"));
    // And in the command's own, where there is no server.
    let mut alone = site.binary(&["user", "set-password", "alice"]);
    alone.env("RUST_LOG", "trace").stdin(Stdio::piped());
    let mut alone = alone.spawn().expect("it runs");
    let mut stdin = alone.stdin.take().expect("piped");
    stdin.write_all(PASSWORD.as_bytes()).await.expect("read");
    drop(stdin);
    let alone = super::Ran::of(alone).await;
    alone.expect_success();
    assert!(alone.everything().contains("set by an operator"));
    for secret in [PASSWORD, OTHER_PASSWORD, "secret1"] {
        for text in [&said, &log, &alone.everything()] {
            assert!(!text.contains(secret), "{secret} is in:\n{text}");
        }
    }
}

#[tokio::test]
async fn a_mistake_in_the_call_is_told_with_status_2_and_changes_nothing() {
    let site = Site::new(Engine::Sled).await;
    for arguments in [
        &["create"][..],
        // A password is never an argument.
        &["create", "alice", PASSWORD],
        &["create", "alice", "--password", PASSWORD],
        &["create", "alice", "--role", "root"],
        &["set-role", "alice", "root"],
        &["delete", "alice"],
        &["revoke", "alice"],
        &["revoke", "alice", "no-id"],
        &[
            "revoke",
            "alice",
            "019acf5a-3c1b-7d2e-9f04-5b6c7d8e9f00",
            "--all",
        ],
        &["list", "--limit", "many"],
        &["rename", "alice"],
    ] {
        site.run(arguments).await.usage_error();
    }
    assert_eq!(fs::read_dir(site.folder()).expect("a folder").count(), 0);
}

#[tokio::test]
async fn a_text_that_is_not_a_session_id_is_answered_with_where_to_find_one() {
    let site = Site::new(Engine::Sled).await;
    let said = site.run(&["revoke", "alice", "no-id"]).await.usage_error();
    let sentence = "Not a session id; `user sessions NAME` lists them.";
    assert!(said.contains(sentence), "{said}");
}

#[tokio::test]
async fn without_a_password_or_a_store_nothing_is_made() {
    let site = Site::new(Engine::Sled).await;
    let nothing = site.run(&["create", "alice"]).await.failure();
    assert_eq!(nothing, "standard input contains no password");
    let two = site.run_with("two\nlines", &["create", "alice"]).await;
    assert!(two.failure().contains("more than one line"));
    for arguments in [
        &["list"][..],
        &["show", "alice"],
        &["delete", "alice", "--yes"],
    ] {
        let refused = site.run(arguments).await.failure();
        assert!(
            refused.contains("there is no store in the folder"),
            "{refused}"
        );
    }
    assert_eq!(fs::read_dir(site.folder()).expect("a folder").count(), 0);
}

#[tokio::test]
async fn root_leaves_no_files_behind_that_the_server_s_user_could_not_use() {
    if fs::metadata("/proc/self").expect("ourselves").uid() != 0 {
        return;
    }
    let site = Site::new(Engine::Sled).await;
    site.run_with(PASSWORD, &["create", "alice"])
        .await
        .expect_success();
    std::os::unix::fs::chown(site.folder().join("sled/db"), Some(65534), None).expect("chown");
    let refused = site.run(&["list"]).await.failure();
    assert!(refused.contains("belongs to the user 65534"), "{refused}");
}

/// A command that believes that a person sits at a terminal.
struct Terminal {
    child: tokio::process::Child,
    keys: ChildStdin,
    screen: String,
    output: tokio::process::ChildStdout,
}

impl Terminal {
    fn start(site: &Site, arguments: &[&str]) -> Self {
        let command = site.binary(&[&["user"], arguments].concat());
        let words = std::iter::once(command.as_std().get_program())
            .chain(command.as_std().get_args())
            .map(|word| format!("'{}'", word.to_str().expect("text")));
        let words: Vec<_> = words.collect();
        let mut script = Command::new("script");
        script
            .args(["--quiet", "--return", "--command"])
            .arg(format!("exec {}", words.join(" ")))
            .arg("/dev/null")
            .current_dir(site.folder())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = script.spawn().expect("script(1) runs");
        Self {
            keys: child.stdin.take().expect("piped"),
            output: child.stdout.take().expect("piped"),
            screen: String::new(),
            child,
        }
    }

    /// Reads on until that is on the screen.
    async fn shows(&mut self, text: &str) {
        let mut bytes = [0; 1024];
        while !self.screen.contains(text) {
            let read = self.output.read(&mut bytes).await.expect("a screen");
            assert_ne!(read, 0, "it ended: {}", self.screen);
            self.screen += std::str::from_utf8(&bytes[..read]).expect("ASCII");
        }
    }

    async fn types(&mut self, line: &str) {
        let keys = format!("{line}\r");
        self.keys.write_all(keys.as_bytes()).await.expect("typed");
    }

    /// Types a password, once the terminal would not show it.
    async fn types_unseen(&mut self, line: &str) {
        let terminal = self.terminal();
        loop {
            let settings = Command::new("stty")
                .arg("-a")
                .arg("-F")
                .arg(&terminal)
                .output();
            let settings = settings.await.expect("stty runs").stdout;
            if String::from_utf8_lossy(&settings).contains(" -echo ") {
                break;
            }
        }
        self.types(line).await;
    }

    /// The one that `script` made.
    fn terminal(&self) -> PathBuf {
        let id = self.child.id().expect("it runs");
        let children = format!("/proc/{id}/task/{id}/children");
        let children = fs::read_to_string(children).expect("it has a child");
        let child = children.split_whitespace().next().expect("a child");
        fs::read_link(Path::new("/proc").join(child).join("fd/0")).expect("a terminal")
    }

    /// Its status, and all that was to be seen.
    async fn ended(mut self) -> (Option<i32>, String) {
        self.output
            .read_to_string(&mut self.screen)
            .await
            .expect("a screen");
        let status = self.child.wait().await.expect("it ended");
        (status.code(), self.screen)
    }
}

#[tokio::test]
async fn on_a_terminal_a_password_is_typed_twice_and_not_seen() {
    let site = Site::new(Engine::Sled).await;
    for (second, expected) in [(OTHER_PASSWORD, Some(1)), (PASSWORD, Some(0))] {
        let mut terminal = Terminal::start(&site, &["create", "alice", "--role", "admin"]);
        terminal.shows("Password: ").await;
        terminal.types_unseen(PASSWORD).await;
        terminal.shows("Repeat the password: ").await;
        terminal.types_unseen(second).await;
        let (status, screen) = terminal.ended().await;
        assert_eq!(status, expected, "{screen}");
        assert!(
            !screen.contains(PASSWORD) && !screen.contains(second),
            "{screen}"
        );
        assert_eq!(
            screen.contains("the passwords do not match"),
            expected == Some(1)
        );
    }
    let server = site.serve().await;
    let client = server.client();
    client.authenticate("alice", PASSWORD).await.expect_ok();
    assert!(server.terminate().await.success());
}

#[tokio::test]
async fn on_a_terminal_deleting_is_asked_about() {
    let site = Site::new(Engine::Sled).await;
    let create = ["create", "Alice", "--email", "alice@example.org"];
    site.run_with(PASSWORD, &create).await.expect_success();
    for (answer, expected, is_there) in [("", 1, true), ("n", 1, true), ("y", 0, false)] {
        let mut terminal = Terminal::start(&site, &["delete", "alice"]);
        terminal.shows("Delete Alice (").await;
        terminal
            .shows(", alice@example.org) and all their data? [y/N]")
            .await;
        terminal.types(answer).await;
        let (status, screen) = terminal.ended().await;
        assert_eq!(status, Some(expected), "{screen}");
        assert_eq!(site.run(&["show", "alice"]).await.succeeded(), is_there);
    }
}
