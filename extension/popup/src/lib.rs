//! The popup's WASM: what `popup.js` calls.

use wasm_bindgen::prelude::*;

/// Starts the popup. `popup.js` calls this once, when the page is parsed. `translations` is what `messages.json` of
/// the user's language holds, or `undefined` for English.
///
/// # Errors
/// The page lacks an element that the popup needs: the package is broken.
#[wasm_bindgen]
pub fn begin(translations: JsValue) -> Result<(), JsValue> {
    password_auth_extension::start_popup(translations)
}
