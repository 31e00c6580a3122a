//! One request, as the browser sends it: the same in a page and in the worker.
//!
//! It knows no route and no answer.

use js_sys::{Object, Promise};
use password_auth_wire::Secret;
use wasm_bindgen::{JsCast, prelude::*};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Response};

use crate::json::object;

#[wasm_bindgen]
extern "C" {
    /// A worker has no window to ask.
    #[wasm_bindgen(js_name = fetch)]
    fn start(url: &str, init: &Object) -> Promise;
}

/// Sends a request. `init` is what `fetch` takes: an object, since web-sys' types for it weigh more. The time-out also
/// covers the answer's body.
///
/// # Errors
/// The browser's: the request could not be sent, or was not answered in time.
pub(crate) async fn fetch(url: &str, time_out_ms: u32, init: &Object) -> Result<Response, JsValue> {
    let options = object(&[
        // With host permission the browser would send cookies; only the tokens identify the caller.
        ("credentials", "omit".into()),
        ("signal", AbortSignal::timeout_with_u32(time_out_ms).into()),
    ]);
    let answer = JsFuture::from(start(url, &Object::assign(&options, init))).await?;
    Ok(answer.unchecked_into())
}

/// The `Authorization` header of an access token (RFC 6750).
pub(crate) fn bearer(token: &Secret) -> String {
    format!("Bearer {}", token.expose())
}
