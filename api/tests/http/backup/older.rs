//! Files that earlier versions of the program wrote.

use std::fs;
use std::path::Path;

use password_auth_wire::ErrorCode;

use super::command::{Restored, backup, lines, restore};
use crate::support::{PASSWORD, ServerProcess};

/// As written by the last program before there was a role or an address.
fn version_1() -> &'static Path {
    Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/http/backup/version_1.dump"
    ))
}

#[tokio::test]
async fn a_backup_of_version_1_is_restored_and_its_people_are_as_if_they_had_just_registered() {
    let restored = Restored::from(version_1(), &[]).await;
    let server = ServerProcess::start(ServerProcess::command(restored.folder())).await;
    let client = server.client();
    let taken = client.register("ALICE").await;
    taken.expect_failure(400, ErrorCode::UserExists);
    client.authenticate("bób 😀", PASSWORD).await.expect_ok();
    let file = restored.folder().join("again");
    backup(restored.folder(), &file, &[]).await.expect_success();
    assert!(server.terminate().await.success());

    let again = lines(&file);
    assert_eq!(again[0]["version"], 3);
    let old = lines(version_1());
    let alice = old[1]["user"].as_object().expect("Alice");
    let mut expected = alice.clone();
    for (field, value) in [
        ("password_version", 0.into()),
        ("email", serde_json::Value::Null),
        ("is_verified", false.into()),
        ("full_name", serde_json::Value::Null),
        ("role", "user".into()),
        ("deactivated_by_self", false.into()),
        ("last_login", serde_json::Value::Null),
    ] {
        assert_eq!(expected.insert(field.to_owned(), value), None);
    }
    assert_eq!(again[1]["user"].as_object(), Some(&expected));
    // As it was, and nothing is known of who presented its tokens.
    let id = &old[3]["session"]["id"];
    let session = again.iter().find(|line| line["session"]["id"] == *id);
    let session = &session.expect("a session")["session"];
    let known = old[3]["session"].as_object().expect("a session");
    for (field, value) in known.iter().filter(|(field, _)| *field != "retired") {
        assert_eq!(session[field], *value, "{field}");
    }
    assert_eq!(session["trail"]["elsewhere"], serde_json::json!([]));
}

#[tokio::test]
async fn what_version_1_did_not_know_is_refused_in_a_file_of_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, file) = (folder.path().join("store"), folder.path().join("file"));
    let whole = fs::read_to_string(version_1()).expect("a file");
    for (from, to, said) in [
        (
            "\"is_active\":true",
            "\"is_active\":true,\"role\":\"admin\"",
            "line 2 of ",
        ),
        (
            "\"attempts\":2",
            "\"attempts\":2,\"events\":0",
            "line 7 of ",
        ),
        ("{\"attempt\":", "{\"letter\":", "line 5 of "),
        ("\"version\":1", "\"version\":2", "line 2 of "),
        ("\"version\":1", "\"version\":0", "is not a backup"),
    ] {
        let other = whole.replacen(from, to, 1);
        assert_ne!(other, whole, "{from}");
        fs::write(&file, other).expect("written");
        let sentence = restore(&store, &file, &[]).await.expect_failure();
        assert!(sentence.contains(said), "{from}: {sentence}");
        assert!(!store.exists());
    }
}
