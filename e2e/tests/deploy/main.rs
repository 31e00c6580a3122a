//! What `deploy/` hands out, tried here: the names in alerts and dashboard are those of `/metrics`, and real proxies with TLS
//! stand before the real server.
//!
//! What is not installed (promtool, nginx, Caddy, systemd-analyze) is skipped, and said.

#![expect(
    clippy::expect_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod proxies;
mod server;
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

#[test]
fn the_unit_leaves_the_service_next_to_nothing() {
    let unit = deploy("systemd/password-auth.service");
    let unit = unit.to_str().expect("a text");
    let arguments = [
        "security",
        "--offline=yes",
        "--no-pager",
        "--threshold=15",
        unit,
    ];
    if let Some(output) = run("systemd-analyze", &arguments) {
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}");
    }
}
