//! The records of a CSV file, with one in memory at a time. `csv-core` finds the end of each: a line break (CR, LF or
//! both) outside of quotes. The number of a record is the line on which it begins, as editors count.

use std::io::{self, BufRead};

use csv_core::{ReadRecordResult, Reader};

/// The longest line.
pub(super) const MAX_LINE: u64 = 64 << 10;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

pub(super) struct Records<R> {
    source: R,
    /// The bytes that were read. Those before `taken` are done.
    bytes: Vec<u8>,
    taken: usize,
    lines: LineCount,
    /// The cells of the last record, one after the other, and where each ends.
    cells: Vec<u8>,
    ends: Vec<usize>,
}

/// A record that is not blank.
pub(super) struct Record {
    /// The line on which it begins, from 1.
    pub(super) number: u64,
    /// Its cells, or what is wrong.
    pub(super) cells: Result<Vec<String>, String>,
}

/// Why a record has no end.
enum Endless {
    Io(io::Error),
    Unclosed,
}

impl<R: BufRead> Records<R> {
    pub(super) fn new(source: R) -> io::Result<Self> {
        let mut records = Self {
            source,
            bytes: Vec::new(),
            taken: 0,
            lines: LineCount::default(),
            cells: Vec::new(),
            ends: vec![0; 16],
        };
        // Some programs write it at the start of a file.
        while records.bytes.len() < BYTE_ORDER_MARK.len() && records.read_more()? {}
        if records.bytes.starts_with(BYTE_ORDER_MARK) {
            records.taken = BYTE_ORDER_MARK.len();
        }
        Ok(records)
    }

    pub(super) fn next(&mut self) -> io::Result<Option<Record>> {
        if !self.skip_blanks()? {
            return Ok(None);
        }
        let number = self.lines.ended + 1;
        let cells = match self.find_end() {
            Ok((length, cells)) => {
                self.take(length);
                self.texts(cells)
            }
            Err(Endless::Io(error)) => return Err(error),
            Err(Endless::Unclosed) => Err(self.give_up_line()?),
        };
        Ok(Some(Record { number, cells }))
    }

    /// Returns whether anything follows.
    fn skip_blanks(&mut self) -> io::Result<bool> {
        loop {
            let ahead = &self.bytes[self.taken..];
            let blanks = ahead.iter().take_while(|byte| b" \t\r\n".contains(byte));
            let count = blanks.count();
            let found = count < ahead.len();
            self.take(count);
            if found || !self.read_more()? {
                return Ok(found);
            }
        }
    }

    /// The number of bytes and cells of the next record.
    fn find_end(&mut self) -> Result<(usize, usize), Endless> {
        let mut csv = Reader::new();
        let (mut length, mut written, mut ended) = (0, 0, 0);
        loop {
            let mut ahead = &self.bytes[self.taken + length..];
            let mut at_end = false;
            if ahead.is_empty() {
                if length as u64 >= MAX_LINE {
                    return Err(Endless::Unclosed);
                }
                if self.read_more().map_err(Endless::Io)? {
                    continue;
                }
                // Outside of quotes, the end of the file ends a record like the end of a line.
                (ahead, at_end) = (b"\n", true);
            }
            // The output is never longer than the input.
            self.cells.resize(written + ahead.len(), 0);
            let (result, read, wrote, ends) =
                csv.read_record(ahead, &mut self.cells[written..], &mut self.ends[ended..]);
            written += wrote;
            ended += ends;
            if !at_end {
                length += read;
            }
            match result {
                ReadRecordResult::Record => return Ok((length, ended)),
                ReadRecordResult::OutputEndsFull => self.ends.resize(2 * ended, 0),
                ReadRecordResult::InputEmpty | ReadRecordResult::End if at_end => {
                    return Err(Endless::Unclosed);
                }
                ReadRecordResult::InputEmpty
                | ReadRecordResult::OutputFull
                | ReadRecordResult::End => {}
            }
        }
    }

    /// Skips the first line of a record without an end, but not the lines after it. Returns what is wrong.
    fn give_up_line(&mut self) -> io::Result<String> {
        let mut whole = true;
        loop {
            let ahead = &self.bytes[self.taken..];
            if let Some(end) = ahead.iter().position(|byte| b"\r\n".contains(byte)) {
                self.take(end + 1);
                break;
            }
            whole = (ahead.len() as u64) < MAX_LINE && whole;
            if !whole {
                self.take(self.bytes.len() - self.taken);
            }
            if !self.read_more()? {
                self.take(self.bytes.len() - self.taken);
                break;
            }
        }
        Ok(if whole {
            "has an unclosed quote"
        } else {
            "is longer than 64 KiB"
        }
        .to_owned())
    }

    fn texts(&self, count: usize) -> Result<Vec<String>, String> {
        let mut start = 0;
        let mut cells = Vec::with_capacity(count);
        for end in &self.ends[..count] {
            let cell = self.cells[start..*end].to_vec();
            cells.push(String::from_utf8(cell).map_err(|_| "is not UTF-8")?);
            start = *end;
        }
        // Blanks at the end of a line are not part of the last cell.
        if let Some(last) = cells.last_mut() {
            last.truncate(last.trim_end().len());
        }
        Ok(cells)
    }

    fn take(&mut self, count: usize) {
        let taken = &self.bytes[self.taken..self.taken + count];
        self.lines.pass(taken);
        self.taken += count;
    }

    /// Reads more. Returns whether there was anything.
    fn read_more(&mut self) -> io::Result<bool> {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        let more = self.source.fill_buf()?;
        let count = more.len();
        self.bytes.extend_from_slice(more);
        self.source.consume(count);
        Ok(count > 0)
    }
}

/// Counts lines, which end by CR, LF or both.
#[derive(Default)]
struct LineCount {
    ended: u64,
    after_return: bool,
}

impl LineCount {
    fn pass(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let is_return = *byte == b'\r';
            if is_return || (*byte == b'\n' && !self.after_return) {
                self.ended += 1;
            }
            self.after_return = is_return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::Records;

    /// Checks the line and cells of each record, for different sizes of reads.
    fn check(text: &str, expected: &[(u64, Result<&[&str], &str>)]) {
        for at_once in [1, 2, 3, 7, 8192] {
            let source = BufReader::with_capacity(at_once, text.as_bytes());
            let mut records = Records::new(source).expect("read");
            for (number, cells) in expected {
                let record = records.next().expect("read").expect("one more");
                assert_eq!(record.number, *number, "{text:?}");
                let found = record.cells.as_ref().map(|cells| &cells[..]);
                match (found, cells) {
                    (Ok(found), Ok(cells)) => assert_eq!(found, *cells, "{text:?}"),
                    (found, cells) => assert_eq!(
                        found.err().map(String::as_str),
                        cells.err(),
                        "{text:?}: {found:?}"
                    ),
                }
            }
            assert!(records.next().expect("read").is_none(), "{text:?}");
        }
    }

    const UNCLOSED: Result<&[&str], &str> = Err("has an unclosed quote");

    #[test]
    fn a_record_ends_at_whatever_ends_a_line() {
        for text in [
            "a,1\nb,2\nc,3\n",
            "a,1\r\nb,2\r\nc,3\r\n",
            "a,1\rb,2\rc,3\r",
            "a,1\nb,2\rc,3",
            "\u{FEFF}a,1 \r\n \tb,2\t\nc,3",
        ] {
            check(
                text,
                &[
                    (1, Ok(&["a", "1"])),
                    (2, Ok(&["b", "2"])),
                    (3, Ok(&["c", "3"])),
                ],
            );
        }
    }

    #[test]
    fn blank_lines_are_none_and_are_counted() {
        check("", &[]);
        check("\u{FEFF}\r\n\r\n", &[]);
        check("\n\na\r\r\n \t \nb", &[(3, Ok(&["a"])), (6, Ok(&["b"]))]);
    }

    #[test]
    fn what_is_in_quotes_is_the_value() {
        check(
            "a,\"x\ry\"\nb,\"x\r\ny\"\rc,\"x,\"\"y\"\nd,\"\"\n",
            &[
                (1, Ok(&["a", "x\ry"])),
                (3, Ok(&["b", "x\r\ny"])),
                (5, Ok(&["c", "x,\"y"])),
                (6, Ok(&["d", ""])),
            ],
        );
    }

    #[test]
    fn a_quote_that_is_not_closed_takes_its_own_line_and_no_other() {
        check(
            "a,\"x\r\nb,y\nc,z",
            &[(1, UNCLOSED), (2, Ok(&["b", "y"])), (3, Ok(&["c", "z"]))],
        );
        check("a\r\"", &[(1, Ok(&["a"])), (2, UNCLOSED)]);
        let far = format!("a,\"x\n{}", "b,y\r".repeat(40_000));
        let mut records = Records::new(far.as_bytes()).expect("read");
        assert!(records.next().expect("read").expect("one").cells.is_err());
        let mut count = 0;
        while let Some(record) = records.next().expect("read") {
            count += 1;
            assert_eq!(record.number, 1 + count);
            assert_eq!(record.cells.expect("cells"), ["b", "y"]);
        }
        assert_eq!(count, 40_000);
    }

    #[test]
    fn a_line_that_is_too_long_or_no_text_is_passed_over() {
        let long = format!("{}\nb", "a".repeat(1 << 20));
        check(&long, &[(1, Err("is longer than 64 KiB")), (2, Ok(&["b"]))]);
        let mut records = Records::new(&b"a\xFF\nb"[..]).expect("read");
        let first = records.next().expect("read").expect("one");
        assert_eq!(first.cells.err().as_deref(), Some("is not UTF-8"));
        let second = records.next().expect("read").expect("one");
        assert_eq!(second.cells.expect("cells"), ["b"]);
    }
}
