//! Ids that clients send.

use std::str::FromStr;

use crate::error::Failure;

/// The id in a path. A text that is not an id names nothing.
pub(super) fn named<T: FromStr>(id: &str) -> Result<T, Failure> {
    id.parse().map_err(|_| Failure::NotFound)
}

/// The id in a parameter of this name, if it was given.
pub(super) fn parameter<T: FromStr>(name: &str, id: Option<&str>) -> Result<Option<T>, Failure> {
    let id = id.map(|id| id.parse().map_err(|_| Failure::of_parameter(name)));
    id.transpose()
}
