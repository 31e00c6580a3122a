//! The account system under `/api/v1`, as the contract promises it: one file a resource, as the routes have.

mod devices;
mod effect;
mod email;
mod events;
mod health;
mod leaving;
mod login;
mod me;
mod password;
mod races;
mod register;
mod sameness;
mod session;
mod theft;
mod tokens;
mod users;

use serde_json::Value;

/// A moment on the wire is RFC 3339, in UTC.
#[track_caller]
fn assert_moment(value: &Value) {
    let text = value.as_str().unwrap_or_default();
    let shape: String = text
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    let shape = shape.split_once('.').map_or(&*shape, |(whole, fraction)| {
        assert!(fraction.trim_start_matches('0') == "Z", "{value}");
        whole
    });
    assert_eq!(
        shape.trim_end_matches('Z'),
        "0000-00-00T00:00:00",
        "{value}"
    );
    assert!(text.ends_with('Z'), "{value}");
}
