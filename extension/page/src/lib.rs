//! The WASM of the web page at `/`: what `popup.js` calls there.

use js_sys::Promise;
use wasm_bindgen::prelude::*;

/// Starts the page. `popup.js` calls this once, when the page is parsed. `translations` is what `messages.json` of
/// the user's language holds, or `undefined` for English.
///
/// # Errors
/// The page lacks an element that the client needs: the build is broken.
#[wasm_bindgen]
pub fn begin(translations: JsValue) -> Result<(), JsValue> {
    password_auth_extension::start_web_page(translations)
}

/// As the browser's `fetch`, of a path of the server and with the session. `init` has `headers` as a plain object.
#[wasm_bindgen]
pub fn request(path: String, init: JsValue) -> Promise {
    password_auth_extension::request(path, init)
}
