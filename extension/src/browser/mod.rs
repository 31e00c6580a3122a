//! The only place that reaches the extension API (`chrome.*`), by `js/storage.js` and in [`worker`], and, in [`lock`] and
//! [`passkey`], `navigator`.
//!
//! Firefox has `chrome` too. A web page does not: its build puts `page/storage.js` in place of `js/storage.js`. This
//! module knows no token and no server: its callers choose areas, keys and
//! locks.

mod lock;
mod passkey;
pub(crate) mod worker;

use js_sys::{Array, Function, Object, Promise};
use wasm_bindgen::{JsCast, prelude::*};
use wasm_bindgen_futures::JsFuture;

pub(crate) use lock::Lock;
pub(crate) use passkey::{NoPasskey, ask_for_passkey, go_on_in_tab, wish_of_popup};

use crate::json;

#[wasm_bindgen(module = "/js/storage.js")]
extern "C" {
    /// As `chrome.storage.StorageArea`.
    type StorageArea;

    #[wasm_bindgen(js_name = area)]
    fn storage_area(kind: &str) -> StorageArea;

    #[wasm_bindgen(method, catch)]
    fn get(this: &StorageArea, keys: &Array) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn set(this: &StorageArea, items: &Object) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn remove(this: &StorageArea, keys: &Array) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = setAccessLevel)]
    fn set_access_level(this: &StorageArea, level: &Object) -> Result<Promise, JsValue>;

    /// As `chrome.storage.onChanged`.
    type ChangeEvent;

    #[wasm_bindgen(js_name = onChanged)]
    fn change_event() -> ChangeEvent;

    #[wasm_bindgen(method, js_name = addListener)]
    fn add_listener(this: &ChangeEvent, listener: &Function);
    #[wasm_bindgen(method, js_name = removeListener)]
    fn remove_listener(this: &ChangeEvent, listener: &Function);

    // Permissions: no permission is needed to ask.
    #[wasm_bindgen(catch, js_name = mayReach)]
    fn may_reach(pattern: &str) -> Result<Promise, JsValue>;
}

/// An API of the browser failed. Holds the browser's message and no stored value.
#[derive(Debug)]
pub(crate) struct BrowserError(pub String);

impl From<JsValue> for BrowserError {
    fn from(error: JsValue) -> Self {
        let message = error
            .dyn_into::<js_sys::Error>()
            .map(|error| error.message().into());
        Self(message.unwrap_or_else(|_| "unknown".to_owned()))
    }
}

/// Where things are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Area {
    /// On disk, where content scripts may reach it.
    Settings,
    /// On disk, out of reach of content scripts.
    Local,
    /// In memory, until the browser closes.
    Session,
}

impl Area {
    fn storage(self) -> StorageArea {
        storage_area(match self {
            Self::Settings => "settings",
            Self::Local => "local",
            Self::Session => "session",
        })
    }

    /// Reads `keys`: an object, where an absent one is `undefined`.
    pub(crate) fn read(
        self,
        keys: &[&str],
    ) -> impl Future<Output = Result<JsValue, BrowserError>> + use<> {
        settled(self.storage().get(&names(keys)))
    }

    /// Reads `key`; an absent one is `undefined`.
    pub(crate) async fn read_one(self, key: &str) -> Result<JsValue, BrowserError> {
        let items = self.read(&[key]).await?;
        Ok(json::field(&items, key).unwrap_or_default())
    }

    /// Writes all `items` at once.
    pub(crate) fn write(
        self,
        items: &[(&str, JsValue)],
    ) -> impl Future<Output = Result<(), BrowserError>> + use<> {
        done(self.storage().set(&json::object(items)))
    }

    /// Removes all `keys` at once; absent ones do no harm.
    pub(crate) fn remove(
        self,
        keys: &[&str],
    ) -> impl Future<Output = Result<(), BrowserError>> + use<> {
        done(self.storage().remove(&names(keys)))
    }

    /// Hides the area from content scripts, where the browser supports it (Chrome 140 for `Local`).
    pub(crate) async fn hide_from_content_scripts(self) {
        let level = json::object(&[("accessLevel", "TRUSTED_CONTEXTS".into())]);
        // A browser without the method throws; one that lacks it for this area rejects. Nothing more can be
        // done then.
        drop(settled(self.storage().set_access_level(&level)).await);
    }
}

/// What the browser promised. One copy serves all calls, which keeps the package small.
async fn settled(promised: Result<Promise, JsValue>) -> Result<JsValue, BrowserError> {
    Ok(JsFuture::from(promised?).await?)
}

async fn done(promised: Result<Promise, JsValue>) -> Result<(), BrowserError> {
    settled(promised).await.map(drop)
}

fn names(keys: &[&str]) -> Array {
    keys.iter().copied().map(JsValue::from_str).collect()
}

/// A listener of `storage.onChanged`. Dropping it removes it.
#[must_use]
pub(crate) struct StorageListener(Closure<dyn FnMut(Object)>);

impl StorageListener {
    /// Calls `changed` when any context has written or removed a key that `concerns` the listener.
    pub(crate) fn new(concerns: fn(&str) -> bool, mut changed: impl FnMut() + 'static) -> Self {
        let listener = Closure::new(move |changes: Object| {
            let concerns = |key: JsValue| key.as_string().is_some_and(|key| concerns(&key));
            if Object::keys(&changes).iter().any(concerns) {
                changed();
            }
        });
        change_event().add_listener(listener.as_ref().unchecked_ref());
        Self(listener)
    }
}

impl Drop for StorageListener {
    fn drop(&mut self) {
        change_event().remove_listener(self.0.as_ref().unchecked_ref());
    }
}

/// Whether the extension has host permission for `origin`. If the browser does not tell: `true`.
pub(crate) async fn has_host_permission(origin: &str) -> bool {
    settled(may_reach(&[without_port(origin), "/*"].concat()))
        .await
        .map_or(true, |answer| answer.as_bool() != Some(false))
}

/// Match patterns of host permissions cover every port, and some browsers refuse one that names a port.
fn without_port(origin: &str) -> &str {
    // No slicing by index: its panics would bring 8 KB of tables into the package.
    match origin.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => host,
        _ => origin,
    }
}

#[cfg(test)]
mod tests {
    use super::without_port;

    #[test]
    fn a_host_pattern_names_no_port() {
        for (origin, expected) in [
            ("http://127.0.0.1:8000", "http://127.0.0.1"),
            ("https://auth.example", "https://auth.example"),
            ("https://[::1]:8443", "https://[::1]"),
            ("https://[::1]", "https://[::1]"),
        ] {
            assert_eq!(without_port(origin), expected);
        }
    }
}
