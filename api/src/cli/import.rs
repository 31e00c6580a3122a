//! `import users`: people from elsewhere, with the hashes of their passwords.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use password_auth_core::accounts::{ImportError, Imported, Notice, import};
use password_auth_model::{Clock as _, SystemClock, visible};

use super::progress::Progress;
use super::{output, runtime, settings, store};
use crate::config::Config;
use crate::user_file::{Format, UserFile};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Take users from a file: a line each, with the hash of their password
    Users(Arguments),
}

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The file; - reads standard input. Fields: username, and email, email_verified, full_name, role, is_active, created_at, password_hash if you have them
    file: PathBuf,
    /// How its lines are written [default: by the file's name, else jsonl]
    #[arg(long)]
    format: Option<Format>,
    /// Only say what would be taken. A name that stands twice in the file is found by the real run alone
    #[arg(long)]
    dry_run: bool,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: settings::Arguments,
}

pub(super) fn run(command: &Command) -> Result<(), String> {
    let Command::Users(arguments) = command;
    let config = arguments.settings.config()?;
    let imported = runtime()?.block_on(import_users(arguments, &config))?;
    report(arguments, imported);
    match imported.bad {
        0 => Ok(()),
        1 => Err("one line is bad; nothing of it was taken".to_owned()),
        bad => Err(format!("{bad} lines are bad; nothing of them was taken")),
    }
}

async fn import_users(arguments: &Arguments, config: &Config) -> Result<Imported, String> {
    let path = &arguments.file;
    let format = arguments.format.unwrap_or_else(|| Format::of(path));
    let unreadable = |error| format!("{} can not be read: {error}", path.display());
    let source = open(path).map_err(unreadable)?;
    let lines = UserFile::open(source, format, SystemClock.now()).map_err(unreadable)?;
    let store = store::open(config).await?;
    let mut progress = Progress::new("importing");
    let told = |notice: Notice<'_>| match notice {
        Notice::LeftOut(number, reason) => {
            progress.end();
            output::tell(format_args!("line {number}: {}", visible(reason)));
        }
        Notice::Progress(imported) => progress.at(imported.lines()),
    };
    let outcome = import(&*store, lines, arguments.dry_run, told).await;
    drop(progress);
    store.close().await;
    outcome.map_err(|error| match error {
        ImportError::File(error) => unreadable(error),
        ImportError::Store(error) => format!("the import broke off, and can be repeated: {error}"),
    })
}

fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    Ok(if path.as_os_str() == "-" {
        Box::new(BufReader::new(io::stdin()))
    } else {
        Box::new(BufReader::new(File::open(path)?))
    })
}

fn report(arguments: &Arguments, imported: Imported) {
    if arguments.json {
        let mut summary = serde_json::to_value(imported).unwrap_or_default();
        summary["dry_run"] = arguments.dry_run.into();
        output::say(&summary);
        return;
    }
    let Imported {
        taken,
        admins,
        without_password,
        already_there,
        bad,
    } = imported;
    let would = if arguments.dry_run { "would be " } else { "" };
    output::say(format_args!(
        "{would}taken: {taken}, of these {admins} admins, and {without_password} without a password\n\
         already there: {already_there}\n\
         bad: {bad}"
    ));
}
