//! HTTP: parses, authorizes, calls a use case, renders the result. Contains no business rules.
//!
//! [`endpoint`] makes the routes of an [`App`](password_auth_core::app::App); [`server::serve`] serves them on a
//! [`Listener`](server::Listener) within its [`Limits`](server::Limits). A request passes `server` (connections and their
//! limits), `middleware` (what every response needs), then `router`. Whatever fails on the way becomes a `Failure`, and a
//! `Failure` becomes the one error body, in the dialect of the route.

mod body;
mod caller;
mod client;
mod context;
mod cross_site;
mod demo;
mod error;
mod form;
#[cfg(test)]
mod fuzz;
pub mod measures;
mod media_type;
pub mod metrics;
mod middleware;
mod openapi;
mod pages;
mod route;
mod router;
mod seldom;
pub mod server;
mod sign_out;
mod strict_json;
mod v1;

pub use client::ProxyTrust;
pub use cross_site::FormPolicy;
pub use middleware::{CorsPolicy, Settings};
pub use router::endpoint;
