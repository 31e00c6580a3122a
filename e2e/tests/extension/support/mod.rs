//! What the tests stand on: a browser with the extension, a server, something between the two, and a
//! hand on the popup.

mod between;
mod browser;
mod devtools;
mod page;
mod popup;
mod server;

pub use between::{Between, Canned};
pub use browser::Browser;
pub use devtools::ActionPopup;
pub use page::Page;
pub use popup::Popup;
pub use server::Server;

/// A password that every rule allows.
pub const PASSWORD: &str = "correct horse battery";

/// A setting that `build.sh` hands over.
pub fn setting(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.to_owned())
}

/// The workspace's folder.
pub fn workspace() -> std::path::PathBuf {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("the workspace").to_owned()
}
