//! What every request and every answer needs, whichever route it is for: the client's address, a bounded
//! body, one error body for whatever fails, headers, CORS, a line in the log.

mod cors;
mod head;
mod headers;
mod log;

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
use super::error::Failure;
use super::server::BodyTime;

/// The largest body that any route takes.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// Who may call from where.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who may call from a browser.
    pub cors: CorsPolicy,
    /// Whose pages may send forms.
    pub forms: FormPolicy,
    /// Whose `X-Forwarded-For` is believed.
    pub proxies: ProxyTrust,
    /// Whether people reach the server by https.
    pub https: bool,
}

/// The `Allow` header of a 405, by the route.
type AllowedMethods = fn(&str) -> Option<HeaderValue>;

/// The outermost endpoint. It answers always: its `Err` is never used.
pub(super) struct Middleware<E> {
    routes: CatchPanicEndpoint<E, Panicked>,
    clock: SharedClock,
    cors: CorsPolicy,
    proxies: ProxyTrust,
    security: SecurityHeaders,
    allowed_methods: AllowedMethods,
}

impl<E: Endpoint> Middleware<E> {
    pub(super) fn new(
        settings: &Settings,
        clock: SharedClock,
        allowed_methods: AllowedMethods,
        routes: E,
    ) -> Self {
        Self {
            routes: CatchPanic::new().with_handler(Panicked).transform(routes),
            clock,
            cors: settings.cors.clone(),
            proxies: settings.proxies.clone(),
            security: SecurityHeaders::new(settings.https),
            allowed_methods,
        }
    }

    async fn answer(&self, mut request: Request) -> Response {
        if let Err(failure) = head::check(&request) {
            return failure.into_response();
        }
        if self.cors.is_preflight(&request) {
            return StatusCode::NO_CONTENT.into_response();
        }
        let peer = request
            .remote_addr()
            .as_socket_addr()
            .map(std::net::SocketAddr::ip);
        let Some(peer) = peer else {
            return Failure::internal("a connection without an address").into_response();
        };
        let address = self.proxies.client_address(peer, request.headers());
        request.set_data(ClientAddress(address));
        if let Err(failure) = buffer_body(&mut request).await {
            return failure.into_response();
        }
        let error = match self.routes.call(request).await {
            Ok(response) => return response,
            Err(error) => error,
        };
        if error.is_from_response() {
            return error.into_response();
        }
        let mut response = Failure::from_framework(&error).into_response();
        if response.status() == StatusCode::METHOD_NOT_ALLOWED
            && let Some(PathPattern(route)) = error.data()
            && let Some(methods) = (self.allowed_methods)(route)
        {
            response.headers_mut().insert(ALLOW, methods);
        }
        log::keep_route(&error, response)
    }
}

impl<E: Endpoint> Endpoint for Middleware<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let log = RequestLog::start(self.clock.now(), request.method());
        let origin = self.cors.answer_for(&request);
        let mut response = self.answer(request).await;
        self.security.apply(response.headers_mut());
        self.cors.apply(origin, response.headers_mut());
        log.finish(&mut response);
        Ok(response)
    }
}

/// Reads the body whole before anything looks at it: bodies here are tiny, and poem's extractors have no
/// limit of their own.
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
    // `server` gives it to every request with a body.
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

/// Answers for a handler that panicked; the panic itself went to the log by the hook.
#[derive(Clone)]
pub(super) struct Panicked;

impl PanicHandler for Panicked {
    type Response = Response;

    fn get_response(&self, _payload: Box<dyn std::any::Any + Send + 'static>) -> Response {
        Failure::Internal.into_response()
    }
}
