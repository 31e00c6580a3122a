//! Attacks over a real socket: each gets a proper answer, and none takes the service from others.

mod crowds;
mod heads;
mod json;
mod tokens;
