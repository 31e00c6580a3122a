//! Test support: a server, a clock, and a client that checks every response against the OpenAPI document.

mod client;
mod clock;
mod contract;
pub mod person;
mod process;
mod random;
pub mod raw;
mod server;
pub mod strace;

use std::path::Path;

use tempfile::TempDir;

pub use client::{Reply, TestClient};
pub use clock::TestClock;
pub use person::Person;
pub use process::ServerProcess;
pub use random::{Random, everyday_or_long};
pub use server::{Engine, TestServer, TestServerBuilder, open_sled};

/// A copy of a data folder, as a backup of a stopped server is.
pub fn copy_of(folder: &Path) -> TempDir {
    let copy = tempfile::tempdir().expect("a folder");
    let status = std::process::Command::new("cp")
        .arg("-a")
        .arg(folder.join("."))
        .arg(copy.path())
        .status();
    assert!(status.expect("cp runs").success());
    copy
}

/// A password that every rule allows.
pub const PASSWORD: &str = "correct horse battery";
