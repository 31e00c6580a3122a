//! What the tests stand on: a server of their own, a clock of their own, a client that checks each answer
//! against the OpenAPI document.

mod client;
mod clock;
mod contract;
mod process;
mod server;

pub use client::{Client, Reply};
pub use clock::TestClock;
pub use process::ServerProcess;
pub use server::{TestServer, TestServerBuilder};

/// A password that every rule allows.
pub const PASSWORD: &str = "correct horse battery";
