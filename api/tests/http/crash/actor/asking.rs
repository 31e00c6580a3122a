//! How an actor asks: each request, and what counts as an answer.

use password_auth_wire::Tokens;
use reqwest::header::AUTHORIZATION;
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use super::{Actor, Gone};
use crate::support::Reply;

impl Actor {
    pub(super) fn registration(&self, name: &str, password: &str) -> RequestBuilder {
        let body = json!({"username": name, "password": password});
        self.client.request(Method::POST, "/register").json(&body)
    }

    pub(super) fn authentication(&self, name: &str, password: &str) -> RequestBuilder {
        let body = json!({"username": name, "password": password});
        let request = self.client.request(Method::POST, "/authenticate");
        request.json(&body)
    }

    pub(super) fn refreshing(&self, token: &str) -> RequestBuilder {
        let request = self.client.request(Method::POST, "/refresh");
        request.json(&json!({"refresh_token": token}))
    }

    pub(super) fn greeting(&self, tokens: &Tokens) -> RequestBuilder {
        let request = self.client.request(Method::GET, "/protected");
        request.header(AUTHORIZATION, bearer(tokens))
    }

    pub(super) fn signing_out(&self, tokens: &Tokens, by_bearer: bool) -> RequestBuilder {
        let request = self.client.request(Method::POST, "/logout");
        if by_bearer {
            request.header(AUTHORIZATION, bearer(tokens))
        } else {
            request.json(&json!({"refresh_token": tokens.refresh_token}))
        }
    }

    /// An acknowledged write, or [`Gone`].
    pub(super) async fn ask(&mut self, request: RequestBuilder) -> Result<Reply, Gone> {
        let answer = self.send(request).await;
        self.noted(answer)
    }

    /// The answer of a server that runs.
    pub(super) async fn must(&self, request: RequestBuilder) -> Reply {
        self.send(request).await.ok().expect("the server answers")
    }

    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Reply, Gone> {
        let response = request.send().await.map_err(|_| Gone)?;
        Ok(Reply {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            // A server that is killed can cut its answer: that is none.
            text: response.text().await.map_err(|_| Gone)?,
        })
    }

    pub(super) fn noted(&mut self, answer: Result<Reply, Gone>) -> Result<Reply, Gone> {
        let reply = answer?;
        if reply.status == 503 {
            self.tally.unavailable += 1;
            return Err(Gone);
        }
        self.acknowledged.add_permits(1);
        Ok(reply)
    }
}

fn bearer(tokens: &Tokens) -> String {
    format!("Bearer {}", tokens.access_token.expose())
}
