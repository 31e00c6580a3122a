//! The extractor. What it refuses is answered as the Password Auth server answers, so clients refresh and try again.

use password_auth_wire::{ErrorBody, ErrorCode};
use poem::error::ResponseError;
use poem::http::StatusCode;
use poem::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use poem::{FromRequest, Request, RequestBody, Response};

use crate::{Guard, Refused};

/// Extractor: whose request it is, by its access token. The route answers 401 to anybody else. It wants a [`Guard`] in
/// the request's data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The user, the same for ever.
    pub user_id: String,
    /// The user's name when the token was issued.
    pub username: String,
    /// The sign-in.
    pub session_id: String,
}

impl<'a> FromRequest<'a> for Caller {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        let guard = request.data::<Guard>().ok_or_else(|| {
            poem::Error::from_string(
                "the route was built without a Guard",
                StatusCode::INTERNAL_SERVER_ERROR,
            )
        })?;
        Ok(guard.verify(token(request)?).await?)
    }
}

/// The token of the header (RFC 6750 §2.1); the scheme's name compares without case (RFC 9110 §11.1).
fn token(request: &Request) -> Result<&str, Refused> {
    let mut values = request.headers().get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        let none = request.headers().get(AUTHORIZATION).is_none();
        return Err(if none {
            Refused::Missing
        } else {
            Refused::Invalid
        });
    };
    let (scheme, token) = value
        .to_str()
        .ok()
        .and_then(|value| value.trim().split_once(' '))
        .ok_or(Refused::Invalid)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Refused::Invalid);
    }
    Ok(token.trim_start())
}

impl Refused {
    const fn code(self) -> ErrorCode {
        match self {
            Self::Missing => ErrorCode::MissingToken,
            Self::Expired => ErrorCode::TokenExpired,
            Self::Invalid => ErrorCode::InvalidToken,
            Self::NoKeys => ErrorCode::ServiceUnavailable,
        }
    }
}

impl ResponseError for Refused {
    fn status(&self) -> StatusCode {
        match self {
            Self::NoKeys => StatusCode::SERVICE_UNAVAILABLE,
            Self::Missing | Self::Expired | Self::Invalid => StatusCode::UNAUTHORIZED,
        }
    }

    fn as_response(&self) -> Response {
        let body = serde_json::to_string(&ErrorBody::new(self.code())).unwrap_or_default();
        let (name, value) = match self {
            Self::NoKeys => (RETRY_AFTER, "1"),
            Self::Missing => (WWW_AUTHENTICATE, "Bearer"),
            Self::Expired | Self::Invalid => (WWW_AUTHENTICATE, r#"Bearer error="invalid_token""#),
        };
        Response::builder()
            .status(self.status())
            .header(CONTENT_TYPE, "application/json")
            .header(name, value)
            .body(body)
    }
}
