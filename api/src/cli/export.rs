//! `export users`: everybody, in the form that `import users` reads.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use futures_util::StreamExt as _;
use password_auth_store::{Record, Records};

use super::progress::Progress;
use super::{output, runtime, settings, store};
use crate::config::Config;
use crate::user_file::{Format, UserFileWriter};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Write all users to a file: a line each, with the hash of their password
    Users(Arguments),
}

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Where to write it; only its owner may read it. - writes to standard output. It holds password hashes: guard it
    file: PathBuf,
    /// How its lines are written [default: by the file's name, else jsonl]
    #[arg(long)]
    format: Option<Format>,
    #[command(flatten)]
    settings: settings::Arguments,
}

pub(super) fn run(command: &Command) -> Result<(), String> {
    let Command::Users(arguments) = command;
    let config = arguments.settings.config()?;
    let written = runtime()?.block_on(export_users(arguments, &config))?;
    output::tell(format_args!(
        "{}: {written} users",
        arguments.file.display()
    ));
    Ok(())
}

async fn export_users(arguments: &Arguments, config: &Config) -> Result<u64, String> {
    let path = &arguments.file;
    let format = arguments.format.unwrap_or_else(|| Format::of(path));
    let store = store::open_existing(config).await?;
    let outcome = match store.dump().await {
        Ok(records) => write(path, format, records).await,
        Err(error) => Err(error.to_string()),
    };
    store.close().await;
    outcome
}

async fn write(path: &Path, format: Format, records: Records) -> Result<u64, String> {
    let unwritable = |error: io::Error| format!("{} can not be written: {error}", path.display());
    if path.as_os_str() == "-" {
        return write_users(io::stdout().lock(), format, records, unwritable)
            .await
            .map(|(_, count)| count);
    }
    let file = create(path).map_err(unwritable)?;
    let written = match write_users(BufWriter::new(file), format, records, unwritable).await {
        Ok((file, count)) => file
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
            .and_then(|file| file.sync_all())
            .map(|()| count)
            .map_err(unwritable),
        Err(error) => Err(error),
    };
    if written.is_err() {
        // Half of it would be taken for all.
        fs::remove_file(path).ok();
    }
    written
}

/// A new file: what is there already stays.
fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

async fn write_users<W: Write>(
    to: W,
    format: Format,
    mut records: Records,
    unwritable: impl Fn(io::Error) -> String,
) -> Result<(W, u64), String> {
    let mut writer = UserFileWriter::new(to, format).map_err(&unwritable)?;
    let mut progress = Progress::new("exporting");
    let mut count = 0;
    while let Some(batch) = records.next().await {
        for record in batch.map_err(|error| format!("the export broke off: {error}"))? {
            if let Record::User(user) = record {
                writer.write(&user).map_err(&unwritable)?;
                count += 1;
            }
        }
        progress.at(count);
    }
    writer.finish().map(|to| (to, count)).map_err(unwritable)
}
