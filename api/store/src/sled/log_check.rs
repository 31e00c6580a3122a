//! Finds places in sled's log that its recovery skips silently.
//!
//! The data file is a log of segments. At a start, sled reads the segments that its last snapshot does not cover. It
//! skips a segment whose head it cannot read, and the rest of a segment after a bad message. That is right at the end
//! of the log, which a crash may tear, and [`watermark`](super::watermark) checks it. Elsewhere it is damage. So the same
//! segments are read here first, like sled 0.34 reads them (`pagecache/logger.rs`, `pagecache/iterator.rs`). This also
//! brings them into the kernel's cache for sled.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// sled's default, which we use.
const SEGMENT: usize = 512 * 1024;
const SEGMENT_HEAD: usize = 20;
/// sled never begins a message with less space than this.
const MESSAGE_HEAD: usize = 32;
/// The mask for the numbers in a segment head.
const FLIPPED: u64 = 0x7FFF_FFFF_FFFF_FFFF;

/// The kind of a message that fills the rest of its segment.
const CAP: u8 = 2;

/// The offsets in the data file of unreadable messages that sled skips.
pub(super) fn holes(sled_dir: &Path) -> io::Result<Vec<u64>> {
    let file = match File::open(sled_dir.join("db")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        opened => opened?,
    };
    let covered = newest_snapshot(sled_dir)? / SEGMENT as u64;
    let (mut heads, mut holes) = (Vec::new(), Vec::new());
    let length = file.metadata()?.len();
    for offset in (0..length).step_by(SEGMENT) {
        let mut head = [0; SEGMENT_HEAD];
        if read_at(&file, &mut head, offset)? < SEGMENT_HEAD {
            break;
        }
        match SegmentHead::parse(&head) {
            Some(head) => heads.push((offset, head)),
            None if head.iter().all(|byte| *byte == 0) => {}
            None => holes.push(offset),
        }
    }
    let newest = heads.iter().map(|(_, head)| head.number).max();
    // From here on, sled itself looks for the end.
    let tail = heads.iter().map(|(_, head)| head.stable).max();
    let mut segment = Vec::new();
    for (offset, head) in heads {
        if head.number < covered || Some(head.number) >= tail {
            continue;
        }
        segment.resize(SEGMENT, 0);
        let read = read_at(&file, &mut segment, offset)?;
        let content = &segment[..read];
        if let Some(bad) = first_bad(content, head.number) {
            let newer = head.number + 1..=newest.unwrap_or(head.number) + 1;
            let was_given_up = (bad..read).any(|at| {
                Message::parse(content, at).is_some_and(|message| newer.contains(&message.segment))
            });
            if !was_given_up {
                holes.push(offset + bad as u64);
            }
        }
    }
    holes.sort_unstable();
    Ok(holes)
}

/// The place up to which the newest snapshot covers the log, from the name of the snapshot.
fn newest_snapshot(sled_dir: &Path) -> io::Result<u64> {
    let mut newest = 0;
    for entry in fs::read_dir(sled_dir)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix("snap."));
        let number = number.and_then(|number| u64::from_str_radix(number, 16).ok());
        newest = newest.max(number.unwrap_or(0));
    }
    Ok(newest)
}

/// The offset of the first unreadable message in the segment with this number.
fn first_bad(segment: &[u8], number: u64) -> Option<usize> {
    let mut at = SEGMENT_HEAD;
    while at + MESSAGE_HEAD <= SEGMENT {
        match Message::parse(segment, at) {
            Some(message) if message.segment == number && message.kind == CAP => return None,
            Some(message) if message.segment == number => at = message.end,
            _ => return Some(at),
        }
    }
    None
}

struct SegmentHead {
    /// Segments are numbered in the order of writing.
    number: u64,
    /// All segments before this one were written when this one was begun.
    stable: u64,
}

impl SegmentHead {
    fn parse(head: &[u8; SEGMENT_HEAD]) -> Option<Self> {
        let (checksum, rest) = head.split_first_chunk::<4>()?;
        if u32::from_le_bytes(*checksum) ^ u32::MAX != crc32fast::hash(rest) {
            return None;
        }
        let (position, stable) = rest.split_first_chunk::<8>()?;
        let stable = stable.first_chunk::<8>()?;
        // -1 if nothing was written.
        let stable = (u64::from_le_bytes(*stable) ^ FLIPPED).cast_signed().max(0);
        Some(Self {
            number: (u64::from_le_bytes(*position) ^ FLIPPED) / SEGMENT as u64,
            stable: stable.cast_unsigned() / SEGMENT as u64,
        })
    }
}

struct Message {
    kind: u8,
    segment: u64,
    end: usize,
}

impl Message {
    /// The message at `at`, if its checksum is right.
    fn parse(content: &[u8], at: usize) -> Option<Self> {
        let start = content.get(at..)?;
        let (checksum, rest) = start.split_first_chunk::<4>()?;
        let (kind, rest) = rest.split_first()?;
        let (length, rest) = number(rest)?;
        let (segment, rest) = number(rest)?;
        let (_page, rest) = number(rest)?;
        let body = rest.get(..usize::try_from(length).ok()?)?;
        let head = start.len() - rest.len();
        if *kind == 0 {
            return None;
        }
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(body);
        hasher.update(&start[4..head]);
        (hasher.finalize() ^ u32::MAX == u32::from_le_bytes(*checksum)).then(|| Self {
            kind: *kind,
            segment,
            end: at + head + body.len(),
        })
    }
}

/// A number of one to nine bytes, as sled writes it.
fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    match *first {
        0..=240 => Some((u64::from(*first), rest)),
        241..=248 => {
            let (second, rest) = rest.split_first()?;
            Some((
                240 + 256 * (u64::from(*first) - 241) + u64::from(*second),
                rest,
            ))
        }
        249 => {
            let (high_low, rest) = rest.split_first_chunk::<2>()?;
            Some((2288 + u64::from(u16::from_be_bytes(*high_low)), rest))
        }
        250.. => {
            let (bytes, rest) = rest.split_at_checked(usize::from(*first) - 247)?;
            let mut whole = [0; 8];
            whole[..bytes.len()].copy_from_slice(bytes);
            Some((u64::from_le_bytes(whole), rest))
        }
    }
}

fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut read = 0;
    while read < buffer.len() {
        match file.read_at(&mut buffer[read..], offset + read as u64) {
            Ok(0) => break,
            Ok(count) => read += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::{SEGMENT, SEGMENT_HEAD, SegmentHead, holes};
    use std::fs::OpenOptions;
    use std::os::unix::fs::FileExt;

    #[test]
    fn a_whole_log_has_no_holes_and_a_changed_byte_before_its_last_segments_is_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let db = sled::open(folder.path()).expect("opened");
        for number in 0_u32..20_000 {
            db.insert(number.to_be_bytes(), &[7; 150][..])
                .expect("written");
            // On a slow disk no segment's head would say that the one before it was written, and each were one of the last.
            if number % 1_000 == 0 {
                db.flush().expect("flushed");
            }
        }
        db.flush().expect("flushed");
        drop(db);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(folder.path().join("db"))
            .expect("the data file");
        let length = usize::try_from(file.metadata().expect("there").len()).expect("fits");
        assert!(length > 4 * SEGMENT, "{length}");
        assert!(holes(folder.path()).expect("read").is_empty());
        let heads: Vec<_> = (0..length)
            .step_by(SEGMENT)
            .filter_map(|at| {
                let (at, mut head) = (u64::try_from(at).expect("fits"), [0; SEGMENT_HEAD]);
                file.read_exact_at(&mut head, at).expect("read");
                SegmentHead::parse(&head).map(|head| (at, head))
            })
            .collect();
        // In the last ones, wherever they are in the file, the end of the log is expected.
        let tail = heads.iter().map(|(_, head)| head.stable).max();
        let mut seen = 0;
        for (at, _) in heads.iter().filter(|(_, head)| Some(head.number) < tail) {
            for place in [at + 3, at + 70_000] {
                let mut byte = [0];
                file.read_exact_at(&mut byte, place).expect("read");
                file.write_all_at(&[byte[0] ^ 16], place).expect("changed");
                let found = holes(folder.path()).expect("read");
                assert!(
                    matches!(found[..], [hole] if hole <= place),
                    "{place}: {found:?}"
                );
                file.write_all_at(&byte, place).expect("changed back");
                seen += 1;
            }
        }
        assert!(seen > 2, "every segment was one of the last");
        assert!(holes(folder.path()).expect("read").is_empty());
    }
}
