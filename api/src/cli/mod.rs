//! The command line: one file per command.

mod backend;
mod backup;
mod check_config;
mod export;
mod health;
mod import;
mod keys;
mod log;
mod log_lines;
mod log_text;
mod output;
mod process;
mod progress;
mod restore;
mod restore_keys;
mod serve;
mod settings;
mod signals;
mod store;
mod table;
#[cfg(feature = "otel")]
mod traces;
mod user;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::runtime::{Builder, Runtime};

/// Runs the command that the arguments name.
#[must_use]
pub fn main() -> ExitCode {
    process::leave_no_core_dump();
    // Debuggers are allowed in development.
    if !std::env::args_os().any(|argument| argument == "--dev") {
        process::hide_memory();
    }
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::CheckConfig(arguments) => check_config::run(&arguments),
        Command::Health(arguments) => health::run(&arguments),
        Command::Backup(arguments) => backup::run(&arguments),
        Command::Restore(arguments) => restore::run(&arguments),
        Command::Import(command) => import::run(&command),
        Command::Export(command) => export::run(&command),
        Command::User(command) => user::run(command),
        Command::Keys(command) => keys::run(command),
    };
    log::finish_log();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            output::tell(format_args!("password-auth: {message}"));
            ExitCode::FAILURE
        }
    }
}

/// The server of Password Auth: self-hosted sign-in for browser extensions.
#[derive(Parser)]
#[command(name = "password-auth", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API until SIGTERM, SIGINT or SIGQUIT; SIGHUP reads the TLS certificate again
    Serve(settings::Arguments),
    /// Print the settings in force, with secrets hidden, or every mistake in them
    CheckConfig(settings::Arguments),
    /// Ask the server on this machine whether it works: the exit code says it
    Health(settings::Arguments),
    /// Back up the store to a file; the server may be running
    Backup(backup::Arguments),
    /// Restore a backup into an empty store; the server must be stopped
    Restore(restore::Arguments),
    /// Import users from a file; with the embedded store, stop the server first
    #[command(subcommand)]
    Import(import::Command),
    /// Export users to a file; with the embedded store, stop the server first
    #[command(subcommand)]
    Export(export::Command),
    /// Manage users; the server may be running
    #[command(subcommand)]
    User(user::Command),
    /// Manage the keys that sign access tokens (SIGNING_ALG=EdDSA); the server may be running
    #[command(subcommand)]
    Keys(keys::Command),
}

/// The async runtime for commands.
fn runtime() -> Result<Runtime, String> {
    Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start the async runtime: {error}"))
}
