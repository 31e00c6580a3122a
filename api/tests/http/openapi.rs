//! The OpenAPI document is reviewed: it is the snapshot beside this file, and changes with it only.
//!
//! After a change that is meant: `UPDATE_SNAPSHOTS=1 cargo test -p password-auth openapi`, then read the
//! difference as a reviewer would. `npx @redocly/cli lint` and `npx @stoplight/spectral-cli lint` (ruleset `spectral:oas`) find
//! no error in it; run them after such a change.

use std::collections::BTreeSet;
use std::path::Path;

use password_auth_wire::ErrorCode;
use serde_json::Value;

use crate::support::TestServer;

async fn served() -> Value {
    let server = TestServer::start().await;
    server
        .client()
        .get("/openapi.json")
        .await
        .expect_ok()
        .json()
}

#[tokio::test]
async fn the_document_is_the_reviewed_one() {
    let served = served().await;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/http/openapi.json");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        let text = serde_json::to_string_pretty(&served).expect("text") + "\n";
        std::fs::write(&path, text).expect("written");
    }
    let reviewed = std::fs::read(&path).expect("the snapshot");
    let reviewed: Value = serde_json::from_slice(&reviewed).expect("the snapshot is JSON");
    assert!(
        served == reviewed,
        "the OpenAPI document changed; if that is meant, see the top of this file"
    );
}

#[tokio::test]
async fn every_operation_has_a_summary_an_example_and_its_errors() {
    let document = served().await;
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let place = format!("{method} {path}");
            assert!(operation["summary"].is_string(), "{place} has no summary");
            assert!(operation["operationId"].is_string(), "{place} has no id");
            let responses = operation["responses"].as_object().expect("responses");
            for needed in ["500", "503"] {
                assert!(responses.contains_key(needed), "{place} has no {needed}");
            }
            let is_success = |status: &&String| status.starts_with('2');
            let successes = responses.keys().filter(is_success).count();
            assert_eq!(successes, 1, "{place} has one way to succeed");
            for (status, response) in responses {
                if status == "204" {
                    assert!(response["content"].is_null(), "{place} answers nothing");
                    continue;
                }
                for content in response["content"].as_object().expect("content").values() {
                    let example = &content["schema"]["example"];
                    let example = example
                        .as_array()
                        .and_then(|list| list.first())
                        .unwrap_or(example);
                    assert!(example.is_object(), "{place} has no example for {status}");
                }
            }
        }
    }
}

#[tokio::test]
async fn every_code_that_a_route_can_answer_is_documented_somewhere() {
    let text = served().await["paths"].to_string();
    // These are answered before a route is found.
    let elsewhere = BTreeSet::from(["not_found", "method_not_allowed"]);
    for code in ErrorCode::ALL {
        let name = serde_json::to_value(code).expect("a name");
        let name = name.as_str().expect("a text");
        assert!(
            elsewhere.contains(name) || text.contains(&format!("`{name}`")),
            "{name} is documented nowhere"
        );
    }
}

#[tokio::test]
async fn authorize_offers_a_bearer_token_and_protected_routes_ask_for_it() {
    let document = served().await;
    let scheme = &document["components"]["securitySchemes"]["bearer"];
    assert_eq!(
        (&scheme["type"], &scheme["scheme"]),
        (&"http".into(), &"bearer".into())
    );
    let mut protected = 0;
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let refused = operation["responses"]["401"]["description"].as_str();
            let asks = refused.is_some_and(|said| said.contains("`missing_token`"));
            let schemes = operation["security"].as_array();
            let offers_one = |name: &str| {
                let mut schemes = schemes.expect("open to everybody, or not").iter();
                schemes.any(|scheme| scheme[name] == serde_json::json!([]))
            };
            let offers = offers_one("bearer");
            assert_eq!(offers, offers_one("password"), "{method} {path}");
            assert_eq!(asks, offers, "{method} {path}");
            protected += usize::from(asks);
        }
    }
    assert!(protected > 0, "nothing is protected");
}

#[tokio::test]
async fn a_body_is_documented_as_it_is_read_without_unknown_fields_and_with_null_for_what_is_optional()
 {
    let document = served().await;
    let mut bodies = 0;
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let content = &operation["requestBody"]["content"];
            let schema = &content["application/json; charset=utf-8"]["schema"];
            let Some(name) = schema["$ref"]
                .as_str()
                .and_then(|name| name.rsplit('/').next())
            else {
                continue;
            };
            bodies += 1;
            let schema = &document["components"]["schemas"][name];
            // Signing out takes whatever a client sends.
            let is_strict = path.starts_with("/api/v1") && name != "Logout";
            // Where no body is needed, null is none.
            let is_needed = operation["requestBody"]["required"] == true;
            assert_eq!(schema["nullable"] == true, !is_needed, "{method} {path}");
            let further = &schema["additionalProperties"];
            assert_eq!(*further == Value::Bool(false), is_strict, "{method} {path}");
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            for (field, property) in schema["properties"].as_object().expect("properties") {
                let is_required = required.contains(&Value::from(field.as_str()));
                let is_anything =
                    property["type"].is_null() && !property.to_string().contains("$ref");
                let takes_null = property["nullable"] == true || is_anything;
                assert!(is_required || takes_null, "{field} of {method} {path}");
            }
        }
    }
    assert!(bodies > 20, "{bodies}");
}
