//! Concurrent calls for the same thing on all nodes: one wins, and all see the same result.

use std::time::Duration;

use password_auth_model::{Decision, Generation, Owner, Rate, SessionId, User, Verdict};
use password_auth_store::{CreateUser, NewSession};
use tokio::task::JoinSet;

use crate::at_once::{MANY, ROUNDS, at_once, everywhere};
use crate::engine::{Engine, PARTY, attempt, hash};

each_engine! {
    of_many_who_want_one_name_exactly_one_gets_it,
    many_who_present_one_token_all_end_with_the_same_successor,
    contexts_that_refresh_again_and_again_all_stay_signed_in,
    of_many_who_change_one_password_exactly_one_does,
    of_many_tries_at_once_no_more_pass_than_the_rate_says,
    records_swept_on_every_node_at_once_are_counted_once,
    many_sessions_rotate_side_by_side,
    each_of_many_who_read_at_once_gets_the_session_that_they_ask_for,
    a_read_sees_what_was_acknowledged_before_it_among_many_others,
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
            let rotated = store
                .rotate_session(session.id, presented, PARTY, now)
                .await;
            rotated.expect("an answer").expect("a rotation")
        });
        let answers = answers.await;
        let (after, _) = everywhere(&engine, session.id).await.expect("a session");
        assert_eq!(after.generation, Generation(generation + 1));
        for answer in &answers {
            assert_eq!(answer.session, after);
            assert_eq!(answer.owner, Owner::from(&alice));
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
            let rotated = store.rotate_session(session.id, held, PARTY, now).await;
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
    for n in 0..sessions {
        engine.signed_in(&format!("user {n}")).await;
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
            let kept = store.create_session(session, 0).await;
            assert_eq!(kept.expect("an answer"), NewSession::Added);
            for generation in (0..8).map(Generation) {
                let rotated = store.rotate_session(id, generation, PARTY, now).await;
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

/// Some ask for the same one, some for one that there is not, and some do not wait for the answer.
async fn each_of_many_who_read_at_once_gets_the_session_that_they_ask_for(engine: Engine) {
    let mut sessions = Vec::new();
    for name in ["alice", "bob", "carol", "dave", "eve"] {
        sessions.push(engine.signed_in(name).await);
    }
    let nobodys = SessionId::new(engine.now());
    for _ in 0..ROUNDS {
        let ids: Vec<_> = sessions.iter().map(|(session, _)| session.id).collect();
        let answers = at_once(&engine, MANY, |n, store| {
            let id = ids.get(n % (ids.len() + 1)).copied().unwrap_or(nobodys);
            async move {
                let read = store.session(id);
                if n % 4 == 0 {
                    tokio::select! {
                        biased;
                        found = read => Some((id, found.expect("an answer"))),
                        () = tokio::task::yield_now() => None,
                    }
                } else {
                    Some((id, read.await.expect("an answer")))
                }
            }
        });
        for (id, found) in answers.await.into_iter().flatten() {
            let expected = sessions.iter().find(|(session, _)| session.id == id);
            let found = found.map(|(session, user)| (session.id, user.id));
            assert_eq!(found, expected.map(|(session, user)| (session.id, user.id)));
        }
    }
}

async fn a_read_sees_what_was_acknowledged_before_it_among_many_others(engine: Engine) {
    let (session, _) = engine.signed_in("alice").await;
    let (id, now) = (session.id, engine.now());
    let mut others = JoinSet::new();
    for _ in 0..MANY {
        let store = engine.store();
        others.spawn(async move {
            loop {
                store.session(id).await.expect("an answer");
                tokio::task::yield_now().await;
            }
        });
    }
    for generation in 0..20 {
        let store = engine.store();
        let rotated = store.rotate_session(id, Generation(generation), PARTY, now);
        rotated.await.expect("an answer").expect("a rotation");
        for node in engine.nodes() {
            let (found, _) = node.session(id).await.expect("an answer").expect("there");
            assert_eq!(found.generation, Generation(generation + 1));
        }
    }
    others.shutdown().await;
}
