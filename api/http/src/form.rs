//! Forms from pages and the OAuth2 password flow.
//!
//! The form extractors of poem and poem-openapi replace bytes that are not UTF-8 with U+FFFD, so that different
//! passwords would be the same. All forms from pages of other sites are refused here.

use percent_encoding::percent_decode;
use poem::{FromRequest, Request, RequestBody};
use poem_openapi::payload::{Form, Payload as _};
use poem_openapi::registry::{MetaMediaType, MetaRequest, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use serde::de::DeserializeOwned;

use super::body::read;
use super::context::RequestContext;
use super::error::Failure;
use super::media_type::{MediaType, check};

/// The form of a route that the OpenAPI document describes.
pub(super) struct ApiForm<T>(pub(super) T);

/// The form of a page.
pub(super) struct PageForm<T>(pub(super) T);

async fn parse<T: DeserializeOwned>(request: &Request, body: &mut RequestBody) -> poem::Result<T> {
    let context = RequestContext::of(request)?;
    context.services.forms.check(request.headers())?;
    let bytes = read(body).await?;
    check(request, MediaType::Form)?;
    Ok(decode(&bytes)?)
}

/// Reads a form whose text is UTF-8.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    // The separators are ASCII, so a character cannot span two fields.
    let decoded: Vec<u8> = percent_decode(bytes).collect();
    std::str::from_utf8(&decoded).map_err(|_| Failure::Unreadable)?;
    serde_urlencoded::from_bytes(bytes).map_err(|_| Failure::Unreadable)
}

impl<'a, T: DeserializeOwned> FromRequest<'a> for PageForm<T> {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        parse(request, body).await.map(Self)
    }
}

impl<'a, T: DeserializeOwned + Type> ApiExtractor<'a> for ApiForm<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        Some(MetaRequest {
            description: None,
            content: vec![MetaMediaType {
                content_type: Form::<T>::CONTENT_TYPE,
                schema: T::schema_ref(),
            }],
            required: true,
        })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        parse(request, body).await.map(Self)
    }
}
