//! The `.env` file: lines of `NAME=value`, as dotenvy parses them. Messages never quote a line, which may contain a
//! secret.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use dotenvy::{Error, Iter};

use super::Problem;
use super::setting::SETTINGS;

/// The content of the file.
#[derive(Clone, Default)]
pub(super) struct SettingsFile {
    pub(super) values: BTreeMap<String, String>,
    /// The name of the file, if other users can read it.
    exposed: Option<String>,
}

impl SettingsFile {
    /// Reads the file. A missing file is an empty one.
    pub(super) fn read(path: &Path) -> Result<Self, Problem> {
        let name = path.display().to_string();
        let problem = |message| Problem {
            setting: name.clone(),
            message,
        };
        let unreadable = |error: io::Error| problem(format!("cannot be read: {error}"));
        let (content, mode) = match open(path) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(unreadable(error)),
        };
        let text = String::from_utf8(content).map_err(|error| {
            let before = error.utf8_error().valid_up_to();
            let line = line_at(&error.as_bytes()[..before]);
            problem(format!("line {line} is not UTF-8"))
        })?;
        // Some editors write a byte order mark at the start of a file.
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(&text);
        let values = parse(text)
            .map_err(|line| problem(format!("line {line} cannot be read as NAME=value")))?;
        Ok(Self {
            values,
            exposed: (mode & 0o077 != 0).then_some(name),
        })
    }

    /// The problem, if other users can read the file and it contains a secret.
    pub(super) fn exposed_secret(&self) -> Option<Problem> {
        let name = self.exposed.as_ref()?;
        let is_set = |name| {
            let value: Option<&String> = self.values.get(name);
            value.is_some_and(|value| !value.trim().is_empty())
        };
        let secret = SETTINGS
            .iter()
            .find(|setting| setting.secret && is_set(setting.name))?;
        Some(Problem {
            setting: name.clone(),
            message: format!(
                "other users can read this file, and it contains {}: run `chmod 600 {name}`",
                secret.name
            ),
        })
    }
}

fn open(path: &Path) -> io::Result<(Vec<u8>, u32)> {
    let mut file = File::open(path)?;
    let mode = file.metadata()?.permissions().mode();
    let mut content = Vec::new();
    file.read_to_end(&mut content)?;
    Ok((content, mode))
}

/// The values, or the number of the line that cannot be read.
fn parse(text: &str) -> Result<BTreeMap<String, String>, usize> {
    let mut values = BTreeMap::new();
    let mut lines = LineByLine { text, given: 0 };
    let mut read = Iter::new(&mut lines);
    loop {
        match read.next() {
            Some(Ok((name, value))) => {
                values.insert(name, value);
            }
            None => return Ok(values),
            Some(Err(error)) => {
                drop(read);
                let given = lines.given;
                // The text that could not be parsed ends with the last line that was read, but may begin earlier, at an
                // unclosed quote.
                let more = match &error {
                    Error::LineParse(text, _) => text
                        .strip_suffix('\n')
                        .unwrap_or(text)
                        .matches('\n')
                        .count(),
                    _ => 0,
                };
                return Err(given.saturating_sub(more).max(1));
            }
        }
    }
}

/// Returns one line per read, so that the lines can be counted.
struct LineByLine<'a> {
    text: &'a str,
    given: usize,
}

impl Read for LineByLine<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let line = self
            .text
            .find('\n')
            .map_or(self.text.len(), |newline| newline + 1);
        // A long line is returned in pieces, and counted with the last one.
        let mut count = line.min(buffer.len());
        while !self.text.is_char_boundary(count) {
            count -= 1;
        }
        let (piece, rest) = self.text.split_at(count);
        buffer[..count].copy_from_slice(piece.as_bytes());
        self.text = rest;
        self.given += usize::from(count == line && count > 0);
        Ok(count)
    }
}

fn line_at(before: &[u8]) -> usize {
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_line_that_cannot_be_read_is_known_by_its_number() {
        let long = "x".repeat(20_000);
        for (text, line) in [
            ("no setting".to_owned(), 1),
            ("A=1\n# B\n\nno setting\nC=1\n".to_owned(), 4),
            ("A=1\r\nno setting\r\nC=1\r\n".to_owned(), 2),
            (format!("A={long}\nB='{long}\n{long}'\nno setting"), 4),
            ("A=1\nB=\"open\nC=1\nD=1\n".to_owned(), 2),
            ("A=1\nB='open".to_owned(), 2),
            ("A=1\nB=a b c'\n\n".to_owned(), 2),
        ] {
            assert_eq!(parse(&text), Err(line), "{text:.40}");
        }
        let values = parse(&format!("A={long}\n\nB=\"two\nlines\"\n")).expect("values");
        assert_eq!(values["A"], long);
        assert_eq!(values["B"], "two\nlines");
    }
}
