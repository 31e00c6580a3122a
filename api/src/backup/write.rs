//! Writing the file: beside its place, synced, and put there once it is whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Stdout, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use password_auth_core::tokens::{SigningKeys, WrittenKeys};
use password_auth_store::{Loaded, Record};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::check::{Checker, Fault};
use super::error::{BackupError, io_error};
use super::line::{EndLine, FORMAT, Header, Line, VERSION};
use super::read::hexadecimal;

/// A backup that is being written. Dropped before it is finished, it leaves nothing.
pub struct BackupWriter {
    /// What errors name.
    name: PathBuf,
    /// Where the file goes that is written beside its place; `None`: nowhere, it is standard output.
    target: Option<Target>,
    out: BufWriter<Out>,
    hash: Sha256,
    bytes: u64,
    checker: Checker,
}

struct Target {
    path: PathBuf,
    part: PathBuf,
    force: bool,
}

enum Out {
    File(File),
    Stdout(Stdout),
}

/// What is in the file.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    /// Records.
    pub counts: Loaded,
    /// The file's length.
    pub bytes: u64,
}

impl BackupWriter {
    /// Begins a file that only its owner may read.
    ///
    /// # Errors
    /// If it is there already and `force` is not set, or the system refuses.
    pub fn create(path: &Path, force: bool) -> Result<Self, BackupError> {
        refuse_to_overwrite(path, force)?;
        let (file, part) = create_beside(path)?;
        let name = part.clone();
        let target = Target {
            path: path.to_owned(),
            part,
            force,
        };
        Self::begin(name, Some(target), Out::File(file))
    }

    /// Begins to write to standard output.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn to_standard_output() -> Result<Self, BackupError> {
        Self::begin(PathBuf::from("-"), None, Out::Stdout(io::stdout()))
    }

    fn begin(name: PathBuf, target: Option<Target>, out: Out) -> Result<Self, BackupError> {
        let mut writer = Self {
            name,
            target,
            out: BufWriter::with_capacity(1 << 18, out),
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
    pub fn write(&mut self, records: Vec<Record>) -> Result<(), BackupError> {
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
    pub fn finish(mut self, keys: Option<&SigningKeys>) -> Result<Written, BackupError> {
        let counts = self.checker.finish().map_err(contradiction)?;
        if let Some(keys) = keys {
            self.line(&Line::Keys(WrittenKeys::of(keys)))?;
        }
        let sha256 = hexadecimal(&self.hash.clone().finalize());
        self.line(&Line::End(EndLine::new(counts, sha256)))?;
        self.out.flush().map_err(io_error(&self.name))?;
        if let Some(target) = &self.target {
            if let Out::File(file) = self.out.get_ref() {
                file.sync_all().map_err(io_error(&self.name))?;
            }
            target.fill()?;
        }
        let bytes = self.bytes;
        Ok(Written { counts, bytes })
    }

    fn line(&mut self, line: &impl Serialize) -> Result<(), BackupError> {
        let failed = io_error(&self.name);
        let mut bytes = match serde_json::to_vec(line) {
            Ok(bytes) => bytes,
            Err(error) => return Err(failed(error.into())),
        };
        bytes.push(b'\n');
        self.hash.update(&bytes);
        self.bytes += bytes.len() as u64;
        self.out.write_all(&bytes).map_err(failed)
    }
}

impl Drop for BackupWriter {
    fn drop(&mut self) {
        if let Some(target) = &self.target {
            // Finished, it is not there any more.
            fs::remove_file(&target.part).ok();
        }
    }
}

impl Target {
    /// Gives the file its name.
    fn fill(&self) -> Result<(), BackupError> {
        refuse_to_overwrite(&self.path, self.force)?;
        fs::rename(&self.part, &self.path).map_err(io_error(&self.path))?;
        let folder = match self.path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(io_error(folder))
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Stdout(stdout) => stdout.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Stdout(stdout) => stdout.flush(),
        }
    }
}

/// A new file (mode 0600) beside `path`: `PATH.part`, or with a number, since what has that name may be somebody's.
fn create_beside(path: &Path) -> Result<(File, PathBuf), BackupError> {
    const NAMES: u32 = 100;
    let mut number = 0;
    loop {
        let mut part = path.as_os_str().to_owned();
        part.push(match number {
            0 => ".part".to_owned(),
            _ => format!(".{number}.part"),
        });
        let part = PathBuf::from(part);
        let created = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&part);
        match created {
            Ok(file) => return Ok((file, part)),
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists && number < NAMES => {
                number += 1;
            }
            Err(cause) => return Err(io_error(&part)(cause)),
        }
    }
}

/// Only a plain file is ever replaced: with a link, a device or a FIFO somebody means what is behind it.
fn refuse_to_overwrite(path: &Path, force: bool) -> Result<(), BackupError> {
    match path.symlink_metadata() {
        Ok(there) if !there.is_file() => Err(BackupError::NotReplaceable(path.to_owned())),
        Ok(_) if !force => Err(BackupError::Exists(path.to_owned())),
        // What else is wrong, writing will tell.
        _ => Ok(()),
    }
}

fn contradiction(fault: Fault) -> BackupError {
    BackupError::Contradiction(fault.what)
}
