use std::net::IpAddr;
use std::time::Duration;

use password_auth_model::{Attempt, SignInAttempt, Timestamp, UsernameKey};

use super::{Failure, FailureLimiter};

const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const GUESSER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 7));

fn limiter() -> FailureLimiter {
    FailureLimiter::new("5/minute".parse().expect("a rate"))
}

fn at(name: &str) -> Attempt {
    SignInAttempt::new(&UsernameKey::of(name), GUESSER).counter()
}

/// Fails at these accounts in turn, as soon as it is allowed, so often; the last attempt is under way. Returns it and
/// its moment.
fn fails(
    limiter: &FailureLimiter,
    accounts: &[&str],
    times: usize,
    mut now: Timestamp,
) -> (Failure, Timestamp) {
    let mut last = None;
    for name in accounts.iter().cycle().take(times) {
        now = now.plus(limiter.wait(GUESSER, now));
        let attempt = limiter.count(GUESSER, at(name), now).expect("allowed");
        if let Some(before) = last.replace(attempt) {
            limiter.fail(before);
        }
    }
    (last.expect("an attempt"), now)
}

#[test]
fn waits_double_from_one_address_whatever_accounts_it_tries_and_others_do_not_wait() {
    let limiter = limiter();
    let (_, mut now) = fails(&limiter, &["alice", "bob", "carol"], 5, START);
    for seconds in [12, 24, 48, 96] {
        let wait = limiter.wait(GUESSER, now);
        assert_eq!(wait, Duration::from_secs(seconds));
        let early = limiter.count(GUESSER, at("dora"), now);
        assert_eq!(
            early.map(|_| ()),
            Err(wait),
            "and a refused try costs nothing"
        );
        (_, now) = fails(&limiter, &["dora"], 1, now);
    }
    assert_eq!(
        limiter.wait(IpAddr::from([203, 0, 113, 8]), now),
        Duration::ZERO
    );
}

#[test]
fn a_success_forgives_what_was_tried_at_its_account() {
    let limiter = limiter();
    let (success, now) = fails(&limiter, &["alice"], 9, START);
    limiter.forgive(success, now);
    assert_eq!(limiter.wait(GUESSER, now), Duration::from_secs(12));
    let later = now.plus(Duration::from_secs(60));
    let (_, now) = fails(&limiter, &["alice"], 5, later);
    assert_eq!(now, later);
    assert_eq!(limiter.wait(GUESSER, now), Duration::from_secs(12));
}

#[test]
fn what_is_undone_was_never_tried_and_takes_nothing_else_back() {
    let limiter = limiter();
    let (_, now) = fails(&limiter, &["alice"], 8, START);
    let (wait, now) = (limiter.wait(GUESSER, now), now);
    for name in ["alice", "bob"] {
        let then = now.plus(wait);
        let refused = limiter.count(GUESSER, at(name), then).expect("allowed");
        limiter.undo(refused);
        assert_eq!(limiter.wait(GUESSER, now), wait);
    }
    let (_, then) = fails(&limiter, &["carol"], 1, now);
    assert_eq!(limiter.wait(GUESSER, then), wait * 2);
}

#[test]
fn whoever_signs_in_to_their_own_account_between_guesses_waits_as_long_as_others() {
    let (honest, cunning) = (limiter(), limiter());
    let (_, honest_end) = fails(&honest, &["alice"], 11, START);
    let mut now = START;
    for number in 0..11 {
        (_, now) = fails(&cunning, &["alice"], 1, now);
        if number >= 4 {
            // Now and then, with wrong passwords before.
            let (success, then) = fails(&cunning, &["mallory"], 1 + number % 3, now);
            cunning.forgive(success, then);
            now = then;
        }
    }
    assert!(now >= honest_end, "{now:?} {honest_end:?}");
}

#[test]
fn what_is_tried_at_once_is_forgiven_once_however_each_of_it_ends() {
    type End = fn(&FailureLimiter, Failure, Timestamp);
    let succeeds: End = |limiter, attempt, now| limiter.forgive(attempt, now);
    let fails: End = |limiter, attempt, _| limiter.fail(attempt);
    let is_refused: End = |limiter, attempt, _| limiter.undo(attempt);
    for ends in [
        [succeeds, is_refused],
        [is_refused, succeeds],
        [succeeds, succeeds],
        [succeeds, fails],
        [fails, succeeds],
    ] {
        for guesses_between in [false, true] {
            let (honest, cunning) = (limiter(), limiter());
            let guess = |limiter: &FailureLimiter| {
                let guess = limiter.count(GUESSER, at("alice"), START);
                limiter.fail(guess.expect("allowed"));
            };
            guess(&honest);
            guess(&cunning);
            let own = [(); 2].map(|()| cunning.count(GUESSER, at("mallory"), START));
            if guesses_between {
                guess(&honest);
                guess(&cunning);
            }
            for (attempt, end) in own.into_iter().zip(ends) {
                end(&cunning, attempt.expect("allowed"), START);
            }
            let remembered = |limiter: &FailureLimiter| {
                let counters = limiter.counters.lock().expect("nobody panicked");
                counters.values().map(|c| c.tally.grown_until).max()
            };
            assert!(remembered(&cunning) >= remembered(&honest));
        }
    }
}

#[test]
fn many_who_succeed_from_one_address_never_wait_longer_than_the_rate_says() {
    let limiter = limiter();
    let mut now = START;
    for number in 0..200 {
        let wait = limiter.wait(GUESSER, now);
        assert!(wait <= Duration::from_secs(12), "{wait:?}");
        now = now.plus(wait);
        // Two at once.
        let first = limiter.count(GUESSER, at(&format!("user{number}")), now);
        let second = limiter.count(GUESSER, at("another"), now);
        for success in [first, second].into_iter().flatten() {
            limiter.forgive(success, now);
        }
    }
}
