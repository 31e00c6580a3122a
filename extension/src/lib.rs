//! The extension's side of Password Auth, compiled to WASM: one entry per surface.
//!
//! The way through is `popup -> session -> client -> wire`. A surface knows what people see, `session`
//! knows who is signed in, `client` knows HTTP, `browser` knows the extension API; nothing points back.

mod answer;
mod browser;
mod client;
mod decide;
mod dom;
mod json;
mod page;
mod popup;
mod server;
mod session;
mod tokens;
mod vault;
mod words;

use wasm_bindgen::prelude::*;

/// Brings the popup to life; its starter calls this once, when the page is parsed.
///
/// # Errors
/// The page lacks an element that the popup needs: the package is broken.
#[wasm_bindgen(js_name = startPopup)]
pub fn start_popup() -> Result<(), JsValue> {
    popup::start()
}
