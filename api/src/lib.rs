//! The binary as a library: its commands, its settings, and what they share. See ARCHITECTURE.md.

pub mod admin;
pub mod cli;
pub mod config;
pub mod dump;
pub mod operator;
pub mod userfile;
