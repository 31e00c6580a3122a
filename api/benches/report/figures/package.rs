//! The compressed size of the extension, as `build.sh` measures it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tokio::runtime::Runtime;

use crate::report::{Figure, Goal};
use crate::stats::Spread;
use crate::{Outcome, Settings};

pub(super) const NAME: &str = "package";

/// The built extension, set by `build.sh`.
const FOLDER: &str = "EXTENSION_DIR";

/// What is loaded: not the pictures and the manifest.
const LOADED: [&str; 4] = ["wasm", "js", "html", "css"];

pub(super) fn measure(_: &Runtime, _: &Settings) -> Outcome<Figure> {
    let what = "everything that Chrome loads, gz".to_owned();
    let Some(folder) = folder() else {
        let why = format!("{FOLDER} names no folder; ./build.sh bench builds it and sets it");
        return Ok(Figure::not_measured(NAME, what, why));
    };
    let bytes = f64::from(u32::try_from(compressed(&folder)?)?);
    Ok(Figure::alone(
        NAME,
        what,
        "KB",
        Spread::of(&[bytes / 1000.0]),
        Some(Goal::AtMost(110.0)),
    ))
}

/// The built extension, if there is one.
pub(super) fn folder() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os(FOLDER)?);
    folder.is_dir().then_some(folder)
}

/// Bytes of all that is loaded, each file compressed by itself.
fn compressed(folder: &Path) -> Outcome<usize> {
    let mut sum = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            sum += compressed(&path)?;
        } else if LOADED
            .iter()
            .any(|kind| path.extension() == Some(kind.as_ref()))
        {
            let gzip = Command::new("gzip")
                .args(["-9", "-c"])
                .arg(&path)
                .output()?;
            if !gzip.status.success() {
                return Err(format!("gzip: {}", path.display()).into());
            }
            sum += gzip.stdout.len();
        }
    }
    Ok(sum)
}
