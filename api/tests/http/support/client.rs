//! A client for one server that checks every response against the OpenAPI document.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use password_auth_wire::{ErrorBody, ErrorCode, Tokens};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use serde_json::{Value, json};

use super::{PASSWORD, contract};

#[derive(Clone)]
pub struct TestClient {
    base: String,
    http: reqwest::Client,
    /// Others that ask in turn with it, from addresses of their own.
    others: Arc<[reqwest::Client]>,
    turn: Arc<AtomicUsize>,
}

const ADDRESSES: u8 = 32;

/// After how long a connection is used no more that no request has used since. The server closes one that was never
/// used after 10 s, and a request that meets the end of its connection has no answer.
const IDLE: Duration = Duration::from_secs(5);

fn http(from: Option<IpAddr>) -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .local_address(from)
        .pool_idle_timeout(IDLE)
        .build()
        .expect("a client")
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl TestClient {
    pub fn new(base: &str) -> Self {
        Self {
            base: base.to_owned(),
            http: http(None),
            others: Arc::default(),
            turn: Arc::default(),
        }
    }

    /// As so many hosts of one network, which ask in turn: the server gives each address a share of what it has, and
    /// what is tested is not that.
    pub fn with_many_addresses(self) -> Self {
        let addresses = (1..=ADDRESSES).map(|host| IpAddr::from([127, 1, 0, host]));
        Self {
            others: addresses.map(|address| http(Some(address))).collect(),
            ..self
        }
    }

    fn http(&self) -> &reqwest::Client {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let number = turn.checked_rem(self.others.len());
        number.map_or(&self.http, |number| &self.others[number])
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http().request(method, format!("{}{path}", self.base))
    }

    /// Sends and reads; an answer that the OpenAPI document does not know fails the test.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        self.try_send(request).await.expect("an answer")
    }

    /// As [`send`](Self::send); an error if there is no whole answer.
    pub async fn try_send(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<Reply, reqwest::Error> {
        let request = request.build().expect("a request");
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let reply = Reply::read(self.http().execute(request).await?).await?;
        contract::check(&method, &path, &reply);
        Ok(reply)
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn get_as(&self, path: &str, access_token: &str) -> Reply {
        let request = self.request(Method::GET, path);
        self.send(request.header(AUTHORIZATION, format!("Bearer {access_token}")))
            .await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    pub async fn post_text(
        &self,
        path: &str,
        content_type: &str,
        body: impl Into<reqwest::Body>,
    ) -> Reply {
        let request = self.request(Method::POST, path);
        self.send(request.header(CONTENT_TYPE, content_type).body(body))
            .await
    }

    pub async fn register(&self, username: &str) -> Reply {
        self.post(
            "/register",
            &json!({"username": username, "password": PASSWORD}),
        )
        .await
    }

    pub async fn authenticate(&self, username: &str, password: &str) -> Reply {
        self.post(
            "/authenticate",
            &json!({"username": username, "password": password}),
        )
        .await
    }

    /// Registers and signs in somebody new.
    pub async fn sign_up(&self, username: &str) -> Tokens {
        self.register(username).await.expect_ok();
        self.authenticate(username, PASSWORD).await.tokens()
    }

    pub async fn refresh(&self, refresh_token: &str) -> Reply {
        self.post("/refresh", &json!({"refresh_token": refresh_token}))
            .await
    }

    /// Uses an access token, which confirms its generation.
    pub async fn protected(&self, tokens: &Tokens) -> Reply {
        self.get_as("/protected", tokens.access_token.expose())
            .await
    }
}

impl Reply {
    /// As far as it comes.
    pub async fn read(response: reqwest::Response) -> Result<Self, reqwest::Error> {
        Ok(Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await?,
        })
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("a text"))
            .unwrap_or_default()
    }

    #[track_caller]
    pub fn expect_ok(self) -> Self {
        assert_eq!(self.status, 200, "{self:?}");
        self
    }

    #[track_caller]
    pub fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// A success of the account system, with its sentence.
    #[track_caller]
    pub fn expect_done(&self, message: &str) {
        assert_eq!(self.status, 200, "{self:?}");
        assert_eq!(self.json(), json!({"message": message, "success": true}));
    }

    /// What a server in development tells of a mailed token.
    #[track_caller]
    pub fn dev_token(&self) -> String {
        let body = self.json();
        let message = body["message"].as_str().unwrap_or_default();
        let (_, token) = message
            .split_once(" (DEV ONLY): ")
            .unwrap_or_else(|| panic!("no token: {self:?}"));
        token.to_owned()
    }

    #[track_caller]
    pub fn tokens(self) -> Tokens {
        serde_json::from_str(&self.expect_ok().text).expect("a pair of tokens")
    }

    /// The error, if the answer is that failure.
    #[track_caller]
    pub fn expect_failure(&self, status: u16, code: ErrorCode) -> ErrorBody {
        assert_eq!(self.status, status, "{self:?}");
        let body: ErrorBody = serde_json::from_str(&self.text).expect("an error body");
        assert_eq!(body.code, code, "{self:?}");
        body
    }

    #[track_caller]
    pub fn expect_message(&self, status: u16, code: ErrorCode, message: &str) {
        assert_eq!(self.expect_failure(status, code).message, message);
    }
}
