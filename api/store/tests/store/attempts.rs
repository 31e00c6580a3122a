//! Sign-in attempts: counted by account, except from remembered networks.

use std::time::Duration;

use password_auth_model::{LONGEST_WAIT, Rate, Timestamp, Verdict};
use password_auth_store::Record;

use crate::engine::{Engine, attempt};

each_engine! {
    five_tries_pass_and_the_sixth_is_told_how_long_to_wait,
    a_refused_try_costs_nothing,
    one_account_s_tries_are_counted_from_every_network_and_not_for_another_account,
    a_try_without_a_limit_always_passes_and_counts_nothing,
    the_lowest_rate_and_the_highest_count_to_the_millisecond,
    a_clock_that_was_set_back_locks_nobody_out,
    a_remembered_network_is_not_counted_until_its_moment,
    a_network_is_remembered_for_its_own_account_alone,
    the_last_moment_until_which_a_network_is_remembered_counts,
    tries_and_networks_are_there_again_after_the_store_was_closed,
    a_try_at_the_epoch_and_at_the_end_of_time_is_counted,
    waits_that_grow_double_and_are_forgiven,
    what_has_grown_survives_a_restart_and_a_dump_and_is_swept_once_it_is_forgotten,
    a_clock_that_jumps_makes_no_grown_wait_longer_than_the_longest,
    many_at_once_on_all_nodes_get_the_allowance_and_no_more,
    what_grows_at_one_account_is_not_another_s_and_goes_with_it,
}

const SHARE: Duration = Duration::from_secs(12);

fn five_a_minute() -> Rate {
    rate("5/minute")
}

fn rate(text: &str) -> Rate {
    text.parse().expect("a rate")
}

/// Uses up the account's five tries.
async fn use_up(engine: &Engine, name: &str) {
    for _ in 0..5 {
        let verdict = engine.attempt(attempt(name, "192.0.2.1"), five_a_minute());
        assert_eq!(verdict.await, Verdict::Allowed);
    }
    let verdict = engine.attempt(attempt(name, "192.0.2.1"), five_a_minute());
    assert_eq!(verdict.await, Verdict::Refused(SHARE));
}

async fn five_tries_pass_and_the_sixth_is_told_how_long_to_wait(engine: Engine) {
    let alice = attempt("alice", "192.0.2.1");
    use_up(&engine, "alice").await;
    engine.advance(SHARE - Duration::from_millis(1)).await;
    let verdict = engine.attempt(alice, five_a_minute()).await;
    assert_eq!(verdict, Verdict::Refused(Duration::from_millis(1)));
    engine.advance(Duration::from_millis(1)).await;
    assert_eq!(
        engine.attempt(alice, five_a_minute()).await,
        Verdict::Allowed
    );
    let verdict = engine.attempt(alice, five_a_minute()).await;
    assert_eq!(verdict, Verdict::Refused(SHARE));
}

async fn a_refused_try_costs_nothing(engine: Engine) {
    let alice = attempt("alice", "192.0.2.1");
    use_up(&engine, "alice").await;
    for _ in 0..20 {
        let verdict = engine.attempt(alice, five_a_minute()).await;
        assert_eq!(verdict, Verdict::Refused(SHARE));
    }
    engine.advance(Duration::from_secs(60)).await;
    use_up(&engine, "alice").await;
}

async fn one_account_s_tries_are_counted_from_every_network_and_not_for_another_account(
    engine: Engine,
) {
    use_up(&engine, "alice").await;
    for address in ["198.51.100.7", "2001:db8::1"] {
        let verdict = engine.attempt(attempt("ALICE", address), five_a_minute());
        assert_eq!(verdict.await, Verdict::Refused(SHARE), "{address}");
    }
    use_up(&engine, "bob").await;
}

async fn a_try_without_a_limit_always_passes_and_counts_nothing(engine: Engine) {
    for _ in 0..20 {
        let verdict = engine.attempt(attempt("alice", "192.0.2.1"), Rate::OFF);
        assert_eq!(verdict.await, Verdict::Allowed);
    }
    use_up(&engine, "alice").await;
    let verdict = engine.attempt(attempt("alice", "192.0.2.1"), Rate::OFF);
    assert_eq!(verdict.await, Verdict::Allowed);
}

async fn the_lowest_rate_and_the_highest_count_to_the_millisecond(engine: Engine) {
    let (slow, fast) = (attempt("slow", "192.0.2.1"), attempt("fast", "192.0.2.1"));
    let verdicts = [
        engine.attempt(slow, rate("1/hour")).await,
        engine.attempt(slow, rate("1/hour")).await,
    ];
    let an_hour = Duration::from_secs(3600);
    assert_eq!(verdicts, [Verdict::Allowed, Verdict::Refused(an_hour)]);
    for _ in 0..1000 {
        let verdict = engine.attempt(fast, rate("1000/second")).await;
        assert_eq!(verdict, Verdict::Allowed);
    }
    let verdict = engine.attempt(fast, rate("1000/second")).await;
    assert_eq!(verdict, Verdict::Refused(Duration::from_millis(1)));
}

async fn a_clock_that_was_set_back_locks_nobody_out(engine: Engine) {
    use_up(&engine, "alice").await;
    engine.set_back(Duration::from_secs(86_400)).await;
    let verdict = engine.attempt(attempt("alice", "192.0.2.1"), five_a_minute());
    assert_eq!(verdict.await, Verdict::Refused(SHARE));
    engine.advance(SHARE).await;
    let verdict = engine.attempt(attempt("alice", "192.0.2.1"), five_a_minute());
    assert_eq!(verdict.await, Verdict::Allowed);
}

async fn a_remembered_network_is_not_counted_until_its_moment(engine: Engine) {
    use_up(&engine, "alice").await;
    let at_home = attempt("alice", "198.51.100.7");
    let until = engine.now().plus(Duration::from_secs(5));
    assert!(!engine.is_remembered(at_home).await);
    engine.remember(at_home, until).await;
    assert!(engine.is_remembered(at_home).await);
    for _ in 0..20 {
        let verdict = engine.attempt(at_home, five_a_minute()).await;
        assert_eq!(verdict, Verdict::Allowed);
    }
    let elsewhere = engine.attempt(attempt("alice", "192.0.2.1"), five_a_minute());
    assert_eq!(
        elsewhere.await,
        Verdict::Refused(SHARE),
        "nothing was counted"
    );
    engine
        .turn_clock_to(until.minus(Duration::from_millis(1)))
        .await;
    assert_eq!(
        engine.attempt(at_home, five_a_minute()).await,
        Verdict::Allowed
    );
    engine.turn_clock_to(until).await;
    assert!(!engine.is_remembered(at_home).await);
    let verdict = engine.attempt(at_home, five_a_minute()).await;
    assert_eq!(verdict, Verdict::Refused(Duration::from_secs(7)));
}

async fn a_network_is_remembered_for_its_own_account_alone(engine: Engine) {
    use_up(&engine, "alice").await;
    use_up(&engine, "bob").await;
    let until = engine.now().plus(Duration::from_secs(60));
    engine
        .remember(attempt("alice", "198.51.100.7"), until)
        .await;
    for other in [
        attempt("bob", "198.51.100.7"),
        attempt("alice", "203.0.113.1"),
    ] {
        assert!(!engine.is_remembered(other).await);
    }
    let verdict = engine.attempt(attempt("bob", "198.51.100.7"), five_a_minute());
    assert_eq!(verdict.await, Verdict::Refused(SHARE));
    let verdict = engine.attempt(attempt("alice", "203.0.113.1"), five_a_minute());
    assert_eq!(verdict.await, Verdict::Refused(SHARE));
}

async fn the_last_moment_until_which_a_network_is_remembered_counts(engine: Engine) {
    let at_home = attempt("alice", "192.0.2.1");
    use_up(&engine, "alice").await;
    let (soon, late) = (Duration::from_secs(1), Duration::from_secs(10));
    engine.remember(at_home, engine.now().plus(soon)).await;
    engine.remember(at_home, engine.now().plus(late)).await;
    engine.advance(soon).await;
    assert_eq!(
        engine.attempt(at_home, five_a_minute()).await,
        Verdict::Allowed
    );
    engine.remember(at_home, engine.now().plus(soon)).await;
    engine.advance(soon).await;
    let verdict = engine.attempt(at_home, five_a_minute()).await;
    assert_eq!(verdict, Verdict::Refused(Duration::from_secs(10)));
}

async fn tries_and_networks_are_there_again_after_the_store_was_closed(mut engine: Engine) {
    use_up(&engine, "alice").await;
    let at_home = attempt("alice", "198.51.100.7");
    engine.remember(at_home, engine.now().plus(SHARE)).await;
    engine.reopen().await;
    let verdict = engine.attempt(attempt("alice", "192.0.2.1"), five_a_minute());
    assert_eq!(verdict.await, Verdict::Refused(SHARE));
    assert_eq!(
        engine.attempt(at_home, five_a_minute()).await,
        Verdict::Allowed
    );
}

async fn a_try_at_the_epoch_and_at_the_end_of_time_is_counted(engine: Engine) {
    engine.turn_clock_to(Timestamp::from_millis(0)).await;
    use_up(&engine, "alice").await;
    let end = Timestamp::MAX;
    engine
        .turn_clock_to(end.minus(Duration::from_secs(3600)))
        .await;
    use_up(&engine, "alice").await;
    use_up(&engine, "bob").await;
    engine.remember(attempt("alice", "192.0.2.1"), end).await;
    let verdict = engine.attempt(attempt("alice", "192.0.2.1"), five_a_minute());
    assert_eq!(verdict.await, Verdict::Allowed);
}

fn growing() -> Rate {
    five_a_minute().growing()
}

/// Fails as soon as it is allowed, until this wait, which is the first that is as long.
async fn grow_to(engine: &Engine, name: &str, wait: Duration) {
    loop {
        match engine.attempt(attempt(name, "192.0.2.1"), growing()).await {
            Verdict::Allowed => {}
            Verdict::Refused(longer) if longer >= wait => return,
            Verdict::Refused(longer) => engine.advance(longer).await,
        }
    }
}

async fn waits_that_grow_double_and_are_forgiven(engine: Engine) {
    let alice = attempt("alice", "192.0.2.1");
    for _ in 0..2 {
        for _ in 0..5 {
            assert_eq!(engine.attempt(alice, growing()).await, Verdict::Allowed);
        }
        for doubled in [12, 24, 48, 96] {
            let wait = Duration::from_secs(doubled);
            for _ in 0..3 {
                let refused = engine.attempt(alice, growing()).await;
                assert_eq!(
                    refused,
                    Verdict::Refused(wait),
                    "a refused try costs nothing"
                );
            }
            engine.advance(wait).await;
            assert_eq!(engine.attempt(alice, growing()).await, Verdict::Allowed);
        }
        engine.forgive(alice, growing()).await;
        let refused = engine.attempt(alice, growing()).await;
        assert_eq!(refused, Verdict::Refused(SHARE));
        // Again, and of nothing, it forgives nothing.
        engine.forgive(alice, growing()).await;
        engine
            .forgive(attempt("nobody", "192.0.2.1"), growing())
            .await;
        let refused = engine.attempt(alice, growing()).await;
        assert_eq!(refused, Verdict::Refused(SHARE));
        engine.advance(Duration::from_secs(60)).await;
    }
    // A remembered network is not counted, whatever has grown.
    grow_to(&engine, "alice", Duration::from_secs(96)).await;
    let at_home = attempt("alice", "198.51.100.7");
    let until = engine.now().plus(Duration::from_secs(60));
    engine.remember(at_home, until).await;
    assert_eq!(engine.attempt(at_home, growing()).await, Verdict::Allowed);
    let elsewhere = engine.attempt(alice, growing()).await;
    assert_eq!(elsewhere, Verdict::Refused(Duration::from_secs(96)));
}

async fn what_has_grown_survives_a_restart_and_a_dump_and_is_swept_once_it_is_forgotten(
    mut engine: Engine,
) {
    let (alice, wait) = (attempt("alice", "192.0.2.1"), Duration::from_secs(96));
    grow_to(&engine, "alice", wait).await;
    engine.reopen().await;
    let refused = engine.attempt(alice, growing()).await;
    assert_eq!(refused, Verdict::Refused(wait));
    let records = crate::dump::dump(&engine).await;
    assert_eq!(records.len(), 2, "the count, and how it grew: {records:?}");
    for mut other in [Engine::sled().await, Engine::postgres().await] {
        let loaded = crate::dump::load(&other, records.clone()).await;
        loaded.expect("loaded");
        other.reopen().await;
        other.turn_clock_to(engine.now()).await;
        let refused = other.attempt(alice, growing()).await;
        assert_eq!(refused, Verdict::Refused(wait));
    }
    engine.advance(wait + Duration::from_secs(60)).await;
    assert_eq!(engine.sweep().await, 1, "the allowance is whole");
    // Five doublings and a burst.
    engine.advance(Duration::from_secs(6 * 900)).await;
    assert_eq!(engine.sweep().await, 1);
    assert_eq!(crate::dump::dump(&engine).await, []);
}

async fn a_clock_that_jumps_makes_no_grown_wait_longer_than_the_longest(engine: Engine) {
    let alice = attempt("alice", "192.0.2.1");
    grow_to(&engine, "alice", Duration::from_secs(384)).await;
    engine.set_back(Duration::from_secs(30 * 86_400)).await;
    let Verdict::Refused(wait) = engine.attempt(alice, growing()).await else {
        panic!("the clock went back");
    };
    assert!(wait <= LONGEST_WAIT, "{wait:?}");
    engine.advance(wait).await;
    assert_eq!(engine.attempt(alice, growing()).await, Verdict::Allowed);
    // And forward: all is forgotten.
    engine.advance(Duration::from_secs(30 * 86_400)).await;
    for _ in 0..5 {
        assert_eq!(engine.attempt(alice, growing()).await, Verdict::Allowed);
    }
    let refused = engine.attempt(alice, growing()).await;
    assert_eq!(refused, Verdict::Refused(SHARE));
}

async fn many_at_once_on_all_nodes_get_the_allowance_and_no_more(engine: Engine) {
    for round in 0..3 {
        let now = engine.now();
        let tries = engine.nodes().iter().flat_map(|node| {
            (0..12).map(move |number| {
                let tried = attempt("alice", &format!("192.0.2.{number}"));
                let node = std::sync::Arc::clone(node);
                async move { node.count_attempt(tried, growing(), now).await }
            })
        });
        let verdicts = futures_util::future::join_all(tries).await;
        let allowed = verdicts
            .into_iter()
            .filter(|verdict| matches!(verdict, Ok(Verdict::Allowed)))
            .count();
        assert_eq!(allowed, if round == 0 { 5 } else { 1 });
        engine.advance(SHARE * (1 << round)).await;
    }
}

async fn what_grows_at_one_account_is_not_another_s_and_goes_with_it(engine: Engine) {
    let (alice, bob) = (
        engine.signed_in("alice").await.1,
        attempt("bob", "192.0.2.1"),
    );
    grow_to(&engine, "alice", Duration::from_secs(96)).await;
    assert_eq!(engine.attempt(bob, growing()).await, Verdict::Allowed);
    engine
        .store()
        .delete_user(alice.id)
        .await
        .expect("an answer");
    let counter = *attempt("alice", "192.0.2.1").account();
    let left = crate::dump::dump(&engine).await;
    let is_alice_s =
        |record: &Record| matches!(record, Record::Attempt { key, .. } if key[..8] == counter[..8]);
    assert!(!left.iter().any(is_alice_s), "{left:?}");
}
