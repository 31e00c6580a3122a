//! Rates such as `5/minute`, and the decision whether one more attempt is allowed.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::clock::Timestamp;

/// A number of attempts per period: that many at once, then one every `per / tries`. Or no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(Option<Limit>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Limit {
    tries: u32,
    per: Duration,
}

/// Whether an attempt is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is allowed, and was counted.
    Allowed,
    /// It is refused, and was not counted. The next one is allowed after this time.
    Refused(Duration),
}

impl Rate {
    /// No limit.
    pub const OFF: Self = Self(None);

    /// So many attempts in an hour.
    #[must_use]
    pub const fn per_hour(tries: u32) -> Self {
        Self(Some(Limit {
            tries,
            per: Duration::from_secs(3600),
        }))
    }

    /// Whether there is no limit.
    #[must_use]
    pub const fn is_off(self) -> bool {
        self.0.is_none()
    }

    /// The rate, multiplied.
    #[must_use]
    pub fn times(self, factor: u32) -> Self {
        Self(self.0.map(|Limit { tries, per }| {
            // The clock counts milliseconds.
            let most = u32::try_from(per.as_millis()).unwrap_or(u32::MAX);
            let tries = tries.saturating_mul(factor).min(most);
            Limit { tries, per }
        }))
    }

    /// Decides on an attempt at `now` for a key with the stored `theoretical_arrival` ([`Timestamp`] zero if there is
    /// none). Also returns the new time to store.
    #[must_use]
    pub fn decide(self, theoretical_arrival: Timestamp, now: Timestamp) -> (Verdict, Timestamp) {
        let Some(Limit { tries, per }) = self.0 else {
            return (Verdict::Allowed, theoretical_arrival);
        };
        // A later time than `now + per` comes from a clock that was set back or a rate that was lowered. Nobody waits
        // longer than `per`.
        let theoretical_arrival = theoretical_arrival.clamp(now, now.plus(per));
        let next = theoretical_arrival.plus(per / tries);
        let debt = next.since(now);
        if debt <= per {
            (Verdict::Allowed, next)
        } else {
            (
                Verdict::Refused(debt.saturating_sub(per)),
                theoretical_arrival,
            )
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("off"),
            Some(Limit { tries, per }) => match per.as_secs() {
                1 => write!(f, "{tries}/second"),
                60 => write!(f, "{tries}/minute"),
                _ => write!(f, "{tries}/hour"),
            },
        }
    }
}

/// The text is not a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a rate such as 5/minute (a number per second, minute or hour), or off")]
pub struct ParseRateError;

impl FromStr for Rate {
    type Err = ParseRateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("off") {
            return Ok(Self::OFF);
        }
        let (tries, unit) = text.split_once('/').ok_or(ParseRateError)?;
        let tries = tries.trim().parse().map_err(|_| ParseRateError)?;
        let per = match unit.trim().to_ascii_lowercase().as_str() {
            "second" => 1,
            "minute" => 60,
            "hour" => 3600,
            _ => return Err(ParseRateError),
        };
        // The clock counts milliseconds.
        if tries == 0 || u64::from(tries) > per * 1000 {
            return Err(ParseRateError);
        }
        Ok(Self(Some(Limit {
            tries,
            per: Duration::from_secs(per),
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::{Rate, Verdict};
    use crate::clock::Timestamp;
    use std::time::Duration;

    const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn five_a_minute() -> Rate {
        "5/minute".parse().expect("a rate")
    }

    #[test]
    fn five_tries_pass_at_once_and_the_sixth_waits_its_share() {
        let mut state = Timestamp::from_millis(0);
        for _ in 0..5 {
            let (verdict, next) = five_a_minute().decide(state, START);
            assert_eq!(verdict, Verdict::Allowed);
            state = next;
        }
        let (verdict, same) = five_a_minute().decide(state, START);
        assert_eq!(verdict, Verdict::Refused(Duration::from_secs(12)));
        assert_eq!(same, state, "a refused try costs nothing");
        let later = START.plus(Duration::from_secs(12));
        assert_eq!(five_a_minute().decide(state, later).0, Verdict::Allowed);
    }

    #[test]
    fn a_clock_that_was_set_back_locks_nobody_out() {
        let far = START.plus(Duration::from_secs(86_400));
        let (verdict, _) = five_a_minute().decide(far, START);
        assert_eq!(verdict, Verdict::Refused(Duration::from_secs(12)));
    }

    #[test]
    fn rates_read_as_they_print() {
        for text in ["5/minute", "20/second", "1/hour", "off"] {
            let rate: Rate = text.parse().expect("a rate");
            assert_eq!(rate.to_string(), text);
        }
        for text in [
            "",
            "5",
            "0/minute",
            "5/day",
            "-1/minute",
            "five/minute",
            "1001/second",
        ] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }
}
