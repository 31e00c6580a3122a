//! Where PostgreSQL's programs are.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// Where Debian keeps them: a folder a version, and not in the `PATH`.
const DEBIAN: &str = "/usr/lib/postgresql";

static FOLDER: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let mut folders = debian();
    folders.extend(configured());
    if let Some(path) = env::var_os("PATH") {
        folders.extend(env::split_paths(&path));
    }
    folders.into_iter().find(|folder| is_complete(folder))
});

/// The program of that name, of the newest PostgreSQL here.
pub(crate) fn program(name: &str) -> PathBuf {
    let folder = FOLDER.as_ref().unwrap_or_else(|| {
        panic!(
            "this needs PostgreSQL's programs, and they are not installed here: \
             `apt-get install postgresql`, or `./build.sh test`, which does it"
        )
    });
    folder.join(name)
}

/// Clients are often installed without a server.
fn is_complete(folder: &Path) -> bool {
    ["initdb", "postgres", "pg_basebackup"]
        .iter()
        .all(|name| folder.join(name).is_file())
}

/// The newest first.
fn debian() -> Vec<PathBuf> {
    let mut versions: Vec<u32> = fs::read_dir(DEBIAN)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    versions.sort_unstable();
    let newest_first = versions.into_iter().rev();
    newest_first
        .map(|version| Path::new(DEBIAN).join(version.to_string()).join("bin"))
        .collect()
}

fn configured() -> Option<PathBuf> {
    let answer = Command::new("pg_config").arg("--bindir").output().ok()?;
    let folder = String::from_utf8(answer.stdout).ok()?;
    answer.status.success().then(|| folder.trim().into())
}
