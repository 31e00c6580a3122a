//! Checks for every response: it is in the OpenAPI document, errors have the error body or are a page, and headers are
//! set.

use std::sync::LazyLock;

use password_auth_wire::ErrorBody;
use reqwest::Method;
use serde_json::Value;

use super::Reply;

/// People look at these, and so at what they refuse.
const PAGES: [&str; 4] = [
    "/forgot-password",
    "/reset-password",
    "/verify-email",
    "/join",
];

/// The reviewed document; `openapi.rs` holds the server to it.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../openapi.json")).expect("the snapshot is JSON")
});

#[track_caller]
pub fn check(method: &Method, path: &str, reply: &Reply) {
    // Only public keys may be kept.
    let kept = match path {
        "/.well-known/jwks.json" => "max-age=300",
        _ => "no-store",
    };
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", kept),
    ] {
        assert_eq!(
            reply.header(name),
            value,
            "{name} of {method} {path}: {reply:?}"
        );
    }
    assert!(!reply.header("x-request-id").is_empty(), "{reply:?}");
    if reply.status >= 400 && method != Method::HEAD {
        check_error(method, path, reply);
    }
    if let Some(operation) = operation(method, path) {
        check_documented(operation, method, path, reply);
    }
}

/// What the document says of a route: of that very path, or else of the template that it fits.
fn operation(method: &Method, path: &str) -> Option<&'static Value> {
    let paths = DOCUMENT["paths"].as_object()?;
    let route = paths.get(path).or_else(|| {
        let (_, route) = paths.iter().find(|(template, _)| fits(template, path))?;
        Some(route)
    })?;
    route.get(method.as_str().to_lowercase())
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path) = (template.split('/'), path.split('/'));
    template.clone().count() == path.clone().count()
        && template
            .zip(path)
            .all(|(part, given)| part == given || (part.starts_with('{') && !given.is_empty()))
}

#[track_caller]
fn check_error(method: &Method, path: &str, reply: &Reply) {
    let is_page = reply.header("content-type").starts_with("text/html");
    if !(is_page && PAGES.contains(&path)) {
        let body: ErrorBody = serde_json::from_str(&reply.text)
            .unwrap_or_else(|_| panic!("{method} {path} has another error body: {reply:?}"));
        assert_eq!(body.detail, body.message, "{reply:?}");
    }
    let needed = match reply.status {
        401 => "www-authenticate",
        405 => "allow",
        429 | 503 => "retry-after",
        _ => return,
    };
    assert!(
        !reply.header(needed).is_empty(),
        "{needed} is missing: {reply:?}"
    );
}

#[track_caller]
fn check_documented(operation: &Value, method: &Method, path: &str, reply: &Reply) {
    let response = &operation["responses"][reply.status.to_string()];
    assert!(
        response.is_object(),
        "{method} {path} does not document {}: {reply:?}",
        reply.status
    );
    let content = &response["content"]["application/json; charset=utf-8"];
    if content.is_object() && method != Method::HEAD {
        check_value(
            &reply.json(),
            &content["schema"],
            &format!("{method} {path}"),
        );
    }
    if reply.status >= 400 {
        let code = reply.json()["code"].as_str().expect("a code").to_owned();
        let description = response["description"].as_str().expect("a description");
        assert!(
            description.contains(&format!("`{code}`")),
            "{method} {path} does not document {code}: {reply:?}"
        );
    }
}

/// Holds a value against its schema: its type, and of an object that it has what it must and nothing that is not
/// described. Nothing is null unless the schema says so.
#[track_caller]
fn check_value(value: &Value, schema: &Value, place: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.trim_start_matches('#');
        let schema = DOCUMENT.pointer(name).expect("a schema");
        return check_value(value, schema, place);
    }
    if value.is_null() {
        assert_eq!(schema["nullable"], true, "{place} is null");
        return;
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        check_value(value, part, place);
    }
    if let Some(names) = schema["enum"].as_array() {
        assert!(names.contains(value), "{place} is {value}");
    }
    match schema["type"].as_str() {
        None => {}
        Some("string") => assert!(value.is_string(), "{place} is {value}"),
        Some("boolean") => assert!(value.is_boolean(), "{place} is {value}"),
        Some("integer") => assert!(value.is_u64(), "{place} is {value}"),
        Some("number") => assert!(value.is_number(), "{place} is {value}"),
        Some("array") => {
            for item in value
                .as_array()
                .unwrap_or_else(|| panic!("{place} is {value}"))
            {
                check_value(item, &schema["items"], &format!("{place} []"));
            }
        }
        Some("object") => {
            let fields = value
                .as_object()
                .unwrap_or_else(|| panic!("{place} is {value}"));
            for name in schema["required"].as_array().into_iter().flatten() {
                let name = name.as_str().expect("a name");
                assert!(fields.contains_key(name), "{place} has no {name}: {value}");
            }
            for (name, value) in fields {
                let property = &schema["properties"][name];
                assert!(property.is_object(), "{place} does not describe {name}");
                check_value(value, property, &format!("{place} {name}"));
            }
        }
        Some(other) => panic!("{place} has the type {other}, which nothing here checks"),
    }
}
