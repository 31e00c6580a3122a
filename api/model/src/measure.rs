//! Numbers about a running server, for whoever watches it: counts, and distributions of times and sizes.
//!
//! Plain atomics. Measuring takes no lock and allocates nothing. Each part of the server owns the measures of what it
//! does; the binary reads and names them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The upper bounds of the buckets for times, in microseconds: from an in-memory read to a disk that hangs.
const TIMES: &[u64] = &[
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 5_000_000, 10_000_000,
];

/// The upper bounds of the buckets for sizes.
const SIZES: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// One more.
    pub fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// The number so far.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How often values fell into each bucket, and their sum.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [u64],
    /// One for each bound, and one for everything above.
    buckets: Box<[AtomicU64]>,
    sum: AtomicU64,
}

impl Histogram {
    /// For times, in microseconds.
    #[must_use]
    pub fn of_times() -> Self {
        Self::new(TIMES)
    }

    /// For sizes of groups.
    #[must_use]
    pub fn of_sizes() -> Self {
        Self::new(SIZES)
    }

    fn new(bounds: &'static [u64]) -> Self {
        Self {
            bounds,
            buckets: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0),
        }
    }

    /// Records one value.
    pub fn record(&self, value: u64) {
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// Records a time.
    pub fn record_time(&self, time: Duration) {
        self.record(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    /// Records the time until the result is dropped.
    #[must_use]
    pub fn timer(&self) -> Timer<'_> {
        Timer {
            histogram: self,
            began: Instant::now(),
        }
    }

    /// The buckets so far: each bound with how many values it is the lowest bound of. The last bucket has none.
    pub fn buckets(&self) -> impl Iterator<Item = (Option<u64>, u64)> {
        let counts = self
            .buckets
            .iter()
            .map(|bucket| bucket.load(Ordering::Relaxed));
        self.bounds
            .iter()
            .copied()
            .map(Some)
            .chain([None])
            .zip(counts)
    }

    /// The sum of all values.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.sum.load(Ordering::Relaxed)
    }
}

/// Measures the time until it is dropped, also when the caller gives up.
#[derive(Debug)]
pub struct Timer<'a> {
    histogram: &'a Histogram,
    began: Instant,
}

impl Drop for Timer<'_> {
    fn drop(&mut self) {
        self.histogram.record_time(self.began.elapsed());
    }
}

#[cfg(test)]
mod tests {
    use super::Histogram;

    #[test]
    fn a_value_falls_into_the_bucket_of_the_lowest_bound_that_is_not_below_it() {
        let sizes = Histogram::of_sizes();
        for value in [0, 1, 2, 3, 1024, 1025, 5000] {
            sizes.record(value);
        }
        let filled: Vec<_> = sizes.buckets().filter(|(_, count)| *count > 0).collect();
        assert_eq!(
            filled,
            [
                (Some(1), 2),
                (Some(2), 1),
                (Some(4), 1),
                (Some(1024), 1),
                (None, 2)
            ]
        );
        assert_eq!(sizes.sum(), 7055);
    }
}
