//! JSON bodies. Errors are reported field by field, and never contain values.
//!
//! poem-openapi's own `Json` returns 400 for everything, and quotes the input, including passwords.

use hyper::body::Bytes;
use password_auth_wire::FieldError;
use poem::{Request, RequestBody};
use poem_openapi::payload::{Json, Payload};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::{ParseFromJSON, Type};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use serde_json::Value;

use super::error::Failure;
use super::media_type::{self, MediaType};
use super::openapi;
use super::strict_json;

/// A required body. Unknown fields are ignored, as in the demo, or refused.
pub(super) struct JsonBody<T, const STRICT: bool>(pub(super) T);

/// For the demo's routes.
pub(super) type Body<T> = JsonBody<T, false>;

/// For the routes under `/api/v1`: unknown fields are refused.
pub(super) type StrictBody<T> = JsonBody<T, true>;

/// An optional body.
pub(super) struct OptionalBody<T>(pub(super) Option<T>);

pub(super) async fn read(body: &mut RequestBody) -> poem::Result<Bytes> {
    Ok(body.take()?.into_bytes().await.map_err(Failure::from)?)
}

fn parse<T: ParseFromJSON>(request: &Request, bytes: &Bytes, strict: bool) -> Result<T, Failure> {
    media_type::check(request, MediaType::Json)?;
    let value = strict_json::from_slice(bytes).map_err(|_| Failure::Malformed)?;
    // Before parsing: poem-openapi takes a number for a string.
    let errors = check(&value, &T::name(), schemas::of::<T>(), strict);
    if !errors.is_empty() {
        return Err(Failure::Invalid(errors));
    }
    T::parse_from_json(Some(value)).map_err(|_| Failure::Invalid(Vec::new()))
}

/// The schemas of each request type and of what it contains, made at its first request and kept: a process has a few
/// dozen of these types.
mod schemas {
    use std::collections::BTreeMap;
    use std::sync::{PoisonError, RwLock};

    use poem_openapi::registry::Registry;
    use poem_openapi::types::Type;

    static MADE: RwLock<BTreeMap<String, &'static Registry>> = RwLock::new(BTreeMap::new());

    pub(super) fn of<T: Type>() -> &'static Registry {
        let name = T::name();
        let made = MADE.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(registry) = made.get(&*name) {
            return registry;
        }
        drop(made);
        let mut made = MADE.write().unwrap_or_else(PoisonError::into_inner);
        made.entry(name.into_owned()).or_insert_with(|| {
            let mut registry = Registry::new();
            T::register(&mut registry);
            Box::leak(Box::new(registry))
        })
    }
}

/// Compares an object with its schema: missing fields, wrong types and, if `strict`, unknown fields. This is enough for
/// the flat objects of this API; `parse_from_json` finds everything else.
fn check(value: &Value, name: &str, registry: &Registry, strict: bool) -> Vec<FieldError> {
    let Some(schema) = registry.schemas.get(name) else {
        return Vec::new();
    };
    let Some(object) = value.as_object() else {
        return vec![error(
            "",
            "wrong_type",
            "The request body must be a JSON object.".to_owned(),
        )];
    };
    let wrong = schema
        .properties
        .iter()
        .filter_map(|(name, property)| match object.get(*name) {
            None if schema.required.contains(name) => Some(error(
                name,
                "required",
                format!("The field {name} is required."),
            )),
            Some(Value::Null) if !schema.required.contains(name) => None,
            Some(value) => expected_instead(value, property, registry).map(|expected| {
                let message = format!("The field {name} must be {expected}.");
                error(name, "wrong_type", message)
            }),
            None => None,
        });
    let is_known = |name: &&String| schema.properties.iter().any(|(known, _)| known == name);
    let unknown = object
        .keys()
        .filter(|name| strict && !is_known(name))
        .map(|name| {
            error(
                &shown(name),
                "unknown_field",
                "This field is not known.".to_owned(),
            )
        });
    wrong.chain(unknown.take(MAX_UNKNOWN)).collect()
}

/// The most unknown fields that are reported.
const MAX_UNKNOWN: usize = 8;

/// A field name from the client, shortened.
fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(64).collect()
}

fn error(field: &str, code: &str, message: String) -> FieldError {
    FieldError {
        field: field.to_owned(),
        code: code.to_owned(),
        message,
    }
}

/// What was expected, if the value has the wrong type. Requests of this API only contain strings, booleans and enums.
fn expected_instead(
    value: &Value,
    property: &MetaSchemaRef,
    registry: &Registry,
) -> Option<String> {
    let schema = match property {
        MetaSchemaRef::Inline(schema) => schema,
        MetaSchemaRef::Reference(name) => registry.schemas.get(name)?,
    };
    // A reference with its own description is wrapped in `allOf`.
    let parts = &schema.all_of;
    if let Some(expected) = parts
        .iter()
        .find_map(|part| expected_instead(value, part, registry))
    {
        return Some(expected);
    }
    if !schema.enum_items.is_empty() && !schema.enum_items.contains(value) {
        let names: Vec<&str> = schema.enum_items.iter().filter_map(Value::as_str).collect();
        return Some(format!("one of {}", names.join(", ")));
    }
    match schema.ty {
        "string" if !value.is_string() => Some("a string".to_owned()),
        "boolean" if !value.is_boolean() => Some("true or false".to_owned()),
        _ => None,
    }
}

/// Registers a body as it is read, which poem-openapi does not know: an optional field may be null and, if `strict`,
/// there are no others.
fn register_body<T: Type>(registry: &mut Registry, strict: bool) {
    T::register(registry);
    let Some(mut schema) = registry.schemas.get(&*T::name()).cloned() else {
        return;
    };
    for (name, property) in &mut schema.properties {
        if !schema.required.contains(name) {
            *property = MetaSchemaRef::Inline(Box::new(or_null(property, registry)));
        }
    }
    if strict {
        schema.additional_properties = Some(Box::new(openapi::nothing()));
    }
    registry.schemas.insert(T::name().into_owned(), schema);
}

/// The same schema, or null. `nullable` counts only beside a type (OpenAPI 3.0.3), so that of a reference is copied.
fn or_null(property: &MetaSchemaRef, registry: &Registry) -> MetaSchema {
    let mut schema = match property {
        MetaSchemaRef::Inline(schema) => (**schema).clone(),
        MetaSchemaRef::Reference(name) => registry
            .schemas
            .get(name)
            .cloned()
            .unwrap_or(MetaSchema::ANY),
    };
    // A reference with its own description.
    let reference = schema.all_of.iter().find_map(|part| match part {
        MetaSchemaRef::Reference(name) => Some(name),
        MetaSchemaRef::Inline(_) => None,
    });
    if let Some(name) = reference {
        let description = schema.description;
        schema = registry
            .schemas
            .get(name)
            .cloned()
            .unwrap_or(MetaSchema::ANY);
        schema.description = description.or(schema.description);
    }
    schema.nullable = !schema.ty.is_empty();
    if schema.nullable && !schema.enum_items.is_empty() && !schema.enum_items.contains(&Value::Null)
    {
        schema.enum_items.push(Value::Null);
    }
    schema
}

fn request_meta<T: Type>(required: bool) -> MetaRequest {
    MetaRequest {
        description: None,
        content: vec![MetaMediaType {
            content_type: Json::<T>::CONTENT_TYPE,
            schema: T::schema_ref(),
        }],
        required,
    }
}

impl<'a, T: ParseFromJSON, const STRICT: bool> ApiExtractor<'a> for JsonBody<T, STRICT> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        register_body::<T>(registry, STRICT);
    }

    fn request_meta() -> Option<MetaRequest> {
        Some(request_meta::<T>(true))
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        Ok(Self(parse(request, &read(body).await?, STRICT)?))
    }
}

/// Some clients send a JSON `Content-Type` on every request, even without a body.
impl<'a, T: ParseFromJSON> ApiExtractor<'a> for OptionalBody<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        register_body::<T>(registry, false);
        if let Some(schema) = registry.schemas.get_mut(&*T::name()) {
            schema.nullable = true;
        }
    }

    fn request_meta() -> Option<MetaRequest> {
        Some(request_meta::<T>(false))
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let bytes = read(body).await?;
        let absent = bytes.is_empty() || *bytes == *b"null";
        Ok(Self(if absent {
            None
        } else {
            Some(parse(request, &bytes, false)?)
        }))
    }
}
