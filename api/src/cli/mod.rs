//! The command line: one file a command.

mod check_config;
mod serve;
mod settings;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Runs the command that the arguments name.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::CheckConfig(arguments) => check_config::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("password-auth: {message}");
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
    /// Serve the API until SIGINT or SIGTERM
    Serve(settings::Arguments),
    /// Print the settings that are in force, secrets hidden, or every mistake in them
    CheckConfig(settings::Arguments),
}
