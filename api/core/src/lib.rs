//! The use cases: what the server does, independent of how it is called.
//!
//! [`App::new`](app::App::new) puts them together from settings, signing keys, a store and a clock. Routes and operator's
//! commands then call [`Accounts`](accounts::Accounts) and [`Sessions`](sessions::Sessions). Each use case has an error
//! type whose variants are what its caller must tell apart; what went wrong in the store passes through as
//! [`StoreError`](password_auth_store::StoreError). A use case that fails has changed nothing, unless its documentation
//! says otherwise.
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
pub mod webauthn;
