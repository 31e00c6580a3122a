//! The command line: one file a command.

mod backup;
mod check_config;
mod export;
mod import;
mod log;
mod output;
mod process;
mod progress;
mod restore;
mod restore_keys;
mod serve;
mod settings;
mod signals;
mod store;
mod user;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::runtime::{Builder, Runtime};

/// Runs the command that the arguments name.
#[must_use]
pub fn main() -> ExitCode {
    process::leave_no_core_dump();
    // A developer's own debugger may look.
    if !std::env::args_os().any(|argument| argument == "--dev") {
        process::hide_memory();
    }
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::CheckConfig(arguments) => check_config::run(&arguments),
        Command::Backup(arguments) => backup::run(&arguments),
        Command::Restore(arguments) => restore::run(&arguments),
        Command::Import(command) => import::run(&command),
        Command::Export(command) => export::run(&command),
        Command::User(command) => user::run(command),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            output::tell(format_args!("password-auth: {message}"));
            ExitCode::FAILURE
        }
    }
}

/// Self-hosted sign-in for browser extensions: the API.
#[derive(Parser)]
#[command(name = "password-auth", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API until SIGTERM, SIGINT, SIGQUIT or SIGHUP
    Serve(settings::Arguments),
    /// Print the settings that are in force, secrets hidden, or every mistake in them
    CheckConfig(settings::Arguments),
    /// Write everything that is kept to a file, also while the server runs
    Backup(backup::Arguments),
    /// Fill an empty store from a file that `backup` wrote; the server must be stopped
    Restore(restore::Arguments),
    /// Take users from a file; the server must be stopped if it keeps them in its own folder
    #[command(subcommand)]
    Import(import::Command),
    /// Write users to a file; the server must be stopped if it keeps them in its own folder
    #[command(subcommand)]
    Export(export::Command),
    /// Make, see, change and remove users, also while the server runs
    #[command(subcommand)]
    User(user::Command),
}

/// What a command that waits for something runs on.
fn runtime() -> Result<Runtime, String> {
    Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("the runtime can not be started: {error}"))
}
