//! The only place that speaks HTTP: takes a wire request, returns its answer or a classified failure.
//!
//! It stores nothing. `session` knows who is signed in and what to do about a refusal.

use gloo_net::http::{Request, RequestBuilder, Response};
use js_sys::Reflect;
use password_auth_wire::{Authenticate, Credentials, Logout, Message, Refresh, Secret, Tokens};
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;
use web_sys::{AbortSignal, RequestCache, RequestCredentials, RequestInit, RequestRedirect};

use crate::{
    json,
    response::{Failure, NoAnswer},
    server::Server,
};

/// What a request is sent for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// To get the answer.
    Ask,
    /// To tell the server something. The request completes even if the page closes.
    Tell,
}

impl Purpose {
    const fn timeout_ms(self) -> u32 {
        match self {
            // Shorter than the server's window for a repeated refresh.
            Self::Ask => 15_000,
            // The local sign-out does not depend on the answer, and the user waits for it.
            Self::Tell => 5_000,
        }
    }
}

/// The API at one server.
pub(crate) struct Client {
    server: Server,
}

impl Client {
    pub(crate) const fn new(server: Server) -> Self {
        Self { server }
    }

    pub(crate) const fn server(&self) -> &Server {
        &self.server
    }

    /// `POST /register`.
    pub(crate) async fn register(&self, credentials: &Credentials) -> Result<Message, Failure> {
        decode(
            self.post("/register", json::text(credentials), Purpose::Ask)
                .await?,
        )
    }

    /// `POST /authenticate`.
    pub(crate) async fn authenticate(&self, request: &Authenticate) -> Result<Tokens, Failure> {
        decode(
            self.post("/authenticate", json::text(request), Purpose::Ask)
                .await?,
        )
    }

    /// `POST /refresh`.
    pub(crate) async fn refresh(&self, refresh_token: Secret) -> Result<Tokens, Failure> {
        let body = json::text(&Refresh { refresh_token });
        decode(self.post("/refresh", body, Purpose::Ask).await?)
    }

    /// `POST /logout`. The request completes even if the page closes.
    pub(crate) async fn logout(&self, refresh_token: Secret) -> Result<Message, Failure> {
        let body = json::text(&Logout {
            refresh_token: Some(refresh_token),
        });
        decode(self.post("/logout", body, Purpose::Tell).await?)
    }

    /// `GET /protected`.
    pub(crate) async fn protected(&self, access_token: &Secret) -> Result<Message, Failure> {
        let bearer = format!("Bearer {}", access_token.expose());
        let request = Request::get(&self.server.url("/protected")).header("Authorization", &bearer);
        decode(exchange(request, None, Purpose::Ask).await?)
    }

    /// Takes text and not a type: one copy serves all routes, which keeps the package small.
    fn post(
        &self,
        route: &str,
        body: String,
        purpose: Purpose,
    ) -> impl Future<Output = Result<Answer, Failure>> {
        let request =
            Request::post(&self.server.url(route)).header("Content-Type", "application/json");
        exchange(request, Some(body), purpose)
    }
}

/// A response: its status, and its body if that is JSON.
struct Answer {
    status: u16,
    body: Option<JsValue>,
}

async fn exchange(
    request: RequestBuilder,
    body: Option<String>,
    purpose: Purpose,
) -> Result<Answer, Failure> {
    send(request, body, purpose)
        .await
        .map_err(|error| Failure::NoAnswer(no_answer(&error)))
}

async fn send(
    request: RequestBuilder,
    body: Option<String>,
    purpose: Purpose,
) -> Result<Answer, gloo_net::Error> {
    let request = request
        // The time-out also covers the body.
        .abort_signal(Some(&AbortSignal::timeout_with_u32(purpose.timeout_ms())))
        // With host permission the browser would send cookies; only the tokens identify the caller.
        .credentials(RequestCredentials::Omit)
        // A redirect would carry a password or a token to another server.
        .redirect(RequestRedirect::Error)
        .cache(RequestCache::NoStore);
    let request = match body {
        Some(body) if purpose == Purpose::Tell => keep_alive(&request.build()?.into(), &body)?,
        Some(body) => request.body(body)?,
        None => request.build()?,
    };
    let response: Response = request.send().await?;
    let text = response.text().await?;
    Ok(Answer {
        status: response.status(),
        body: json::parse(&text),
    })
}

/// `request` with `body`; the browser completes it even if the page closes.
///
/// By hand, since neither gloo nor web-sys knows `keepalive`.
fn keep_alive(request: &web_sys::Request, body: &str) -> Result<Request, gloo_net::Error> {
    let init = RequestInit::new();
    init.set_body(&body.into());
    Reflect::set(&init, &"keepalive".into(), &true.into())
        .and_then(|_| web_sys::Request::new_with_request_and_init(request, &init))
        .map(Request::from)
        .map_err(|_| gloo_net::Error::GlooError(String::new()))
}

fn no_answer(error: &gloo_net::Error) -> NoAnswer {
    match error {
        // Before Chrome 124 a time-out was an AbortError. Nothing else aborts here.
        gloo_net::Error::JsError(error)
            if matches!(error.name.as_str(), "TimeoutError" | "AbortError") =>
        {
            NoAnswer::TimedOut
        }
        _ => NoAnswer::Unreachable,
    }
}

fn decode<T: DeserializeOwned>(Answer { status, body }: Answer) -> Result<T, Failure> {
    if status == 200 {
        let answer = body.and_then(json::read);
        return answer.ok_or(Failure::NoAnswer(NoAnswer::Unexpected { status }));
    }
    Err(Failure::from_response(status, body.and_then(json::read)))
}
