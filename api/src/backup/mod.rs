//! Backup files: everything in a store, in a format that does not depend on the engine.
//!
//! A file consists of lines of JSON: a header with the version; users, sessions, attempt counters, one-time tokens,
//! events and queued mails, each in the order of ids; the signing keys, if they are included; and an end with the
//! counts and the SHA-256 of all bytes before it. It contains neither the engine nor the time: the same records are the
//! same bytes.
//!
//! A file is read twice: once to find every fault before anything is written, once to restore it. Input from a pipe is
//! copied to a temporary file for that.

mod check;
mod error;
mod line;
mod read;
mod rules;
mod write;

pub use error::BackupError;
pub use read::{Checked, check};
pub use write::{BackupWriter, Written};
