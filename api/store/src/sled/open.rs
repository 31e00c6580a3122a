//! Opens the folder: takes our own lock, works around sled's problems, checks the format and the mark.

mod error;
#[cfg(test)]
mod tests;

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt as _, OpenOptionsExt};
use std::path::Path;
use std::thread;

use password_auth_model::UsernameKey;

pub use self::error::OpenError;
use super::opened::{FolderLock, Tables};
use super::trees::unavailable;
use super::watermark::{Found, Watermark};
use super::{deletion, log_check, upgrade};
use crate::StoreError;
use crate::panics::{Panicked, caught};

/// The version of the layout: trees and their keys. The first byte of the record under [`FORMAT_KEY`]; the second is [`UsernameKey::VERSION`].
const FORMAT: u8 = 7;
const FORMAT_KEY: &str = "format";

/// Replaces the format while a dump is loaded.
const RESTORING: &[u8] = b"restoring";

/// sled's data, from the data folder.
const DATA_FILE: &str = "sled/db";

/// Whether there is a store in `data_dir`.
pub(super) fn exists(data_dir: &Path) -> bool {
    data_dir.join(DATA_FILE).exists()
}

/// The user who owns sled's data file.
pub(super) fn owner(data_dir: &Path) -> Option<u32> {
    let file = fs::metadata(data_dir.join(DATA_FILE));
    file.map(|file| file.uid()).ok()
}

/// Opens the store in `data_dir`, sled's data file a second time (to sync it), and the mark.
pub(super) fn open(
    data_dir: &Path,
    cache_bytes: u64,
) -> Result<(Tables, File, Watermark), OpenError> {
    let lock = lock(data_dir)?;
    let sled_dir = data_dir.join("sled");
    make_folder(&sled_dir)?;
    remove_unfinished_snapshots(&sled_dir)?;
    let (watermark, found) = Watermark::open(data_dir).map_err(io_error(data_dir))?;
    if matches!(found, Found::Nothing) {
        remove_unfinished_settings(&sled_dir)?;
    }
    report_holes(&sled_dir);
    sync_log(data_dir).map_err(io_error(&sled_dir))?;
    // Most reads are of sessions that are in memory, so sled's pages have the smaller part.
    let for_sessions = cache_bytes / 8 * 7;
    let db = open_sled(&sled_dir, cache_bytes - for_sessions)?;
    // sled panics on some damaged pages. Such a panic becomes an error.
    let opened = caught(|| {
        let number = check_watermark(&db, &sled_dir, &watermark, &found)?;
        let format = check_format(&db, &sled_dir, &watermark)?;
        let tables = Tables::open(db, lock, for_sessions).map_err(failed(&sled_dir))?;
        let followed = watermark
            .set(&tables.db, number + 1)
            .map_err(failed(&sled_dir))?;
        tables.db.flush().map_err(failed(&sled_dir))?;
        let disk = sync_files(&sled_dir).map_err(io_error(&sled_dir))?;
        watermark
            .follow(&followed)
            .map_err(io_error(watermark.path()))?;
        bring_up_to_date(&tables, &disk, format).map_err(|error| OpenError::Damaged {
            path: sled_dir.clone(),
            detail: error.to_string(),
        })?;
        Ok((tables, disk))
    });
    let (tables, disk) = opened.map_err(|Panicked| OpenError::Damaged {
        path: sled_dir.clone(),
        detail: PANICKED.to_owned(),
    })??;
    Ok((tables, disk, watermark))
}

/// Syncs what an earlier server wrote. Killed, it may have left the end of the log to the kernel's memory alone, and sled
/// writes a snapshot of that, and syncs it, before it syncs anything else.
fn sync_log(data_dir: &Path) -> io::Result<()> {
    match File::open(data_dir.join(DATA_FILE)) {
        Ok(log) => log.sync_data(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// The error for a panic in sled. Sled's log has the details.
const PANICKED: &str = "sled gave up reading its files";

/// The number in sled. An error if it is lower than the number in the file.
fn check_watermark(
    db: &sled::Db,
    sled_dir: &Path,
    watermark: &Watermark,
    found: &Found,
) -> Result<u64, OpenError> {
    let number = Watermark::in_sled(db).map_err(failed(sled_dir))?;
    match found {
        Found::Number(synced) if *synced > number => Err(OpenError::Lost {
            path: sled_dir.to_owned(),
            watermark: watermark.path().to_owned(),
        }),
        Found::Damaged => {
            tracing::warn!(
                file = %watermark.path().display(),
                "this file was damaged and is written anew. It shows whether data was lost; this \
                 time that is unknown. Check the disk, and keep a backup"
            );
            Ok(number)
        }
        Found::Number(_) | Found::Nothing => Ok(number),
    }
}

/// Reports what sled skips silently. The server starts anyway: after a power failure, such a place may be a write that
/// was never acknowledged.
fn report_holes(sled_dir: &Path) {
    match log_check::holes(sled_dir) {
        Ok(holes) if holes.is_empty() => {}
        Ok(holes) => tracing::error!(
            folder = %sled_dir.display(),
            bytes = ?holes,
            "the data file cannot be read at these places: data written there may be lost. Check \
             the disk; compare with a backup, or restore it"
        ),
        // Then sled cannot read them either, and says why.
        Err(error) => tracing::debug!(%error, "the data file was not checked"),
    }
}

/// Finishes what an older version or a crash has left.
fn bring_up_to_date(tables: &Tables, disk: &File, format: u8) -> Result<(), StoreError> {
    if format < FORMAT {
        upgrade::from(format, tables, disk)?;
        set_format(tables)?;
        upgrade::sync(tables, disk)?;
        tracing::info!("the data folder was upgraded; older versions can no longer use it");
    }
    deletion::finish(tables)
}

/// Our own lock. Sled takes its lock too late: files must be cleaned up before.
fn lock(data_dir: &Path) -> Result<FolderLock, OpenError> {
    make_folder(data_dir)?;
    let path = data_dir.join("lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        // Everybody who can open the file can lock it, and keep the server from starting.
        .mode(0o600)
        .open(&path)
        .map_err(io_error(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(FolderLock(file)),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(data_dir.to_owned())),
        Err(TryLockError::Error(cause)) => Err(OpenError::Io { path, cause }),
    }
}

fn make_folder(path: &Path) -> Result<(), OpenError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(io_error(path))
}

/// A process that is killed while sled starts leaves `snap.*.generating`, which the next start reads as a snapshot and
/// reports as corruption (sled#1533). The file is only a copy, so it can be removed.
fn remove_unfinished_snapshots(sled_dir: &Path) -> Result<(), OpenError> {
    for entry in fs::read_dir(sled_dir).map_err(io_error(sled_dir))? {
        let path = entry.map_err(io_error(sled_dir))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            fs::remove_file(&path).map_err(io_error(&path))?;
            tracing::info!(file = %name, "removed an unfinished snapshot of an interrupted start");
        }
    }
    Ok(())
}

/// A first start that is cut by a kill or a power failure can leave an incomplete `conf`, which the next one reports as
/// corruption: sled does not sync it, and we do just before the first mark. Sled writes it again; it is always the same.
fn remove_unfinished_settings(sled_dir: &Path) -> Result<(), OpenError> {
    let conf = sled_dir.join("conf");
    match fs::remove_file(&conf) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(io_error(&conf)(cause)),
        _ => Ok(()),
    }
}

/// sled panics on some damaged files. Such a panic becomes an error.
fn open_sled(sled_dir: &Path, cache_bytes: u64) -> Result<sled::Db, OpenError> {
    let config = sled::Config::new()
        .path(sled_dir)
        .cache_capacity(cache_bytes)
        // The writer flushes.
        .flush_every_ms(None);
    match caught(|| config.open()) {
        Ok(Ok(db)) => Ok(db),
        Ok(Err(error)) => Err(failed(sled_dir)(error)),
        Err(Panicked) => Err(OpenError::Damaged {
            path: sled_dir.to_owned(),
            detail: PANICKED.to_owned(),
        }),
    }
}

fn failed(path: &Path) -> impl Fn(sled::Error) -> OpenError + Copy {
    |error| {
        let detail = match error {
            // Sled read past the end of a truncated file.
            sled::Error::Io(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => {
                "a file ends too early".to_owned()
            }
            // A copy of the system's error. Its text is for developers.
            sled::Error::Io(cause) if cause.kind() == io::ErrorKind::StorageFull => {
                return io_error(path)(cause.kind().into());
            }
            sled::Error::Io(cause) => return io_error(path)(cause),
            // sled's message is for its developers. Its log has the details.
            sled::Error::Corruption { .. } => "sled finds its files inconsistent".to_owned(),
            error => error.to_string(),
        };
        OpenError::Damaged {
            path: path.to_owned(),
            detail,
        }
    }
}

/// Checks that this program can read the version of the layout, and that the keys of `usernames` have the current
/// version.
fn check_format(db: &sled::Db, path: &Path, watermark: &Watermark) -> Result<u8, OpenError> {
    let ours = [FORMAT, UsernameKey::VERSION];
    match db.get(FORMAT_KEY).map_err(failed(path))? {
        None => {
            db.insert(FORMAT_KEY, &ours).map_err(failed(path))?;
            Ok(FORMAT)
        }
        Some(found) if *found == ours => Ok(FORMAT),
        Some(found)
            if found.len() == 2 && found[0] < FORMAT && found[1] == UsernameKey::VERSION =>
        {
            Ok(found[0])
        }
        Some(found) if *found == *RESTORING => Err(OpenError::HalfRestored {
            folder: path.to_owned(),
            watermark: watermark.path().to_owned(),
        }),
        Some(found) => Err(OpenError::OtherFormat {
            path: path.to_owned(),
            found: format!("{:?}", &*found),
            ours,
        }),
    }
}

/// Marks the folder as being restored.
pub(super) fn set_restoring(tables: &Tables) -> Result<(), StoreError> {
    let set = tables.db.insert(FORMAT_KEY, RESTORING);
    set.map(|_| ()).map_err(unavailable)
}

/// Marks the folder as complete.
pub(super) fn set_format(tables: &Tables) -> Result<(), StoreError> {
    let set = tables
        .db
        .insert(FORMAT_KEY, &[FORMAT, UsernameKey::VERSION]);
    set.map(|_| ()).map_err(unavailable)
}

/// Syncs what a first start created: the files, their folder, and its parent. All at once: then they wait for the disk
/// once, and not one after the other.
fn sync_files(sled_dir: &Path) -> io::Result<File> {
    let db = OpenOptions::new().write(true).open(sled_dir.join("db"))?;
    let mut others = vec![File::open(sled_dir.join("conf"))?, File::open(sled_dir)?];
    if let Some(data_dir) = sled_dir.parent() {
        others.push(File::open(data_dir)?);
        if let Some(parent) = data_dir.canonicalize()?.parent() {
            others.push(File::open(parent)?);
        }
    }
    thread::scope(|scope| -> io::Result<()> {
        let mut syncing = Vec::new();
        for file in &others {
            let sync = move || file.sync_all();
            syncing.push(thread::Builder::new().spawn_scoped(scope, sync)?);
        }
        db.sync_all()?;
        for sync in syncing {
            let synced = sync.join();
            synced.unwrap_or_else(|_panicked| Err(io::ErrorKind::Other.into()))?;
        }
        Ok(())
    })?;
    Ok(db)
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let path = path.to_owned();
    |cause| OpenError::Io { path, cause }
}

/// Like [`open`], right after the same folder was closed: sled's threads release it a moment after its handles.
#[cfg(test)]
pub(super) fn open_again(data_dir: &Path) -> (Tables, File, Watermark) {
    let begun = std::time::Instant::now();
    loop {
        match open(data_dir, super::CACHE_BYTES) {
            Ok(opened) => return opened,
            Err(error) if begun.elapsed().as_secs() > 20 => panic!("{error}"),
            Err(_) => std::thread::yield_now(),
        }
    }
}
