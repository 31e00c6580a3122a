//! Files that earlier versions of the program wrote.

use std::fs;
use std::path::Path;

use password_auth_store::sled::SledStore;
use password_auth_store::{Lifecycle as _, Record, UserStore as _};
use password_auth_wire::ErrorCode;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::command::{Restored, backup, filler_records, lines, restore};
use crate::mail::address;
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
    assert_eq!(again[0]["version"], 4);
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

/// A file of that version, with these users and nothing else.
fn file_of_version(version: u64, users: &[Record]) -> String {
    let mut text = format!("{{\"format\":\"password-auth dump\",\"version\":{version}}}\n");
    for user in users {
        let Record::User(user) = user else {
            panic!("no user");
        };
        let line = json!({"user": {
            "id": user.id, "username": user.username, "password": user.password,
            "password_version": user.password_version, "email": user.email,
            "is_verified": user.is_verified, "full_name": user.full_name, "role": user.role,
            "is_active": user.is_active, "created_at": user.created_at, "last_login": user.last_login,
        }});
        text.push_str(&format!("{line}\n"));
    }
    let sha256 = Sha256::digest(&text)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>();
    let end = json!({"end": {
        "users": users.len(), "sessions": 0, "attempts": 0, "one_time_tokens": 0, "events": 0,
        "letters": 0, "sha256": sha256,
    }});
    text.push_str(&format!("{end}\n"));
    text
}

#[tokio::test]
async fn of_two_accounts_of_version_2_that_verified_one_address_the_first_stays_verified() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut people, _) = filler_records(2);
    for (person, email) in people
        .iter_mut()
        .zip(["a@bücher.example", "A@xn--bcher-kva.example"])
    {
        let Record::User(user) = person else {
            panic!("no user");
        };
        user.email = Some(address(email));
        user.is_verified = true;
    }
    let file = folder.path().join("file");
    fs::write(&file, file_of_version(2, &people)).expect("written");
    let store = folder.path().join("store");
    let said = restore(&store, &file, &[]).await.expect_success();
    assert!(
        said.contains("it is now unverified for the later account"),
        "{said}"
    );
    if let Record::User(second) = &mut people[1] {
        second.is_verified = false;
    }
    let store = SledStore::open(&store).expect("a store");
    for person in &people {
        if let Record::User(user) = person {
            let found = store.user(user.id).await.expect("read");
            assert_eq!(found.as_ref(), Some(user));
        }
    }
    store.close().await;
    // A file of today holds no such two.
    if let Record::User(second) = &mut people[1] {
        second.is_verified = true;
    }
    fs::write(&file, file_of_version(3, &people)).expect("written");
    let said = restore(&folder.path().join("other"), &file, &[])
        .await
        .expect_failure();
    assert!(
        said.contains("a verified e-mail address that another"),
        "{said}"
    );
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
