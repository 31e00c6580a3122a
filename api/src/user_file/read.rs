//! From lines to users, one line in memory at a time.

use std::io::{self, BufRead, Read as _};

use password_auth_core::accounts::Line;
use password_auth_model::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::Format;
use super::records::{MAX_LINE, Records};
use super::row::{FIELDS, Row};

/// Why the file can not be read as users at all.
#[derive(Debug, thiserror::Error)]
#[error("the first line must name the columns: {0}")]
pub struct BadHeader(String);

/// The lines of a file.
pub struct UserFile<R> {
    lines: Lines<R>,
    now: Timestamp,
}

enum Lines<R> {
    Jsonl(Objects<R>),
    /// With which field each column is.
    Csv(Box<Records<R>>, Vec<&'static str>),
}

impl<R: BufRead> UserFile<R> {
    /// Reads the beginning. Users whose line does not say when they came, came `now`.
    ///
    /// # Errors
    /// If it can not be read; [`BadHeader`] inside, if it is CSV and does not begin with the names of columns.
    pub fn open(source: R, format: Format, now: Timestamp) -> io::Result<Self> {
        let lines = match format {
            Format::Jsonl => Lines::Jsonl(Objects { source, number: 0 }),
            Format::Csv => {
                let bad = |reason| io::Error::new(io::ErrorKind::InvalidData, BadHeader(reason));
                let mut records = Records::new(source)?;
                let header = records
                    .next()?
                    .ok_or_else(|| bad("it is empty".to_owned()))?;
                let columns = header.cells.and_then(|cells| columns(&cells));
                Lines::Csv(Box::new(records), columns.map_err(bad)?)
            }
        };
        Ok(Self { lines, now })
    }

    /// The next one's number, and what it says or why that cannot be read.
    fn next_row(&mut self) -> io::Result<Option<(u64, Result<Row, String>)>> {
        Ok(match &mut self.lines {
            Lines::Jsonl(objects) => objects
                .next_line()?
                .map(|line| (objects.number, line.and_then(|text| from_json(&text)))),
            Lines::Csv(records, columns) => records.next()?.map(|record| {
                let row = record.cells.and_then(|cells| from_csv(cells, columns));
                (record.number, row)
            }),
        })
    }
}

impl<R: BufRead> Iterator for UserFile<R> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.next_row().transpose()?;
        Some(read.map(|(number, row)| Line {
            number,
            user: row.and_then(|row| row.user(self.now)),
        }))
    }
}

/// Lines that are JSON, or should be.
struct Objects<R> {
    source: R,
    number: u64,
}

impl<R: BufRead> Objects<R> {
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

fn from_csv(cells: Vec<String>, columns: &[&'static str]) -> Result<Row, String> {
    if cells.len() != columns.len() {
        let (there, needed) = (cells.len(), columns.len());
        return Err(format!(
            "has {there} cells, where there are {needed} columns"
        ));
    }
    let mut row = Row::default();
    let cells = columns.iter().zip(cells);
    for (name, cell) in cells.filter(|(_, cell)| !cell.is_empty()) {
        match *name {
            "username" => row.username = Some(cell),
            "email" => row.email = Some(cell),
            "email_verified" => row.email_verified = Some(switch(name, &cell)?),
            "full_name" => row.full_name = Some(cell),
            "role" => row.role = Some(cell),
            "is_active" => row.is_active = Some(switch(name, &cell)?),
            "created_at" => row.created_at = Some(cell),
            _ => row.password_hash = Some(cell),
        }
    }
    Ok(row)
}

/// `t` and `f` are PostgreSQL's.
fn switch(name: &str, cell: &str) -> Result<bool, String> {
    match cell.trim().to_ascii_lowercase().as_str() {
        "true" | "t" | "1" => Ok(true),
        "false" | "f" | "0" => Ok(false),
        _ => Err(format!("{name}: must be true or false")),
    }
}

fn columns(header: &[String]) -> Result<Vec<&'static str>, String> {
    let mut columns = Vec::new();
    for name in header {
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
