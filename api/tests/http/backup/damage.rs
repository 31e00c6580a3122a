//! Damaged files and interrupted restores: nothing is restored partially.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;

use futures_util::{StreamExt as _, stream};
use password_auth_store::sled::{MAX_WAIT, SledStore};
use password_auth_store::{Backup as _, Lifecycle as _, LoadError, Loaded, Record, StoreError};
use tokio::process::Command;

use super::command::{
    Restored, WELL_KNOWN, backup, binary, filler, filler_records, prepared, restore,
};
use crate::support::{ServerProcess, open_sled};

/// Users of the file that is damaged; its first session stands in the line after theirs.
const USERS: usize = 20;

/// Where its kinds of records begin behind users, sessions and counts of tries: as many of each as users.
const TOKENS: usize = 1 + 3 * USERS;
const EVENTS: usize = TOKENS + USERS;
const EMAILS: usize = EVENTS + USERS;
const _: () = assert!(USERS as u64 == WELL_KNOWN, "the constants above say so");

/// A way to damage a file, and what is said of it.
type Damage = (&'static str, fn(&mut Vec<String>), &'static str);

const DAMAGE: &[Damage] = &[
    (
        "cut between two lines",
        |lines| lines.truncate(12),
        "line 13 of ",
    ),
    (
        "without its end",
        |lines| drop(lines.pop()),
        "the end is missing",
    ),
    (
        "a flipped letter in a name",
        |lines| lines[5] = lines[5].replace("filler", "fIller"),
        "checksum",
    ),
    (
        "a flipped brace",
        |lines| lines[5] = lines[5].replacen('{', "[", 1),
        "line 6 of ",
    ),
    (
        "an unknown field",
        |lines| lines[5] = lines[5].replace("\"username\"", "\"usename\""),
        "line 6 of ",
    ),
    (
        "a line removed",
        |lines| drop(lines.remove(3)),
        "a session of an unknown user",
    ),
    (
        "a session removed",
        |lines| drop(lines.remove(USERS + 3)),
        "it does not count the records",
    ),
    ("two lines swapped", |lines| lines.swap(3, 4), "line 5 of "),
    (
        "a line twice",
        |lines| lines.insert(3, lines[3].clone()),
        "line 5 of ",
    ),
    (
        "one name twice",
        |lines| lines[9] = lines[9].replace("filler 8", "FILLER 7"),
        "line 10 of ",
    ),
    (
        "one verified address twice",
        |lines| lines[9] = lines[9].replace("filler8@", "FILLER7@"),
        "line 10 of ",
    ),
    (
        "a user as in version 1",
        |lines| lines[5] = lines[5].replace("\"is_verified\":true,", ""),
        "line 6 of ",
    ),
    (
        "a hash that is none",
        |lines| lines[TOKENS] = lines[TOKENS].replace("\"hash\":\"", "\"hash\":\"AAAA"),
        "its key is not valid",
    ),
    (
        "two tokens swapped",
        |lines| lines.swap(TOKENS, TOKENS + 1),
        "a record is not in the order of ids",
    ),
    (
        "an event before the tokens",
        |lines| lines.swap(TOKENS, EVENTS),
        "a record is not in the order of ids",
    ),
    (
        "a token of nobody",
        |lines| give_to_nobody(&mut lines[TOKENS + 3]),
        "a one-time token of an unknown user",
    ),
    (
        "a mail about nobody",
        |lines| give_to_nobody(&mut lines[EMAILS + 2]),
        "a mail about an unknown user",
    ),
    (
        "what never happened",
        |lines| lines[EVENTS] = lines[EVENTS].replace("signed_in", "sung"),
        "it cannot be read",
    ),
    (
        "an unknown purpose",
        |lines| lines[TOKENS] = lines[TOKENS].replace("reset_password", "nothing"),
        "it cannot be read",
    ),
    (
        "a token removed",
        |lines| drop(lines.remove(TOKENS)),
        "it does not count the records",
    ),
    (
        "an event removed",
        |lines| drop(lines.remove(EVENTS)),
        "it does not count the records",
    ),
    (
        "a mail removed",
        |lines| drop(lines.remove(EMAILS)),
        "it does not count the records",
    ),
    (
        "users after sessions",
        |lines| lines.rotate_left(1),
        "is not a backup",
    ),
    (
        "something after the end",
        |lines| lines.push("{}".to_owned()),
        "there is something after the end",
    ),
    (
        "an empty line",
        |lines| lines.insert(7, String::new()),
        "line 8 of ",
    ),
    (
        "another checksum",
        |lines| flip_last_digit(lines),
        "checksum",
    ),
    (
        "a newer version",
        |lines| lines[0] = lines[0].replace(":4}", ":5,\"new\":true}"),
        "with a newer password-auth",
    ),
    (
        "another format",
        |lines| lines[0] = lines[0].replace("password-auth", "another"),
        "is not a backup",
    ),
    (
        "a line without end",
        |lines| lines[5] = "x".repeat(1 << 20),
        "line 6 of ",
    ),
    ("nothing", Vec::clear, "is not a backup"),
];

fn give_to_nobody(line: &mut String) {
    let (front, user) = line.split_once("\"user\":\"").expect("somebody's");
    let (_, back) = user.split_once('"').expect("an id");
    *line = format!("{front}\"user\":\"00000000-0000-7000-8000-000000000000\"{back}");
}

fn flip_last_digit(lines: &mut [String]) {
    let end = lines.last_mut().expect("an end");
    let digits = end.trim_end_matches("\"}}").to_owned();
    let (front, digit) = digits.split_at(digits.len() - 1);
    let other = if digit == "0" { "1" } else { "0" };
    *end = format!("{front}{other}\"}}}}");
}

#[tokio::test]
async fn a_damaged_file_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let (good, bad) = (folder.path().join("good"), folder.path().join("bad"));
    filler(&good, USERS as u64);
    let whole = fs::read_to_string(&good).expect("a file");
    let store = folder.path().join("store");
    for (name, damage, said) in DAMAGE {
        let mut lines: Vec<String> = whole.lines().map(str::to_owned).collect();
        damage(&mut lines);
        let damaged: String = lines.iter().map(|line| format!("{line}\n")).collect();
        assert_ne!(damaged, whole, "{name}");
        fs::write(&bad, damaged).expect("written");
        let sentence = restore(&store, &bad, &[]).await.expect_failure();
        assert!(sentence.contains(said), "{name}: {sentence}");
        assert!(
            sentence.contains("nothing was restored"),
            "{name}: {sentence}"
        );
        assert!(!sentence.contains("scrypt"), "{name}: {sentence}");
        assert!(!store.exists(), "{name}");
    }
    // Cut inside of a line, and what is no text.
    fs::write(&bad, &whole.as_bytes()[..whole.len() / 2]).expect("written");
    let sentence = restore(&store, &bad, &[]).await.expect_failure();
    assert!(sentence.contains("it is cut off"), "{sentence}");
    fs::write(&bad, [0xFF; 10_000]).expect("written");
    let sentence = restore(&store, &bad, &[]).await.expect_failure();
    assert!(sentence.contains("is not a backup"), "{sentence}");
    assert!(!store.exists());
    restore(&store, &good, &[]).await.expect_success();
}

#[tokio::test]
async fn a_flipped_bit_is_found_wherever_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let (good, bad) = (folder.path().join("good"), folder.path().join("bad"));
    filler(&good, 1);
    let whole = fs::read(&good).expect("a file");
    password_auth::backup::check(&good, |_| {}).expect("good");
    for at in 0..whole.len() {
        let (bit, mut damaged) = (at % 8, whole.clone());
        damaged[at] ^= 1 << bit;
        fs::write(&bad, &damaged).expect("written");
        let found = password_auth::backup::check(&bad, |_| {}).is_err();
        assert!(found, "bit {bit} of byte {at}");
    }
}

#[tokio::test]
async fn a_restore_that_was_killed_is_not_served_and_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, file) = (folder.path().join("store"), folder.path().join("file"));
    filler(&file, 12_000);
    let mut restoring = prepared(binary(), "restore", &store, &file)
        .spawn()
        .expect("it runs");
    // Under way once sled's file grows past what an empty store takes.
    let data = store.join("sled/db");
    while fs::metadata(&data).map_or(0, |data| data.len()) < (2 << 20) {
        tokio::task::yield_now().await;
    }
    restoring.start_kill().expect("killed");
    let status = restoring.wait().await.expect("it ended");
    assert_eq!(status.signal(), Some(9), "it was faster: {status}");

    let sentence = refusal(&store).await;
    let (half, mark) = (store.join("sled"), store.join("mark"));
    assert!(
        sentence.contains(&format!(
            "a restore into {} was interrupted, so the data is incomplete: remove that folder and {}, and restore again",
            half.display(),
            mark.display()
        )),
        "{sentence}"
    );
    let refused = backup(&store, &folder.path().join("other"), &[]).await;
    assert!(refused.expect_failure().contains("was interrupted"));
    let refused = restore(&store, &file, &[]).await;
    assert!(refused.expect_failure().contains("was interrupted"));
    fs::remove_dir_all(half).expect("removed");
    fs::remove_file(mark).expect("removed");
    restore(&store, &file, &[]).await.expect_success();
    let server = ServerProcess::start(ServerProcess::command(&store)).await;
    server.client().sign_up("Alice").await;
    assert!(server.terminate().await.success());
}

async fn refusal(store: &Path) -> String {
    let command: Command = ServerProcess::command(store);
    let started = ServerProcess::try_start(command).await;
    started.err().expect("it is not served")
}

#[tokio::test]
async fn records_that_break_off_or_contradict_each_other_leave_the_store_as_empty_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SledStore::open(folder.path()).expect("a store");
    let (people, sessions) = filler_records(5000);
    let broke_off = Err(StoreError::BrokeOff("the cable".to_owned()));
    let records = stream::iter([Ok(people.clone()), Ok(sessions[..10].to_vec()), broke_off]);
    let error = store.load(records.boxed()).await.expect_err("broke off");
    assert!(matches!(error, LoadError::Records(_)), "{error}");

    let orphan = vec![sessions[4999].clone()];
    let records = stream::iter([Ok(people[..4999].to_vec()), Ok(orphan)]);
    let error = store.load(records.boxed()).await.expect_err("an orphan");
    assert!(matches!(error, LoadError::Contradiction(_)), "{error}");

    let mut namesakes = people[..2].to_vec();
    if let [Record::User(first), Record::User(second)] = &mut namesakes[..] {
        second.username_key = first.username_key.clone();
    }
    let error = store
        .load(stream::iter([Ok(namesakes)]).boxed())
        .await
        .expect_err("one name twice");
    assert!(matches!(error, LoadError::Contradiction(_)), "{error}");

    // As empty as it was, it takes them whole, also after it was opened again.
    store.close().await;
    drop(store);
    // No mark is left.
    let store = open_sled(folder.path(), MAX_WAIT).await;
    let all = stream::iter([Ok(people.clone()), Ok(sessions)]);
    let loaded = store.load(all.boxed()).await.expect("loaded");
    let expected = Loaded {
        users: 5000,
        sessions: 5000,
        ..Loaded::default()
    };
    assert_eq!(loaded, expected);
    let again = stream::iter([Ok(people)]).boxed();
    let error = store.load(again).await.expect_err("not empty");
    assert!(matches!(error, LoadError::NotEmpty), "{error}");
    store.close().await;
}

#[tokio::test]
async fn a_restored_store_sweeps_what_has_expired() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    filler(&file, 100);
    let restored = Restored::from(&file, &[]).await;
    let store = SledStore::open(restored.folder()).expect("a store");
    let now = password_auth_model::Timestamp::from_millis(5_000_000_000_000);
    let kinds_that_expire = ["attempt counters", "one-time tokens", "events"].len();
    let known = usize::try_from(WELL_KNOWN).expect("fits");
    let expected = 100 + kinds_that_expire * known;
    assert_eq!(store.sweep(now).await.expect("swept"), expected);
    store.close().await;
}
