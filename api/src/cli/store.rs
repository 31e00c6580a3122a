//! The store that the settings name. This file alone names the engines.

use std::path::Path;
use std::sync::Arc;

use crate::config::Config;
use crate::store::Store;
use crate::store::postgres::PostgresStore;
use crate::store::sled::SledStore;

/// Opens it, made if it is not there. A folder is opened in place, which blocks.
pub(super) async fn open(config: &Config) -> Result<Arc<dyn Store>, String> {
    Ok(match &config.database {
        Some(url) => Arc::new(
            PostgresStore::connect(url, config.require_standby)
                .await
                .map_err(|error| error.to_string())?,
        ),
        None => Arc::new(
            SledStore::open_with_cache(&config.data_dir, config.store_cache_bytes)
                .map_err(|error| error.to_string())?,
        ),
    })
}

/// Opens what a server has left.
pub(super) async fn open_existing(config: &Config) -> Result<Arc<dyn Store>, String> {
    match folder(config) {
        Some(folder) if !SledStore::exists(folder) => Err(format!(
            "there is no store in the folder {}: is --data-dir right?",
            folder.display()
        )),
        _ => open(config).await,
    }
}

/// The folder that one process owns at a time; a database has none.
pub(super) fn folder(config: &Config) -> Option<&Path> {
    config.database.is_none().then_some(&config.data_dir)
}
