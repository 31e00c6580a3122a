//! Writing the file: beside its place, synced, and put there once it is whole.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::check::{Checker, Fault};
use super::error::{DumpError, io_error};
use super::line::{EndLine, FORMAT, Header, Line, VERSION};
use super::read::hexadecimal;
use crate::store::{Loaded, Record};
use crate::tokens::{SigningKeys, WrittenKeys};

/// A backup that is being written. Dropped before it is finished, it leaves nothing.
pub struct DumpWriter {
    path: PathBuf,
    part: PathBuf,
    force: bool,
    file: BufWriter<File>,
    hash: Sha256,
    bytes: u64,
    checker: Checker,
}

/// What is in the file.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    /// Records.
    pub counts: Loaded,
    /// The file's length.
    pub bytes: u64,
}

impl DumpWriter {
    /// Begins a file that only its owner may read.
    ///
    /// # Errors
    /// If it is there already and `force` is not set, or the system refuses.
    pub fn create(path: &Path, force: bool) -> Result<Self, DumpError> {
        refuse_to_overwrite(path, force)?;
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        // One that was interrupted may be left. A new file: an old one may have another mode, or be a link.
        match fs::remove_file(&part) {
            Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
                return Err(io_error(&part)(cause));
            }
            _ => {}
        }
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&part)
            .map_err(io_error(&part))?;
        let mut writer = Self {
            path: path.to_owned(),
            part,
            force,
            file: BufWriter::with_capacity(1 << 18, file),
            hash: Sha256::new(),
            bytes: 0,
            checker: Checker::default(),
        };
        writer.line(&Header {
            format: FORMAT.to_owned(),
            version: VERSION,
        })?;
        Ok(writer)
    }

    /// Adds these records.
    ///
    /// # Errors
    /// If they are such that nobody could restore them, or the system refuses.
    pub fn write(&mut self, records: Vec<Record>) -> Result<(), DumpError> {
        for record in records {
            self.checker.look_at(&record).map_err(contradiction)?;
            self.line(&Line::from(record))?;
        }
        Ok(())
    }

    /// How many records there are so far.
    #[must_use]
    pub const fn records(&self) -> u64 {
        self.checker.counts.sum()
    }

    /// Ends the file, syncs it, and gives it its name.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn finish(mut self, keys: Option<&SigningKeys>) -> Result<Written, DumpError> {
        let counts = self.checker.finish().map_err(contradiction)?;
        if let Some(keys) = keys {
            self.line(&Line::Keys(WrittenKeys::of(keys)))?;
        }
        let sha256 = hexadecimal(&self.hash.clone().finalize());
        self.line(&Line::End(EndLine::new(counts, sha256)))?;
        let synced = self
            .file
            .flush()
            .and_then(|()| self.file.get_ref().sync_all());
        synced.map_err(io_error(&self.part))?;
        refuse_to_overwrite(&self.path, self.force)?;
        fs::rename(&self.part, &self.path).map_err(io_error(&self.path))?;
        let folder = match self.path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(io_error(folder))?;
        let bytes = self.bytes;
        Ok(Written { counts, bytes })
    }

    fn line(&mut self, line: &impl Serialize) -> Result<(), DumpError> {
        let failed = io_error(&self.part);
        let mut bytes = match serde_json::to_vec(line) {
            Ok(bytes) => bytes,
            Err(error) => return Err(failed(error.into())),
        };
        bytes.push(b'\n');
        self.hash.update(&bytes);
        self.bytes += bytes.len() as u64;
        self.file.write_all(&bytes).map_err(failed)
    }
}

impl Drop for DumpWriter {
    fn drop(&mut self) {
        // Finished, it is not there any more.
        fs::remove_file(&self.part).ok();
    }
}

fn refuse_to_overwrite(path: &Path, force: bool) -> Result<(), DumpError> {
    if !force && path.symlink_metadata().is_ok() {
        return Err(DumpError::Exists(path.to_owned()));
    }
    Ok(())
}

fn contradiction(fault: Fault) -> DumpError {
    DumpError::Contradiction(fault.what)
}
