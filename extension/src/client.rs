//! The only place that speaks HTTP: takes a wire request, returns its answer or a classified failure.
//!
//! It stores nothing. `session` knows who is signed in and what to do about a refusal.

use gloo_net::{Error, http::Response};
use js_sys::{Array, Object};
use password_auth_wire::{Authenticate, Credentials, Logout, Refresh, Secret, Status, Tokens};
use wasm_bindgen::{JsCast, JsValue};

use crate::{
    browser,
    http::{self, bearer},
    json::{self, object},
    response::{Details, Failure, Why},
    server::Server,
    token_store::UserInfo,
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

    /// `POST /register`; with an e-mail address or an invitation `POST /api/v1/auth/register`, since the demo's route has
    /// none. What the first one says, or would.
    pub(crate) async fn register(
        &self,
        credentials: &Credentials,
        email: Option<&str>,
        invite: Option<&str>,
    ) -> Result<String, Failure> {
        let body = account(credentials, email, invite);
        if email.is_none() && invite.is_none() {
            let answer = self.post("/register", body, Purpose::Ask).await?;
            return decode_by(answer, message);
        }
        decode_by(self.ask_v1("/register", body).await?, |user| {
            json::text_field(&user, "id")
        })
        .map(|_| "User registered successfully.".to_owned())
    }

    /// A sign-in by a `route` of `/api/v1/auth`.
    pub(crate) async fn sign_in_by(
        &self,
        route: &str,
        fields: &[(&str, JsValue)],
    ) -> Result<Tokens, Failure> {
        decode_by(self.ask_v1(route, json::text_of(fields)).await?, tokens)
    }

    /// `POST /api/v1/auth/passkeys/login/options`: what the browser is asked for.
    pub(crate) async fn passkey_options(&self) -> Result<JsValue, Failure> {
        let route = "/passkeys/login/options";
        decode_by(self.ask_v1(route, String::new()).await?, Some)
    }

    /// `POST /api/v1/auth` and so on.
    async fn ask_v1(&self, route: &str, body: String) -> Result<Answer, Failure> {
        let route = ["/api/v1/auth", route].concat();
        self.post(&route, body, Purpose::Ask).await
    }

    /// `POST /authenticate`.
    pub(crate) async fn authenticate(&self, request: &Authenticate) -> Result<Tokens, Failure> {
        let answer = self.post("/authenticate", json::text(request), Purpose::Ask);
        decode_by(answer.await?, tokens)
    }

    /// `POST /refresh`.
    pub(crate) async fn refresh(&self, refresh_token: Secret) -> Result<Tokens, Failure> {
        let body = json::text(&Refresh { refresh_token });
        decode_by(self.post("/refresh", body, Purpose::Ask).await?, tokens)
    }

    /// `POST /logout`. The request completes even if the page closes.
    pub(crate) async fn logout(&self, refresh_token: Secret) -> Result<String, Failure> {
        let body = json::text(&Logout {
            refresh_token: Some(refresh_token),
        });
        decode_by(self.post("/logout", body, Purpose::Tell).await?, message)
    }

    /// `GET /protected`, or another `route` that greets.
    pub(crate) async fn protected(
        &self,
        route: &str,
        access_token: &Secret,
    ) -> Result<String, Failure> {
        let greeting = self.get(route, access_token).await?;
        // That of `/protected-data` has no status, and names the user.
        decode_by(greeting, |body| match json::text_field(&body, "user") {
            Some(_) => json::text_field(&body, "message"),
            None => message(body),
        })
    }

    /// `GET /api/v1/auth/me`.
    pub(crate) async fn me(&self, access_token: &Secret) -> Result<UserInfo, Failure> {
        let answer = self.get("/api/v1/auth/me", access_token).await?;
        decode_by(answer, |user| UserInfo::read(&user))
    }

    fn get(
        &self,
        route: &str,
        access_token: &Secret,
    ) -> impl Future<Output = Result<Answer, Failure>> + use<> {
        let headers = object(&[("Authorization", bearer(access_token).into())]);
        let init = object(&[("headers", headers.into())]);
        exchange(
            self.server.clone(),
            self.server.url(route),
            init,
            Purpose::Ask,
        )
    }

    /// Takes text and not a type: one copy serves all routes, which keeps the package small.
    fn post(
        &self,
        route: &str,
        body: String,
        purpose: Purpose,
    ) -> impl Future<Output = Result<Answer, Failure>> + use<> {
        let headers = object(&[("Content-Type", "application/json".into())]);
        let init = object(&[
            ("method", "POST".into()),
            ("headers", headers.into()),
            ("body", body.into()),
            ("keepalive", (purpose == Purpose::Tell).into()),
        ]);
        exchange(self.server.clone(), self.server.url(route), init, purpose)
    }
}

/// The body that describes a new account.
fn account(
    Credentials { username, password }: &Credentials,
    email: Option<&str>,
    invite: Option<&str>,
) -> String {
    json::text_of(&[
        ("username", username.as_str().into()),
        ("password", password.expose().into()),
        ("email", email.into()),
        ("invite", invite.into()),
    ])
}

/// A response: its status, its body if that is JSON, and its `Retry-After` in seconds.
struct Answer {
    server: Server,
    status: u16,
    body: Option<JsValue>,
    retry_after: Option<u32>,
}

async fn exchange(
    server: Server,
    url: String,
    init: Object,
    purpose: Purpose,
) -> Result<Answer, Failure> {
    let why = match send(&url, init, purpose).await {
        Ok((response, text)) => {
            let retry_after = response.headers().get("Retry-After");
            return Ok(Answer {
                server,
                status: response.status(),
                body: json::parse(&text),
                retry_after: retry_after.and_then(|seconds| seconds.parse().ok()),
            });
        }
        // Before Chrome 124 a time-out was an AbortError. Nothing else aborts here.
        Err(Error::JsError(error)) if matches!(&*error.name, "TimeoutError" | "AbortError") => {
            Why::TimedOut
        }
        // Without permission a request works where the server allows this extension's origin, so ask afterwards.
        Err(_) if browser::has_host_permission(server.origin()).await => Why::Unreachable,
        Err(_) => Why::NoHostPermission,
    };
    Err(Failure::no_answer(server, why))
}

async fn send(url: &str, init: Object, purpose: Purpose) -> Result<(Response, String), Error> {
    // A redirect would carry a password or a token to another server.
    let options = object(&[("redirect", "error".into()), ("cache", "no-store".into())]);
    let init = Object::assign(&options, &init);
    let response = http::fetch(url, purpose.timeout_ms(), &init).await?;
    let text = response.text().await?;
    Ok((response, text))
}

/// A `wire::Tokens`. By hand, like all that is read here: serde's reading of whole types takes 4 KB more.
fn tokens(body: JsValue) -> Option<Tokens> {
    let text = |name| json::text_field(&body, name);
    // `/api/v1` has no status in its pairs.
    if text("status").is_some_and(|status| status != "ok") {
        return None;
    }
    // The cast saturates: no session lasts that long.
    let expires_in = json::field(&body, "expires_in")?.as_f64()? as u32;
    Some(Tokens {
        status: Status::Ok,
        access_token: Secret::new(text("access_token")?),
        refresh_token: Secret::new(text("refresh_token")?),
        token_type: text("token_type")?,
        expires_in,
    })
}

/// The success that `read` finds in `answer`, or the failure that it is.
fn decode_by<T>(answer: Answer, read: impl FnOnce(JsValue) -> Option<T>) -> Result<T, Failure> {
    if !matches!(answer.status, 200 | 201) {
        return Err(failure(answer));
    }
    let Answer {
        server,
        status,
        body,
        ..
    } = answer;
    body.and_then(read)
        .ok_or_else(|| Failure::no_answer(server, Why::Unexpected { status }))
}

/// The sentence of a `wire::Message`.
fn message(body: JsValue) -> Option<String> {
    json::text_field(&body, "status").filter(|status| status == "ok")?;
    json::text_field(&body, "message")
}

fn failure(answer: Answer) -> Failure {
    let body = answer.body.unwrap_or(JsValue::UNDEFINED);
    let text = |name| json::text_field(&body, name);
    let error = json::field(&body, "errors").and_then(|errors| json::field(&errors, "0"));
    let of_field = |name| json::text_field(error.as_ref()?, name);
    let details = Details {
        code: text("code").unwrap_or_default(),
        challenge: text("challenge"),
        methods: json::field(&body, "methods")
            .and_then(|methods| methods.dyn_into::<Array>().ok())
            .map(|methods| methods.join(" ").into())
            .unwrap_or_default(),
        field: of_field("field"),
        field_code: of_field("code"),
        retry_after: answer.retry_after,
    };
    let is_ours = text("status").is_some_and(|status| status == "error");
    let message = text("message").filter(|_| is_ours && !details.code.is_empty());
    Failure::from_response(answer.server, answer.status, message, details)
}
