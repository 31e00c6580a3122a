//! Rates such as `5/minute`, and the decision whether one more attempt is allowed.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::clock::Timestamp;

/// The longest wait that failures lead to. Long enough to make guessing hopeless, short enough that somebody who was kept
/// waiting by a stranger's failures waits once, and need not come back tomorrow.
pub const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);

/// After so many doublings, also attempts that leave some of the allowance double the wait. So guessing in bursts, or
/// slowly enough never to use up the allowance, becomes slow too.
const DOUBLINGS_WITH_BURSTS: u32 = 2;

/// A number of attempts per period: that many at once, then one every `per / tries`. Or no limit. If it is
/// [growing](Rate::growing), waits double.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(Option<Limit>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Limit {
    tries: u32,
    per: Duration,
    grows: bool,
}

/// What is remembered of the attempts at one key. [`Tally::NONE`] if there were none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// When the allowance is whole again (the theoretical arrival time of GCRA).
    pub whole_at: Timestamp,
    /// When all failures are forgotten, and waits are as short as at first.
    pub grown_until: Timestamp,
}

impl Tally {
    /// Nothing is remembered.
    pub const NONE: Self = Self {
        whole_at: Timestamp::from_millis(0),
        grown_until: Timestamp::from_millis(0),
    };

    /// Until when any of it matters.
    #[must_use]
    pub fn until(self) -> Timestamp {
        self.whole_at.max(self.grown_until)
    }
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
            grows: false,
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
        Self(self.0.map(|limit| {
            let Limit { tries, per, .. } = limit;
            // The clock counts milliseconds.
            let most = u32::try_from(per.as_millis()).unwrap_or(u32::MAX);
            let tries = tries.saturating_mul(factor).min(most);
            Limit {
                tries,
                per,
                ..limit
            }
        }))
    }

    /// The same rate for attempts that are taken for failures until they are [forgiven](Self::forgiven). Each attempt
    /// that uses up what is allowed at once doubles the wait, up to [`LONGEST_WAIT`].
    #[must_use]
    pub fn growing(self) -> Self {
        Self(self.0.map(|limit| Limit {
            grows: true,
            ..limit
        }))
    }

    /// Whether waits double.
    #[must_use]
    pub const fn grows(self) -> bool {
        matches!(self.0, Some(Limit { grows: true, .. }))
    }

    /// Decides on an attempt at `now` for a key with the stored `theoretical_arrival` ([`Timestamp`] zero if there is
    /// none). Also returns the new time to store. Waits do not double.
    #[must_use]
    pub fn decide(self, theoretical_arrival: Timestamp, now: Timestamp) -> (Verdict, Timestamp) {
        let plain = Self(self.0.map(|limit| Limit {
            grows: false,
            ..limit
        }));
        let tally = Tally {
            whole_at: theoretical_arrival,
            ..Tally::NONE
        };
        let (verdict, next) = plain.count(tally, now);
        (verdict, next.whole_at)
    }

    /// Decides on an attempt at `now` for a key with this tally. Also returns the tally to store. A refused attempt is
    /// not counted, so a client that asks again too early does not wait longer for it.
    #[must_use]
    pub fn count(self, tally: Tally, now: Timestamp) -> (Verdict, Tally) {
        let Some(limit) = self.0 else {
            return (Verdict::Allowed, tally);
        };
        let tally = limit.possible(tally, now);
        let (per, share) = (limit.per, limit.share());
        let debt = tally.whole_at.since(now);
        if debt + share > per {
            let wait = (debt + share).saturating_sub(per);
            return (Verdict::Refused(whole_millis(wait)), tally);
        }
        let paid = |cost| now.plus(debt + cost);
        if !limit.grows {
            let whole_at = paid(share);
            return (Verdict::Allowed, Tally { whole_at, ..tally });
        }
        let doublings = limit.doublings(tally, now);
        let uses_up = debt + share * 2 > per || doublings > DOUBLINGS_WITH_BURSTS;
        let (cost, remembered) = if uses_up {
            (limit.wait_after(doublings), limit.forgotten_in())
        } else {
            (share, limit.forgotten_in() / limit.tries)
        };
        let counted = Tally {
            whole_at: paid(cost),
            grown_until: tally.grown_until.max(now).plus(remembered),
        };
        (Verdict::Allowed, limit.possible(counted, now))
    }

    /// The tally after a success: what was allowed stays used, and waits are as short as at first.
    #[must_use]
    pub fn forgiven(self, tally: Tally, now: Timestamp) -> Tally {
        let Some(limit) = self.0 else {
            return tally;
        };
        Tally {
            whole_at: tally.whole_at.min(now.plus(limit.per)),
            grown_until: tally.grown_until.min(now),
        }
    }
}

impl Limit {
    /// The wait for one attempt, before anything has grown.
    fn share(self) -> Duration {
        self.per / self.tries
    }

    /// The wait for the next attempt after so many doublings.
    fn wait_after(self, doublings: u32) -> Duration {
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        let longest = LONGEST_WAIT.max(self.share());
        self.share().saturating_mul(factor).min(longest)
    }

    /// In this time, one doubling is forgotten, or the failures of one burst: 15 minutes for a rate per minute. So in the
    /// long run, failing is allowed a fifteenth as often as trying.
    fn forgotten_in(self) -> Duration {
        let longest = LONGEST_WAIT.max(self.per);
        self.per.saturating_mul(15).min(longest)
    }

    /// What is remembered of one burst, up to the attempt that uses up the allowance.
    fn unused(self, whole: Duration) -> Duration {
        whole.saturating_sub(whole / self.tries)
    }

    /// How often the wait has doubled.
    fn doublings(self, tally: Tally, now: Timestamp) -> u32 {
        let (left, one) = (tally.grown_until.since(now), self.forgotten_in());
        let beyond = left.saturating_sub(self.unused(one)).as_millis();
        u32::try_from(beyond.div_ceil(one.as_millis().max(1))).unwrap_or(u32::MAX)
    }

    /// A tally with later times than there can be at `now` comes from a clock that was set back or a rate that was
    /// lowered. Nobody waits longer for it than the limit says.
    fn possible(self, tally: Tally, now: Timestamp) -> Tally {
        let (longest, most) = if self.grows {
            let longest = self.wait_after(u32::BITS);
            let most = (0..u32::BITS).find(|most| self.wait_after(*most) == longest);
            (longest, most.unwrap_or(u32::BITS))
        } else {
            (self.share(), 0)
        };
        let one = self.forgotten_in();
        let remembered = self.unused(one) + one * most;
        Tally {
            whole_at: tally
                .whole_at
                .min(now.plus(self.unused(self.per) + longest)),
            grown_until: tally.grown_until.min(now.plus(remembered)),
        }
    }
}

/// Rounded up, since the clock counts milliseconds.
fn whole_millis(wait: Duration) -> Duration {
    let millis = wait.as_nanos().div_ceil(1_000_000);
    Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("off"),
            Some(Limit { tries, per, .. }) => match per.as_secs() {
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
            grows: false,
        })))
    }
}

#[cfg(test)]
mod tests;
