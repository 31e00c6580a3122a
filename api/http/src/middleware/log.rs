//! Logs one line for each request: id, session, method, route, status, time. Never the path, query, headers or body,
//! which may contain secrets.

use std::time::Instant;

use password_auth_core::tracing_context;
use password_auth_model::{RequestId, Timestamp};
use poem::http::{HeaderName, HeaderValue, Method};
use poem::{PathPattern, Response};

use crate::error::AnsweredCode;
use crate::measures::Requests;

/// The header with the id of the request in the log.
static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

pub(super) struct RequestLog {
    id: RequestId,
    method: Method,
    started: Instant,
    /// Which trace the request belongs to (W3C Trace Context), if somebody who is trusted says so.
    trace_parent: Option<HeaderValue>,
}

impl RequestLog {
    pub(super) fn start(
        now: Timestamp,
        method: &Method,
        trace_parent: Option<HeaderValue>,
    ) -> Self {
        Self {
            id: RequestId::new(now),
            method: method.clone(),
            started: Instant::now(),
            trace_parent,
        }
    }

    pub(super) const fn id(&self) -> RequestId {
        self.id
    }

    /// The route is the one that was found, or the one that poem notes in the response.
    pub(super) fn finish(
        self,
        response: &mut Response,
        found: Option<&PathPattern>,
        requests: &Requests,
    ) {
        let elapsed = self.started.elapsed();
        let id = self.id.to_string();
        let route = found
            .or_else(|| response.data::<PathPattern>())
            .map(|pattern| &*pattern.0)
            .filter(|pattern| !pattern.is_empty())
            .unwrap_or("-");
        requests.record((route, &self.method), response.status(), elapsed);
        let code = response
            .data::<AnsweredCode>()
            .map(|AnsweredCode(code)| code.name());
        tracing::event!(
            target: "password_auth::request",
            tracing::Level::INFO,
            request.id = id.as_str(),
            session.id = tracing_context::session().map(tracing::field::display),
            http.method = self.method.as_str(),
            http.route = route,
            http.status = response.status().as_u16(),
            error.code = code,
            elapsed_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
            trace.parent = self.trace_parent.as_ref().and_then(|parent| parent.to_str().ok()),
            "answered"
        );
        if let Ok(value) = HeaderValue::try_from(id) {
            response.headers_mut().insert(&X_REQUEST_ID, value);
        }
    }
}

/// Keeps the route of a failed request, for the log.
pub(super) fn keep_route(error: &poem::Error, mut response: Response) -> Response {
    if let Some(pattern) = error.data::<PathPattern>() {
        response.set_data(pattern.clone());
    }
    response
}
