//! The binary, as a library: its commands, its settings, and what they share. ARCHITECTURE.md draws the map.

pub mod admin;
pub mod cli;
pub mod config;
pub mod dump;
pub mod operator;
pub mod userfile;
