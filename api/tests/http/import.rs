//! `import users` and `export users`, through the binary; and what people who were imported see.

mod lines;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use password_auth_wire::ErrorCode;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::support::{PASSWORD, ServerProcess};

/// Where a store is, and files beside it.
struct Site {
    folder: TempDir,
}

impl Site {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("written");
        path
    }

    /// A command on this store.
    fn command(&self, what: &str, file: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_password-auth"));
        command
            .args([what, "users"])
            .arg(file)
            .args(["--dev", "--data-dir"])
            .arg(self.path("data"))
            .current_dir(self.folder.path())
            .env_clear();
        command
    }

    async fn import(&self, file: &Path, flags: &[&str]) -> Output {
        let mut command = self.command("import", file);
        command.args(flags).output().await.expect("it runs")
    }

    /// The users of the store, by their names.
    async fn users(&self) -> Vec<Value> {
        let exported = self.command("export", Path::new("-")).output().await;
        let exported = succeeded(exported.expect("it runs"));
        let mut users: Vec<Value> = exported
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        users.sort_by_key(|user| user["username"].to_string());
        users
    }

    async fn hash_of(&self, name: &str) -> String {
        let users = self.users().await;
        let user = users.iter().find(|user| user["username"] == name);
        let hash = &user.expect("the user is there")["password_hash"];
        hash.as_str().expect("a hash").to_owned()
    }

    async fn server(&self) -> ServerProcess {
        fs::create_dir_all(self.path("data")).expect("made");
        ServerProcess::start(ServerProcess::command(&self.path("data"))).await
    }
}

#[track_caller]
fn succeeded(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// The summary of an import that was told to be JSON.
fn summary(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no JSON: {output:?}"))
}

fn complaints(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

#[tokio::test]
async fn somebody_with_a_hash_of_any_form_signs_in_and_has_one_of_ours_then() {
    let place = Site::new();
    let text: String = lines::HASHES
        .iter()
        .map(|(name, hash)| json!({"username": name, "password_hash": hash}).to_string() + "\n")
        .collect();
    let file = place.file("users.jsonl", text);
    let imported = place.import(&file, &["--json"]).await;
    assert_eq!(
        summary(&imported)["taken"],
        lines::HASHES.len(),
        "{imported:?}"
    );

    let server = place.server().await;
    let client = server.client();
    for (name, _) in lines::HASHES {
        client
            .authenticate(name, "pässwörd ❤ correc")
            .await
            .expect_failure(401, ErrorCode::InvalidCredentials);
        client
            .authenticate(name, lines::THEIR_PASSWORD)
            .await
            .tokens();
        client
            .authenticate(name, lines::THEIR_PASSWORD)
            .await
            .tokens();
    }
    server.terminate().await;
    for (name, _) in lines::HASHES {
        let hash = place.hash_of(name).await;
        assert!(hash.starts_with("$scrypt$ln=4,r=8,p=1$"), "{name}: {hash}");
    }
}

#[tokio::test]
async fn somebody_without_a_hash_does_not_sign_in() {
    let place = Site::new();
    let file = place.file(
        "users.jsonl",
        "{\"username\": \"alice\"}\n{\"username\": \"bob\", \"password_hash\": \"!\"}",
    );
    let imported = summary(&place.import(&file, &["--json"]).await);
    assert_eq!(imported["without_password"], 2);
    let server = place.server().await;
    for name in ["alice", "bob"] {
        for password in ["!", PASSWORD] {
            let reply = server.client().authenticate(name, password).await;
            reply.expect_failure(401, ErrorCode::InvalidCredentials);
        }
    }
}

#[tokio::test]
async fn a_bad_line_is_named_and_nothing_of_it_is_taken() {
    let place = Site::new();
    let mut text = String::from("{\"username\": \"first\"}\n\n");
    for (bad, _) in lines::BAD {
        text.push_str(bad);
        text.push('\n');
    }
    let mut text = text.into_bytes();
    text.extend(b"{\"username\": \"\xFF\"}\n");
    text.extend(format!("{{\"username\": \"{}\"}}\n", "x".repeat(70_000)).bytes());
    text.extend(b"{\"username\": \"last\"}");
    let file = place.file("users.jsonl", text);
    let imported = place.import(&file, &["--json"]).await;
    assert_eq!(imported.status.code(), Some(1));
    let bad = lines::BAD.len() + 2;
    assert_eq!(summary(&imported)["bad"], bad);
    assert_eq!(summary(&imported)["taken"], 2);
    let complaints = complaints(&imported);
    for (index, (_, reason)) in lines::BAD.iter().enumerate() {
        let sentence = format!("line {}: {reason}", index + 3);
        assert!(
            complaints.contains(&sentence),
            "{sentence} in\n{complaints}"
        );
    }
    for sentence in [
        format!("line {}: is not UTF-8", bad + 1),
        format!("line {}: is longer than 64 KiB", bad + 2),
    ] {
        assert!(
            complaints.contains(&sentence),
            "{sentence} in\n{complaints}"
        );
    }
    assert!(!complaints.contains("geheim"), "{complaints}");
    let names: Vec<_> = place
        .users()
        .await
        .iter()
        .map(|user| user["username"].clone())
        .collect();
    assert_eq!(names, ["first", "last"]);
}

#[tokio::test]
async fn csv_is_read_by_its_columns_and_a_bad_line_is_named() {
    let place = Site::new();
    let file = place.file(
        "users.CSV",
        "\u{FEFF}email,username,full_name,is_active,email_verified\r\n\
         a@example.org,alice,\"Smith, Alice \"\"A\"\"\",true,1\r\n\
         ,bob,,false,\r\n\
         ,carol\r\n\
         ,dave,\"open,,\r\n\
         ,erin,,perhaps,\r\n",
    );
    let imported = place.import(&file, &["--json"]).await;
    let (summary, complaints) = (summary(&imported), complaints(&imported));
    assert_eq!((&summary["taken"], &summary["bad"]), (&json!(2), &json!(3)));
    for sentence in [
        "line 4: has 2 cells, where there are 5 columns",
        "line 5: has a quote that is not closed",
        "line 6: is_active: must be true or false",
    ] {
        assert!(complaints.contains(sentence), "{sentence} in\n{complaints}");
    }
    let users = place.users().await;
    assert_eq!(users[0]["full_name"], "Smith, Alice \"A\"");
    assert_eq!(users[0]["email_verified"], true);
    assert_eq!(users[1]["is_active"], false);

    let file = place.file("other.csv", "username,is_admin\nmallory,true\n");
    let refused = place.import(&file, &[]).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("\"is_admin\" is none of"));
}

#[tokio::test]
async fn a_line_of_csv_ends_by_a_carriage_return_too() {
    for (text, names) in [
        (
            "username\nalice\rbob\rcarol\n",
            &["alice", "bob", "carol"][..],
        ),
        ("username\ralice\rbob\rcarol\r", &["alice", "bob", "carol"]),
        (
            "username\r\nalice\r\nbob\r\rcarol",
            &["alice", "bob", "carol"],
        ),
    ] {
        let place = Site::new();
        let file = place.file("a.csv", text);
        let imported = place.import(&file, &["--json"]).await;
        assert_eq!(imported.status.code(), Some(0), "{text:?}: {imported:?}");
        assert_eq!(summary(&imported)["taken"], 3, "{text:?}");
        let users = place.users().await;
        let found: Vec<_> = users.iter().map(|user| &user["username"]).collect();
        assert_eq!(found, names, "{text:?}");
    }
    // In quotes it is part of the value, which may hold none; outside it ends the line.
    let place = Site::new();
    let file = place.file(
        "b.csv",
        "username,full_name\nalice,\"Alice\rLiddell\"\nbob,Bob\rBuilder\rcarol,C\r\ndave,\"D\n\"\"\"\r\nerin,E\n",
    );
    let imported = place.import(&file, &["--json"]).await;
    let complaints = complaints(&imported);
    assert_eq!(summary(&imported)["taken"], 3, "{complaints}");
    for sentence in [
        "line 2: full_name: The name must not",
        "line 5: has 1 cells, where there are 2 columns",
        "line 7: full_name: The name must not",
    ] {
        assert!(complaints.contains(sentence), "{sentence} in\n{complaints}");
    }
    assert_eq!(summary(&imported)["bad"], 3, "{complaints}");
}

#[tokio::test]
async fn booleans_and_times_are_read_as_postgresql_writes_them() {
    let place = Site::new();
    let file = place.file(
        "pg.csv",
        "username,email,email_verified,is_active,created_at\n\
         alice,a@example.org,t,f,2024-05-01 09:30:00+00\n\
         bob,b@example.org,f,t,2024-05-01 09:30:00.123456+05:30\n",
    );
    let imported = place.import(&file, &["--json"]).await;
    assert_eq!(imported.status.code(), Some(0), "{imported:?}");
    let users = place.users().await;
    assert_eq!(users[0]["email_verified"], true);
    assert_eq!(users[0]["is_active"], false);
    let created = users[0]["created_at"].as_str().expect("a time");
    assert!(created.starts_with("2024-05-01T09:30:00"), "{created}");
    assert_eq!(users[1]["email_verified"], false);
    assert_eq!(users[1]["is_active"], true);
    let created = users[1]["created_at"].as_str().expect("a time");
    assert!(created.starts_with("2024-05-01T04:00:00.123"), "{created}");
}

#[tokio::test]
async fn whoever_is_there_already_stays_as_he_is() {
    let place = Site::new();
    let file = place.file(
        "first.jsonl",
        r#"{"username": "Alice", "email": "a@example.org", "email_verified": true, "full_name": "First"}"#,
    );
    succeeded(place.import(&file, &[]).await);
    let before = place.users().await;
    let file = place.file(
        "second.jsonl",
        r#"{"username": "ALICE", "full_name": "Second"}
{"username": "bob", "email": "A@example.org"}
{"username": "carol", "email": "c@example.org"}
{"username": "carol", "role": "admin"}
"#,
    );
    let imported = place.import(&file, &["--json", "--dry-run"]).await;
    assert_eq!(summary(&imported)["already_there"], 2);
    assert_eq!(summary(&imported)["dry_run"], true);
    assert_eq!(place.users().await, before, "a dry run writes nothing");

    let imported = place.import(&file, &["--json"]).await;
    assert_eq!(imported.status.code(), Some(0));
    assert_eq!(
        summary(&imported),
        json!({"taken": 1, "admins": 0, "without_password": 1, "already_there": 3, "bad": 0, "dry_run": false})
    );
    let complaints = complaints(&imported);
    for sentence in [
        "line 1: somebody has the name already",
        "line 2: somebody has verified the address already",
        "line 4: somebody has the name already",
    ] {
        assert!(complaints.contains(sentence), "{sentence} in\n{complaints}");
    }
    let after = place.users().await;
    assert_eq!(after.len(), 2);
    assert_eq!(after[0], before[0]);
}

#[tokio::test]
async fn what_is_exported_and_imported_again_is_the_same() {
    let place = Site::new();
    let mut text = String::new();
    for (name, hash) in lines::HASHES {
        let user = json!({
            "username": name,
            "email": format!("{name}@example.org"),
            "email_verified": name.len() % 2 == 0,
            "full_name": "a \"quoted\", long name; ü",
            "role": if name.len() % 3 == 0 { "admin" } else { "guest" },
            "is_active": name.len() % 2 == 1,
            "created_at": "2020-02-29T12:34:56.789+01:00",
            "password_hash": hash,
        });
        text.push_str(&format!("{user}\n"));
    }
    text.push_str("{\"username\": \"=bare\"}\n");
    succeeded(place.import(&place.file("users.jsonl", text), &[]).await);
    let users = place.users().await;
    assert_eq!(users.len(), lines::HASHES.len() + 1);
    assert_eq!(users[1]["created_at"], "2020-02-29T11:34:56.789Z");

    for format in ["jsonl", "csv"] {
        let exported = place
            .command("export", Path::new("-"))
            .args(["--format", format])
            .output()
            .await;
        let exported = succeeded(exported.expect("it runs"));
        let other = Site::new();
        let mut import = other.command("import", Path::new("-"));
        let mut import = import
            .args(["--format", format])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("it runs");
        let mut stdin = import.stdin.take().expect("piped");
        stdin.write_all(exported.as_bytes()).await.expect("written");
        drop(stdin);
        assert!(import.wait().await.expect("it ended").success());
        assert_eq!(other.users().await, users, "{format}");
    }
}

#[tokio::test]
async fn an_exported_file_is_its_owner_s_alone_and_replaces_none() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Site::new();
    let empty = place.file("none.jsonl", "");
    succeeded(place.import(&empty, &[]).await);
    let file = place.path("users.jsonl");
    succeeded(
        place
            .command("export", &file)
            .output()
            .await
            .expect("it runs"),
    );
    let mode = fs::metadata(&file)
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = place
        .command("export", &file)
        .output()
        .await
        .expect("it runs");
    assert_eq!(again.status.code(), Some(1), "{again:?}");
    assert!(file.exists());
}

/// A million with `PASSWORD_AUTH_LONG=1`. Dry, since what a store keeps of a million users takes memory of its own.
#[tokio::test]
async fn many_lines_are_read_in_bounded_memory() {
    let count = match std::env::var("PASSWORD_AUTH_LONG") {
        Ok(set) if set == "1" => 1_000_000,
        _ => 20_000,
    };
    let place = Site::new();
    let mut import = Command::new("sh");
    import
        // What the process may allocate, in KiB: less than a third of the file in the long run.
        .args(["-c", "ulimit -d 65536; exec \"$0\" \"$@\""])
        .arg(env!("CARGO_BIN_EXE_password-auth"))
        .args(["import", "users", "-", "--dry-run", "--json", "--dev"])
        .arg("--data-dir")
        .arg(place.path("data"))
        .current_dir(place.folder.path())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let imported = feed(import, count).await;
    assert!(imported.status.success(), "{imported:?}");
    assert_eq!(summary(&imported)["taken"], count);
}

#[tokio::test]
async fn many_users_are_taken() {
    let place = Site::new();
    let mut import = place.command("import", Path::new("-"));
    import.arg("--json");
    let imported = feed(import, 20_000).await;
    assert!(imported.status.success(), "{imported:?}");
    assert_eq!(summary(&imported)["taken"], 20_000);
    assert_eq!(place.users().await.len(), 20_000);
}

/// Runs an import of so many users.
async fn feed(mut import: Command, count: usize) -> Output {
    let mut import = import
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut stdin = import.stdin.take().expect("piped");
    let (name, hash) = lines::HASHES[0];
    let feeding = tokio::spawn(async move {
        for number in 0..count {
            let user = json!({
                "username": format!("{name}-{number}"),
                "email": format!("{number}@example.org"),
                "email_verified": true,
                "password_hash": hash,
            });
            // One that ends early says why.
            if stdin
                .write_all(format!("{user}\n").as_bytes())
                .await
                .is_err()
            {
                break;
            }
        }
    });
    let imported = import.wait_with_output().await.expect("it ended");
    feeding.await.expect("fed");
    imported
}
