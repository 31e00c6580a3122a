//! When the worker acts by itself, as pure functions of the time and of a random number from 0 to 1.
//!
//! Times are Unix milliseconds. The browser rings no alarm sooner than 30 s from now.

/// The refresh comes this long before the access token ends…
const BEFORE_END_MS: f64 = 90_000.0;
/// …or up to this much earlier, so that the extensions of one server do not all ask at once.
const JITTER_MS: f64 = 30_000.0;
const SOONEST_MS: f64 = 30_000.0;
const LATEST_RETRY_MS: f64 = 3_600_000.0;

/// When the alarm rings, tokens that last less than this are refreshed: a little more than the alarm is early.
pub(super) const EARLY_MS: f64 = BEFORE_END_MS + JITTER_MS + 30_000.0;

/// When to refresh tokens whose access token ends at `expiry_ms`.
pub(super) fn refresh_at(expiry_ms: f64, now_ms: f64, random: f64) -> f64 {
    let due = expiry_ms - BEFORE_END_MS - random * JITTER_MS;
    // An expiry that is not a number is due. One that lies far ahead, after the clock was set back, is not
    // believed: the access token may have ended by the server's clock.
    let latest = now_ms + LATEST_RETRY_MS;
    due.max(now_ms + SOONEST_MS).min(latest)
}

/// When to try again after a refresh that got no answer.
pub(super) fn retry_at(now_ms: f64, random: f64) -> f64 {
    now_ms + 60_000.0 + random * JITTER_MS
}

/// When to tell servers of sign-outs, after so many `failures`: twice as late each time, an hour at most.
pub(super) fn sign_out_at(failures: u32, now_ms: f64, random: f64) -> f64 {
    let wait = SOONEST_MS * f64::from(2_u32.saturating_pow(failures.min(20)));
    now_ms + wait.min(LATEST_RETRY_MS) * (1.0 + random / 10.0)
}

#[cfg(test)]
mod tests {
    use super::{EARLY_MS, refresh_at, retry_at, sign_out_at};

    const NOW_MS: f64 = 1_700_000_000_000.0;

    #[test]
    fn a_refresh_comes_90_to_120_seconds_before_the_end() {
        let expiry_ms = NOW_MS + 900_000.0;
        assert_eq!(refresh_at(expiry_ms, NOW_MS, 0.0), NOW_MS + 810_000.0);
        assert_eq!(refresh_at(expiry_ms, NOW_MS, 1.0), NOW_MS + 780_000.0);
        // And then the tokens count as due.
        assert!(expiry_ms - refresh_at(expiry_ms, NOW_MS, 1.0) < EARLY_MS);
    }

    #[test]
    fn no_alarm_is_sooner_than_30_seconds_or_later_than_an_hour() {
        for expiry_ms in [f64::NAN, 0.0, NOW_MS, NOW_MS + 1e12, f64::INFINITY] {
            for random in [0.0, 0.5, 1.0] {
                let wait = refresh_at(expiry_ms, NOW_MS, random) - NOW_MS;
                assert!(
                    (30_000.0..=3_600_000.0).contains(&wait),
                    "{expiry_ms}: {wait}"
                );
            }
        }
    }

    #[test]
    fn failures_make_the_wait_longer_up_to_an_hour() {
        assert!(retry_at(NOW_MS, 1.0) <= NOW_MS + 90_000.0);
        let waits: Vec<f64> = (0..40)
            .map(|n| sign_out_at(n, NOW_MS, 0.0) - NOW_MS)
            .collect();
        assert_eq!(waits[0], 30_000.0);
        assert_eq!(waits[1], 60_000.0);
        assert!(waits.is_sorted());
        assert_eq!(waits[39], 3_600_000.0);
    }
}
