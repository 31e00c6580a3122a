//! Letters: what waits to be sent, and sending it.

mod letter;

pub use letter::{About, Letter};
