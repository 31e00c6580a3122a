//! The popup's WASM: what `popup.js` calls.

use wasm_bindgen::prelude::*;

/// Starts the popup. `popup.js` calls this once, when the page is parsed.
///
/// # Errors
/// The page lacks an element that the popup needs: the package is broken.
#[wasm_bindgen(js_name = startPopup)]
pub fn start_popup() -> Result<(), JsValue> {
    password_auth_extension::start_popup()
}
