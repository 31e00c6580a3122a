//! Tests only: the extension in a real Chromium against a real server, the documents' commands, `deploy/`, and
//! `run --watch`. Here stands what these know of the checkout.

use std::hash::{BuildHasher as _, RandomState};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

/// The workspace's folder.
#[must_use]
pub fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// The server's program: the one that `build.sh` names, or the debug build.
#[must_use]
pub fn server_program() -> PathBuf {
    std::env::var_os("PASSWORD_AUTH_BIN").map_or_else(
        || workspace().join("target/debug/password-auth"),
        PathBuf::from,
    )
}

/// A port that is free, for a server that cannot choose one itself. It is below those that the system gives to clients: one
/// of these could be taken again at once.
#[must_use]
pub fn free_port() -> u16 {
    let ports = std::iter::repeat_with(|| {
        let random = RandomState::new().hash_one(()) % 20_000;
        10_000 + u16::try_from(random).unwrap_or_default()
    });
    let is_free = |port: &u16| TcpListener::bind(("0.0.0.0", *port)).is_ok();
    ports.take(20_000).find(is_free).unwrap_or_default()
}
