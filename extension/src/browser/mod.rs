//! The only place that names the extension API (`chrome.*`) and, in [`lock`], `navigator.locks`.
//!
//! Firefox has `chrome` too. This module knows no token and no server: its callers choose areas, keys and
//! locks.

mod lock;
pub(crate) mod worker;

use js_sys::{Array, Function, Object, Promise, Reflect};
use wasm_bindgen::{JsCast, prelude::*};
use wasm_bindgen_futures::JsFuture;

pub(crate) use lock::Lock;

#[wasm_bindgen]
extern "C" {
    /// `chrome.storage.StorageArea`.
    type StorageArea;

    #[wasm_bindgen(thread_local_v2, js_namespace = ["chrome", "storage"], js_name = local)]
    static LOCAL: StorageArea;
    #[wasm_bindgen(thread_local_v2, js_namespace = ["chrome", "storage"], js_name = session)]
    static SESSION: StorageArea;

    #[wasm_bindgen(method, catch)]
    fn get(this: &StorageArea, keys: &Array) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn set(this: &StorageArea, items: &Object) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn remove(this: &StorageArea, keys: &Array) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = setAccessLevel)]
    fn set_access_level(this: &StorageArea, level: &Object) -> Result<Promise, JsValue>;

    /// `chrome.storage.onChanged`.
    type ChangeEvent;

    #[wasm_bindgen(thread_local_v2, js_namespace = ["chrome", "storage"], js_name = onChanged)]
    static ON_CHANGED: ChangeEvent;

    #[wasm_bindgen(method, js_name = addListener)]
    fn add_listener(this: &ChangeEvent, listener: &Function);
    #[wasm_bindgen(method, js_name = removeListener)]
    fn remove_listener(this: &ChangeEvent, listener: &Function);

    // Permissions: no permission is needed to ask.
    #[wasm_bindgen(catch, js_namespace = ["chrome", "permissions"], js_name = contains)]
    fn permissions_contain(permissions: &Object) -> Result<Promise, JsValue>;
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

#[wasm_bindgen(module = "/js/secrets.js")]
extern "C" {
    /// `storage.local` if the browser can close it to content scripts, else a stand-in that is out of their reach.
    #[wasm_bindgen(js_name = secretArea)]
    fn secret_area() -> StorageArea;
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
    fn with<T>(
        self,
        use_it: impl FnOnce(&StorageArea) -> Result<T, JsValue>,
    ) -> Result<T, BrowserError> {
        match self {
            Self::Settings => LOCAL.with(use_it),
            Self::Local => use_it(&secret_area()),
            Self::Session => SESSION.with(use_it),
        }
        .map_err(BrowserError::from)
    }

    /// Reads `keys`; an absent one is `undefined`.
    pub(crate) async fn read<const N: usize>(
        self,
        keys: [&str; N],
    ) -> Result<[JsValue; N], BrowserError> {
        let names: Array = keys.iter().copied().map(JsValue::from_str).collect();
        let items = JsFuture::from(self.with(|area| area.get(&names))?).await?;
        Ok(keys.map(|key| Reflect::get(&items, &key.into()).unwrap_or(JsValue::UNDEFINED)))
    }

    /// Writes all `items` at once.
    pub(crate) async fn write(self, items: &[(&str, JsValue)]) -> Result<(), BrowserError> {
        let object = object(items)?;
        JsFuture::from(self.with(|area| area.set(&object))?).await?;
        Ok(())
    }

    /// Removes all `keys` at once; absent ones do no harm.
    pub(crate) async fn remove(self, keys: &[&str]) -> Result<(), BrowserError> {
        let names: Array = keys.iter().copied().map(JsValue::from_str).collect();
        JsFuture::from(self.with(|area| area.remove(&names))?).await?;
        Ok(())
    }

    /// Hides the area from content scripts, where the browser supports it (Chrome 140 for `Local`).
    pub(crate) async fn hide_from_content_scripts(self) {
        let level = object(&[("accessLevel", "TRUSTED_CONTEXTS".into())]);
        // A browser without the method throws; one that lacks it for this area rejects. Nothing more can be
        // done then.
        if let Ok(Ok(done)) = level.map(|level| self.with(|area| area.set_access_level(&level))) {
            let _ = JsFuture::from(done).await;
        }
    }
}

pub(crate) fn object(items: &[(&str, JsValue)]) -> Result<Object, BrowserError> {
    let object = Object::new();
    for (key, value) in items {
        Reflect::set(&object, &(*key).into(), value)?;
    }
    Ok(object)
}

/// A listener of `storage.onChanged`. Dropping it removes it.
#[must_use]
pub(crate) struct StorageListener(Closure<dyn FnMut(Object)>);

impl StorageListener {
    /// Calls `changed` with the keys that any context has written or removed.
    pub(crate) fn new(mut changed: impl FnMut(&[String]) + 'static) -> Self {
        let listener = Closure::new(move |changes: Object| {
            let keys: Vec<String> = Object::keys(&changes)
                .iter()
                .filter_map(|key| key.as_string())
                .collect();
            changed(&keys);
        });
        ON_CHANGED.with(|event| event.add_listener(listener.as_ref().unchecked_ref()));
        Self(listener)
    }
}

impl Drop for StorageListener {
    fn drop(&mut self) {
        ON_CHANGED.with(|event| event.remove_listener(self.0.as_ref().unchecked_ref()));
    }
}

/// Whether the extension has host permission for `origin`. If the browser does not tell: `true`.
pub(crate) async fn has_host_permission(origin: &str) -> bool {
    let pattern = Array::of1(&format!("{}/*", without_port(origin)).into());
    let Ok(permissions) = object(&[("origins", pattern.into())]) else {
        return true;
    };
    let Ok(promise) = permissions_contain(&permissions) else {
        return true;
    };
    JsFuture::from(promise)
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
