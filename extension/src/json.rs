//! Between JavaScript's values and Rust's: what the browser stores and what the wire carries.
//!
//! The browser parses and prints JSON, so `serde_json` is not needed. `serde-wasm-bindgen` writes values; the
//! small deserializer below reads them. Its only error is "wrong shape": the error messages of a library's
//! deserializer, which nobody would read here, took 15 KB of 70 (compressed).

use core::fmt;

use js_sys::{Array, JSON, Object, Reflect};
use serde::{
    Deserializer, Serialize,
    de::{
        DeserializeOwned, Error, IntoDeserializer, Visitor,
        value::{MapDeserializer, SeqDeserializer},
    },
    forward_to_deserialize_any,
};
use wasm_bindgen::{JsCast, JsValue};

/// Reads `value` as a `T`. `None` if it has another shape.
pub(crate) fn read<T: DeserializeOwned>(value: JsValue) -> Option<T> {
    T::deserialize(Value(value)).ok()
}

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

/// A plain value for storage. Storage silently drops maps, `undefined` and big integers.
pub(crate) fn value<T: Serialize>(data: &T) -> JsValue {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    // Serialising plain structs of strings, numbers and booleans cannot fail.
    data.serialize(&serializer).unwrap_or(JsValue::NULL)
}

/// JSON text for the wire.
pub(crate) fn text<T: Serialize>(data: &T) -> String {
    JSON::stringify(&value(data))
        .map(String::from)
        .unwrap_or_default()
}

/// JSON text for the wire: `data`, with one more field.
pub(crate) fn text_with<T: Serialize>(data: &T, name: &str, text: &str) -> String {
    let object = value(data);
    // Setting a field of a plain object does not throw.
    let _ = Reflect::set(&object, &name.into(), &text.into());
    JSON::stringify(&object)
        .map(String::from)
        .unwrap_or_default()
}

/// The value has another shape than the type that was asked for.
#[derive(Debug)]
struct WrongShape;

impl fmt::Display for WrongShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("wrong shape")
    }
}

impl core::error::Error for WrongShape {}

impl Error for WrongShape {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// A value that JSON can express.
struct Value(JsValue);

impl<'de> Deserializer<'de> for Value {
    type Error = WrongShape;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WrongShape> {
        if let Some(text) = self.0.as_string() {
            visitor.visit_string(text)
        } else if let Some(number) = self.0.as_f64() {
            // JavaScript has one type for numbers. The cast saturates; a number that it changes is not an
            // integer of the wire.
            let integer = number as u32;
            if f64::from(integer) == number {
                visitor.visit_u32(integer)
            } else {
                visitor.visit_f64(number)
            }
        } else if let Some(boolean) = self.0.as_bool() {
            visitor.visit_bool(boolean)
        } else if let Some(array) = self.0.dyn_ref::<Array>() {
            visitor.visit_seq(SeqDeserializer::new(array.iter().map(Value)))
        } else if let Some(object) = self.0.dyn_ref::<Object>() {
            let entries = Object::entries(object);
            visitor.visit_map(MapDeserializer::new(entries.iter().filter_map(|entry| {
                let entry: Array = entry.unchecked_into();
                Some((entry.get(0).as_string()?, Value(entry.get(1))))
            })))
        } else {
            visitor.visit_unit()
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WrongShape> {
        if self.0.is_null() || self.0.is_undefined() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, WrongShape> {
        // The enums of the wire are plain names.
        let name = self.0.as_string().ok_or(WrongShape)?;
        visitor.visit_enum(name.into_deserializer())
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, WrongShape> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WrongShape> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct identifier
    }
}

impl IntoDeserializer<'_, WrongShape> for Value {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}
