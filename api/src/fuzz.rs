//! No file and no setting makes its reader panic.

use std::fs;
use std::io::BufReader;

use password_auth_model::Timestamp;
use password_auth_testing::fuzz;

use crate::backup;
use crate::config::{Config, SETTINGS, Sources};
use crate::user_file::{Format, UserFile};

#[test]
fn fuzz_configuration() {
    fuzz("configuration", |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let lines = text.lines().filter_map(|line| line.split_once('='));
        let pairs: Vec<(&str, &str)> = lines
            // These open files.
            .filter(|(name, _)| !name.ends_with("_FILE") && !name.starts_with("TLS_"))
            .filter(|(name, _)| SETTINGS.iter().any(|setting| setting.name == *name))
            .collect();
        let (secrets, others): (Vec<_>, Vec<_>) =
            pairs.iter().partition(|(name, _)| *name == "JWT_SECRET");
        let secret = secrets.last().map(|(_, secret)| *secret);
        let secret = secret.filter(|secret| secret.len() > 15);
        for dev in [true, false] {
            let Err(problems) = Config::load(&Sources::of(pairs.iter().copied()), dev) else {
                continue;
            };
            assert!(!problems.is_empty());
            // What is said without it may look like it: an example of a sender, say.
            let is_said_anyway = |said: &str| {
                let without = Config::load(&Sources::of(others.iter().copied()), dev);
                without.is_err_and(|problems| problems.iter().any(|it| it.to_string() == said))
            };
            for problem in problems {
                let said = problem.to_string();
                let is_quoted = secret.is_some_and(|secret| said.contains(secret));
                assert!(!is_quoted || is_said_anyway(&said), "{said}");
            }
        }
    });
}

#[test]
fn fuzz_env_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(".env");
    fuzz("env_file", move |bytes| {
        fs::write(&path, bytes).expect("written");
        if let Ok(sources) = Sources::gather(std::collections::BTreeMap::new(), &path) {
            Config::load(&sources, true).ok();
        }
    });
}

fn read_users(bytes: &[u8], format: Format) {
    let now = Timestamp::from_millis(1_700_000_000_000);
    let Ok(file) = UserFile::open(BufReader::new(bytes), format, now) else {
        return;
    };
    // A line takes a byte, so there is an end.
    assert!(file.count() <= bytes.len() + 1);
}

#[test]
fn fuzz_import_lines() {
    fuzz("import_lines", |bytes| read_users(bytes, Format::Jsonl));
}

#[test]
fn fuzz_csv() {
    fuzz("csv", |bytes| read_users(bytes, Format::Csv));
}

#[test]
fn fuzz_backup() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.backup");
    fuzz("backup", move |bytes| {
        fs::write(&path, bytes).expect("written");
        backup::check(&path, |_| {}).ok();
    });
}
