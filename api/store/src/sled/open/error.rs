//! Why a folder is not opened, in sentences for the operator.

use std::io;
use std::path::PathBuf;

/// Why the folder can not be opened: what is wrong, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder or a file in it can not be made, read or written.
    #[error("the data folder {path} can not be used: {cause}{}", advice(cause))]
    Io {
        /// What.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// Another process has it.
    #[error(
        "the data folder {0} is in use by another password-auth: stop that one, or choose another --data-dir"
    )]
    InUse(PathBuf),
    /// Another version of the program wrote it.
    #[error(
        "the data folder {path} was written by another version (its format is {found}, this one reads {ours:?}): use that version"
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
        "a restore into {folder} was interrupted, and half of it is there: remove that folder and {watermark}, and restore again"
    )]
    HalfRestored {
        /// The folder.
        folder: PathBuf,
        /// The file that would say that something was lost.
        watermark: PathBuf,
    },
    /// sled can not read its files.
    #[error(
        "the data in {path} is damaged ({detail}): restore a backup into an empty folder, and keep this one for analysis"
    )]
    Damaged {
        /// The folder.
        path: PathBuf,
        /// What sled says.
        detail: String,
    },
    /// sled reads its files, and has less than it once had.
    #[error(
        "the data in {path} is not all there: its newest part was lost (damaged, or replaced by older files). \
         Restore a backup into an empty folder; or, to go on with what is left, remove {watermark} and start again"
    )]
    Lost {
        /// The folder.
        path: PathBuf,
        /// What says so.
        watermark: PathBuf,
    },
    /// The system gives no threads.
    #[error("the store's threads can not be started: {0}")]
    Threads(io::Error),
}

/// What the operator can do about it.
fn advice(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::PermissionDenied => {
            ": give it to the user who runs the server, or choose another --data-dir"
        }
        io::ErrorKind::ReadOnlyFilesystem => ": make it writable, or choose another --data-dir",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            ": make room there, and start again"
        }
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
            ": a file is in the way; choose another --data-dir"
        }
        _ => "",
    }
}
