//! The requests of an actor, and what counts as a response.

use std::time::Duration;

use password_auth_wire::Tokens;
use reqwest::header::AUTHORIZATION;
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use super::{Actor, Cut, Server};
use crate::support::Reply;

/// How long the extension waits for an answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// A request to one of the servers.
pub(super) struct Request {
    server: Server,
    request: RequestBuilder,
}

impl Actor {
    pub(super) fn registration(&self, name: &str, password: &str) -> Request {
        let body = json!({"username": name, "password": password});
        self.request(Method::POST, "/register", |request| request.json(&body))
    }

    pub(super) fn authentication(&self, name: &str, password: &str) -> Request {
        let body = json!({"username": name, "password": password});
        self.request(Method::POST, "/authenticate", |request| request.json(&body))
    }

    pub(super) fn refreshing(&self, token: &str) -> Request {
        let body = json!({"refresh_token": token});
        self.request(Method::POST, "/refresh", |request| request.json(&body))
    }

    pub(super) fn greeting(&self, tokens: &Tokens) -> Request {
        self.request(Method::GET, "/protected", |request| {
            request.header(AUTHORIZATION, bearer(tokens))
        })
    }

    pub(super) fn signing_out(&self, tokens: &Tokens, by_bearer: bool) -> Request {
        self.request(Method::POST, "/logout", |request| {
            if by_bearer {
                request.header(AUTHORIZATION, bearer(tokens))
            } else {
                request.json(&json!({"refresh_token": tokens.refresh_token}))
            }
        })
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        with: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Request {
        let server = self.servers.next();
        let request = with(server.client.request(method, path)).timeout(ANSWER_WITHIN);
        Request { server, request }
    }

    /// An acknowledged write, or [`Cut`].
    pub(super) async fn ask(&mut self, request: Request) -> Result<Reply, Cut> {
        let answer = self.send(request).await;
        self.noted(answer)
    }

    /// The answer of a server that runs.
    pub(super) async fn must(&self, request: Request) -> Reply {
        self.send(request).await.ok().expect("the server answers")
    }

    /// The answer of a server; only one that is doomed may give none.
    pub(super) async fn send(&self, request: Request) -> Result<Reply, Cut> {
        let Request { server, request } = request;
        match server.client.try_send(request).await {
            Ok(reply) => {
                if reply.status == 503 {
                    server.note_unavailable();
                }
                Ok(reply)
            }
            Err(error) => {
                let excused = server.is_doomed() && !error.is_timeout();
                assert!(excused, "no answer: {error:?}");
                Err(Cut)
            }
        }
    }

    pub(super) fn noted(&mut self, answer: Result<Reply, Cut>) -> Result<Reply, Cut> {
        let reply = answer?;
        if reply.status == 503 {
            self.tally.unavailable += 1;
            return Err(Cut);
        }
        self.acknowledged.add_permits(1);
        Ok(reply)
    }
}

fn bearer(tokens: &Tokens) -> String {
    format!("Bearer {}", tokens.access_token.expose())
}
