//! What all requests and responses need, whatever the route: the client's address, a limit for the body, one format for
//! errors, headers, CORS, and the log.

mod cors;
mod head;
mod headers;
mod log;

use std::sync::Arc;

use password_auth_core::tracing_context;
use password_auth_model::SharedClock;
use poem::http::header::{ALLOW, CONTENT_LENGTH};
use poem::http::{HeaderValue, Method, StatusCode};
use poem::middleware::{CatchPanic, CatchPanicEndpoint, PanicHandler};
use poem::{Body, Endpoint, IntoResponse, Middleware as _, PathPattern, Request, Response};

pub use cors::CorsPolicy;

use self::headers::SecurityHeaders;
use self::log::RequestLog;
use super::client::{ClientAddress, ProxyTrust};
use super::cross_site::FormPolicy;
use super::error::{Dialect, Failure};
use super::measures::{Measures, Paths};
use super::server::BodyTime;

/// The largest body that any route takes.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// Which trace a request belongs to (W3C Trace Context), and its length in the only version that there is.
const TRACE_PARENT: &str = "traceparent";
const TRACE_PARENT_BYTES: usize = 55;

/// The settings of the middleware.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The origins that may call from a browser.
    pub cors: CorsPolicy,
    /// The origins whose pages may send forms.
    pub forms: FormPolicy,
    /// The proxies whose `X-Forwarded-For` is trusted.
    pub proxies: ProxyTrust,
    /// Whether users reach the server with https.
    pub https: bool,
    /// What the server counts.
    pub measures: Arc<Measures>,
}

/// The `Allow` header of a 405, by the route.
type AllowedMethods = fn(&str) -> Option<HeaderValue>;

/// The outermost endpoint. It always returns a response, never `Err`.
pub(super) struct Middleware<E> {
    routes: CatchPanicEndpoint<E, Panicked>,
    clock: SharedClock,
    cors: CorsPolicy,
    proxies: ProxyTrust,
    security: SecurityHeaders,
    allowed_methods: AllowedMethods,
    paths: Paths,
    measures: Arc<Measures>,
}

impl<E: Endpoint> Middleware<E> {
    pub(super) fn new(
        settings: &Settings,
        clock: SharedClock,
        (allowed_methods, paths): (AllowedMethods, Paths),
        routes: E,
    ) -> Self {
        Self {
            routes: CatchPanic::new().with_handler(Panicked).transform(routes),
            clock,
            cors: settings.cors.clone(),
            proxies: settings.proxies.clone(),
            security: SecurityHeaders::new(settings.https),
            allowed_methods,
            paths,
            measures: Arc::clone(&settings.measures),
        }
    }

    /// What a trusted proxy says of the trace, in a build that has traces. A stranger would join, or hide, whatever
    /// traces they like.
    fn trace_parent(&self, request: &Request) -> Option<HeaderValue> {
        if !cfg!(feature = "otel") {
            return None;
        }
        let parent = request.headers().get(TRACE_PARENT)?;
        let peer = request.remote_addr().as_socket_addr()?.ip();
        let counts = parent.len() == TRACE_PARENT_BYTES && self.proxies.trusts(peer.to_canonical());
        counts.then(|| parent.clone())
    }

    async fn answer(&self, request: Request) -> Response {
        let dialect = Dialect::of(request.uri().path());
        let error = match self.routed(request).await {
            Ok(response) => return response,
            Err(error) => error,
        };
        if error.is_from_response() {
            return error.into_response();
        }
        let mut response = Failure::of(&error).in_dialect(dialect).response();
        if response.status() == StatusCode::METHOD_NOT_ALLOWED
            && let Some(PathPattern(route)) = error.data()
            && let Some(methods) = (self.allowed_methods)(route)
        {
            response.headers_mut().insert(ALLOW, methods);
        }
        log::keep_route(&error, response)
    }

    async fn routed(&self, mut request: Request) -> poem::Result<Response> {
        head::check(&request)?;
        if self.cors.is_preflight(&request) {
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        let peer = request
            .remote_addr()
            .as_socket_addr()
            .map(std::net::SocketAddr::ip);
        let Some(peer) = peer else {
            return Err(Failure::internal("a connection without an address").into());
        };
        let address = self.proxies.client_address(peer, request.headers());
        request.set_data(ClientAddress(address));
        buffer_body(&mut request).await?;
        let response = self.routes.call(request).await?;
        Ok(response.into_response())
    }
}

impl<E: Endpoint> Endpoint for Middleware<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let log = RequestLog::start(
            self.clock.now(),
            request.method(),
            self.trace_parent(&request),
        );
        let origin = self.cors.answer_for(&request);
        tracing_context::within(log.id(), async {
            let mut response = self.answer(request).await;
            self.security.apply(response.headers_mut());
            self.cors.apply(origin, response.headers_mut());
            log.finish(&mut response, &self.measures.requests, self.paths);
            Ok(response)
        })
        .await
    }
}

/// Reads the whole body first: bodies are small here, and poem's extractors have no limit.
async fn buffer_body(request: &mut Request) -> Result<(), Failure> {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(());
    }
    let announced = request
        .header(CONTENT_LENGTH)
        .and_then(|length| length.parse().ok());
    if announced.is_some_and(|length: usize| length > MAX_BODY_BYTES) {
        return Err(Failure::PayloadTooLarge);
    }
    // `server` sets it for every request with a body.
    let Some(time) = request.data::<BodyTime>().cloned() else {
        return Ok(());
    };
    let body = request.take_body();
    let bytes = tokio::select! {
        biased;
        read = body.into_bytes_limit(MAX_BODY_BYTES) => read?,
        () = time.passes() => return Err(Failure::RequestTimeout),
    };
    request.set_body(Body::from_bytes(bytes));
    Ok(())
}

/// The response for a handler that panicked. The hook has logged the panic.
#[derive(Clone)]
pub(super) struct Panicked;

impl PanicHandler for Panicked {
    type Response = Response;

    fn get_response(&self, _payload: Box<dyn std::any::Any + Send + 'static>) -> Response {
        // The same in both dialects.
        Failure::Internal.in_dialect(Dialect::Demo).response()
    }
}
