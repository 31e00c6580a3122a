//! The extension's side of Password Auth, compiled to WASM: one entry per surface.
//!
//! Calls go `popup -> session -> client -> wire`. A surface knows what users see, `session` knows who is signed
//! in, `client` knows HTTP, `browser` knows the extension API. Nothing points back.

mod browser;
mod client;
mod decide;
mod dom;
mod json;
mod messages;
mod page;
mod popup;
mod response;
mod server;
mod session;
mod token_store;
mod tokens;

use wasm_bindgen::prelude::*;

/// Starts the popup. `popup.js` calls this once, when the page is parsed.
///
/// # Errors
/// The page lacks an element that the popup needs: the package is broken.
#[wasm_bindgen(js_name = startPopup)]
pub fn start_popup() -> Result<(), JsValue> {
    popup::start()
}
