//! Passkeys: what the browser asks the user for.

use js_sys::{Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// Of `signin.js`.
#[wasm_bindgen(js_namespace = passkeys)]
extern "C" {
    #[wasm_bindgen(catch)]
    fn ask(options: &JsValue) -> Result<Promise, JsValue>;

    /// In a popup below a button: opens it in a tab, where the user is asked. Whether it did.
    #[wasm_bindgen(js_name = goOnInTab)]
    pub(crate) fn go_on_in_tab(stay: bool) -> bool;

    /// In a tab that goes on for such a popup: whether the user wants to stay signed in.
    #[wasm_bindgen(js_name = wish)]
    pub(crate) fn wish_of_popup() -> Option<bool>;
}

/// Why there is no passkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoPasskey {
    /// The user closed the browser's dialog, or it found none, or waited too long: the browser does not tell which.
    NoneChosen,
    /// The browser does not allow it here.
    NotAllowed,
}

/// Lets the user choose a passkey for `options` (`PublicKeyCredentialRequestOptionsJSON`).
pub(crate) async fn ask_for_passkey(options: &JsValue) -> Result<JsValue, NoPasskey> {
    let asked = match ask(options) {
        Ok(asked) => JsFuture::from(asked).await,
        Err(error) => Err(error),
    };
    asked.map_err(|error| {
        let name = Reflect::get(&error, &"name".into()).ok();
        match name.and_then(|name| name.as_string()).as_deref() {
            Some("NotAllowedError" | "AbortError") => NoPasskey::NoneChosen,
            _ => NoPasskey::NotAllowed,
        }
    })
}
