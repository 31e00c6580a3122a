//! The extension's side of Password Auth, compiled to WASM: one crate below this one per surface.
//!
//! Calls go `popup, web_page -> controller -> session`, `broker -> session`, and `session -> client -> wire`. A surface knows what users see, the broker knows who may
//! ask for what, `session` knows who is signed in, `client` knows HTTP, `browser` knows the extension API. Nothing
//! points back.

mod base64;
pub mod broker;
mod browser;
mod client;
mod controller;
mod decide;
mod dom;
mod http;
mod json;
mod messages;
mod page;
mod popup;
mod response;
mod server;
mod session;
mod step;
mod surface;
mod texts;
mod token_store;
mod tokens;
mod web_page;

#[cfg(target_family = "wasm")]
use talc::{
    cell::TalcSyncCell,
    wasm::{WasmBinning, WasmGrowAndClaim},
};

pub use popup::start as start_popup;
pub use web_page::{request, start as start_web_page};

/// WASM here has one thread.
#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: TalcSyncCell<WasmGrowAndClaim, WasmBinning> =
    TalcSyncCell::new_wasm(WasmGrowAndClaim);
