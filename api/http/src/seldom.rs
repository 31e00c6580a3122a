//! Warnings that strangers can trigger: logged at most once a minute.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Between two lines in the log.
const REST: Duration = Duration::from_secs(60);

/// Lets a line into the log once a minute.
#[derive(Debug, Default)]
pub(super) struct Seldom(Mutex<Option<Instant>>);

impl Seldom {
    /// Whether it is time for another line.
    pub(super) fn is_due(&self) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = last.is_none_or(|last| last.elapsed() >= REST);
        if due {
            *last = Some(Instant::now());
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::Seldom;

    #[test]
    fn the_second_line_of_a_minute_is_not_written() {
        let seldom = Seldom::default();
        assert!(seldom.is_due());
        assert!(!seldom.is_due());
    }
}
