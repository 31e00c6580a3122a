//! A clock that stands until it is moved.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use password_auth_model::{Clock, SystemClock, Timestamp};

#[derive(Debug)]
pub struct TestClock(AtomicU64);

impl TestClock {
    /// Starts at the present.
    pub fn new() -> Self {
        Self(AtomicU64::new(SystemClock.now().as_millis()))
    }

    pub fn advance(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).expect("a short time");
        self.0.fetch_add(millis, Ordering::SeqCst);
    }

    pub fn set_back(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).expect("a short time");
        self.0.fetch_sub(millis, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}
