//! `backup`: writes everything to one file, whether or not the server runs.

use std::path::PathBuf;

use futures_util::StreamExt as _;
use password_auth_core::tokens::SigningKeys;
use password_auth_store::Records;

use super::backend::keys_in_force;
use super::log::start_log;
use super::progress::Progress;
use super::signals::StopSignals;
use super::{output, runtime, settings, store};
use crate::backup::{BackupWriter, Written};
use crate::config::Config;
use crate::control::ControlClient;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// File to write, readable only by you; - writes to standard output. It contains password hashes: keep it safe
    file: PathBuf,
    /// Overwrite an existing file. Only plain files are overwritten
    #[arg(long)]
    force: bool,
    /// Include the signing keys, so that users stay signed in after a restore on another server. Anyone who has them
    /// can sign in as any user
    #[arg(long)]
    with_keys: bool,
    #[command(flatten)]
    settings: settings::Arguments,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), String> {
    let config = arguments.settings.config_without_secret()?;
    start_log(&config)?;
    runtime()?.block_on(async {
        let mut signals = StopSignals::listen()?;
        // If it is cancelled, it removes what it has written.
        tokio::select! {
            biased;
            () = signals.next() => Err("interrupted: no backup was written".to_owned()),
            done = backup(arguments, &config) => done,
        }
    })
}

async fn backup(arguments: &Arguments, config: &Config) -> Result<(), String> {
    // First: do not find out at the end that the file cannot be written.
    let file = if arguments.file.as_os_str() == "-" {
        BackupWriter::to_standard_output()
    } else {
        BackupWriter::create(&arguments.file, arguments.force)
    };
    let file = file.map_err(|error| error.to_string())?;
    let running = match store::folder(config) {
        Some(folder) => ControlClient::connect(folder).await,
        None => Ok(None),
    };
    let written = match running.map_err(|error| error.to_string())? {
        Some(server) => {
            let (keys, records) = server
                .backup(arguments.with_keys)
                .await
                .map_err(|error| format!("no backup was written: {error}"))?;
            write(file, records, keys.as_ref()).await?
        }
        None => {
            let store = store::open_existing(config).await?;
            let keys = if arguments.with_keys {
                Some(keys_in_force(config)?)
            } else {
                None
            };
            let written = match store.dump().await {
                Ok(records) => write(file, records, keys.as_ref()).await,
                Err(error) => Err(error.to_string()),
            };
            store.close().await;
            written?
        }
    };
    let file = arguments.file.display();
    let Written { counts, bytes } = written;
    output::tell(format_args!("{file}: {counts}; {bytes} bytes"));
    output::tell(if arguments.with_keys {
        "The backup contains the signing keys: anyone who can read the file can sign in as any \
         user."
    } else {
        "The backup does not contain the signing keys: on a server without them, all users have to sign in again, and \
         codes of their authenticator apps are not accepted (recovery codes are)."
    });
    Ok(())
}

async fn write(
    mut file: BackupWriter,
    mut records: Records,
    keys: Option<&SigningKeys>,
) -> Result<Written, String> {
    let mut progress = Progress::new("writing");
    while let Some(batch) = records.next().await {
        let batch = batch.map_err(|error| format!("no backup was written: {error}"))?;
        file.write(batch).map_err(|error| error.to_string())?;
        progress.at(file.records());
    }
    file.finish(keys).map_err(|error| error.to_string())
}
