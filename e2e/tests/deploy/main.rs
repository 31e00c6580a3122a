//! What `deploy/` hands out, tried here: the names in alerts and dashboard are those of `/metrics`, real proxies with TLS
//! stand before the real server, and the unit's and the image's lines start it.
//!
//! What is not installed (promtool, nginx, Caddy, systemd-analyze) is skipped, and said.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

mod container;
mod proxies;
mod server;
mod unit;
mod watched;

use std::path::PathBuf;
use std::process::{Command, Output};

use password_auth_e2e::workspace;

fn deploy(path: &str) -> PathBuf {
    workspace().join("deploy").join(path)
}

/// What a program says; `None`, and a word about it, where it is not installed.
fn run(program: &str, arguments: &[&str]) -> Option<Output> {
    match Command::new(program).args(arguments).output() {
        Ok(output) => Some(output),
        Err(_) => {
            eprintln!("skipped: {program} is not installed");
            None
        }
    }
}
