//! Why a folder cannot be opened, in sentences for the operator.

use std::io;
use std::path::PathBuf;

/// Why the folder cannot be opened: what is wrong and what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder or a file in it cannot be created, read or written.
    #[error("the data folder {path} cannot be used: {cause}{}", advice(cause))]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// The error of the system.
        cause: io::Error,
    },
    /// Another process uses the folder.
    #[error(
        "the data folder {0} is in use by another password-auth: stop that one, or choose another --data-dir"
    )]
    InUse(PathBuf),
    /// Another version of the program wrote it.
    #[error(
        "the data folder {path} was written by another version (its format is {found}, this version reads {ours:?}): use that version"
    )]
    OtherFormat {
        /// The folder.
        path: PathBuf,
        /// Its format.
        found: String,
        /// What this program reads.
        ours: [u8; 2],
    },
    /// A restore was interrupted.
    #[error(
        "a restore into {folder} was interrupted, so the data is incomplete: remove that folder and {watermark}, and restore again"
    )]
    HalfRestored {
        /// The folder.
        folder: PathBuf,
        /// The file that would report a loss.
        watermark: PathBuf,
    },
    /// sled cannot read its files.
    #[error(
        "the data in {path} is damaged ({detail}): restore a backup into an empty folder, and keep this one for analysis"
    )]
    Damaged {
        /// The folder.
        path: PathBuf,
        /// The error of sled.
        detail: String,
    },
    /// sled can read its files, but data is missing.
    #[error(
        "the data in {path} is incomplete: its newest part was lost (damaged, or replaced by older \
         files). Restore a backup into an empty folder. Or, to continue with what is left, remove \
         {watermark} and start again"
    )]
    Lost {
        /// The folder.
        path: PathBuf,
        /// The file that shows it.
        watermark: PathBuf,
    },
    /// The system cannot start threads.
    #[error("cannot start the store's threads: {0}")]
    Threads(io::Error),
}

/// What the operator can do about it.
fn advice(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::PermissionDenied => {
            ": give it to the user that runs the server, or choose another --data-dir"
        }
        io::ErrorKind::ReadOnlyFilesystem => ": make it writable, or choose another --data-dir",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            ": free space there and start again"
        }
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
            ": a file is in the way; choose another --data-dir"
        }
        _ => "",
    }
}
