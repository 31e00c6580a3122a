//! The operations of the OpenAPI document, with what a request to each needs.

use std::fmt;

use reqwest::Method;
use serde_json::Value;

pub struct Operation {
    pub method: Method,
    /// With `{own}` or `{other}` where it takes an id.
    pub path: String,
    pub body: Option<Body>,
}

pub enum Body {
    Json(Value),
    /// Fields of a form.
    Form(Vec<String>),
}

/// All of them; a path with an id twice.
pub fn operations(document: &Value) -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        let paths = match path.split_once("{id}") {
            None => vec![path.clone()],
            Some((before, after)) => ["own", "other"]
                .map(|whose| format!("{before}{{{whose}}}{after}"))
                .into(),
        };
        for path in paths {
            assert!(!path.contains("{id}"), "{path} takes two ids");
            for (method, operation) in methods.as_object().expect("operations") {
                found.push(Operation {
                    method: method.to_uppercase().parse().expect("a method"),
                    path: path.clone(),
                    body: body(document, operation),
                });
            }
        }
    }
    found
}

fn body(document: &Value, operation: &Value) -> Option<Body> {
    let content = operation["requestBody"]["content"].as_object()?;
    let (kind, media) = content.iter().next().expect("a kind of body");
    let name = media["schema"]["$ref"].as_str().expect("a named schema");
    let name = name.rsplit('/').next().expect("a name");
    let schema = &document["components"]["schemas"][name];
    if kind.starts_with("application/json") {
        let example = schema["example"].clone();
        assert!(example.is_object(), "{name} has no example");
        Some(Body::Json(example))
    } else {
        let fields = schema["properties"].as_object().expect("fields");
        Some(Body::Form(fields.keys().cloned().collect()))
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<7}{}", self.method.as_str(), self.path)
    }
}
