//! From lines to users, one line in memory at a time.

use std::io::{self, BufRead, Read as _};

use csv::{ReaderBuilder, StringRecord};
use serde::Deserialize;
use serde_json::Value;

use super::Format;
use super::row::{FIELDS, Row};
use crate::clock::Timestamp;
use crate::store::User;

/// The longest line that is looked at.
const MAX_LINE: u64 = 64 << 10;

/// One line that is not blank.
#[derive(Debug)]
pub struct Line {
    /// Counted from 1, as editors do.
    pub number: u64,
    /// The user, or why it is none.
    pub user: Result<User, String>,
}

/// Why the file can not be read as users at all.
#[derive(Debug, thiserror::Error)]
#[error("the first line must name the columns: {0}")]
pub struct BadHeader(String);

/// The lines of a file.
pub struct UserFile<R> {
    source: R,
    now: Timestamp,
    number: u64,
    /// CSV: which field each column is.
    columns: Option<Vec<&'static str>>,
}

impl<R: BufRead> UserFile<R> {
    /// Reads the beginning. Users whose line does not say when they came, came `now`.
    ///
    /// # Errors
    /// If it can not be read; [`BadHeader`] inside, if it is CSV and does not begin with the names of columns.
    pub fn open(source: R, format: Format, now: Timestamp) -> io::Result<Self> {
        let mut file = Self {
            source,
            now,
            number: 0,
            columns: None,
        };
        if format == Format::Csv {
            let bad = |reason| io::Error::new(io::ErrorKind::InvalidData, BadHeader(reason));
            let header = file
                .next_line()?
                .ok_or_else(|| bad("it is empty".to_owned()))?;
            file.columns = Some(header.and_then(|line| columns(&line)).map_err(bad)?);
        }
        Ok(file)
    }

    /// The next line that is not blank; inside, why it can not be read.
    fn next_line(&mut self) -> io::Result<Option<Result<String, String>>> {
        loop {
            let mut line = Vec::new();
            self.source
                .by_ref()
                .take(MAX_LINE)
                .read_until(b'\n', &mut line)?;
            if line.is_empty() {
                return Ok(None);
            }
            self.number += 1;
            if !line.ends_with(b"\n") && line.len() as u64 == MAX_LINE {
                self.source.skip_until(b'\n')?;
                return Ok(Some(Err("is longer than 64 KiB".to_owned())));
            }
            let Ok(text) = str::from_utf8(&line) else {
                return Ok(Some(Err("is not UTF-8".to_owned())));
            };
            // Some programs begin a file with a byte order mark.
            let text = text.strip_prefix('\u{FEFF}').unwrap_or(text).trim();
            if !text.is_empty() {
                return Ok(Some(Ok(text.to_owned())));
            }
        }
    }
}

impl<R: BufRead> Iterator for UserFile<R> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.next_line().transpose()?;
        Some(read.map(|text| {
            Line {
                number: self.number,
                user: text
                    .and_then(|text| match &self.columns {
                        None => from_json(&text),
                        Some(columns) => from_csv(&text, columns),
                    })
                    .and_then(|row| row.user(self.now)),
            }
        }))
    }
}

/// As serde reads it: it finds unknown fields and such as stand there twice. What type a field has is looked at
/// behind it, since serde's own sentences quote values.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Loose {
    username: Option<Value>,
    email: Option<Value>,
    email_verified: Option<Value>,
    full_name: Option<Value>,
    role: Option<Value>,
    is_active: Option<Value>,
    created_at: Option<Value>,
    password_hash: Option<Value>,
}

fn from_json(text: &str) -> Result<Row, String> {
    // serde would take a list for the fields in their order.
    if !text.starts_with('{') {
        return Err("is no JSON object".to_owned());
    }
    let loose: Loose = serde_json::from_str(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => {
            let sentence = error.to_string();
            sentence
                .split(" at line ")
                .next()
                .unwrap_or_default()
                .to_owned()
        }
        _ => format!("is no JSON, from column {} on", error.column()),
    })?;
    let string = |name, value: Option<Value>| match value {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("{name}: must be a text")),
    };
    let switch = |name, value: Option<Value>| match value {
        None => Ok(None),
        Some(Value::Bool(on)) => Ok(Some(on)),
        Some(_) => Err(format!("{name}: must be true or false")),
    };
    Ok(Row {
        username: string("username", loose.username)?,
        email: string("email", loose.email)?,
        email_verified: switch("email_verified", loose.email_verified)?,
        full_name: string("full_name", loose.full_name)?,
        role: string("role", loose.role)?,
        is_active: switch("is_active", loose.is_active)?,
        created_at: string("created_at", loose.created_at)?,
        password_hash: string("password_hash", loose.password_hash)?,
    })
}

fn from_csv(text: &str, columns: &[&'static str]) -> Result<Row, String> {
    let cells = cells(text)?;
    if cells.len() != columns.len() {
        let (there, needed) = (cells.len(), columns.len());
        return Err(format!(
            "has {there} cells, where there are {needed} columns"
        ));
    }
    let mut row = Row::default();
    for (name, cell) in columns
        .iter()
        .zip(&cells)
        .filter(|(_, cell)| !cell.is_empty())
    {
        let text = Some(cell.to_owned());
        match *name {
            "username" => row.username = text,
            "email" => row.email = text,
            "email_verified" => row.email_verified = Some(switch(name, cell)?),
            "full_name" => row.full_name = text,
            "role" => row.role = text,
            "is_active" => row.is_active = Some(switch(name, cell)?),
            "created_at" => row.created_at = text,
            _ => row.password_hash = text,
        }
    }
    Ok(row)
}

fn switch(name: &str, cell: &str) -> Result<bool, String> {
    match cell.trim().to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(format!("{name}: must be true or false")),
    }
}

/// The cells of one line. A quote that is not closed would go on in the next one.
fn cells(line: &str) -> Result<StringRecord, String> {
    if line.matches('"').count() % 2 == 1 {
        return Err("has a quote that is not closed".to_owned());
    }
    let mut record = StringRecord::new();
    ReaderBuilder::new()
        .has_headers(false)
        .buffer_capacity(line.len() + 1)
        .from_reader(line.as_bytes())
        .read_record(&mut record)
        .map_err(|_| "is no CSV".to_owned())?;
    Ok(record)
}

fn columns(line: &str) -> Result<Vec<&'static str>, String> {
    let mut columns = Vec::new();
    for name in &cells(line)? {
        let known = FIELDS.iter().find(|field| **field == name.trim());
        let field = known.ok_or_else(|| {
            let name: String = name.chars().take(40).collect();
            format!("{name:?} is none of {}", FIELDS.join(", "))
        })?;
        if columns.contains(field) {
            return Err(format!("{field} is there twice"));
        }
        columns.push(*field);
    }
    if !columns.contains(&"username") {
        return Err("username is missing".to_owned());
    }
    Ok(columns)
}
