//! Lines of the log as text, in the form in which `tracing_subscriber` writes them: time, level, target, message, fields.
//!
//! Its own formatter makes each line of some hundred small pieces, which took 8 % of an authenticated request. This one
//! formats a second only once and copies texts that need no escapes.

use std::cell::Cell;
use std::fmt;

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
        write_time(&mut line, SystemClock.now())?;
        let metadata = event.metadata();
        line.write_str(match *metadata.level() {
            Level::ERROR => " ERROR ",
            Level::WARN => "  WARN ",
            Level::INFO => "  INFO ",
            Level::DEBUG => " DEBUG ",
            Level::TRACE => " TRACE ",
        })?;
        line.write_str(metadata.target())?;
        line.write_str(":")?;
        let mut fields = Fields {
            line: &mut line,
            written: Ok(()),
        };
        event.record(&mut fields);
        fields.written?;
        line.write_str("\n")
    }
}

thread_local! {
    /// The last second that a line of this thread began with, and its text: `2026-01-01T12:00:00`.
    static SECOND: Cell<(u64, [u8; 19])> = const { Cell::new((u64::MAX, [0; 19])) };
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

/// Writes texts that need no escapes and numbers, which most fields are. Whatever else there is, and the message, is
/// `tracing_subscriber`'s to write: it escapes what a terminal would obey.
struct Fields<'a, 'w> {
    line: &'a mut Writer<'w>,
    written: fmt::Result,
}

impl Fields<'_, '_> {
    fn name(&mut self, field: &Field) -> fmt::Result {
        self.line.write_str(" ")?;
        self.line.write_str(field.name())?;
        self.line.write_str("=")
    }

    fn text(&mut self, field: &Field, value: &str) -> fmt::Result {
        self.name(field)?;
        self.line.write_str("\"")?;
        self.line.write_str(value)?;
        self.line.write_str("\"")
    }

    fn number(&mut self, field: &Field, value: u64) -> fmt::Result {
        self.name(field)?;
        write!(self.line, "{value}")
    }
}

impl Visit for Fields<'_, '_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
        if field.name() == "message" {
            return self.record_debug(field, &format_args!("{value}"));
        }
        if !value.bytes().all(is_plain) {
            return self.record_debug(field, &value);
        }
        if self.written.is_ok() {
            self.written = self.text(field, value);
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if self.written.is_ok() {
            self.written = self.number(field, value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if self.written.is_ok() {
            let mut theirs = DefaultVisitor::new(self.line.by_ref(), false);
            theirs.record_debug(field, value);
            self.written = theirs.finish();
        }
    }
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
