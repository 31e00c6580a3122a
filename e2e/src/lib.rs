//! Tests only: the extension in a real Chromium against a real server, the documents' commands, `deploy/`, and
//! `run --watch`. Here stands what these know of the checkout.

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
