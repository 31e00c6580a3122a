//! `backup`: everything that is kept, in one file, from a server that runs or one that is stopped.

use std::path::PathBuf;

use futures_util::StreamExt as _;
use password_auth_core::tokens::{self, SigningKeys};
use password_auth_store::Records;

use super::log::start_log;
use super::progress::Progress;
use super::signals::StopSignals;
use super::{output, runtime, settings, store};
use crate::backup::{BackupWriter, Written};
use crate::config::Config;
use crate::control::ControlClient;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Where to write it; only its owner may read it. - writes to standard output. It holds password hashes: guard it
    file: PathBuf,
    /// Write over a file that is there; anything else than a plain file stays
    #[arg(long)]
    force: bool,
    /// Take the signing keys along, so that people stay signed in on the server that it is restored to. Whoever has them can sign in as anybody
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
        // Given up, it removes what it has written.
        tokio::select! {
            done = backup(arguments, &config) => done,
            () = signals.next() => Err("interrupted: there is no backup".to_owned()),
        }
    })
}

async fn backup(arguments: &Arguments, config: &Config) -> Result<(), String> {
    // First of all: it would be a pity to hear at the end that the file can not be written.
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
                .map_err(|error| format!("there is no backup: {error}"))?;
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
        "The signing keys are in it: whoever reads the file can sign in as anybody."
    } else {
        "The signing keys are not in it: restored to a server without them, everybody has to sign in again."
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
        let batch = batch.map_err(|error| format!("there is no backup: {error}"))?;
        file.write(batch).map_err(|error| error.to_string())?;
        progress.at(file.records());
    }
    file.finish(keys).map_err(|error| error.to_string())
}

/// Those that a server with these settings would use.
fn keys_in_force(config: &Config) -> Result<SigningKeys, String> {
    let keys = match (config.signing_key.clone(), store::folder(config)) {
        (Some(key), _) => Some(SigningKeys::new(key, Vec::new())),
        (None, Some(folder)) => tokens::load(folder).map_err(|error| error.to_string())?,
        (None, None) => None,
    };
    keys.ok_or_else(|| {
        "there are no signing keys: JWT_SECRET is not set, and no folder has any".to_owned()
    })
}
