//! Allowances, waits that double, and clocks that jump.

use std::time::Duration;

use proptest::prelude::*;

use super::{LONGEST_WAIT, Rate, Tally, Verdict};
use crate::clock::Timestamp;

const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const DAY: Duration = Duration::from_secs(86_400);

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

/// Somebody who fails, at a clock of their own.
struct Guesser {
    rate: Rate,
    tally: Tally,
    now: Timestamp,
}

impl Guesser {
    fn at(rate: Rate) -> Self {
        Self {
            rate: rate.growing(),
            tally: Tally::NONE,
            now: START,
        }
    }

    fn fails(&mut self) -> Verdict {
        let (verdict, next) = self.rate.count(self.tally, self.now);
        self.tally = next;
        verdict
    }

    fn fails_as_often_as_allowed(&mut self) -> (u32, Duration) {
        for failures in 0.. {
            if let Verdict::Refused(wait) = self.fails() {
                return (failures, wait);
            }
        }
        unreachable!("each failure uses up some of the allowance")
    }

    fn waits(&mut self, time: Duration) {
        self.now = self.now.plus(time);
    }

    /// How many failures there are in `time` if the next one always comes after `pause`, or when it is allowed.
    fn failures_in(&mut self, time: Duration, pause: Duration) -> u32 {
        let (end, mut failures) = (self.now.plus(time), 0);
        while self.now < end {
            match self.fails() {
                Verdict::Allowed => {
                    failures += 1;
                    self.waits(pause);
                }
                Verdict::Refused(wait) => self.waits(wait),
            }
        }
        failures
    }
}

#[test]
fn the_first_wait_is_the_rate_s_and_each_further_failure_doubles_it_up_to_15_minutes() {
    let mut guesser = Guesser::at(five_a_minute());
    let mut waits = Vec::new();
    for number in 0..10 {
        let (failures, wait) = guesser.fails_as_often_as_allowed();
        assert_eq!(failures, if number == 0 { 5 } else { 1 });
        waits.push(wait.as_secs());
        guesser.waits(wait);
    }
    assert_eq!(waits, [12, 24, 48, 96, 192, 384, 768, 768, 768, 768]);
}

#[test]
fn a_second_burst_is_allowed_as_the_first_was_and_waits_longer() {
    let mut guesser = Guesser::at(five_a_minute());
    assert_eq!(guesser.fails_as_often_as_allowed().0, 5);
    guesser.waits(Duration::from_secs(60));
    let (failures, wait) = guesser.fails_as_often_as_allowed();
    assert_eq!(failures, 5);
    assert!(wait > Duration::from_secs(12), "{wait:?}");
}

#[test]
fn guessing_slowly_or_in_bursts_is_no_way_around() {
    for rate in ["5/minute", "20/minute", "1/second", "10/minute"] {
        let rate: Rate = rate.parse().expect("a rate");
        let per_day = u32::try_from(DAY.as_millis() / rate.0.expect("a limit").share().as_millis());
        for pause in [0, 1, 6, 12, 15, 60, 120, 300, 600, 1000, 4000] {
            let mut guesser = Guesser::at(rate);
            let pause = Duration::from_secs(pause);
            let failures = guesser.failures_in(DAY, pause);
            let most = per_day.expect("a number") / 14;
            assert!(
                failures <= most,
                "{rate} every {pause:?}: {failures} of {most}"
            );
        }
        // In bursts after a rest of any length.
        for rest in [30, 60, 100, 300, 900, 3600, 7200] {
            let (mut guesser, mut failures) = (Guesser::at(rate), 0);
            while guesser.now < START.plus(DAY) {
                failures += guesser.fails_as_often_as_allowed().0;
                guesser.waits(Duration::from_secs(rest));
            }
            let most = per_day.expect("a number") / 14;
            assert!(failures <= most, "{rate}, rests of {rest} s: {failures}");
        }
    }
}

#[test]
fn a_success_takes_the_growth_back_and_no_more() {
    let mut guesser = Guesser::at(five_a_minute());
    for _ in 0..8 {
        let (_, wait) = guesser.fails_as_often_as_allowed();
        guesser.waits(wait);
    }
    assert_eq!(guesser.fails(), Verdict::Allowed);
    guesser.tally = guesser.rate.forgiven(guesser.tally, guesser.now);
    // As if nothing had grown: the allowance is used up, and not for longer than at first.
    assert_eq!(guesser.fails(), Verdict::Refused(Duration::from_secs(12)));
    guesser.waits(Duration::from_secs(60));
    let first = guesser.fails_as_often_as_allowed();
    assert_eq!(first, (5, Duration::from_secs(12)));
}

#[test]
fn what_grew_is_forgotten_with_time() {
    let mut guesser = Guesser::at(five_a_minute());
    guesser.failures_in(DAY, Duration::ZERO);
    guesser.waits(Duration::from_secs(4 * 3600));
    assert!(guesser.tally.until() < guesser.now);
    let first = guesser.fails_as_often_as_allowed();
    assert_eq!(first, (5, Duration::from_secs(12)));
}

fn rates() -> impl Strategy<Value = Rate> {
    let tries = 1_u32..=60;
    (
        tries,
        prop_oneof!["second", "minute", "hour"].prop_map(|unit| unit),
    )
        .prop_map(|(tries, unit)| format!("{tries}/{unit}").parse().expect("a rate"))
}

proptest! {
    /// Whatever is stored and whatever the clock does, nobody waits longer than the longest wait, and whoever waits as
    /// long as they were told is let in.
    #[test]
    fn the_wait_that_is_told_is_the_true_one(
        rate in rates(),
        whole_at in any::<u64>(),
        grown_until in any::<u64>(),
        jumps in prop::collection::vec(-100_000_000_i64..100_000_000, 1..40),
    ) {
        let rate = rate.growing();
        let share = rate.0.expect("a limit").share();
        let mut now = START;
        let mut tally = Tally {
            whole_at: Timestamp::from_millis(whole_at),
            grown_until: Timestamp::from_millis(grown_until),
        };
        for jump in jumps {
            let by = Duration::from_millis(jump.unsigned_abs());
            now = if jump < 0 { now.minus(by) } else { now.plus(by) };
            let (verdict, next) = rate.count(tally, now);
            if let Verdict::Refused(wait) = verdict {
                prop_assert!(wait <= LONGEST_WAIT.max(share), "{rate}: {wait:?}");
                let just_before = now.plus(wait.saturating_sub(Duration::from_millis(1)));
                prop_assert!(rate.count(next, just_before).0 != Verdict::Allowed);
                prop_assert_eq!(rate.count(next, now.plus(wait)).0, Verdict::Allowed);
                // A refused attempt costs nothing, however often it comes.
                prop_assert_eq!(rate.count(next, now), (verdict, next));
            }
            let (_, again) = rate.count(next, now);
            tally = again;
        }
    }

    /// It never allows what the plain rate does not allow.
    #[test]
    fn growth_only_makes_waits_longer(
        rate in rates(),
        pauses in prop::collection::vec(0_u64..2_000_000, 1..60),
    ) {
        let (mut now, mut tally, mut plain) = (START, Tally::NONE, Timestamp::from_millis(0));
        for pause in pauses {
            now = now.plus(Duration::from_millis(pause));
            let (grown, next) = rate.growing().count(tally, now);
            if grown == Verdict::Allowed {
                let (verdict, after) = rate.decide(plain, now);
                prop_assert_eq!(verdict, Verdict::Allowed);
                plain = after;
            }
            tally = next;
        }
    }
}
