//! The only place that speaks HTTP: takes a wire request, returns its answer or a classified failure.
//!
//! It stores nothing. `session` knows who is signed in and what to do about a refusal.

use gloo_net::http::{Request, RequestBuilder, Response};
use js_sys::{Array, Reflect};
use password_auth_wire::{
    Authenticate, Credentials, ErrorBody, ErrorCode, Logout, Refresh, Secret, Status, Tokens,
};
use serde::{
    Deserialize,
    de::value::{Error as Unreadable, StrDeserializer},
};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortSignal, RequestCache, RequestCredentials, RequestInit, RequestRedirect};

use crate::{
    browser::object,
    json,
    response::{Details, Failure, NoAnswer},
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
        if email.is_none() && invite.is_none() {
            let body = json::text(credentials);
            let answer = self.post("/register", body, Purpose::Ask).await?;
            return decode_by(answer, message);
        }
        let answer = self
            .ask_v1("/register", &account(credentials, email, invite))
            .await?;
        decode_by(answer, |user| json::text_field(&user, "id"))
            .map(|_| "User registered successfully.".to_owned())
    }

    /// A sign-in by a `route` of `/api/v1/auth`.
    pub(crate) async fn sign_in_by(
        &self,
        route: &str,
        fields: &[(&str, JsValue)],
    ) -> Result<Tokens, Failure> {
        decode_by(self.ask_v1(route, fields).await?, tokens)
    }

    /// `POST /api/v1/auth/passkeys/login/options`: what the browser is asked for.
    pub(crate) async fn passkey_options(&self) -> Result<JsValue, Failure> {
        decode_by(self.ask_v1("/passkeys/login/options", &[]).await?, Some)
    }

    /// `GET /api/v1/auth/registration`: who may register.
    pub(crate) async fn registration(&self) -> Result<String, Failure> {
        let request = Request::get(&self.server.url("/api/v1/auth/registration"));
        let answer = exchange(request, None, Purpose::Ask).await?;
        decode_by(answer, |told| json::text_field(&told, "mode"))
    }

    /// `POST /api/v1/auth/password/strength`: how strong a new password is.
    pub(crate) async fn strength(
        &self,
        credentials: &Credentials,
        email: Option<&str>,
    ) -> Result<Strength, Failure> {
        let asked = account(credentials, email, None);
        let answer = self.ask_v1("/password/strength", &asked).await?;
        decode_by(answer, |told| {
            Some(Strength {
                is_hard: json::field(&told, "score")?.as_f64()? > 2.0,
                is_enough: json::field(&told, "enough")?.as_bool()?,
                hint: json::text_field(&told, "hint"),
            })
        })
    }

    /// `POST /api/v1/auth` and so on.
    async fn ask_v1(&self, route: &str, fields: &[(&str, JsValue)]) -> Result<Answer, Failure> {
        // An object of fields can always be made; a passkey becomes its JSON form.
        let body = object(fields).map_or_else(|_| String::new(), |body| json::text_of(&body));
        let route = format!("/api/v1/auth{route}");
        self.post(&route, body, Purpose::Ask).await
    }

    /// `POST /authenticate`. `code` is that of a second factor.
    pub(crate) async fn authenticate(
        &self,
        request: &Authenticate,
        code: Option<&str>,
    ) -> Result<Tokens, Failure> {
        let body = match code {
            Some(code) => json::text_with(request, "code", code),
            None => json::text(request),
        };
        decode_by(
            self.post("/authenticate", body, Purpose::Ask).await?,
            tokens,
        )
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
        let bearer = format!("Bearer {}", access_token.expose());
        let request = Request::get(&self.server.url(route)).header("Authorization", &bearer);
        exchange(request, None, Purpose::Ask)
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

/// How strong a new password is.
pub(crate) struct Strength {
    /// Whether it is hard to guess.
    pub(crate) is_hard: bool,
    /// Whether the server accepts it.
    pub(crate) is_enough: bool,
    /// What would help, in English.
    pub(crate) hint: Option<String>,
}

/// The fields of a new account; those without a value are left out.
fn account(
    Credentials { username, password }: &Credentials,
    email: Option<&str>,
    invite: Option<&str>,
) -> Vec<(&'static str, JsValue)> {
    let fields = [
        ("username", Some(username.as_str())),
        ("password", Some(password.expose())),
        ("email", email),
        ("invite", invite),
    ];
    let given = fields.into_iter();
    given
        .filter_map(|(name, value)| Some((name, value?.into())))
        .collect()
}

/// A response: its status, its body if that is JSON, and its `Retry-After` in seconds.
struct Answer {
    status: u16,
    body: Option<JsValue>,
    retry_after: Option<u32>,
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
    let retry_after = response.headers().get("Retry-After");
    Ok(Answer {
        status: response.status(),
        body: json::parse(&text),
        retry_after: retry_after.and_then(|seconds| seconds.parse().ok()),
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
    let (status, body) = (answer.status, answer.body);
    body.and_then(read)
        .ok_or(Failure::NoAnswer(NoAnswer::Unexpected { status }))
}

/// The sentence of a `wire::Message`.
fn message(body: JsValue) -> Option<String> {
    json::text_field(&body, "status").filter(|status| status == "ok")?;
    json::text_field(&body, "message")
}

fn failure(answer: Answer) -> Failure {
    let body = answer.body.unwrap_or(JsValue::UNDEFINED);
    let details = Details {
        code: json::text_field(&body, "code").unwrap_or_default(),
        challenge: json::text_field(&body, "challenge"),
        methods: json::field(&body, "methods")
            .and_then(|methods| methods.dyn_into::<Array>().ok())
            .map(|methods| methods.join(" ").into())
            .unwrap_or_default(),
        field: json::field(&body, "errors")
            .and_then(|errors| json::field(&errors, "0"))
            .and_then(|error| json::text_field(&error, "field")),
        retry_after: answer.retry_after,
    };
    Failure::from_response(answer.status, error_body(&body), details)
}

/// What is read of our error body.
fn error_body(body: &JsValue) -> Option<ErrorBody> {
    json::text_field(body, "status").filter(|status| status == "error")?;
    let code = json::text_field(body, "code")?;
    let code = ErrorCode::deserialize(StrDeserializer::<Unreadable>::new(&code)).ok()?;
    Some(ErrorBody::with_message(
        code,
        json::text_field(body, "message")?,
    ))
}
