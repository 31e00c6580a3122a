//! One request, as the browser sends it: the same in a page and in the worker.
//!
//! It knows no route and no answer.

use gloo_net::{
    Error,
    http::{Request, Response},
};
use js_sys::Object;
use password_auth_wire::Secret;
use wasm_bindgen::JsCast;
use web_sys::AbortSignal;

use crate::json::object;

/// Sends a request. `init` is what `fetch` takes: an object, since gloo's builder weighs more and knows no
/// `keepalive`. The time-out also
/// covers the answer's body.
///
/// # Errors
/// The browser's: the request could not be sent, or was not answered in time.
pub(crate) async fn fetch(url: &str, time_out_ms: u32, init: &Object) -> Result<Response, Error> {
    let options = object(&[
        // With host permission the browser would send cookies; only the tokens identify the caller.
        ("credentials", "omit".into()),
        ("signal", AbortSignal::timeout_with_u32(time_out_ms).into()),
    ]);
    let init = Object::assign(&options, init);
    let request = web_sys::Request::new_with_str_and_init(url, init.unchecked_ref())
        .map_err(|_| Error::GlooError(String::new()))?;
    Request::from(request).send().await
}

/// The `Authorization` header of an access token (RFC 6750).
pub(crate) fn bearer(token: &Secret) -> String {
    ["Bearer ", token.expose()].concat()
}
