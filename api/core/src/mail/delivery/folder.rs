//! Mail as `.eml` files, for development.

use std::fmt;
use std::fs::{DirBuilder, OpenOptions, rename};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::super::message::Mail;
use super::{Closed, MailError, Refused};

/// The folder.
pub struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(path: &Path) -> Result<Self, MailError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|cause| MailError::Folder {
                path: path.to_owned(),
                cause,
            })?;
        Ok(Self(path.to_owned()))
    }

    pub(super) async fn deliver(&self, mail: &Mail) -> Result<(), Refused> {
        let (folder, id, bytes) = (self.0.clone(), mail.id, mail.bytes.clone());
        let written = tokio::task::spawn_blocking(move || write(&folder, &id.to_string(), &bytes));
        match written.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(closed(&error)),
            Err(error) => Err(closed(&error)),
        }
    }
}

fn closed(error: &dyn fmt::Display) -> Refused {
    Refused::Closed(Closed(format!(
        "cannot write to the folder for mail: {error}"
    )))
}

/// The file appears under its name only when it is complete. It contains a link that is as sensitive as a password.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let half = folder.join(format!(".{name}.half"));
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&half)?;
    file.write_all(bytes)?;
    rename(half, folder.join(format!("{name}.eml")))
}

impl fmt::Display for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the folder {}", self.0.display())
    }
}
