//! Reads the file strictly, line by line, in bounded memory.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use futures_util::stream;
use password_auth_core::tokens::SigningKeys;
use password_auth_model::User;
use password_auth_store::{Loaded, Record, Records, SAME_ADDRESS, StoreError};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use super::check::{Checker, digest};
use super::error::{BackupError, io_error};
use super::line::{ADDRESSES_AS_TODAY, Content, FORMAT, Header, Line, VERSION};

/// The longest line. All records are far shorter.
const MAX_LINE: u64 = 64 << 10;

/// Records per batch.
const BATCH: usize = 1024;

/// A file without faults.
pub struct Checked {
    file: File,
    path: PathBuf,
    /// The number of records.
    pub counts: Loaded,
    /// The signing keys, if the file contains them.
    pub keys: Option<SigningKeys>,
}

/// Checks the whole file, without writing anything. Calls `progress` with the number of records so far. Blocks.
///
/// # Errors
/// The first fault.
pub fn check(path: &Path, mut progress: impl FnMut(u64)) -> Result<Checked, BackupError> {
    let file = open(path).map_err(io_error(path))?;
    if !file.metadata().map_err(io_error(path))?.is_file() {
        return Err(BackupError::NotAFile(path.to_owned()));
    }
    let mut reader = Reader::start(&file, path)?;
    let mut checker = Checker::default();
    while let Some(record) = reader.next()? {
        checker
            .look_at(&record)
            .map_err(|fault| reader.damaged_at(fault.line, fault.what))?;
        progress(checker.counts.sum());
    }
    let counts = checker
        .finish()
        .map_err(|fault| reader.damaged_at(fault.line, fault.what))?;
    let keys = reader.keys.take();
    Ok(Checked {
        path: path.to_owned(),
        file,
        counts,
        keys,
    })
}

/// The file; `-` is standard input.
fn open(path: &Path) -> io::Result<File> {
    if path.as_os_str() != "-" {
        return File::open(path);
    }
    let mut input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    if input.metadata()?.is_file() {
        return Ok(input);
    }
    let mut aside = nameless_file()?;
    io::copy(&mut input, &mut aside)?;
    Ok(aside)
}

/// A temporary file that nobody else can open and that ends with the process, since it will contain password hashes.
fn nameless_file() -> io::Result<File> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    let name = format!("password-auth-restore-{}", hexadecimal(&random));
    let path = std::env::temp_dir().join(name);
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

impl Checked {
    /// Reads the records again, on a separate thread. Checks the checksum again: the file may have changed meanwhile.
    #[must_use]
    pub fn into_records(self) -> Records {
        let (batches, mut arriving) = mpsc::channel(2);
        tokio::task::spawn_blocking(move || {
            if let Err(error) = self.send(&batches) {
                let broke_off = StoreError::BrokeOff(error.to_string());
                batches.blocking_send(Err(broke_off)).ok();
            }
        });
        Box::pin(stream::poll_fn(move |context| arriving.poll_recv(context)))
    }

    fn send(
        &self,
        batches: &mpsc::Sender<Result<Vec<Record>, StoreError>>,
    ) -> Result<(), BackupError> {
        let mut reader = Reader::start(&self.file, &self.path)?;
        reader.tells = true;
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let record = reader.next()?;
            let ended = record.is_none();
            batch.extend(record);
            if batch.len() == BATCH || ended {
                let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
                // The receiver has failed.
                if batches.blocking_send(Ok(full)).is_err() || ended {
                    return Ok(());
                }
            }
        }
    }
}

/// Reads the file line by line, and checks counts and checksum at the end.
struct Reader<'a> {
    path: &'a Path,
    version: u64,
    lines: BufReader<&'a File>,
    line: Vec<u8>,
    number: u64,
    hash: Sha256,
    counts: Loaded,
    keys: Option<SigningKeys>,
    /// Digests of the verified addresses so far, in a file from a version in which two of them could be what is now the
    /// same address.
    addresses: HashSet<[u8; 16]>,
    /// Whether to report such addresses: only once, though the file is read twice.
    tells: bool,
}

impl<'a> Reader<'a> {
    fn start(mut file: &'a File, path: &'a Path) -> Result<Self, BackupError> {
        file.rewind().map_err(io_error(path))?;
        let mut reader = Self {
            path,
            version: VERSION,
            lines: BufReader::with_capacity(1 << 18, file),
            line: Vec::new(),
            number: 0,
            hash: Sha256::new(),
            counts: Loaded::default(),
            keys: None,
            addresses: HashSet::new(),
            tells: false,
        };
        // If the first line is wrong in any way, it is not our file.
        let read = reader.read_line();
        if let Err(BackupError::Io { .. }) = read {
            read?;
        }
        let not_ours = || BackupError::NotABackup(path.to_owned());
        let header: Header = serde_json::from_slice(&reader.line).map_err(|_| not_ours())?;
        if header.format != FORMAT || header.version == 0 {
            return Err(not_ours());
        }
        if header.version > VERSION {
            return Err(BackupError::Newer {
                path: path.to_owned(),
                found: header.version,
                ours: VERSION,
            });
        }
        reader.version = header.version;
        reader.hash.update(&reader.line);
        Ok(reader)
    }

    /// The next record. `None` at a valid end.
    fn next(&mut self) -> Result<Option<Record>, BackupError> {
        loop {
            if !self.read_line()? {
                return Err(self.damaged("the end is missing"));
            }
            let line = Line::read(self.version, &self.line).map_err(|error| {
                let column = error.column();
                self.damaged(format!("it cannot be read from byte {column} on"))
            })?;
            let content = line
                .content()
                .ok_or_else(|| self.damaged("its key is not valid"))?;
            let record = match content {
                Content::Record(Record::User(user)) => Record::User(self.as_today(user)),
                Content::Record(record) => record,
                Content::Keys(keys) if self.keys.is_none() => {
                    let keys = keys.read();
                    self.keys = Some(keys.ok_or_else(|| self.damaged("its keys are not valid"))?);
                    self.hash.update(&self.line);
                    continue;
                }
                Content::Keys(_) => return Err(self.damaged("there are two lines with keys")),
                Content::End(end) => {
                    if end.counts() != self.counts {
                        return Err(
                            self.damaged("it does not count the records before it correctly")
                        );
                    }
                    if end.sha256 != hexadecimal(&self.hash.clone().finalize()) {
                        return Err(self.damaged("its checksum does not match the lines before it"));
                    }
                    if self.read_line()? {
                        return Err(self.damaged("there is something after the end"));
                    }
                    return Ok(None);
                }
            };
            if self.keys.is_some() {
                return Err(self.damaged("there is a record after the keys"));
            }
            self.hash.update(&self.line);
            self.counts.count(&record);
            return Ok(Some(record));
        }
    }

    /// Older versions could treat what is now one address as two: it is then unverified for the later account.
    fn as_today(&mut self, mut user: User) -> User {
        let verified = user.email.as_ref().filter(|_| user.is_verified);
        let Some(address) = verified.filter(|_| self.version < ADDRESSES_AS_TODAY) else {
            return user;
        };
        if !self.addresses.insert(digest(address.key().as_str())) {
            if self.tells {
                tracing::warn!(user.id = %user.id, "{SAME_ADDRESS}");
            }
            user.is_verified = false;
        }
        user
    }

    /// Reads one line with its newline. Returns whether there was one.
    fn read_line(&mut self) -> Result<bool, BackupError> {
        self.line.clear();
        self.number += 1;
        let mut bounded = (&mut self.lines).take(MAX_LINE);
        let read = bounded.read_until(b'\n', &mut self.line);
        if read.map_err(io_error(self.path))? == 0 {
            return Ok(false);
        }
        if self.line.ends_with(b"\n") {
            Ok(true)
        } else if self.line.len() as u64 == MAX_LINE {
            Err(self.damaged("it is too long"))
        } else {
            Err(self.damaged("it is cut off, and so is the file"))
        }
    }

    fn damaged(&self, what: impl Into<String>) -> BackupError {
        self.damaged_at(None, what.into())
    }

    fn damaged_at(&self, line: Option<u64>, what: String) -> BackupError {
        BackupError::Damaged {
            path: self.path.to_owned(),
            line: line.unwrap_or(self.number),
            what,
        }
    }
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}
