//! Detects that sled has lost data that was on disk.
//!
//! Sled reads its log up to the first message that it cannot read, takes that for the end, and reports nothing: a file
//! that lost its end, or one byte, is served without everything after that place. So a number is stored twice: in sled,
//! and in a small file. It grows at each start, at a clean stop, and now and then in between. The file is only written
//! after sled's number was synced, so after a crash sled's number is the same or higher. If sled's number is lower than
//! the file's, sled has lost it, and with it everything written after it.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// In the data folder.
const FILE_NAME: &str = "mark";

/// In sled's default tree.
const KEY: &str = "mark";

/// The time between two marks while there are writes. A loss is detected if it includes the last mark. Each mark costs
/// one more sync.
const INTERVAL: Duration = Duration::from_secs(10);

/// The number on both sides, and when it grows next.
pub(super) struct Watermark {
    file: File,
    path: PathBuf,
    state: Mutex<State>,
}

struct State {
    number: u64,
    due: Instant,
}

/// The content of the file when it was opened.
pub(super) enum Found {
    /// Nothing: the file is new, or a power failure lost its first content.
    Nothing,
    /// A number that was synced in sled.
    Number(u64),
    /// Something else.
    Damaged,
}

impl Watermark {
    /// Opens the file, or creates it. The caller syncs the folder.
    pub(super) fn open(data_dir: &Path) -> io::Result<(Self, Found)> {
        let path = data_dir.join(FILE_NAME);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(&path)?;
        let mut content = Vec::new();
        io::Read::read_to_end(&mut &file, &mut content)?;
        let found = match parse(&content) {
            Some(number) => Found::Number(number),
            None if content.iter().all(|byte| *byte == 0) => Found::Nothing,
            None => Found::Damaged,
        };
        let state = Mutex::new(State {
            number: 0,
            due: Instant::now(),
        });
        let watermark = Self { file, path, state };
        Ok((watermark, found))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Sled's number.
    pub(super) fn in_sled(db: &sled::Db) -> sled::Result<u64> {
        let bytes = db.get(KEY)?;
        let number = bytes.and_then(|bytes| bytes.as_ref().try_into().ok());
        Ok(number.map_or(0, u64::from_be_bytes))
    }

    /// Sets sled's number to `number`. After the next flush and sync, call [`follow`](Self::follow).
    pub(super) fn set(&self, db: &sled::Db, number: u64) -> sled::Result<Followed> {
        db.insert(KEY, &number.to_be_bytes())?;
        Ok(Followed(number))
    }

    /// Like [`set`](Self::set), with the next number, if that is due or the store is about to close.
    pub(super) fn advance(&self, db: &sled::Db, closing: bool) -> sled::Result<Option<Followed>> {
        let next = {
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if !closing && Instant::now() < state.due {
                return Ok(None);
            }
            state.number + 1
        };
        self.set(db, next).map(Some)
    }

    /// Writes to the file that sled's number was synced.
    pub(super) fn follow(&self, followed: &Followed) -> io::Result<()> {
        let number = followed.0;
        // One write within one block is written completely or not at all.
        self.file.write_all_at(render(number).as_bytes(), 0)?;
        self.file.set_len(LENGTH)?;
        self.file.sync_data()?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.number = number;
        state.due = Instant::now() + INTERVAL;
        Ok(())
    }
}

/// A number that was set in sled; for [`Watermark::follow`].
#[must_use]
pub(super) struct Followed(u64);

/// `1 00000000000000000042 89abcdef`: a version, the number, and the checksum of both.
const LENGTH: u64 = 32;

fn render(number: u64) -> String {
    let text = format!("1 {number:020}");
    let checksum = crc32fast::hash(text.as_bytes());
    format!("{text} {checksum:08x}\n")
}

fn parse(content: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(content).ok()?;
    let number = text.get(2..22)?.parse().ok()?;
    (text == render(number)).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::{LENGTH, parse, render};

    #[test]
    fn a_mark_is_read_back_and_a_changed_byte_is_seen() {
        for number in [0, 1, 42, u64::MAX] {
            let text = render(number);
            assert_eq!(u64::try_from(text.len()).expect("fits"), LENGTH);
            assert_eq!(parse(text.as_bytes()), Some(number));
            for place in 0..text.len() {
                let mut changed = text.clone().into_bytes();
                changed[place] ^= 1;
                assert_eq!(parse(&changed), None, "{place} of {text}");
                assert_eq!(parse(&text.as_bytes()[..place]), None);
            }
        }
    }
}
