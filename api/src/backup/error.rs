//! What can be wrong with a file, for the operator. Messages never quote the file: it contains password hashes.

use std::io;
use std::path::{Path, PathBuf};

/// Why a file cannot be written or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// An error of the system.
    #[error("{path} cannot be used: {cause}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        cause: io::Error,
    },
    /// The file exists.
    #[error("{0} already exists: choose another name, or use --force")]
    Exists(PathBuf),
    /// It exists and is not a plain file.
    #[error(
        "{0} is a device, a FIFO, a link or a folder and is not overwritten: to write into it, use - and redirect standard output"
    )]
    NotReplaceable(PathBuf),
    /// The records could not be restored.
    #[error(
        "the records in the store contradict each other, so this backup could not be restored: \
             {0}"
    )]
    Contradiction(String),
    /// It must be a plain file, since it is read twice.
    #[error(
        "{0} is not a plain file: copy the backup to one first, or use - and redirect standard \
             input"
    )]
    NotAFile(PathBuf),
    /// It is not a backup.
    #[error("{0} is not a backup of password-auth: its first line does not say so")]
    NotABackup(PathBuf),
    /// It may contain data that this program does not know.
    #[error(
        "{path} is a backup of version {found}, but this program only reads versions up to {ours}: restore it with a newer password-auth"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
        /// What this program reads.
        ours: u64,
    },
    /// It is damaged.
    #[error(
        "line {line} of {path}: {what}. The file is damaged: use another copy of it, or another backup"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: u64,
        /// What is wrong there.
        what: String,
    },
}

pub(super) fn io_error(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    |cause| BackupError::Io { path, cause }
}
