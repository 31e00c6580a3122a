//! Many at once, on every node: who wins, and that everybody sees the same afterwards.

use std::sync::Arc;
use std::time::Duration;

use password_auth::id::SessionId;
use password_auth::sessions::{Decision, End, Generation, REPLAY_WINDOW, Session};
use password_auth::store::{CreateUser, Store, User};
use password_auth::throttle::{Rate, Verdict};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::engine::{Engine, attempt, hash};

each_engine! {
    of_many_who_want_one_name_exactly_one_gets_it,
    many_who_present_one_token_all_end_with_the_same_successor,
    contexts_that_refresh_again_and_again_all_stay_signed_in,
    of_many_who_change_one_password_exactly_one_does,
    a_sign_out_is_not_undone_by_a_rotation_at_the_same_time,
    a_disabled_user_is_not_let_in_by_a_sign_in_at_the_same_time,
    a_disabled_user_s_session_does_not_rotate_afterwards,
    a_late_confirmation_confirms_no_successor,
    a_theft_and_a_sign_out_at_once_leave_no_session_that_counts,
    of_many_tries_at_once_no_more_pass_than_the_rate_says,
    a_session_and_its_user_are_read_of_one_moment,
    records_swept_on_every_node_at_once_are_counted_once,
    many_sessions_rotate_side_by_side,
}

/// At once.
const MANY: usize = 32;
/// How often two things are let loose on each other.
const ROUNDS: usize = 25;

/// Runs `call` on many tasks that begin together, spread over the nodes; the answers.
async fn at_once<T, A>(
    engine: &Engine,
    many: usize,
    call: impl Fn(usize, Arc<dyn Store>) -> A,
) -> Vec<T>
where
    T: Send + 'static,
    A: Future<Output = T> + Send + 'static,
{
    let ready = Arc::new(Barrier::new(many));
    let mut tasks = JoinSet::new();
    for n in 0..many {
        let (ready, call) = (Arc::clone(&ready), call(n, engine.store()));
        tasks.spawn(async move {
            ready.wait().await;
            call.await
        });
    }
    tasks.join_all().await
}

/// Two calls that begin together, on two nodes if there are two.
async fn two_at_once<A: Future + Send + 'static, B: Future + Send + 'static>(
    engine: &Engine,
    first: impl FnOnce(Arc<dyn Store>) -> A,
    second: impl FnOnce(Arc<dyn Store>) -> B,
) -> (A::Output, B::Output)
where
    A::Output: Send,
    B::Output: Send,
{
    let first = tokio::spawn(first(engine.store()));
    let second = tokio::spawn(second(engine.store()));
    let (first, second) = tokio::join!(first, second);
    (first.expect("it ran"), second.expect("it ran"))
}

/// What every node says of the session.
async fn everywhere(engine: &Engine, id: SessionId) -> Option<(Session, User)> {
    let mut found = Vec::new();
    for node in engine.nodes() {
        found.push(node.session(id).await.expect("an answer"));
    }
    let first = found[0].clone();
    assert!(found.iter().all(|found| *found == first), "{found:#?}");
    first
}

async fn of_many_who_want_one_name_exactly_one_gets_it(engine: Engine) {
    for round in 0..5 {
        let spellings = [format!("alice {round}"), format!("ALICE {round}")];
        let people: Vec<User> = (0..MANY)
            .map(|n| engine.user(&spellings[n % spellings.len()]))
            .collect();
        let answers = at_once(&engine, MANY, |n, store| {
            let user = people[n].clone();
            async move { (n, store.create_user(user).await.expect("an answer")) }
        });
        let answers = answers.await;
        let created = answers
            .iter()
            .filter(|(_, answer)| *answer == CreateUser::Created);
        let winners: Vec<_> = created.map(|(n, _)| *n).collect();
        assert_eq!(winners.len(), 1, "{answers:?}");
        let winner = &people[winners[0]];
        for node in engine.nodes() {
            let found = node.user_by_name(&winner.username_key).await;
            assert_eq!(found.expect("an answer").as_ref(), Some(winner));
            let taken = node.name_is_taken(&winner.username_key).await;
            assert!(taken.expect("an answer"));
        }
        for (n, loser) in people.iter().enumerate() {
            let is_there = engine.allow(loser, true).await.is_some();
            assert_eq!(is_there, n == winners[0], "a loser left nothing behind");
        }
    }
}

async fn many_who_present_one_token_all_end_with_the_same_successor(engine: Engine) {
    let (session, alice) = engine.signed_in("alice").await;
    for generation in 0..5 {
        engine.advance(Duration::from_secs(10)).await;
        let now = engine.now();
        let answers = at_once(&engine, MANY, |_, store| async move {
            let presented = Generation(generation);
            let rotated = store.rotate_session(session.id, presented, now).await;
            rotated.expect("an answer").expect("a rotation")
        });
        let answers = answers.await;
        let (after, _) = everywhere(&engine, session.id).await.expect("a session");
        assert_eq!(after.generation, Generation(generation + 1));
        for answer in &answers {
            assert_eq!(answer.session, after);
            assert_eq!(answer.user, alice);
        }
        let decided = |decision| answers.iter().filter(|a| a.decision == decision).count();
        assert_eq!(decided(Decision::Rotate), 1);
        assert_eq!(decided(Decision::Replay), MANY - 1);
    }
}

/// Each context presents what it last heard; none may fall behind, and none is taken for a thief.
async fn contexts_that_refresh_again_and_again_all_stay_signed_in(engine: Engine) {
    let (session, _) = engine.signed_in("alice").await;
    let now = engine.now();
    let last = at_once(&engine, 4, |_, store| async move {
        let mut held = Generation(0);
        // Together as many rotations as are remembered.
        for _ in 0..2 {
            let rotated = store.rotate_session(session.id, held, now).await;
            let rotation = rotated.expect("an answer").expect("a rotation");
            let kept = matches!(rotation.decision, Decision::Rotate | Decision::Replay);
            assert!(kept, "{rotation:?}");
            assert!(rotation.session.generation > held);
            held = rotation.session.generation;
        }
        held
    });
    let last = last.await.into_iter().max();
    let (after, _) = everywhere(&engine, session.id).await.expect("a session");
    assert_eq!(Some(after.generation), last);
}

async fn of_many_who_change_one_password_exactly_one_does(engine: Engine) {
    let alice = engine.register("alice").await;
    let answers = at_once(&engine, MANY, |n, store| {
        let old = alice.password.clone();
        async move {
            let new = hash(&n.to_string());
            let replaced = store.replace_password_hash(alice.id, &old, new).await;
            (n, replaced.expect("an answer"))
        }
    });
    let answers = answers.await;
    let winners: Vec<_> = answers.iter().filter(|(_, replaced)| *replaced).collect();
    assert_eq!(winners.len(), 1, "{answers:?}");
    let found = engine.user_named("alice").await.expect("alice");
    assert!(found.password == hash(&winners[0].0.to_string()));
}

async fn a_sign_out_is_not_undone_by_a_rotation_at_the_same_time(engine: Engine) {
    let alice = engine.register("alice").await;
    for _ in 0..ROUNDS {
        let session = engine.session_of(&alice);
        assert!(engine.keep(&session).await);
        let (id, now) = (session.id, engine.now());
        let (rotated, ended) = two_at_once(
            &engine,
            move |store| async move { store.rotate_session(id, Generation(0), now).await },
            move |store| async move { store.end_session(id).await },
        )
        .await;
        let decision = rotated
            .expect("an answer")
            .map(|rotation| rotation.decision);
        assert!(matches!(decision, None | Some(Decision::Rotate)));
        ended.expect("an answer");
        assert_eq!(everywhere(&engine, id).await, None);
        assert_eq!(engine.rotate(id, 1).await, None);
    }
}

async fn a_disabled_user_is_not_let_in_by_a_sign_in_at_the_same_time(engine: Engine) {
    for round in 0..ROUNDS {
        let alice = engine.register(&format!("alice {round}")).await;
        let session = engine.session_of(&alice);
        let asked = session.clone();
        let (kept, allowed) = two_at_once(
            &engine,
            move |store| async move { store.create_session(asked).await },
            move |store| async move { store.set_user_active(alice.id, false).await },
        )
        .await;
        assert_eq!(allowed.expect("an answer"), Some(()));
        let disabled = User {
            is_active: false,
            ..alice
        };
        let expected = kept
            .expect("an answer")
            .then(|| (session.clone(), disabled));
        assert_eq!(everywhere(&engine, session.id).await, expected);
        assert_eq!(engine.rotate(session.id, 0).await, None);
    }
}

async fn a_disabled_user_s_session_does_not_rotate_afterwards(engine: Engine) {
    for round in 0..ROUNDS {
        let (session, alice) = engine.signed_in(&format!("alice {round}")).await;
        let (id, user, now) = (session.id, alice.id, engine.now());
        let (rotated, after) = two_at_once(
            &engine,
            move |store| async move { store.rotate_session(id, Generation(0), now).await },
            move |store| async move {
                let allowed = store.set_user_active(user, false).await;
                assert_eq!(allowed.expect("an answer"), Some(()));
                store.session(id).await.expect("an answer")
            },
        )
        .await;
        let after = after.expect("a session");
        assert!(!after.1.is_active);
        match rotated.expect("an answer") {
            // It came first, and the user was active then.
            Some(rotation) => {
                assert_eq!(rotation.session, after.0);
                assert_eq!(rotation.user, alice);
            }
            None => assert_eq!(after.0, session),
        }
        for presented in [0, 1] {
            assert_eq!(engine.rotate(id, presented).await, None);
        }
        assert_eq!(everywhere(&engine, id).await, Some(after));
    }
}

async fn a_late_confirmation_confirms_no_successor(engine: Engine) {
    let alice = engine.register("alice").await;
    for _ in 0..ROUNDS {
        let session = engine.session_of(&alice);
        assert!(engine.keep(&session).await);
        let (id, now) = (session.id, engine.now());
        let (rotated, confirmed) = two_at_once(
            &engine,
            move |store| async move { store.rotate_session(id, Generation(0), now).await },
            move |store| async move { store.confirm_generation(id, Generation(0)).await },
        )
        .await;
        confirmed.expect("an answer");
        let rotation = rotated.expect("an answer").expect("a rotation");
        assert_eq!(rotation.decision, Decision::Rotate);
        let (after, _) = everywhere(&engine, id).await.expect("a session");
        assert_eq!(after, rotation.session);
        assert!(!after.confirmed);
    }
}

async fn a_theft_and_a_sign_out_at_once_leave_no_session_that_counts(engine: Engine) {
    let alice = engine.register("alice").await;
    for _ in 0..ROUNDS {
        let session = engine.session_of(&alice);
        assert!(engine.keep(&session).await);
        let id = session.id;
        engine.expect_rotation(id, 0, Decision::Rotate).await;
        engine.confirm(id, 1).await;
        engine.advance(REPLAY_WINDOW * 2).await;
        let now = engine.now();
        let (rotated, ended) = two_at_once(
            &engine,
            move |store| async move { store.rotate_session(id, Generation(0), now).await },
            move |store| async move { store.end_session(id).await },
        )
        .await;
        ended.expect("an answer");
        let found = everywhere(&engine, id).await;
        match rotated.expect("an answer") {
            Some(rotation) => {
                assert_eq!(rotation.decision, Decision::Theft);
                let (found, _) = found.expect("its owner is told");
                assert_eq!(found.ended, Some(End::Theft));
            }
            None => assert_eq!(found, None),
        }
    }
}

/// Whoever sees that the user is disabled sees also what happened to the session before.
async fn a_session_and_its_user_are_read_of_one_moment(engine: Engine) {
    for round in 0..ROUNDS {
        let (session, alice) = engine.signed_in(&format!("alice {round}")).await;
        let (id, user) = (session.id, alice.id);
        let mut readers = JoinSet::new();
        for _ in 0..4 {
            let store = engine.store();
            readers.spawn(async move {
                loop {
                    let found = store.session(id).await.expect("an answer");
                    let (session, user) = found.expect("a session");
                    assert!(user.is_active || session.confirmed, "two moments");
                    if !user.is_active {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
            });
        }
        let store = engine.store();
        let confirmed = store.confirm_generation(id, Generation(0)).await;
        confirmed.expect("an answer");
        let allowed = store.set_user_active(user, false).await;
        assert_eq!(allowed.expect("an answer"), Some(()));
        readers.join_all().await;
    }
}

async fn of_many_tries_at_once_no_more_pass_than_the_rate_says(engine: Engine) {
    let rate: Rate = "5/minute".parse().expect("a rate");
    let now = engine.now();
    for round in 0..5 {
        let alice = attempt(&format!("alice {round}"), "192.0.2.1");
        let verdicts = at_once(&engine, MANY, |_, store| async move {
            let verdict = store.count_attempt(alice, rate, now).await;
            verdict.expect("an answer")
        });
        let verdicts = verdicts.await;
        let passed = verdicts.iter().filter(|v| **v == Verdict::Allowed).count();
        assert_eq!(passed, 5, "{verdicts:?}");
        let refused = Verdict::Refused(Duration::from_secs(12));
        let refused = verdicts.iter().filter(|v| **v == refused).count();
        assert_eq!(refused, MANY - 5, "{verdicts:?}");
    }
}

async fn records_swept_on_every_node_at_once_are_counted_once(engine: Engine) {
    let (sessions, networks) = (80, 80);
    let alice = engine.register("alice").await;
    for n in 0..sessions {
        assert!(engine.keep(&engine.session_of(&alice)).await);
        let network = attempt(&format!("user {n}"), "192.0.2.1");
        engine.remember(network, engine.now()).await;
    }
    engine.advance(Duration::from_secs(400 * 86_400)).await;
    let (kept, bob) = engine.signed_in("bob").await;
    let now = engine.now();
    let swept = at_once(&engine, 4, |_, store| async move {
        store.sweep(now).await.expect("an answer")
    });
    assert_eq!(swept.await.iter().sum::<usize>(), sessions + networks);
    assert_eq!(everywhere(&engine, kept.id).await, Some((kept, bob)));
}

async fn many_sessions_rotate_side_by_side(engine: Engine) {
    let alice = engine.register("alice").await;
    let now = engine.now();
    let sessions: Vec<_> = (0..MANY).map(|_| engine.session_of(&alice)).collect();
    let rotated = at_once(&engine, MANY, |n, store| {
        let session = sessions[n].clone();
        async move {
            let id = session.id;
            assert!(store.create_session(session).await.expect("an answer"));
            for generation in (0..8).map(Generation) {
                let rotated = store.rotate_session(id, generation, now).await;
                let rotation = rotated.expect("an answer").expect("a rotation");
                assert_eq!(rotation.decision, Decision::Rotate);
                assert_eq!(rotation.session.generation, generation.next());
            }
            id
        }
    });
    for id in rotated.await {
        let (after, _) = everywhere(&engine, id).await.expect("a session");
        assert_eq!(after.generation, Generation(8));
    }
}
