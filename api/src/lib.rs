//! The binary as a library: its commands, its settings, and what they share. See ARCHITECTURE.md.
//!
//! [`cli::main`] runs the command that the arguments name. [`Config`](config::Config) is what the settings become,
//! [`Operator`](operator::Operator) what `user` and `keys` may do, and `control` how they reach a running server.

pub mod backup;
pub mod cli;
pub mod config;
pub mod control;
#[cfg(test)]
mod fuzz;
pub mod metrics;
pub mod operator;
pub mod user_file;
