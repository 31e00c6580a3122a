//! The only place that talks HTTP: a request of the wire in, its answer or a judged failure out.
//!
//! It keeps nothing. Who is signed in, and what to do about a refusal, is `session`'s.

use gloo_net::http::{Request, RequestBuilder, Response};
use js_sys::Reflect;
use password_auth_wire::{Authenticate, Credentials, Logout, Message, Refresh, Secret, Tokens};
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;
use web_sys::{AbortSignal, RequestCache, RequestCredentials, RequestInit, RequestRedirect};

use crate::{
    answer::{Failure, Unavailable},
    json,
    server::Server,
};

/// How a request is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// For the answer.
    Asking,
    /// For the server to hear it. A page that closes does not take it back.
    Telling,
}

impl Manner {
    const fn timeout_ms(self) -> u32 {
        match self {
            // The server's window for a repeated refresh is longer than this.
            Self::Asking => 15_000,
            // Signing out happens here whatever the server answers, and a person waits for it to be done.
            Self::Telling => 5_000,
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
        understand(
            self.post("/register", json::text(credentials), Manner::Asking)
                .await?,
        )
    }

    /// `POST /authenticate`.
    pub(crate) async fn authenticate(&self, request: &Authenticate) -> Result<Tokens, Failure> {
        understand(
            self.post("/authenticate", json::text(request), Manner::Asking)
                .await?,
        )
    }

    /// `POST /refresh`.
    pub(crate) async fn refresh(&self, refresh_token: Secret) -> Result<Tokens, Failure> {
        let body = json::text(&Refresh { refresh_token });
        understand(self.post("/refresh", body, Manner::Asking).await?)
    }

    /// `POST /logout`. It arrives even if the page closes while it is on its way.
    pub(crate) async fn logout(&self, refresh_token: Secret) -> Result<Message, Failure> {
        let body = json::text(&Logout {
            refresh_token: Some(refresh_token),
        });
        understand(self.post("/logout", body, Manner::Telling).await?)
    }

    /// `GET /protected`.
    pub(crate) async fn protected(&self, access_token: &Secret) -> Result<Message, Failure> {
        let bearer = format!("Bearer {}", access_token.expose());
        let request = Request::get(&self.server.url("/protected")).header("Authorization", &bearer);
        understand(exchange(request, None, Manner::Asking).await?)
    }

    /// Takes text and not a type: one copy of it serves all routes, and the package stays small.
    fn post(
        &self,
        route: &str,
        body: String,
        manner: Manner,
    ) -> impl Future<Output = Result<Answer, Failure>> {
        let request =
            Request::post(&self.server.url(route)).header("Content-Type", "application/json");
        exchange(request, Some(body), manner)
    }
}

/// What came back: a status, and the JSON of the body if it is any.
struct Answer {
    status: u16,
    body: Option<JsValue>,
}

async fn exchange(
    request: RequestBuilder,
    body: Option<String>,
    manner: Manner,
) -> Result<Answer, Failure> {
    talk(request, body, manner)
        .await
        .map_err(|error| Failure::Unavailable(diagnose(&error)))
}

async fn talk(
    request: RequestBuilder,
    body: Option<String>,
    manner: Manner,
) -> Result<Answer, gloo_net::Error> {
    let request = request
        // The time-out covers the body too.
        .abort_signal(Some(&AbortSignal::timeout_with_u32(manner.timeout_ms())))
        // No cookies: the tokens are all that identifies, and a host permission would send them.
        .credentials(RequestCredentials::Omit)
        // A redirect would carry a password or a token to somebody who was not asked.
        .redirect(RequestRedirect::Error)
        .cache(RequestCache::NoStore);
    let request = match body {
        Some(body) if manner == Manner::Telling => lasting(&request.build()?.into(), &body)?,
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

/// `request` with `body`, for the browser to finish if the page closes first.
///
/// By hand: neither gloo nor web-sys knows `keepalive`.
fn lasting(request: &web_sys::Request, body: &str) -> Result<Request, gloo_net::Error> {
    let init = RequestInit::new();
    init.set_body(&body.into());
    Reflect::set(&init, &"keepalive".into(), &true.into())
        .and_then(|_| web_sys::Request::new_with_request_and_init(request, &init))
        .map(Request::from)
        .map_err(|_| gloo_net::Error::GlooError(String::new()))
}

fn diagnose(error: &gloo_net::Error) -> Unavailable {
    match error {
        // Before Chrome 124 a time-out was an AbortError; nothing else aborts here.
        gloo_net::Error::JsError(error)
            if matches!(error.name.as_str(), "TimeoutError" | "AbortError") =>
        {
            Unavailable::TimedOut
        }
        _ => Unavailable::Unreachable,
    }
}

fn understand<T: DeserializeOwned>(Answer { status, body }: Answer) -> Result<T, Failure> {
    if status == 200 {
        let answer = body.and_then(json::read);
        return answer.ok_or(Failure::Unavailable(Unavailable::Stranger { status }));
    }
    Err(Failure::judge(status, body.and_then(json::read)))
}
