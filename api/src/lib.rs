//! The binary, as a library: its commands, its settings, and what they share. ARCHITECTURE.md draws the map.

pub mod backup;
pub mod cli;
pub mod config;
pub mod control;
pub mod operator;
pub mod user_file;
