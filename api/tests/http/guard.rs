//! Services that this server guards: behind real proxies, and with the published keys.

mod backends;
mod proxies;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// `examples/`.
fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

/// A file of the examples, with other addresses in place of the documented ones.
fn example(name: &str, addresses: &BTreeMap<&str, String>) -> String {
    let path = examples().join(name);
    let text = std::fs::read_to_string(&path);
    let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    addresses.iter().fold(text, |text, (documented, used)| {
        text.replace(documented, used)
    })
}
