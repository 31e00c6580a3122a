//! Lines of the log as text, in the form in which `tracing_subscriber` writes them: time, level, target, message, fields.
//!
//! Its own formatter makes each line of some hundred small pieces, which took 8 % of an authenticated request. This one
//! formats a second only once and copies texts that need no escapes.

use std::cell::Cell;
use std::fmt::{self, Write as _};

use password_auth_model::{Clock as _, SystemClock, Timestamp};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::field::VisitOutput as _;
use tracing_subscriber::fmt::format::{DefaultVisitor, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

pub(super) struct TextLines;

impl<S, N> FormatEvent<S, N> for TextLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut line: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        // Taken, and not borrowed: whatever formats itself may log. A thread that ends has none any more.
        let mut text = TEXT.try_with(Cell::take).unwrap_or_default();
        text.clear();
        let written = write_line(&mut line, &mut text, event);
        TEXT.try_with(|own| own.set(text)).ok();
        written
    }
}

fn write_line(line: &mut Writer<'_>, text: &mut String, event: &Event<'_>) -> fmt::Result {
    write_time(text, SystemClock.now())?;
    let metadata = event.metadata();
    text.push_str(match *metadata.level() {
        Level::ERROR => " ERROR ",
        Level::WARN => "  WARN ",
        Level::INFO => "  INFO ",
        Level::DEBUG => " DEBUG ",
        Level::TRACE => " TRACE ",
    });
    text.push_str(metadata.target());
    text.push(':');
    let mut fields = Fields {
        line,
        text,
        written: Ok(()),
    };
    event.record(&mut fields);
    fields.written?;
    text.push('\n');
    line.write_str(text)
}

thread_local! {
    /// The last second that a line of this thread began with, and its text: `2026-01-01T12:00:00`.
    static SECOND: Cell<(u64, [u8; 19])> = const { Cell::new((u64::MAX, [0; 19])) };

    /// The line that a thread is writing.
    static TEXT: Cell<String> = const { Cell::new(String::new()) };
}

/// RFC 3339, with milliseconds.
fn write_time(line: &mut impl fmt::Write, now: Timestamp) -> fmt::Result {
    let (mut second, mut text) = SECOND.get();
    if second != now.as_secs() {
        let full = now.to_rfc3339();
        let Some(start) = full.as_bytes().first_chunk() else {
            return line.write_str(&full);
        };
        (second, text) = (now.as_secs(), *start);
        SECOND.set((second, text));
    }
    line.write_str(std::str::from_utf8(&text).unwrap_or_default())?;
    let millis = u32::try_from(now.as_millis() % 1000).unwrap_or_default();
    let digit = |number: u32| char::from_digit(number % 10, 10).unwrap_or_default();
    for c in [
        '.',
        digit(millis / 100),
        digit(millis / 10),
        digit(millis),
        'Z',
    ] {
        line.write_char(c)?;
    }
    Ok(())
}

/// Writes texts that need no escapes, numbers, and what formats itself. Whatever else there is, is `tracing_subscriber`'s
/// to write: it escapes what a terminal would obey.
struct Fields<'a, 'w> {
    line: &'a mut Writer<'w>,
    /// What of the line is not written yet.
    text: &'a mut String,
    written: fmt::Result,
}

impl Fields<'_, '_> {
    fn name(&mut self, field: &Field) {
        self.text.push(' ');
        self.text.push_str(field.name());
        self.text.push('=');
    }

    fn as_theirs(&mut self, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
        self.line.write_str(self.text)?;
        self.text.clear();
        let mut theirs = DefaultVisitor::new(self.line.by_ref(), false);
        theirs.record_debug(field, value);
        theirs.finish()
    }

    /// The message, if nothing in it needs an escape.
    fn plain_message(&mut self, message: &dyn fmt::Debug) -> bool {
        let before = self.text.len();
        let written = write!(self.text, " {message:?}");
        let is_plain = written.is_ok() && self.text.bytes().skip(before).all(is_printable);
        if !is_plain {
            self.text.truncate(before);
        }
        is_plain
    }
}

const fn is_printable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

impl Visit for Fields<'_, '_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        let is_plain = |byte: u8| is_printable(byte) & (byte != b'"') & (byte != b'\\');
        if field.name() == "message" {
            return self.record_debug(field, &format_args!("{value}"));
        }
        // All of them: a loop without an exit takes many at once.
        let bytes = value.bytes();
        if !bytes.fold(true, |all, byte| all & is_plain(byte)) {
            return self.record_debug(field, &value);
        }
        self.name(field);
        self.text.push('"');
        self.text.push_str(value);
        self.text.push('"');
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.name(field);
        push_number(self.text, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if self.written.is_err() {
            return;
        }
        let name = field.name();
        if name == "message" {
            if !self.plain_message(value) {
                self.written = self.as_theirs(field, value);
            }
        } else if name.starts_with("r#") || name.starts_with("log.") {
            self.written = self.as_theirs(field, value);
        } else {
            self.name(field);
            self.written = write!(self.text, "{value:?}");
        }
    }
}

fn push_number(text: &mut String, mut number: u64) {
    let mut digits = ['0'; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = char::from(b'0' + u8::try_from(number % 10).unwrap_or_default());
        number /= 10;
        if number == 0 {
            break;
        }
    }
    text.extend(&digits[first..]);
}

#[cfg(test)]
mod tests {
    use password_auth_model::Timestamp;

    use super::{TextLines, write_time};
    use crate::cli::log_lines::tests::Output;

    fn logged(theirs: bool) -> String {
        let output = Output::default();
        let writer = output.clone();
        let log = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || writer.clone());
        let say = || {
            let odd = "a \"quote\", a \\ and a bell \u{7}, \u{1b}[31m, \u{202e}ü";
            tracing::event!(
                target: "password_auth::request",
                tracing::Level::INFO,
                request.id = "0198",
                absent = None::<u8>,
                present = Some("there"),
                http.status = 200_u16,
                zero = 0_u64,
                most = u64::MAX,
                session.id = tracing::field::display("0199-af"),
                r#type = ?("a", 1),
                odd,
                "answered"
            );
            tracing::warn!(error = %odd, negative = -1, yes = true, "it {} again", "failed");
            tracing::error!(list = ?["a", "b"]);
        };
        if theirs {
            tracing::subscriber::with_default(log.finish(), say);
        } else {
            tracing::subscriber::with_default(log.event_format(TextLines).finish(), say);
        }
        output.text()
    }

    #[test]
    fn lines_are_as_tracing_subscriber_writes_them_but_for_the_microseconds() {
        let (theirs, ours) = (logged(true), logged(false));
        let without_time = |text: &str| -> Vec<String> {
            let lines = text.lines();
            lines
                .map(|line| line.split_once('Z').expect("a time").1.to_owned())
                .collect()
        };
        assert_eq!(without_time(&ours), without_time(&theirs));
        assert_eq!(ours.lines().count(), 3);
    }

    #[test]
    fn the_time_is_right_within_a_second_and_after_it() {
        for millis in [
            1_767_268_800_000,
            1_767_268_800_007,
            1_767_268_801_100,
            0,
            951_827_696_999,
            951_827_696_998,
        ] {
            let now = Timestamp::from_millis(millis);
            let mut text = String::new();
            write_time(&mut text, now).expect("written");
            assert_eq!(text, now.to_rfc3339());
        }
    }
}
