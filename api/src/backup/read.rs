//! Reading the file: strictly, a line at a time, in bounded memory.

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

/// The longest line that is read; every record is far shorter.
const MAX_LINE: u64 = 64 << 10;

/// Records that go to the store together.
const BATCH: usize = 1024;

/// A file in which no fault was found.
pub struct Checked {
    file: File,
    path: PathBuf,
    /// What is in it.
    pub counts: Loaded,
    /// The signing keys, if they travelled along.
    pub keys: Option<SigningKeys>,
}

/// Reads the whole file and writes nothing. `progress` hears how many records there were so far. Blocks.
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

/// A file that nobody else can open, and that goes with the process: password hashes go there.
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
    /// Its records, read again, from a thread of its own. The checksum is compared again too: the file may
    /// have changed meanwhile.
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
                // Whoever does not listen any more has failed.
                if batches.blocking_send(Ok(full)).is_err() || ended {
                    return Ok(());
                }
            }
        }
    }
}

/// What a file says line by line, up to its end, where counts and checksum are compared.
struct Reader<'a> {
    path: &'a Path,
    version: u64,
    lines: BufReader<&'a File>,
    line: Vec<u8>,
    number: u64,
    hash: Sha256,
    counts: Loaded,
    keys: Option<SigningKeys>,
    /// Digests of the verified addresses so far, in a file of which two may be one today.
    addresses: HashSet<[u8; 16]>,
    /// Whether to say what became of such two: once, though the file is read twice.
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
        // Whatever else is wrong with the first line, it is no line of ours.
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

    /// The next record; `None` at the end, which is as it should be.
    fn next(&mut self) -> Result<Option<Record>, BackupError> {
        loop {
            if !self.read_line()? {
                return Err(self.damaged("the end is missing"));
            }
            let line = Line::read(self.version, &self.line).map_err(|error| {
                let column = error.column();
                self.damaged(format!("it can not be read from its byte {column} on"))
            })?;
            let content = line
                .content()
                .ok_or_else(|| self.damaged("its key is none"))?;
            let record = match content {
                Content::Record(Record::User(user)) => Record::User(self.as_today(user)),
                Content::Record(record) => record,
                Content::Keys(keys) if self.keys.is_none() => {
                    let keys = keys.read();
                    self.keys = Some(keys.ok_or_else(|| self.damaged("its keys are none"))?);
                    self.hash.update(&self.line);
                    continue;
                }
                Content::Keys(_) => return Err(self.damaged("keys are there twice")),
                Content::End(end) => {
                    if end.counts() != self.counts {
                        return Err(self.damaged("it counts other records than stand before it"));
                    }
                    if end.sha256 != hexadecimal(&self.hash.clone().finalize()) {
                        return Err(
                            self.damaged("its checksum is not that of what stands before it")
                        );
                    }
                    if self.read_line()? {
                        return Err(self.damaged("something stands after the end"));
                    }
                    return Ok(None);
                }
            };
            if self.keys.is_some() {
                return Err(self.damaged("a record stands after the keys"));
            }
            self.hash.update(&self.line);
            self.counts.count(&record);
            return Ok(Some(record));
        }
    }

    /// An older version could compare as two what is one address today: the later account has not verified it.
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

    /// Reads one line, its newline included; whether there was one.
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
            Err(self.damaged("it breaks off, and the file with it"))
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
