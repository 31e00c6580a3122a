//! Opens the configured store. Only this file names the engines; `config` knows how their settings are written.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use password_auth_store::Store;
use password_auth_store::postgres::PostgresStore;
use password_auth_store::sled::{OpenError, SledStore};

use crate::config::Config;

/// The pause between two attempts to open a folder that is in use. There is no event for when it is free.
pub(super) const PAUSE: Duration = Duration::from_millis(50);

/// Opens the store, or creates it. Opening a folder blocks.
pub(super) async fn open(config: &Config) -> Result<Arc<dyn Store>, String> {
    match try_open(config).await? {
        Opened::Store(store) => Ok(store),
        Opened::InUse(sentence) => Err(sentence),
    }
}

/// The result of opening a store.
pub(super) enum Opened {
    /// It is open.
    Store(Arc<dyn Store>),
    /// Another process uses the folder. Contains a message.
    InUse(String),
}

/// Like [`open`].
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

/// Like [`open`], but waits for a folder that is in use: commands only use it for a moment.
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

/// An error if there is no store yet.
pub(super) fn must_exist(config: &Config) -> Result<(), String> {
    match folder(config) {
        Some(folder) if !SledStore::exists(folder) => Err(format!(
            "there is no store in the folder {}: check --data-dir",
            folder.display()
        )),
        _ => Ok(()),
    }
}

/// An error if we are root but the folder belongs to another user: the server could not use files that root creates.
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

/// Opens an existing store.
pub(super) async fn open_existing(config: &Config) -> Result<Arc<dyn Store>, String> {
    must_exist(config)?;
    must_be_ours(config)?;
    open(config).await
}

/// The data folder, which one process owns at a time. `None` for a database.
pub(super) fn folder(config: &Config) -> Option<&Path> {
    config.database.is_none().then_some(&config.data_dir)
}
