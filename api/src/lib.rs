//! The binary as a library: its commands, its settings, and what they share. See ARCHITECTURE.md.

pub mod backup;
pub mod cli;
pub mod config;
pub mod control;
#[cfg(test)]
mod fuzz;
pub mod metrics;
pub mod operator;
pub mod user_file;
