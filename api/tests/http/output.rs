//! Output of commands: closed pipes, and escaping for terminals.

use std::fs;
use std::path::Path;
use std::process::Output;

use password_auth_model::{Clock as _, SystemClock, User};
use password_auth_store::sled::SledStore;
use password_auth_store::{Lifecycle as _, UserStore as _};
use serde_json::json;
use tempfile::TempDir;
use tokio::process::Command;

/// A folder with a store in `data`, and files of users.
async fn place() -> TempDir {
    let place = tempfile::tempdir().expect("a folder");
    let mut text = String::new();
    for number in 0..2000 {
        text.push_str(&format!(
            "{{\"username\": \"alice {number}\"}}\n{{\"name\": 1}}\n"
        ));
    }
    fs::write(place.path().join("mixed.jsonl"), text).expect("written");
    fs::write(
        place.path().join("good.jsonl"),
        "{\"username\": \"bob\"}\n{\"username\": \"carol\"}\n",
    )
    .expect("written");
    let ended = run(place.path(), "$PA import users good.jsonl $D").await;
    assert!(ended.status.success(), "{ended:?}");
    place
}

/// Runs a line of bash, in which `$PA` is the binary and `$D` says where the store is; its status is the first command's.
async fn run(place: &Path, line: &str) -> Output {
    Command::new("bash")
        .args(["-c", &format!("{line}\nexit ${{PIPESTATUS[0]}}")])
        .current_dir(place)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("PA", env!("CARGO_BIN_EXE_password-auth"))
        .env("D", "--dev --scrypt-log-n 4 --scrypt-p 1 --data-dir data")
        .output()
        .await
        .expect("bash runs")
}

async fn names(place: &Path) -> Vec<String> {
    let exported = run(place, "$PA export users - $D").await;
    let text = String::from_utf8(exported.stdout).expect("text");
    let name = |line: &str| {
        let user: serde_json::Value = serde_json::from_str(line).expect("JSON");
        user["username"].as_str().expect("a name").to_owned()
    };
    text.lines().map(name).collect()
}

#[tokio::test]
async fn where_nobody_reads_the_work_is_done_all_the_same() {
    let place = place().await;
    let place = place.path();
    // More complaints than a pipe holds; bad lines are why it ends with 1.
    for (reader, files) in [("2>&1 | head -1", 2000), ("2>&1 | true", 0)] {
        let ended = run(place, &format!("$PA import users mixed.jsonl $D {reader}")).await;
        assert_eq!(ended.status.code(), Some(1), "{reader}: {ended:?}");
        assert!(files == 0 || names(place).await.len() == files + 2);
    }
    // What was done decides.
    for (line, status) in [
        ("$PA import users good.jsonl $D >/dev/full 2>/dev/full", 0),
        ("$PA import users good.jsonl $D --json >/dev/full", 0),
        ("$PA import users mixed.jsonl $D >/dev/full 2>/dev/full", 1),
        ("$PA check-config | head -1", 0),
        ("$PA check-config | true", 0),
        ("$PA check-config >/dev/full 2>/dev/full", 0),
        ("$PA check-config --port eighty 2>/dev/full", 1),
        ("$PA check-config --port eighty 2>&1 | head -1", 1),
        ("$PA backup kept $D 2>/dev/full", 0),
        ("$PA restore kept --data-dir other 2>/dev/full", 0),
        ("$PA export users out.csv $D 2>/dev/full", 0),
        ("$PA user set-role bob admin $D >/dev/full 2>/dev/full", 0),
        (
            "$PA user set-role nobody admin $D >/dev/full 2>/dev/full",
            1,
        ),
        ("$PA user deactivate carol $D --json >/dev/full", 0),
        ("$PA user revoke bob --all $D >/dev/full", 0),
        (
            "echo 'correct horse battery' | $PA user create dave $D >/dev/full; (exit $?)",
            0,
        ),
        ("$PA user list $D | head -1", 0),
        ("$PA user list $D --json | true", 0),
        // Where what is printed is the work, it was not done.
        ("$PA user list $D >/dev/full", 1),
        ("$PA user show bob $D >/dev/full", 1),
        ("$PA export users - $D >/dev/full", 1),
        ("$PA backup - $D >/dev/full", 1),
        ("$PA --help >/dev/full", 0),
    ] {
        let ended = run(place, line).await;
        assert_eq!(ended.status.code(), Some(status), "{line}: {ended:?}");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(!said.contains("panicked"), "{line}: {said}");
    }
    assert!(names(place).await.contains(&"dave".to_owned()));
    let shown = run(place, "$PA user show bob $D").await;
    let shown = String::from_utf8(shown.stdout).expect("text");
    assert!(shown.contains("admin"), "{shown}");
}

#[tokio::test]
async fn what_a_user_chose_does_not_act_on_the_operator_s_terminal() {
    let place = place().await;
    let place = place.path();
    // An older version may have let it in.
    let store = SledStore::open(&place.join("data")).expect("a store");
    let evil = "\u{1b}[2Jevil\u{9b}31m\u{202e}\r\n\u{7f}";
    let name = serde_json::from_value(json!(evil)).expect("a name");
    let hash = serde_json::from_value(json!("!")).expect("a hash");
    let mut user = User::new(name, hash, SystemClock.now());
    user.full_name = serde_json::from_value(json!(evil)).expect("a name of older rules");
    let id = user.id;
    store.create_user(user).await.expect("created");
    store.close().await;
    drop(store);
    fs::write(
        place.join("evil.jsonl"),
        "{\"\\u001b[2J\\n\\u009b\": 1}\n{\"username\": \"x\", \"role\": \"\\u001b[2J\"}\n",
    )
    .expect("written");
    for (line, lines) in [
        ("$PA user list $D", 4),
        (&format!("$PA user show {id} $D"), 8),
        ("$PA user list $D --json", 5),
        (&format!("$PA user set-role {id} guest $D"), 1),
        (&format!("$PA user show {id} $D --json"), 0),
        ("$PA user show $'\\e[2J' $D", 1),
        ("$PA import users evil.jsonl $D", 6),
        ("$PA import users $'\\e[2J' $D", 1),
    ] {
        let ended = run(place, line).await;
        let said = [ended.stdout, ended.stderr].concat();
        let said = String::from_utf8(said).expect("text");
        let acting = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!said.contains(acting), "{line}: {said:?}");
        assert!(
            lines == 0 || said.lines().count() == lines,
            "{line}: {said}"
        );
    }
    let listed = run(place, "$PA user list $D").await;
    let listed = String::from_utf8(listed.stdout).expect("text");
    assert!(
        listed.contains(r"\u{1b}[2Jevil\u{9b}31m\u{202e}\u{d}\u{a}\u{7f}"),
        "{listed}"
    );
}
