//! `auth.fetch`: requests of other contexts, sent from here with an access token that they do not see.

use js_sys::{Array, ArrayBuffer, Object, Uint8Array};
use password_auth_wire::Secret;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, Response};

use super::{Config, answer::Failed, caller::Caller, prefix::Prefix};
use crate::{
    base64, browser,
    http::{self, bearer},
    json::{self, object},
};

/// The browser stops a worker whose request takes 30 s.
const TIME_OUT_MS: u32 = 25_000;
/// The largest body of an answer, in bytes: the browser's limit for a message is 64 MiB.
const MAX_BODY: u32 = 32 * 1024 * 1024;

/// A request of a caller.
struct Request {
    url: String,
    origin: String,
    method: String,
    /// A list of names and values.
    headers: JsValue,
    body: Option<Vec<u8>>,
}

impl Request {
    /// # Errors
    /// The message has no URL, or one with a user in it.
    fn read(message: &JsValue) -> Result<(Self, String), Failed> {
        let text = |name| json::text_field(message, name);
        let url = text("url").and_then(|url| web_sys::Url::new(&url).ok());
        let url = url.filter(|url| url.username().is_empty() && url.password().is_empty());
        let Some(url) = url else {
            return Err(Failed::not_allowed("The URL is not valid."));
        };
        let headers = json::field(message, "headers").unwrap_or(JsValue::UNDEFINED);
        let request = Self {
            url: url.href(),
            origin: url.origin(),
            method: text("method").unwrap_or_else(|| "GET".to_owned()),
            headers,
            body: text("body").and_then(|body| base64::decode(&body)),
        };
        Ok((request, url.pathname()))
    }

    /// Sends it with `token` and nothing else that could identify the user.
    async fn send(&self, token: &Secret) -> Result<Response, Failed> {
        let init = self.init(token).map_err(|_| {
            Failed::not_allowed("The browser does not accept this method or these headers.")
        })?;
        let response = match http::fetch(&self.url, TIME_OUT_MS, &init).await {
            Ok(response) => Response::from(response),
            Err(_) if !browser::has_host_permission(&self.origin).await => {
                let message = [
                    "This extension has no permission to reach ",
                    &self.origin,
                    ".",
                ]
                .concat();
                return Err(Failed::new("no_host_permission", &message));
            }
            Err(_) => return Err(self.unreachable()),
        };
        if json::text_field(&response, "type").is_some_and(|kind| kind == "opaqueredirect") {
            return Err(Failed::not_allowed(
                "The answer is a redirect. It is not followed, since it would carry the token on.",
            ));
        }
        Ok(response)
    }

    fn init(&self, token: &Secret) -> Result<Object, JsValue> {
        let headers = if self.headers.is_instance_of::<Array>() {
            Headers::new_with_str_sequence_sequence(&self.headers)?
        } else {
            Headers::new()?
        };
        headers.set("Authorization", &bearer(token))?;
        let body = self.body.as_deref().map(Uint8Array::from);
        Ok(object(&[
            ("method", self.method.as_str().into()),
            ("headers", headers.into()),
            ("redirect", "manual".into()),
            ("body", body.into()),
        ]))
    }

    fn unreachable(&self) -> Failed {
        let message = [
            "Cannot reach ",
            &self.origin,
            ", or it did not answer in time.",
        ]
        .concat();
        Failed::new("unreachable", &message)
    }
}

/// Sends the request of `message`, if `caller` may.
pub(super) async fn perform(
    config: &Config,
    caller: Caller,
    message: &JsValue,
) -> Result<JsValue, Failed> {
    let (request, path) = Request::read(message)?;
    let covers = |prefix: &Prefix| prefix.covers(&request.origin, &path);
    let allowed = match caller {
        Caller::ContentScript => config.content_scripts.iter().any(covers),
        Caller::Page => {
            let server = config.session.server().await?;
            covers(&Prefix::of(server)) || config.allow.iter().any(covers)
        }
    };
    if !allowed {
        return Err(Failed::not_allowed(
            "startBroker does not allow requests to this URL from this context.",
        ));
    }
    let send = async |token: &Secret| request.send(token).await;
    let response = config.session.with_token(send).await?;
    read(&request, &response).await
}

/// The answer as a message: status, headers, and the body as base64.
async fn read(request: &Request, response: &Response) -> Result<JsValue, Failed> {
    let body = response.array_buffer().map_err(|_| request.unreachable())?;
    let body = JsFuture::from(body)
        .await
        .map_err(|_| request.unreachable())?;
    let body = Uint8Array::new(body.unchecked_ref::<ArrayBuffer>());
    if body.length() > MAX_BODY {
        return Err(Failed::not_allowed("The answer is larger than 32 MiB."));
    }
    let headers: Array = js_sys::try_iter(&response.headers())
        .ok()
        .flatten()
        .map(|headers| headers.flatten().collect())
        .unwrap_or_default();
    Ok(object(&[
        ("status", response.status().into()),
        ("statusText", response.status_text().into()),
        ("headers", headers.into()),
        ("body", base64::encode(&body.to_vec()).into()),
    ])
    .into())
}
