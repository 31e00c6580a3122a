//! What can be wrong with a file, for the operator. No sentence quotes the file: it holds password hashes.

use std::io;
use std::path::{Path, PathBuf};

/// Why a file can not be written, or not be restored from.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The system refuses.
    #[error("{path} can not be used: {cause}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// It would be overwritten.
    #[error("{0} is there already: choose another name, or --force")]
    Exists(PathBuf),
    /// It would be replaced, and is more than a file.
    #[error(
        "{0} is a device, a FIFO, a link or a folder, and is not replaced: to write into it, use - and send standard output there"
    )]
    NotReplaceable(PathBuf),
    /// The records that were to be written are such that nobody could restore them.
    #[error("the store contradicts itself, so that this backup could not be restored: {0}")]
    Contradiction(String),
    /// It is read twice, and so must be a file.
    #[error("{0} is no file: save the backup to one first, or use - and send it to standard input")]
    NotAFile(PathBuf),
    /// It is something else.
    #[error("{0} is not a backup of password-auth: its first line says so")]
    NotABackup(PathBuf),
    /// It may hold what this program would lose.
    #[error(
        "{path} is a backup of version {found}, this program reads up to {ours}: restore it with a newer password-auth"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
        /// What this program reads.
        ours: u64,
    },
    /// It is not what was written.
    #[error(
        "line {line} of {path}: {what}. The file is damaged: take another copy of it, or another backup"
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
