//! What a person, or an auditor, must be able to see later: a record in the store for 90 days, and a line in
//! the log.

mod journal;

pub use crate::model::{Class, EVENTS_KEPT, Event, Happening};
pub use journal::{Circumstances, Journal};
