//! What only the background worker uses of the extension API: alarms, the badge, and messages to other contexts.
//!
//! A user's extension may lack a permission or an action button: what is missing is skipped.

use js_sys::{Array, Function, Object, Promise, Reflect};
use wasm_bindgen::{JsCast, prelude::*};
use wasm_bindgen_futures::JsFuture;

use super::BrowserError;
use crate::json::object;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = chrome)]
    static CHROME: JsValue;

    #[wasm_bindgen(catch, js_namespace = ["chrome", "runtime"], js_name = getURL)]
    fn get_url(path: &str) -> Result<String, JsValue>;
}

/// This extension's id.
pub(crate) fn id() -> Option<String> {
    let runtime = CHROME
        .with(|chrome| Reflect::get(chrome, &"runtime".into()))
        .ok()?;
    Reflect::get(&runtime, &"id".into()).ok()?.as_string()
}

/// The origin of this extension's pages, with a slash at its end.
pub(crate) fn root_url() -> Result<String, BrowserError> {
    Ok(get_url("")?)
}

/// Lets the alarm `name` ring at `when_ms`, and not at the time that was set before.
pub(crate) async fn set_alarm(name: &str, when_ms: f64) {
    let info = object(&[("when", when_ms.into())]);
    call("alarms", "create", &[name.into(), info.into()]).await;
}

/// Cancels the alarm `name`.
pub(crate) async fn clear_alarm(name: &str) {
    call("alarms", "clear", &[name.into()]).await;
}

/// Shows on the toolbar's button whether a user is signed in.
pub(crate) async fn set_badge(text: &str) {
    let color = object(&[("color", "#0f6b3d".into())]);
    call("action", "setBadgeBackgroundColor", &[color.into()]).await;
    let details = object(&[("text", text.into())]);
    call("action", "setBadgeText", &[details.into()]).await;
}

/// Sends `message` to every page of the extension, and to its content scripts in every tab.
pub(crate) async fn broadcast(message: &Object) {
    call("runtime", "sendMessage", &[message.into()]).await;
    let Some(tabs) = call("tabs", "query", &[Object::new().into()]).await else {
        return;
    };
    let Ok(tabs) = tabs.dyn_into::<Array>() else {
        return;
    };
    for tab in tabs.iter() {
        let id = Reflect::get(&tab, &"id".into()).unwrap_or(JsValue::UNDEFINED);
        // A tab without our content script rejects. Nothing waits for it.
        if let Some(sent) = start("tabs", "sendMessage", &[id, message.into()]) {
            ignore_rejection(sent);
        }
    }
}

/// Calls `chrome.AREA.NAME` and waits for it. `None` if there is no such function, or if it fails.
async fn call(area: &str, name: &str, arguments: &[JsValue]) -> Option<JsValue> {
    JsFuture::from(start(area, name, arguments)?).await.ok()
}

fn start(area: &str, name: &str, arguments: &[JsValue]) -> Option<Promise> {
    let area = CHROME
        .with(|chrome| Reflect::get(chrome, &area.into()))
        .ok()?;
    let function: Function = Reflect::get(&area, &name.into()).ok()?.dyn_into().ok()?;
    let arguments: Array = arguments.iter().collect();
    function.apply(&area, &arguments).ok()?.dyn_into().ok()
}

fn ignore_rejection(promise: Promise) {
    wasm_bindgen_futures::spawn_local(async move { drop(JsFuture::from(promise).await) });
}
