//! `restore`: a backup's file into an empty store. Nothing is written before the whole file was found good.

use std::path::PathBuf;

use futures_util::StreamExt as _;
use password_auth_store::{LoadError, Loaded, Record, Records};

use super::log::start_log;
use super::progress::Progress;
use super::restore_keys::{KeyPlan, decide};
use super::{output, runtime, settings, store};
use crate::backup;
use crate::config::Config;
use crate::control::ControlClient;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// A file that `backup` wrote; - reads standard input
    file: PathBuf,
    /// Leave the signing keys in the file where they are
    #[arg(long, conflicts_with = "keys_to")]
    without_keys: bool,
    /// Write the signing key that is in the file to this one, as a line for `.env`
    #[arg(long, value_name = "FILE")]
    keys_to: Option<PathBuf>,
    #[command(flatten)]
    settings: settings::Arguments,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), String> {
    let config = arguments.settings.config_without_secret()?;
    start_log(&config)?;
    runtime()?.block_on(restore(arguments, &config))
}

async fn restore(arguments: &Arguments, config: &Config) -> Result<(), String> {
    let mut progress = Progress::new("checking");
    let mut file = backup::check(&arguments.file, |records| progress.at(records))
        .map_err(|error| format!("nothing was restored: {error}"))?;
    drop(progress);
    if let Some(folder) = store::folder(config)
        && let Ok(Some(_)) = ControlClient::connect(folder).await
    {
        return Err(format!(
            "a server runs on {}: stop it, restore, and start it again",
            folder.display()
        ));
    }
    let plan = decide(
        file.keys.take(),
        config,
        arguments.without_keys,
        arguments.keys_to.as_deref(),
    )?;
    let counts = file.counts;
    let store = store::open(config).await?;
    let keys = plan.carry_out(config)?;
    let loaded = store.load(with_progress(file.into_records())).await;
    store.close().await;
    let loaded = match loaded {
        Ok(loaded) if loaded == counts => loaded,
        Ok(_) => {
            return Err(
                "the file changed while it was restored: restore it again, into an empty store"
                    .to_owned(),
            );
        }
        Err(error) => {
            keys.undo();
            return Err(sentence(&error));
        }
    };
    report(loaded, &plan);
    Ok(())
}

fn sentence(error: &LoadError) -> String {
    match error {
        LoadError::NotEmpty => "nothing was restored: the store is not empty. Restore into an empty one, with another DATA_DIR or DATABASE_URL".to_owned(),
        other => format!("nothing was restored: {other}"),
    }
}

fn with_progress(records: Records) -> Records {
    let (mut progress, mut counts) = (Progress::new("restoring"), Loaded::default());
    Box::pin(records.inspect(move |batch| {
        let records: &[Record] = batch.as_deref().unwrap_or_default();
        records.iter().for_each(|record| counts.count(record));
        progress.at(counts.sum());
    }))
}

fn report(loaded: Loaded, plan: &KeyPlan) {
    output::tell(format_args!("restored: {loaded}\n{plan}"));
}
