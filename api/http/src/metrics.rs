//! `GET /metrics`, on a listener of its own: whoever reaches the public one must not read it.

use std::future::Future;
use std::pin::Pin;

use poem::endpoint::BoxEndpoint;
use poem::http::header::{ALLOW, CACHE_CONTROL};
use poem::http::{Method, StatusCode};
use poem::{Endpoint, EndpointExt as _, IntoResponse as _, Request, Response};

/// Makes the text.
pub type Render = dyn Fn() -> Pin<Box<dyn Future<Output = String> + Send>> + Send + Sync;

/// The path on the listener.
pub const PATH: &str = "/metrics";

/// Prometheus's text format.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The whole listener as one endpoint.
#[must_use]
pub fn endpoint(render: Box<Render>) -> BoxEndpoint<'static, Response> {
    Metrics { render }.boxed()
}

struct Metrics {
    render: Box<Render>,
}

impl Endpoint for Metrics {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        if request.uri().path() != PATH {
            return Ok(nothing_else(StatusCode::NOT_FOUND));
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let refused = nothing_else(StatusCode::METHOD_NOT_ALLOWED);
            return Ok(refused.with_header(ALLOW, "GET, HEAD").into_response());
        }
        Ok(Response::builder()
            .content_type(CONTENT_TYPE)
            .header(CACHE_CONTROL, "no-store")
            .body((self.render)().await))
    }
}

fn nothing_else(status: StatusCode) -> Response {
    "Only GET /metrics is here.\n"
        .with_status(status)
        .into_response()
}
