//! The OpenAPI document, with what poem-openapi omits: routes without a security scheme are open to everybody, the
//! password flow has no scopes, and some objects no further fields.
//!
//! It is read and written one route or schema at a time: all of it at once takes 4 MB, most of which the allocator keeps.

use std::fmt::{self, Write as _};

use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::{OpenApi, OpenApiService};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Value, json};

/// The title of the schema that nothing fits, until [`document`] writes it as `false`: poem-openapi cannot.
const NOTHING: &str = "nothing";

/// The schema that nothing fits, for the further fields of an object that has none.
pub(crate) fn nothing() -> MetaSchemaRef {
    MetaSchemaRef::Inline(Box::new(MetaSchema {
        title: Some(NOTHING.to_owned()),
        ..MetaSchema::ANY
    }))
}

pub(super) fn document<T: OpenApi>(service: &OpenApiService<T, ()>) -> String {
    let text = service.spec();
    completed(&text).unwrap_or(text)
}

fn completed(text: &str) -> serde_json::Result<String> {
    let mut written = String::with_capacity(text.len());
    let object = Object {
        place: Place::Document,
        written: &mut written,
    };
    object.deserialize(&mut serde_json::Deserializer::from_str(text))?;
    written.shrink_to_fit();
    Ok(written)
}

#[derive(Clone, Copy)]
enum Place {
    Document,
    Paths,
    Components,
    Schemas,
}

/// Copies an object.
struct Object<'a> {
    place: Place,
    written: &'a mut String,
}

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, text: D) -> Result<(), D::Error> {
        text.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Self { place, written } = self;
        written.push('{');
        let mut is_first = true;
        while let Some(name) = entries.next_key::<String>()? {
            if !std::mem::take(&mut is_first) {
                written.push(',');
            }
            write!(written, "{}:", Value::from(name.as_str())).map_err(A::Error::custom)?;
            let inside = match (place, name.as_str()) {
                (Place::Document, "paths") => Some(Place::Paths),
                (Place::Document, "components") => Some(Place::Components),
                (Place::Components, "schemas") => Some(Place::Schemas),
                _ => None,
            };
            if let Some(place) = inside {
                entries.next_value_seed(Object { place, written })?;
            } else {
                let mut value = entries.next_value::<Value>()?;
                complete(place, &mut value);
                write!(written, "{value}").map_err(A::Error::custom)?;
            }
        }
        written.push('}');
        Ok(())
    }
}

/// Adds to what is at that place: a route, a schema, all security schemes.
fn complete(place: Place, value: &mut Value) {
    match place {
        Place::Document => {}
        Place::Paths => {
            let operations = value.as_object_mut().into_iter().flatten();
            for operation in operations.filter_map(|(_, value)| value.as_object_mut()) {
                operation.entry("security").or_insert_with(|| json!([]));
            }
        }
        Place::Schemas => {
            if value["additionalProperties"]["title"] == NOTHING {
                value["additionalProperties"] = json!(false);
            }
        }
        Place::Components => {
            if let Some(flow) = value.pointer_mut("/password/flows/password") {
                flow["scopes"] = json!({});
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{NOTHING, completed};

    #[test]
    fn what_is_missing_is_added_and_all_else_is_left() {
        let text = json!({
            "info": { "title": "\"a\"\n", "empty": {}, "list": [1, null, "ü"] },
            "paths": {
                "/open": { "get": {}, "post": { "security": [{ "bearer": [] }] } },
                "/none": {},
            },
            "components": {
                "schemas": {
                    "Closed": { "additionalProperties": { "title": NOTHING } },
                    "Open": { "additionalProperties": { "type": "string" } },
                    "Other": { "type": "string" },
                },
                "securitySchemes": { "password": { "flows": { "password": { "tokenUrl": "x" } } } },
                "others": {},
            },
            "tags": [],
        });
        let mut expected = text.clone();
        expected["paths"]["/open"]["get"]["security"] = json!([]);
        expected["components"]["schemas"]["Closed"]["additionalProperties"] = json!(false);
        expected["components"]["securitySchemes"]["password"]["flows"]["password"]["scopes"] =
            json!({});
        let pretty = format!("{text:#}");
        let written = completed(&pretty).expect("JSON");
        assert_eq!(written.parse::<Value>().expect("JSON"), expected);
        assert!(!written.contains(['\n', '\t']) && !written.contains(": "));
        assert_eq!(completed("{}").expect("JSON"), "{}");
        assert!(completed("[]").is_err());
    }
}
