//! Between JavaScript's values and Rust's: what the browser stores and what the wire carries.
//!
//! The browser parses and prints JSON, so `serde_json` is not needed. `serde-wasm-bindgen` writes values; they are read
//! field by field.

use js_sys::{JSON, Reflect};
use serde::Serialize;
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

/// A plain value.
fn value<T: Serialize>(data: &T) -> JsValue {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    // Serialising plain structs of strings, numbers and booleans cannot fail.
    data.serialize(&serializer).unwrap_or(JsValue::NULL)
}

/// JSON text for the wire.
pub(crate) fn text<T: Serialize>(data: &T) -> String {
    text_of(&value(data))
}

/// JSON text for the wire.
pub(crate) fn text_of(value: &JsValue) -> String {
    JSON::stringify(value).map(String::from).unwrap_or_default()
}

/// JSON text for the wire: `data`, with one more field.
pub(crate) fn text_with<T: Serialize>(data: &T, name: &str, text: &str) -> String {
    let object = value(data);
    // Setting a field of a plain object does not throw.
    let _ = Reflect::set(&object, &name.into(), &text.into());
    text_of(&object)
}
