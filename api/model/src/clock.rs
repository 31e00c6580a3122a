//! What time it is. Nothing else asks the system for the time, so that tests control it.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// A moment: milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The last moment, in 292 million years: the largest signed integer that engines can store.
    pub const MAX: Self = Self(i64::MAX as u64);

    /// The moment `millis` milliseconds after the Unix epoch; [`MAX`](Self::MAX) at the latest.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        if millis > Self::MAX.0 {
            return Self::MAX;
        }
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down: a JWT's `NumericDate` (RFC 7519).
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0 / 1000
    }

    /// As text: RFC 3339, UTC, always with three decimals, so that texts sort like moments.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        let nanos = i128::from(self.0) * 1_000_000;
        let Ok(moment) = OffsetDateTime::from_unix_timestamp_nanos(nanos) else {
            return String::new();
        };
        let (year, month, day) = moment.to_calendar_date();
        let (hour, minute, second, milli) = moment.to_hms_milli();
        let month = u8::from(month);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
    }

    /// The moment `by` later.
    #[must_use]
    pub const fn plus(self, by: Duration) -> Self {
        Self::from_millis(self.0.saturating_add(millis(by)))
    }

    /// The moment `by` earlier; the epoch at the earliest.
    #[must_use]
    pub const fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(millis(by)))
    }

    /// How long after `earlier` this is; zero if it is before.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// Whether something that lasts for `lifetime` and ends at this moment still counts at `now`. Something that would last
    /// much longer was begun before the clock was set back: it has ended.
    #[must_use]
    pub fn is_ahead(self, now: Self, lifetime: Duration) -> bool {
        now < self && self <= now.plus(lifetime).plus(CLOCKS_DIFFER)
    }

    /// How far the two moments are apart, whichever came first.
    #[must_use]
    pub const fn distance(self, other: Self) -> Duration {
        Duration::from_millis(self.0.abs_diff(other.0))
    }
}

/// How much the clocks of two nodes may differ: one reads what the other wrote.
pub const CLOCKS_DIFFER: Duration = Duration::from_secs(60);

const fn millis(duration: Duration) -> u64 {
    let millis = duration.as_millis();
    if millis > u64::MAX as u128 {
        u64::MAX
    } else {
        millis as u64
    }
}

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// A shared clock.
pub type SharedClock = Arc<dyn Clock>;

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp(millis(since))
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn a_moment_has_three_decimals_always() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_767_268_800_000, "2026-01-01T12:00:00.000Z"),
            (1_767_268_800_100, "2026-01-01T12:00:00.100Z"),
            (1_767_268_800_010, "2026-01-01T12:00:00.010Z"),
            (951_827_696_007, "2000-02-29T12:34:56.007Z"),
        ] {
            assert_eq!(Timestamp::from_millis(millis).to_rfc3339(), text);
        }
    }
}
