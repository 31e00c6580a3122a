//! What all requests and responses need, whatever the route: the client's address, a limit for the body, one format for
//! errors, headers, CORS, and the log.

mod cors;
mod head;
mod headers;
mod log;
mod rests;

use std::future::Future;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use password_auth_core::tracing_context;
use password_auth_model::SharedClock;
use poem::endpoint::DynEndpoint;
use poem::http::header::{ALLOW, CONTENT_LENGTH};
use poem::http::{HeaderValue, Method, StatusCode};
use poem::{Body, Endpoint, IntoResponse, PathPattern, Request, Response};

pub use cors::CorsPolicy;
#[cfg(test)]
pub(crate) use head::is_host;

use self::cors::CorsAnswer;
use self::headers::SecurityHeaders;
use self::log::RequestLog;
use self::rests::Rests;
use super::client::ProxyTrust;
use super::context::{RequestContext, Services};
use super::cross_site::FormPolicy;
use super::error::{Dialect, Failure};
use super::measures::Measures;
use super::server::BodyTime;

/// The most headers of most responses, for the room that they need.
pub(super) const MOST_HEADERS: usize = 10;

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

/// Finds what answers a request.
pub(super) trait Routes: Send + Sync {
    fn find(&self, request: &Request) -> Found<'_>;
}

/// What answers a request.
pub(super) struct Found<'a> {
    pub(super) endpoint: &'a dyn DynEndpoint<Output = Response>,
    /// The pattern of the route, if the endpoint is not poem's `Route`, which notes it in the response.
    pub(super) pattern: Option<&'a PathPattern>,
}

/// A request that may go on. Neither is there for a preflight, which goes nowhere.
#[derive(Default)]
struct Admitted {
    client: Option<IpAddr>,
    /// The time for the body, if there is one to read.
    body: Option<BodyTime>,
}

/// The outermost endpoint. It always returns a response, never `Err`.
///
/// One async function, and few data in the request: with one for each concern, 60 KB were copied for each request, since
/// each future holds the request and the future inside it.
pub(super) struct Middleware<R> {
    routes: R,
    services: Arc<Services>,
    clock: SharedClock,
    cors: CorsPolicy,
    proxies: ProxyTrust,
    security: SecurityHeaders,
    allowed_methods: AllowedMethods,
    measures: Arc<Measures>,
    rests: Rests,
}

impl<R> Middleware<R> {
    pub(super) fn new(
        settings: &Settings,
        clock: SharedClock,
        services: Services,
        allowed_methods: AllowedMethods,
        routes: R,
    ) -> Self {
        Self {
            routes,
            services: Arc::new(services),
            clock,
            cors: settings.cors.clone(),
            proxies: settings.proxies.clone(),
            security: SecurityHeaders::new(settings.https),
            allowed_methods,
            measures: Arc::clone(&settings.measures),
            rests: Rests::new(),
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

    /// Checks the head of a request, and adds its context, unless it is a preflight.
    fn admit(&self, request: &mut Request, origin: &CorsAnswer) -> Result<Admitted, Failure> {
        head::check(request)?;
        if origin.is_preflight() {
            return Ok(Admitted::default());
        }
        let peer = request.remote_addr().as_socket_addr();
        let peer = peer.ok_or_else(|| Failure::internal("a connection without an address"))?;
        let client = self.proxies.client_address(peer.ip(), request.headers());
        request.set_data(RequestContext {
            client,
            services: Arc::clone(&self.services),
        });
        Ok(Admitted {
            client: Some(client),
            body: body_time(request)?,
        })
    }

    /// `found` is the pattern of the route, unless poem notes it in the error.
    fn failed(
        &self,
        error: poem::Error,
        found: Option<&PathPattern>,
        dialect: Dialect,
    ) -> Response {
        if error.is_from_response() {
            return error.into_response();
        }
        let mut response = Failure::of(&error).in_dialect(dialect).response();
        if response.status() == StatusCode::METHOD_NOT_ALLOWED
            && let Some(PathPattern(route)) = found.or_else(|| error.data())
            && let Some(methods) = (self.allowed_methods)(route)
        {
            response.headers_mut().insert(ALLOW, methods);
        }
        log::keep_route(&error, response)
    }
}

impl<R: Routes> Middleware<R> {
    async fn answer(
        &self,
        mut request: Request,
        log: RequestLog,
        origin: CorsAnswer,
    ) -> poem::Result<Response> {
        let dialect = Dialect::of(request.uri().path());
        let (mut client, mut pattern) = (None, None);
        let ready = match self.admit(&mut request, &origin) {
            Ok(admitted) => {
                client = admitted.client;
                match admitted.body {
                    // In memory of its own: most requests have no body.
                    Some(time) => Box::pin(buffer_body(&mut request, time)).await,
                    None => Ok(()),
                }
            }
            Err(failure) => Err(failure),
        };
        let answered = match ready {
            Ok(()) if origin.is_preflight() => Ok(StatusCode::NO_CONTENT.into_response()),
            Ok(()) => {
                let found = self.routes.find(&request);
                pattern = found.pattern;
                routed(found.endpoint, request).await
            }
            Err(failure) => Err(failure.into()),
        };
        let mut response = answered.unwrap_or_else(|error| self.failed(error, pattern, dialect));
        let headers = response.headers_mut();
        headers.reserve(MOST_HEADERS);
        self.security.apply(headers);
        self.cors.apply(origin, headers);
        log.finish(&mut response, pattern, &self.measures.requests);
        if let Some(client) = client {
            self.rests.mark(&mut response, client);
        }
        Ok(response)
    }
}

/// The response of the route, also if it panics: the hook has logged that.
fn routed(
    endpoint: &dyn DynEndpoint<Output = Response>,
    request: Request,
) -> impl Future<Output = poem::Result<Response>> + Send {
    let answered = AssertUnwindSafe(DynEndpoint::call(endpoint, request)).catch_unwind();
    answered.map(|answered| {
        // The same in both dialects.
        let internal = || Failure::Internal.in_dialect(Dialect::Demo).response();
        answered.unwrap_or_else(|_panic| Ok(internal()))
    })
}

impl<R: Routes> Endpoint for Middleware<R> {
    type Output = Response;

    /// Not an async function, which would hold the request twice.
    fn call(&self, request: Request) -> impl Future<Output = poem::Result<Response>> + Send {
        let log = RequestLog::start(
            self.clock.now(),
            request.method(),
            self.trace_parent(&request),
        );
        let origin = self.cors.answer_for(&request);
        tracing_context::within(log.id(), self.answer(request, log, origin))
    }
}

/// The time for the body, if there is one to read. Refuses a body that is announced to be too long.
fn body_time(request: &Request) -> Result<Option<BodyTime>, Failure> {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(None);
    }
    let announced = request
        .header(CONTENT_LENGTH)
        .and_then(|length| length.parse().ok());
    if announced.is_some_and(|length: usize| length > MAX_BODY_BYTES) {
        return Err(Failure::PayloadTooLarge);
    }
    // `server` sets it for every request with a body.
    Ok(request.data::<BodyTime>().cloned())
}

/// Reads the whole body first: bodies are small here, and poem's extractors have no limit.
async fn buffer_body(request: &mut Request, time: BodyTime) -> Result<(), Failure> {
    let body = request.take_body();
    let bytes = tokio::select! {
        biased;
        read = body.into_bytes_limit(MAX_BODY_BYTES) => read?,
        () = time.passes() => return Err(Failure::RequestTimeout),
    };
    request.set_body(Body::from_bytes(bytes));
    Ok(())
}
