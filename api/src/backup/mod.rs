//! The file of a backup: everything that a store keeps, in a form of its own that no engine knows.
//!
//! Lines of JSON: what it is and its version; users, sessions, counts of tries, one-time tokens, events and
//! letters, each in the order of their ids; the signing keys, if they travel along; and an end with the counts and the SHA-256 of all the
//! bytes before it. Nothing in it tells engines or moments apart: the same records are the same bytes.
//!
//! A file is read twice: once to find every fault before anything is written, once to restore it. What comes from a
//! pipe is put aside for that.

mod check;
mod error;
mod line;
mod read;
mod rules;
mod write;

pub use error::BackupError;
pub use read::{Checked, check};
pub use write::{BackupWriter, Written};
