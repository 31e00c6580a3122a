//! Between JavaScript's values and Rust's: what the browser stores and what the wire carries.
//!
//! The browser parses and prints JSON. Values are read and written field by field: serde weighs 3 KB more in each module.

use js_sys::{JSON, Object, Reflect};
use wasm_bindgen::JsValue;

/// Parses JSON text. `None` if it is not JSON.
pub(crate) fn parse(text: &str) -> Option<JsValue> {
    JSON::parse(text).ok()
}

/// One field of an object.
pub(crate) fn field(object: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(object, &name.into()).ok()
}

/// A field of an object, if it is a text.
pub(crate) fn text_field(object: &JsValue, name: &str) -> Option<String> {
    field(object, name)?.as_string()
}

/// An object with these fields. One that is `undefined` is absent in its JSON.
pub(crate) fn object(fields: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (name, value) in fields {
        // Setting a field of a plain object does not throw.
        let _ = Reflect::set(&object, &(*name).into(), value);
    }
    object
}

/// JSON text for the wire: an object with these fields.
pub(crate) fn text(fields: &[(&str, JsValue)]) -> String {
    JSON::stringify(&object(fields))
        .map(String::from)
        .unwrap_or_default()
}
