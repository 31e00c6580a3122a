//! The store that the settings name. This file alone names the engines.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use password_auth_store::Store;
use password_auth_store::postgres::PostgresStore;
use password_auth_store::sled::{OpenError, SledStore};

use crate::config::Config;

/// Between two looks at a folder that is in use. The system has no event for when it is not.
pub(super) const PAUSE: Duration = Duration::from_millis(50);

/// Opens it, made if it is not there. A folder is opened in place, which blocks.
pub(super) async fn open(config: &Config) -> Result<Arc<dyn Store>, String> {
    match try_open(config).await? {
        Opened::Store(store) => Ok(store),
        Opened::InUse(sentence) => Err(sentence),
    }
}

/// What became of opening a store.
pub(super) enum Opened {
    /// It is open.
    Store(Arc<dyn Store>),
    /// Another process has the folder; the sentence says so.
    InUse(String),
}

/// As [`open`].
pub(super) async fn try_open(config: &Config) -> Result<Opened, String> {
    let Some(url) = &config.database else {
        return match SledStore::open_with_cache(&config.data_dir, config.store_cache_bytes) {
            Ok(store) => Ok(Opened::Store(Arc::new(store))),
            Err(error @ OpenError::InUse(_)) => Ok(Opened::InUse(error.to_string())),
            Err(error) => Err(error.to_string()),
        };
    };
    match PostgresStore::connect(url, config.require_standby).await {
        Ok(store) => Ok(Opened::Store(Arc::new(store))),
        Err(error) => Err(error.to_string()),
    }
}

/// As [`open`], and waits so long for a folder that is in use: commands have it for a moment, and let go of it.
pub(super) async fn open_within(
    patience: Duration,
    config: &Config,
) -> Result<Arc<dyn Store>, String> {
    let began = Instant::now();
    let mut waits = false;
    loop {
        match try_open(config).await? {
            Opened::Store(store) => return Ok(store),
            Opened::InUse(sentence) if began.elapsed() >= patience => return Err(sentence),
            Opened::InUse(_) => {
                if !std::mem::replace(&mut waits, true) {
                    tracing::info!("the data folder is in use: waiting");
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Says so if there is no store yet.
pub(super) fn must_exist(config: &Config) -> Result<(), String> {
    match folder(config) {
        Some(folder) if !SledStore::exists(folder) => Err(format!(
            "there is no store in the folder {}: check --data-dir",
            folder.display()
        )),
        _ => Ok(()),
    }
}

/// Says so if we are root, and a server that is somebody else could not use any more what we write.
pub(super) fn must_be_ours(config: &Config) -> Result<(), String> {
    let Some(owner) = folder(config).and_then(SledStore::owner) else {
        return Ok(());
    };
    let ourselves = fs::metadata("/proc/self").map(|process| process.uid());
    if ourselves.is_ok_and(|uid| uid == 0 && owner != 0) {
        return Err(format!(
            "the data folder {} belongs to the user {owner}: run this command as that user, for example with `sudo -u '#{owner}'`",
            config.data_dir.display()
        ));
    }
    Ok(())
}

/// Opens what a server has left.
pub(super) async fn open_existing(config: &Config) -> Result<Arc<dyn Store>, String> {
    must_exist(config)?;
    must_be_ours(config)?;
    open(config).await
}

/// The folder that one process owns at a time; a database has none.
pub(super) fn folder(config: &Config) -> Option<&Path> {
    config.database.is_none().then_some(&config.data_dir)
}
