//! One line in the log for each request: id, method, route, status, time. Never a path that somebody
//! typed, a query, a header or a body, which may hold secrets.

use std::time::Instant;

use password_auth_model::{RequestId, Timestamp};
use poem::http::{HeaderValue, Method};
use poem::{PathPattern, Response};

use crate::error::AnsweredCode;

/// The header that names the log's line.
const X_REQUEST_ID: &str = "x-request-id";

pub(super) struct RequestLog {
    id: RequestId,
    method: Method,
    started: Instant,
}

impl RequestLog {
    pub(super) fn start(now: Timestamp, method: &Method) -> Self {
        Self {
            id: RequestId::new(now),
            method: method.clone(),
            started: Instant::now(),
        }
    }

    pub(super) fn finish(self, response: &mut Response) {
        let id = self.id.to_string();
        let route = response
            .data::<PathPattern>()
            .map(|pattern| &*pattern.0)
            .filter(|pattern| !pattern.is_empty())
            .unwrap_or("-");
        let code = response
            .data::<AnsweredCode>()
            .and_then(|AnsweredCode(code)| serde_json::to_value(code).ok());
        tracing::event!(
            target: "password_auth::request",
            tracing::Level::INFO,
            request.id = id,
            http.method = self.method.as_str(),
            http.route = route,
            http.status = response.status().as_u16(),
            error.code = code.as_ref().and_then(serde_json::Value::as_str),
            elapsed_us = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX),
            "answered"
        );
        if let Ok(value) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(X_REQUEST_ID, value);
        }
    }
}

/// The route that failed, for the log's line of the answer that its error became.
pub(super) fn keep_route(error: &poem::Error, mut response: Response) -> Response {
    if let Some(pattern) = error.data::<PathPattern>() {
        response.set_data(pattern.clone());
    }
    response
}
