//! Describes a route in the OpenAPI document: its response with an example, and its errors with their bodies.
//!
//! A handler returns a [`RouteResult`] of its route. The errors are examples of the same [`Failure`]s that are rendered,
//! so the document always matches the statuses and sentences that are sent.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use password_auth_wire::{ErrorBody, Secret};
use poem::http::header::CONTENT_TYPE;
use poem::http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode, Version};
use poem::{Body, IntoResponse, Response, ResponseParts};
use poem_openapi::payload::{Json, Payload};
use poem_openapi::registry::{
    MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry,
};
use poem_openapi::types::{ToJSON, Type};
use poem_openapi::{ApiResponse, Object};
use serde::Serialize;

use super::error::{Dialect, Failure};
use super::middleware::MOST_HEADERS;

/// A route, described.
pub(super) trait Route: Send + Sync + 'static {
    /// The body on success.
    type Body: ToJSON + Send + Sync;

    /// The dialect of its errors.
    const DIALECT: Dialect = Dialect::Demo;

    /// The status on success: 200, 201, or 204, which has no body.
    const STATUS: StatusCode = StatusCode::OK;

    /// What that status means.
    const DESCRIPTION: &'static str;

    /// An example of the body.
    fn example() -> Self::Body;

    /// The body as it is sent. Where that is often, without poem-openapi's detour over a tree of values.
    fn json(body: &Self::Body) -> Vec<u8> {
        body.to_json_string().into_bytes()
    }

    /// The headers that go with the body.
    fn headers(body: &Self::Body) -> Vec<(HeaderName, HeaderValue)> {
        let _ = body;
        Vec::new()
    }

    /// The errors of the route, except for those that every route has.
    fn refusals() -> Vec<Failure>;
}

/// For [`Route::json`], if the type has serde's form of the same JSON.
pub(super) fn by_serde(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).unwrap_or_default()
}

/// The body of a 204: none.
#[derive(Object)]
pub(super) struct NoBody {}

/// The result of a handler. `?` turns domain errors into responses.
pub(super) type RouteResult<R> = Result<Success<R>, Rejection<R>>;

/// Success.
pub(super) struct Success<R: Route>(pub(super) R::Body);

/// The result of a handler with a long response.
pub(super) type StreamedResult<R> = Result<Streamed<R>, Rejection<R>>;

/// Success, with a body that is built while it is sent: the JSON of an `R::Body`.
pub(super) struct Streamed<R> {
    body: Body,
    route: PhantomData<R>,
}

impl<R> Streamed<R> {
    pub(super) const fn new(body: Body) -> Self {
        Self {
            body,
            route: PhantomData,
        }
    }
}

impl<R: Route> IntoResponse for Streamed<R> {
    fn into_response(self) -> Response {
        Response::builder()
            .status(R::STATUS)
            .content_type(Json::<R::Body>::CONTENT_TYPE)
            .body(self.body)
    }
}

impl<R: Route> ApiResponse for Streamed<R> {
    fn meta() -> MetaResponses {
        Success::<R>::meta()
    }

    fn register(registry: &mut Registry) {
        Success::<R>::register(registry);
    }
}

/// An error response.
pub(super) struct Rejection<R> {
    failure: Failure,
    route: PhantomData<R>,
}

impl<R, E: Into<Failure>> From<E> for Rejection<R> {
    fn from(error: E) -> Self {
        Self {
            failure: error.into(),
            route: PhantomData,
        }
    }
}

impl<R: Route> From<Rejection<R>> for poem::Error {
    fn from(rejection: Rejection<R>) -> Self {
        rejection.failure.into()
    }
}

impl<R: Route> IntoResponse for Success<R> {
    fn into_response(self) -> Response {
        // With room for those that every response gets: a map that grows is built again.
        let mut headers = HeaderMap::with_capacity(MOST_HEADERS);
        headers.extend(R::headers(&self.0));
        let body = match R::STATUS {
            StatusCode::NO_CONTENT => Body::empty(),
            _ => {
                let json = const { HeaderValue::from_static(Json::<R::Body>::CONTENT_TYPE) };
                headers.insert(CONTENT_TYPE, json);
                Body::from_vec(R::json(&self.0))
            }
        };
        let parts = ResponseParts {
            status: R::STATUS,
            version: Version::default(),
            headers,
            extensions: Extensions::default(),
        };
        Response::from_parts(parts, body)
    }
}

impl<R: Route> ApiResponse for Success<R> {
    fn meta() -> MetaResponses {
        let content = match R::STATUS {
            StatusCode::NO_CONTENT => Vec::new(),
            _ => content(R::Body::schema_ref(), R::example().to_json()),
        };
        MetaResponses {
            responses: vec![MetaResponse {
                description: R::DESCRIPTION,
                status: Some(R::STATUS.as_u16()),
                status_range: None,
                content,
                headers: R::headers(&R::example())
                    .into_iter()
                    .map(|(name, _)| described(name.to_string()))
                    .collect(),
            }],
        }
    }

    fn register(registry: &mut Registry) {
        if R::STATUS != StatusCode::NO_CONTENT {
            R::Body::register(registry);
        }
    }
}

impl<R: Route> ApiResponse for Rejection<R> {
    fn meta() -> MetaResponses {
        let mut by_status: BTreeMap<u16, Vec<Failure>> = BTreeMap::new();
        for failure in R::refusals().into_iter().chain(refusals_of_every_route()) {
            by_status
                .entry(failure.in_dialect(R::DIALECT).status().as_u16())
                .or_default()
                .push(failure);
        }
        MetaResponses {
            responses: by_status
                .into_iter()
                .map(|(status, failures)| describe(R::DIALECT, status, &failures))
                .collect(),
        }
    }

    fn register(registry: &mut Registry) {
        ErrorBody::register(registry);
    }
}

/// An example of the answer to the right password of an account with a second factor.
pub(super) fn second_factor_required() -> Failure {
    let challenge = Secret::new("AQEBmuz1o8G30u-fBFtsfY6fAAAAAAAAAAGbQ…");
    Failure::SecondFactorRequired(challenge, vec!["totp", "recovery_code"])
}

/// The errors of each route that needs an access token.
pub(super) fn refusals_of_callers() -> Vec<Failure> {
    vec![
        Failure::MissingToken,
        Failure::TokenExpired,
        Failure::InvalidToken,
    ]
}

fn refusals_of_every_route() -> [Failure; 4] {
    [
        Failure::RequestTimeout,
        Failure::PayloadTooLarge,
        Failure::Internal,
        Failure::Unavailable(std::time::Duration::from_secs(1)),
    ]
}

/// One status, with all its codes. The body of the first is the example.
fn describe(dialect: Dialect, status: u16, failures: &[Failure]) -> MetaResponse {
    let lines: Vec<String> = failures
        .iter()
        .map(|failure| {
            let code = failure.code().to_json();
            let code = code
                .as_ref()
                .and_then(serde_json::Value::as_str)
                .unwrap_or_default();
            format!("`{code}`: {}", failure.in_dialect(dialect).body().message)
        })
        .collect();
    let headers = failures
        .iter()
        .filter_map(|failure| failure.in_dialect(dialect).header())
        .map(|(name, _)| name.to_string())
        .next()
        .map(described);
    MetaResponse {
        description: lines.join("\n\n").leak(),
        status: Some(status),
        status_range: None,
        content: content(
            ErrorBody::schema_ref(),
            failures
                .first()
                .and_then(|failure| failure.in_dialect(dialect).body().to_json()),
        ),
        headers: headers.into_iter().collect(),
    }
}

fn described(name: String) -> MetaHeader {
    MetaHeader {
        description: None,
        required: true,
        deprecated: false,
        schema: String::schema_ref(),
        name,
    }
}

fn content(schema: MetaSchemaRef, example: Option<serde_json::Value>) -> Vec<MetaMediaType> {
    vec![MetaMediaType {
        content_type: Json::<ErrorBody>::CONTENT_TYPE,
        schema: MetaSchemaRef::Inline(Box::new(MetaSchema {
            all_of: vec![schema],
            example,
            ..MetaSchema::ANY
        })),
    }]
}
