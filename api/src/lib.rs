//! Password Auth's API, as a library; the binary of the same name is a thin door to it.
//!
//! The way through is `http -> accounts, sessions -> store`, and nothing points back. ARCHITECTURE.md
//! draws the map.

pub mod accounts;
pub mod admin;
pub mod app;
pub mod cli;
pub mod config;
pub mod dump;
pub mod events;
pub mod http;
pub mod jobs;
pub mod mail;
pub mod model;
pub mod operator;
mod panics;
pub mod passwords;
pub mod sessions;
pub mod store;
mod threads;
pub mod throttle;
pub mod tokens;
pub mod userfile;

pub use model::{clock, id};
