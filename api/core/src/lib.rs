//! The use cases: what the server does, independent of how it is called.
//!
//! Knows neither HTTP nor an engine.

pub mod accounts;
pub mod app;
pub mod audit;
pub mod mail;
pub mod passwords;
pub mod rate_limit;
pub mod sessions;
pub mod sweeper;
pub mod token_keys;
pub mod tokens;
pub mod tracing_context;
