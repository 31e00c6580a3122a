//! The two commands, and the files between them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};

use password_auth::backup::BackupWriter;
use password_auth_model::{
    EmailKind, Event, EventId, EventKind, OneTimeToken, Purpose, QueuedEmail, QueuedEmailId,
    SessionId, Timestamp, TokenHash, UserId,
};
use password_auth_store::Record;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

/// How a command ended, and what it said.
pub struct Ended(Output);

impl Ended {
    #[track_caller]
    pub fn expect_success(&self) -> String {
        let said = self.said();
        assert!(self.0.status.success(), "{}: {said}", self.0.status);
        said
    }

    /// It ended with status 1 and a sentence.
    #[track_caller]
    pub fn expect_failure(&self) -> String {
        let said = self.said();
        assert_eq!(self.0.status.code(), Some(1), "{}: {said}", self.0.status);
        assert!(said.starts_with("password-auth: "), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        said
    }

    pub fn is_failure(&self) -> bool {
        !self.0.status.success()
    }

    fn said(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).expect("text")
    }
}

pub fn binary() -> Command {
    Command::new(env!("CARGO_BIN_EXE_password-auth"))
}

pub async fn backup(data_dir: &Path, file: &Path, arguments: &[&str]) -> Ended {
    run(binary(), "backup", data_dir, file, arguments).await
}

pub async fn restore(data_dir: &Path, file: &Path, arguments: &[&str]) -> Ended {
    run(binary(), "restore", data_dir, file, arguments).await
}

/// `command` is the binary, or what starts it.
pub async fn run(
    command: Command,
    name: &str,
    data_dir: &Path,
    file: &Path,
    arguments: &[&str],
) -> Ended {
    let mut command = prepared(command, name, data_dir, file);
    Ended(command.args(arguments).output().await.expect("it runs"))
}

pub fn prepared(mut command: Command, name: &str, data_dir: &Path, file: &Path) -> Command {
    command
        .arg(name)
        .arg(file)
        .arg("--data-dir")
        .arg(data_dir)
        // A `.env` of the developer's is not the test's.
        .current_dir(file.parent().expect("a folder"))
        .env_clear()
        .env("RUST_LOG", "warn")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// A new folder, restored from a file.
pub struct Restored(TempDir);

impl Restored {
    pub async fn from(file: &Path, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        restore(folder.path(), file, arguments)
            .await
            .expect_success();
        Self(folder)
    }

    pub fn folder(&self) -> &Path {
        self.0.path()
    }
}

pub fn lines(file: &Path) -> Vec<Value> {
    fs::read_to_string(file)
        .expect("a file")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

/// Of how many users of a filler there is all that a store keeps, if there are so many.
pub const WELL_KNOWN: u64 = 20;

/// When what is in a filler is over.
const FAR_OFF: u64 = 4_000_000_000_000;

/// A backup with so many users, a session each; of the first ones a count of tries, a one-time token, an event and a
/// mail too.
pub fn filler(file: &Path, users: u64) {
    let mut writer = BackupWriter::create(file, false).expect("a file");
    let (people, sessions) = filler_records(users);
    let rest = filler_rest(&people);
    writer.write(people).expect("written");
    writer.write(sessions).expect("written");
    writer.write(rest).expect("written");
    writer.finish(None).expect("finished");
}

fn filler_rest(people: &[Record]) -> Vec<Record> {
    let (mut attempts, mut tokens) = (Vec::new(), BTreeMap::new());
    let (mut events, mut mails) = (Vec::new(), Vec::new());
    for (number, person) in (0..WELL_KNOWN).zip(people) {
        let Record::User(user) = person else {
            panic!("{person:?} is nobody")
        };
        let address = user.email.clone().expect("an address");
        let (then, far_off) = (
            Timestamp::from_millis(number),
            Timestamp::from_millis(FAR_OFF),
        );
        attempts.push(Record::Attempt {
            key: u128::from(number).to_be_bytes(),
            until: far_off,
        });
        let hash = TokenHash::of(&number.to_string());
        let token = OneTimeToken {
            hash,
            user: user.id,
            purpose: Purpose::ResetPassword(address.clone()),
            expires: far_off,
        };
        tokens.insert(*hash.as_bytes(), Record::OneTimeToken(token));
        events.push(Record::Event(Event {
            id: EventId::new(then),
            at: far_off,
            user: user.id,
            by: None,
            what: EventKind::SignedIn,
            session: None,
            address: Some("192.0.2.7".to_owned()),
            device: None,
        }));
        mails.push(Record::QueuedEmail(QueuedEmail {
            id: QueuedEmailId::new(then),
            created: then,
            due: far_off,
            tries: 0,
            to: address,
            user: (number % 2 == 0).then_some(user.id),
            kind: EmailKind::ResetPassword,
        }));
    }
    let tokens = tokens.into_values();
    attempts
        .into_iter()
        .chain(tokens)
        .chain(events)
        .chain(mails)
        .collect()
}

/// So many users, and a session each; of long ago, so that they come before all others.
pub fn filler_records(users: u64) -> (Vec<Record>, Vec<Record>) {
    let moment = |number: u64| Timestamp::from_millis(1_000_000 + number);
    let people: Vec<_> = (0..users)
        .map(|number| (number, UserId::new(moment(number))))
        .collect();
    let sessions = people.iter().map(|(number, user)| {
        record(json!({"Session": {
            "id": SessionId::new(moment(*number)), "user": user, "device": "a test",
            "created": moment(*number), "last_used": moment(*number),
            "expires": FAR_OFF, "generation": 0, "confirmed": false, "epoch": 0,
            "retired": [], "ended": null, "trail": {},
        }}))
    });
    let sessions = sessions.collect();
    let people = people.iter().map(|(number, id)| {
        let name = format!("filler {number}");
        record(json!({"User": {
            "id": id, "username": name, "username_key": name, "password": "!",
            "password_version": 0, "email": format!("filler{number}@example.org"), "is_verified": true,
            "full_name": null, "role": "user", "is_active": true,
            "deactivated_by_self": false, "created_at": moment(*number),
            "last_login": null,
        }}))
    });
    (people.collect(), sessions)
}

fn record(value: Value) -> Record {
    serde_json::from_value(value).expect("a record")
}
