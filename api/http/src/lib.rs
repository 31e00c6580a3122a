//! HTTP: parses, authorizes, calls a use case, renders the result. Contains no business rules.
//!
//! A request passes `serve` (connections and their limits), `front` (what every response needs), then `routes`.
//! Whatever fails on the way becomes a `Failure`, and a `Failure` becomes the one error body.

mod body;
mod caller;
mod client;
mod cross_site;
mod demo;
mod docs;
mod error;
mod form;
mod front;
mod media_type;
mod pages;
mod route;
mod routes;
mod seldom;
pub mod serve;
mod sign_out;
mod v1;

pub use client::ProxyTrust;
pub use cross_site::FormPolicy;
pub use error::Failure;
pub use front::{CorsPolicy, Settings};
pub use routes::endpoint;
