//! A file of users, as `import users` reads it and `export users` writes it: a line each, as JSON or as CSV.
//!
//! Knows neither a store nor who asks. A line is one user or a sentence that says why it is none; no sentence
//! quotes a hash.
//!
//! | field | |
//! |---|---|
//! | `username` | needed |
//! | `email` | |
//! | `email_verified` | whether the address is the person's for sure; `false` if it is not there |
//! | `full_name` | |
//! | `role` | `user`, if it is not there, `admin` or `guest` |
//! | `is_active` | `true` if it is not there |
//! | `created_at` | RFC 3339, or as PostgreSQL writes it; the present, if it is not there |
//! | `password_hash` | bcrypt, argon2, PBKDF2-SHA256 or scrypt; without one nobody signs in before a reset |
//!
//! CSV begins with a line that names its columns, in any order; an empty cell is none; a line ends by CR, LF or both.

mod read;
mod records;
mod row;
mod write;

use std::path::Path;

pub use read::{BadHeader, UserFile};
pub use write::UserFileWriter;

/// How a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// An object of JSON a line.
    Jsonl,
    /// RFC 4180.
    Csv,
}

impl Format {
    /// What a file of that name holds.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        match path.extension() {
            Some(extension) if extension.eq_ignore_ascii_case("csv") => Self::Csv,
            _ => Self::Jsonl,
        }
    }
}
