//! The output of commands for people. If it cannot be written (a closed pipe, a full disk), the command goes on and
//! does not fail: its work is another. Only if the output *is* the work, as with a list, the command fails.
//!
//! Text that users chose is escaped: it must not control the terminal.

use std::fmt::{Display, Write as _};
use std::io::{self, Write};

use password_auth_model::{acts_on_display, visible};

/// Writes lines to standard error.
pub(super) fn tell(text: impl Display) {
    writeln!(io::stderr(), "{}", lines(&text.to_string())).ok();
}

/// Writes lines to standard output: what was done.
pub(super) fn say(text: impl Display) {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", lines(&text.to_string())).ok();
    out.flush().ok();
}

/// Writes what was done as one JSON value to standard output.
pub(super) fn say_json(value: &impl serde::Serialize) {
    if let Ok(text) = serde_json::to_string_pretty(value) {
        let mut out = io::stdout().lock();
        writeln!(out, "{}", json(&text)).ok();
        out.flush().ok();
    }
}

/// Writes the requested output to standard output. A closed pipe is not an error.
pub(super) fn answer(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), String> {
    let mut out = io::stdout().lock();
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("cannot write the output: {error}"))
        }
        _ => Ok(()),
    }
}

/// A prompt, without a newline.
pub(super) fn ask(question: &str) {
    write!(io::stderr(), "{} ", visible(question)).ok();
}

/// Overwrites the current line of the terminal.
pub(super) fn redraw(line: &str) {
    write!(io::stderr(), "\r{}\x1b[K", visible(line)).ok();
}

/// Escapes each line, but keeps our own line breaks.
fn lines(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(visible).collect();
    lines.join("\n")
}

/// JSON text with all characters escaped that could control a terminal. JSON itself only escapes some of them.
pub(super) fn json(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        // Lower characters only occur between values, where we write them.
        if c >= '\u{7f}' && acts_on_display(c) {
            // All of them have four digits. Writing to a string does not fail.
            write!(shown, "\\u{:04x}", u32::from(c)).ok();
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::{json, lines};

    #[test]
    fn lines_stay_lines_and_json_the_same_value() {
        assert_eq!(lines("a\x1b\nb"), "a\\u{1b}\nb");
        let value = serde_json::json!({"name": "a\u{9b}\u{202e}\u{7f}\u{1b}ü\n"});
        let shown = json(&serde_json::to_string_pretty(&value).expect("JSON"));
        assert!(!shown.contains(['\u{9b}', '\u{202e}', '\u{7f}', '\u{1b}']));
        let read: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
        assert_eq!(read, value);
    }

    /// `println!` and similar macros panic if the pipe is closed.
    #[test]
    fn nothing_else_writes_to_standard_output_or_error() {
        let mut sources = Vec::new();
        let api = Path::new(env!("CARGO_MANIFEST_DIR"));
        for part in ["src", "http/src", "core/src", "store/src", "model/src"] {
            gather(&api.join(part), &mut sources);
        }
        assert!(sources.len() > 100);
        for path in sources {
            let text = fs::read_to_string(&path).expect("text");
            let (program, _tests) = text.split_once("#[cfg(test)]").unwrap_or((&text, ""));
            for bare in ["print!(", "println!(", "dbg!("] {
                assert!(!program.contains(bare), "{bare} in {}", path.display());
            }
        }
    }

    fn gather(folder: &Path, sources: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                gather(&path, sources);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push(path);
            }
        }
    }
}
