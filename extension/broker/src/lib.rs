//! The background worker's WASM: what `background.js` calls.

use password_auth_extension::broker;
use wasm_bindgen::prelude::*;

/// Sets what `startBroker` was called with.
///
/// # Errors
/// An address is not https or loopback.
#[wasm_bindgen]
pub fn configure(
    server: Option<String>,
    allow: Vec<String>,
    content_scripts: Vec<String>,
) -> Result<(), JsValue> {
    broker::configure(server, allow, content_scripts)
}

/// Answers a message: `{ok}`, `{error}`, or `undefined` to whom no answer is due.
#[wasm_bindgen]
pub async fn answer(message: JsValue, sender: JsValue) -> JsValue {
    broker::answer(message, sender).await
}

/// The worker starts for the first time, or with the browser, or after an update.
#[wasm_bindgen(js_name = onStart)]
pub async fn on_start() {
    broker::on_start().await;
}

/// Something has changed in storage: these keys.
#[wasm_bindgen(js_name = onStorageChange)]
pub async fn on_storage_change(keys: Vec<String>) {
    broker::on_storage_change(keys).await;
}

/// An alarm rings.
#[wasm_bindgen(js_name = onAlarm)]
pub async fn on_alarm(name: String) {
    broker::on_alarm(name).await;
}
