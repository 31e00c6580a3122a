//! Media types of bodies, by RFC 9110 §5.6.6 and §8.3.1.
//!
//! Poem's parser (`mime`) refuses blanks before a `;` and empty parameters.

use poem::Request;
use poem::http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use super::error::Failure;

/// A media type that a route accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MediaType {
    /// `application/json`, or another type with the suffix `+json`.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
}

impl MediaType {
    /// Whether the value of `Content-Type` is this type.
    fn is_named_by(self, value: &str) -> bool {
        let Some((kind, subtype)) = parse(value) else {
            return false;
        };
        let subtype = subtype.to_ascii_lowercase();
        kind.eq_ignore_ascii_case("application")
            && match self {
                Self::Json => subtype == "json" || subtype.ends_with("+json"),
                Self::Form => subtype == "x-www-form-urlencoded",
            }
    }
}

/// Checks that the body of a request has this type, and no `Content-Encoding` that is not supported.
pub(super) fn check(request: &Request, expected: MediaType) -> Result<(), Failure> {
    let mut types = request.headers().get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (types.next(), types.next()) else {
        return Err(Failure::UnsupportedMediaType);
    };
    let is_plain = |value: &poem::http::HeaderValue| {
        let codings = value.to_str().unwrap_or("?");
        codings
            .split(',')
            .map(|coding| coding.trim_matches(BLANKS))
            .all(|coding| coding.is_empty() || coding.eq_ignore_ascii_case("identity"))
    };
    let is_encoded = !request
        .headers()
        .get_all(CONTENT_ENCODING)
        .iter()
        .all(is_plain);
    if is_encoded
        || !value
            .to_str()
            .is_ok_and(|value| expected.is_named_by(value))
    {
        return Err(Failure::UnsupportedMediaType);
    }
    Ok(())
}

/// Optional white space (RFC 9110 §5.6.3).
const BLANKS: [char; 2] = [' ', '\t'];

/// Type and subtype, if the value is a media type.
fn parse(value: &str) -> Option<(&str, &str)> {
    let (name, parameters) = value.split_once(';').unwrap_or((value, ""));
    let (kind, subtype) = name.trim_matches(BLANKS).split_once('/')?;
    let (mut is_quoted, mut is_escaped) = (false, false);
    let mut parameters = parameters.split(|c| {
        let ends = c == ';' && !is_quoted;
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ => {}
        }
        ends
    });
    (is_token(kind) && is_token(subtype) && parameters.all(is_parameter)).then_some((kind, subtype))
}

/// A name and a value, or nothing.
fn is_parameter(text: &str) -> bool {
    let text = text.trim_matches(BLANKS);
    let is_quoted = |value: &str| value.len() > 1 && value.starts_with('"') && value.ends_with('"');
    text.is_empty()
        || text
            .split_once('=')
            .is_some_and(|(name, value)| is_token(name) && (is_token(value) || is_quoted(value)))
}

/// RFC 9110 §5.6.2.
fn is_token(text: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !text.is_empty() && text.chars().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::MediaType;

    #[test]
    fn blanks_around_semicolons_and_empty_parameters_are_allowed() {
        for value in [
            "application/json",
            "Application/JSON",
            "application/json;charset=utf-8",
            "application/json ;charset=utf-8",
            "application/json\t;\tcharset=UTF-8 \t; ; a=\"b;c\\\";d\"",
            "application/json;",
            " application/json ; ",
            "application/problem+json",
        ] {
            assert!(MediaType::Json.is_named_by(value), "{value}");
        }
        assert!(MediaType::Form.is_named_by("application/x-www-form-urlencoded ; charset=utf-8;"));
    }

    #[test]
    fn another_type_or_what_is_none_is_not_taken() {
        for value in [
            "",
            "json",
            "application",
            "application/",
            "application /json",
            "application/json, text/plain",
            "application/json charset=utf-8",
            "application/json; charset",
            "application/json; charset = utf-8",
            "application/json; a=\"b",
            "text/plain; application/json",
            "text/json",
            "application/json+xml",
        ] {
            assert!(!MediaType::Json.is_named_by(value), "{value}");
        }
        assert!(!MediaType::Form.is_named_by("application/json"));
    }
}
