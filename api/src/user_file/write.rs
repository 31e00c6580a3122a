//! From users to lines.

use std::io::{self, Write};

use password_auth_model::User;

use super::Format;
use super::row::{FIELDS, Row};

/// Writes users.
pub enum UserFileWriter<W: Write> {
    /// An object of JSON a line.
    Jsonl(W),
    /// RFC 4180.
    Csv(Box<csv::Writer<W>>),
}

impl<W: Write> UserFileWriter<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// If `to` can not be written.
    pub fn new(to: W, format: Format) -> io::Result<Self> {
        Ok(match format {
            Format::Jsonl => Self::Jsonl(to),
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(to);
                writer.write_record(FIELDS).map_err(io::Error::from)?;
                Self::Csv(Box::new(writer))
            }
        })
    }

    /// Writes one user.
    ///
    /// # Errors
    /// If it can not be written.
    pub fn write(&mut self, user: &User) -> io::Result<()> {
        let row = Row::of(user);
        match self {
            Self::Jsonl(to) => {
                serde_json::to_writer(&mut *to, &row)?;
                to.write_all(b"\n")
            }
            Self::Csv(writer) => {
                let switch = |on: Option<bool>| on.map(|on| on.to_string());
                let cells = [
                    row.username,
                    row.email,
                    switch(row.email_verified),
                    row.full_name,
                    row.role,
                    switch(row.is_active),
                    row.created_at,
                    row.password_hash,
                ];
                writer
                    .write_record(cells.map(Option::unwrap_or_default))
                    .map_err(io::Error::from)
            }
        }
    }

    /// Ends the file, and gives back what it was written to.
    ///
    /// # Errors
    /// If it can not be written.
    pub fn finish(self) -> io::Result<W> {
        match self {
            Self::Jsonl(mut to) => to.flush().map(|()| to),
            Self::Csv(writer) => writer.into_inner().map_err(|error| error.into_error()),
        }
    }
}
