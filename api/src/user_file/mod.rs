//! User files, as `import users` reads and `export users` writes them: one line per user, as JSON or CSV.
//!
//! Knows neither stores nor commands. A line is a user or a sentence that says what is wrong; no sentence quotes a
//! hash.
//!
//! | field | |
//! |---|---|
//! | `username` | required |
//! | `email` | |
//! | `email_verified` | whether the address is verified; default `false` |
//! | `full_name` | |
//! | `role` | `user` (default), `admin` or `guest` |
//! | `is_active` | default `true` |
//! | `created_at` | RFC 3339 or PostgreSQL's format; default now |
//! | `password_hash` | bcrypt, argon2, PBKDF2-SHA256 or scrypt; without one, the user has to reset the password |
//!
//! CSV begins with a line with the names of its columns, in any order. An empty cell is no value. A line ends with CR,
//! LF or both.

mod read;
mod records;
mod row;
mod write;

use std::path::Path;

pub use read::{BadHeader, UserFile};
pub use write::UserFileWriter;

/// The format of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// One JSON object per line.
    Jsonl,
    /// RFC 4180.
    Csv,
}

impl Format {
    /// The format of a file with this name.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        match path.extension() {
            Some(extension) if extension.eq_ignore_ascii_case("csv") => Self::Csv,
            _ => Self::Jsonl,
        }
    }
}
