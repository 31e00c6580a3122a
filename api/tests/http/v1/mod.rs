//! The account system under `/api/v1`, as the contract defines it: one file per resource.

mod addresses;
mod check;
mod devices;
mod effect;
mod email;
mod events;
mod factor_tries;
pub mod factors;
mod health;
mod invites;
mod leaving;
mod login;
mod me;
mod namesakes;
mod passkeys;
mod password;
mod races;
mod register;
mod registration;
mod sameness;
mod session;
mod theft;
mod tokens;
mod users;

use serde_json::Value;

/// A moment on the wire is RFC 3339, in UTC, with three decimals.
#[track_caller]
fn assert_moment(value: &Value) {
    let text = value.as_str().unwrap_or_default();
    let shape = text.replace(|c: char| c.is_ascii_digit(), "0");
    assert_eq!(shape, "0000-00-00T00:00:00.000Z", "{value}");
}
