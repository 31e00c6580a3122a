//! The background worker's WASM: what `background.js` calls.

use js_sys::{Array, Promise};
use password_auth_extension::broker;
use wasm_bindgen::prelude::*;

/// Sets what `startBroker` was called with.
///
/// # Errors
/// An address is not https or loopback.
#[wasm_bindgen]
pub fn configure(
    server: Option<String>,
    allow: &Array,
    content_scripts: &Array,
) -> Result<(), JsValue> {
    broker::configure(server, allow, content_scripts)
}

/// Answers a message: `{ok}`, `{error}`, or `undefined` to whom no answer is due.
#[wasm_bindgen]
pub fn answer(message: JsValue, sender: JsValue) -> Promise {
    broker::answer(message, sender)
}

/// The worker starts for the first time, or with the browser, or after an update.
#[wasm_bindgen(js_name = onStart)]
pub fn on_start() -> Promise {
    broker::on_start()
}

/// Something has changed in storage: these keys.
#[wasm_bindgen(js_name = onStorageChange)]
pub fn on_storage_change(keys: Array) -> Promise {
    broker::on_storage_change(keys)
}

/// An alarm rings.
#[wasm_bindgen(js_name = onAlarm)]
pub fn on_alarm(name: String) -> Promise {
    broker::on_alarm(name)
}
