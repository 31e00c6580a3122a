//! Concurrent changes of the same account.

use password_auth_model::{EventKind, MAX_SESSIONS, Purpose, Role};
use password_auth_store::{
    ChangePassword, ChangeUser, ConfirmEmail, CreateUser, DeleteUser, NewSession, UserChange,
};

use crate::at_once::{MANY, ROUNDS, at_once, two_at_once};
use crate::engine::{Engine, hash};
use crate::person::{
    added, address, admin, event, events, mailed, now_of, sessions_of, token, users_with,
    with_email,
};

each_engine! {
    of_many_who_verify_one_address_at_once_exactly_one_has_it,
    nobody_registers_with_an_address_that_is_just_being_verified,
    two_last_admins_do_not_leave_together,
    one_token_is_good_for_one_reset,
    of_a_reset_and_a_change_of_the_password_one_is_not_undone,
    a_changed_password_leaves_no_session_of_the_old_one,
    many_sign_ins_at_once_leave_as_many_sessions_as_there_may_be,
    a_deletion_leaves_nothing_whatever_comes_at_the_same_time,
    mails_are_claimed_by_one_each,
}

const MAIL: &str = "alice@example.org";

async fn of_many_who_verify_one_address_at_once_exactly_one_has_it(engine: Engine) {
    for round in 0..5 {
        let mail = format!("alice{round}@example.org");
        let (mut people, mut hashes) = (Vec::new(), Vec::new());
        for n in 0..8 {
            let user = with_email(&engine, &format!("{n} {round}"), &mail);
            let user = added(&engine, user).await;
            let purpose = Purpose::VerifyEmail(address(&mail));
            hashes.push(mailed(&engine, &user, purpose).await);
            people.push(user);
        }
        let now = engine.now();
        let answers = at_once(&engine, people.len(), |n, store| {
            let hash = hashes[n];
            async move { (n, store.confirm_email(&hash, now).await.expect("an answer")) }
        });
        let answers = answers.await;
        let winners: Vec<_> = answers
            .iter()
            .filter(|(_, answer)| *answer != ConfirmEmail::Taken)
            .collect();
        let [(winner, ConfirmEmail::Confirmed { after, .. })] = winners[..] else {
            panic!("{answers:?}");
        };
        assert_eq!(after.id, people[*winner].id);
        assert_eq!(users_with(&engine, &mail).await, [(**after).clone()]);
    }
}

async fn nobody_registers_with_an_address_that_is_just_being_verified(engine: Engine) {
    for round in 0..ROUNDS {
        let mail = format!("alice{round}@example.org");
        let alice = with_email(&engine, &format!("alice {round}"), &mail);
        let alice = added(&engine, alice).await;
        let hash = mailed(&engine, &alice, Purpose::VerifyEmail(address(&mail))).await;
        let mut bob = with_email(&engine, &format!("bob {round}"), &mail);
        bob.is_verified = true;
        let (bob_id, now) = (bob.id, engine.now());
        let (confirmed, created) = two_at_once(
            &engine,
            move |store| async move { store.confirm_email(&hash, now).await },
            move |store| async move { store.create_user(bob).await },
        )
        .await;
        let owner = match (confirmed.expect("an answer"), created.expect("an answer")) {
            (ConfirmEmail::Confirmed { .. }, CreateUser::EmailTaken) => alice.id,
            (ConfirmEmail::Taken, CreateUser::Created) => bob_id,
            other => panic!("{other:?}"),
        };
        let found = users_with(&engine, &mail).await;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].id, owner);
    }
}

async fn two_last_admins_do_not_leave_together(engine: Engine) {
    let mut last = admin(&engine, "first").await;
    for round in 0..ROUNDS {
        let other = admin(&engine, &format!("admin {round}")).await;
        let (first, second) = (last.id, other.id);
        let demoted = UserChange {
            role: Some(Role::User),
            ..UserChange::default()
        };
        let (changed, deleted) = two_at_once(
            &engine,
            move |store| async move { store.change_user(first, demoted).await },
            move |store| async move { store.delete_user(second).await },
        )
        .await;
        match (changed.expect("an answer"), deleted.expect("an answer")) {
            (ChangeUser::Changed { .. }, DeleteUser::LastAdmin) => last = other,
            (ChangeUser::LastAdmin, DeleteUser::Deleted) => {}
            other => panic!("{other:?}"),
        }
        let now = now_of(&engine, last.id).await.expect("an admin");
        assert!(now.is_active_admin());
    }
}

async fn one_token_is_good_for_one_reset(engine: Engine) {
    let alice = added(&engine, with_email(&engine, "alice", MAIL)).await;
    for round in 1..=5 {
        let token = mailed(&engine, &alice, Purpose::ResetPassword(address(MAIL))).await;
        let now = engine.now();
        let answers = at_once(&engine, MANY, |n, store| async move {
            let new = hash(&n.to_string());
            store
                .reset_password(&token, new, now)
                .await
                .expect("an answer")
        });
        let answers = answers.await;
        let done: Vec<_> = answers.into_iter().flatten().collect();
        assert_eq!(done.len(), 1);
        assert_eq!(done[0].password_version, round);
        assert_eq!(now_of(&engine, alice.id).await.as_ref(), done.first());
    }
}

async fn of_a_reset_and_a_change_of_the_password_one_is_not_undone(engine: Engine) {
    for round in 0..ROUNDS {
        let user = with_email(
            &engine,
            &round.to_string(),
            &format!("a{round}@example.org"),
        );
        let alice = added(&engine, user).await;
        let email = alice.email.clone().expect("an address");
        let token = mailed(&engine, &alice, Purpose::ResetPassword(email)).await;
        let (id, now) = (alice.id, engine.now());
        let (reset, changed) = two_at_once(
            &engine,
            move |store| async move { store.reset_password(&token, hash("reset"), now).await },
            move |store| async move { store.change_password(id, 0, hash("change"), None).await },
        )
        .await;
        let changed = changed.expect("an answer") == ChangePassword::Changed(None);
        let reset = reset.expect("an answer");
        // Whoever came first made the other's token, or their password, worthless.
        assert_eq!(reset.is_some(), !changed);
        let now = now_of(&engine, id).await.expect("alice");
        assert_eq!(now.password_version, 1);
        let expected = if changed { "change" } else { "reset" };
        assert!(now.password == hash(expected));
    }
}

async fn a_changed_password_leaves_no_session_of_the_old_one(engine: Engine) {
    for round in 0..ROUNDS {
        let alice = engine.register(&format!("alice {round}")).await;
        let (session, id) = (engine.session_of(&alice), alice.id);
        let (kept, changed) = two_at_once(
            &engine,
            move |store| async move { store.create_session(session, 0).await },
            move |store| async move { store.change_password(id, 0, hash("new"), None).await },
        )
        .await;
        let changed = changed.expect("an answer");
        assert_eq!(changed, ChangePassword::Changed(None));
        let kept = kept.expect("an answer");
        assert!(matches!(
            kept,
            NewSession::Added | NewSession::PasswordChanged
        ));
        assert_eq!(sessions_of(&engine, &alice).await, []);
    }
}

async fn many_sign_ins_at_once_leave_as_many_sessions_as_there_may_be(engine: Engine) {
    let alice = engine.register("alice").await;
    let sessions: Vec<_> = (0..MAX_SESSIONS + 10)
        .map(|_| engine.session_of(&alice))
        .collect();
    let kept = at_once(&engine, sessions.len(), |n, store| {
        let session = sessions[n].clone();
        async move { store.create_session(session, 0).await.expect("an answer") }
    });
    assert!(kept.await.into_iter().all(|kept| kept == NewSession::Added));
    let left = sessions_of(&engine, &alice).await;
    assert_eq!(left.len(), MAX_SESSIONS);
    for session in left {
        assert!(engine.session(session.id).await.is_some());
    }
}

async fn a_deletion_leaves_nothing_whatever_comes_at_the_same_time(engine: Engine) {
    for round in 0..ROUNDS {
        let user = with_email(
            &engine,
            &round.to_string(),
            &format!("a{round}@example.org"),
        );
        let alice = added(&engine, user).await;
        let email = alice.email.clone().expect("an address");
        let verifying = mailed(&engine, &alice, Purpose::VerifyEmail(email.clone())).await;
        let (session, now) = (engine.session_of(&alice), engine.now());
        let token = token(&engine, &alice, Purpose::ResetPassword(email));
        let event = event(&engine, &alice, EventKind::SignedIn);
        let (id, hash_of) = (alice.id, token.hash);
        let deletions = at_once(&engine, 7, |n, store| {
            let (session, token, event) = (session.clone(), token.clone(), event.clone());
            async move {
                match n {
                    0 | 1 => return Some(store.delete_user(id).await.expect("an answer")),
                    2 => drop(store.create_session(session, 0).await.expect("an answer")),
                    3 => drop(store.add_one_time_token(token).await.expect("an answer")),
                    4 => store.add_event(event).await.expect("an answer"),
                    5 => drop(
                        store
                            .confirm_email(&verifying, now)
                            .await
                            .expect("an answer"),
                    ),
                    _ => {
                        let changed = store.change_password(id, 0, hash("new"), None).await;
                        changed.expect("an answer");
                    }
                }
                None
            }
        });
        let mut deletions: Vec<_> = deletions.await.into_iter().flatten().collect();
        deletions.sort_by_key(|answer| *answer != DeleteUser::Deleted);
        assert_eq!(deletions, [DeleteUser::Deleted, DeleteUser::Unknown]);
        assert_eq!(now_of(&engine, id).await, None);
        assert_eq!(engine.session(session.id).await, None);
        assert_eq!(sessions_of(&engine, &alice).await, []);
        assert_eq!(events(&engine, Some(&alice)).await, []);
        assert_eq!(
            users_with(&engine, &format!("a{round}@example.org")).await,
            []
        );
        for hash in [hash_of, verifying] {
            let found = engine.store().one_time_token(&hash, now).await;
            assert_eq!(found.expect("an answer"), None);
        }
    }
    assert_eq!(engine.store().count_users().await.expect("an answer"), 0);
}

async fn mails_are_claimed_by_one_each(engine: Engine) {
    let mut all = Vec::new();
    for _ in 0..MANY {
        all.push(crate::person::mail(&engine, MAIL, None).await.id);
    }
    let now = engine.now();
    let until = now.plus(crate::person::LIFE);
    let claimed = at_once(&engine, MANY, |_, store| async move {
        let mut claimed = Vec::new();
        while let Some(mail) = store.claim_email(now, until).await.expect("an answer") {
            claimed.push(mail.id);
        }
        claimed
    });
    let mut claimed: Vec<_> = claimed.await.into_iter().flatten().collect();
    claimed.sort_unstable();
    all.sort_unstable();
    assert_eq!(claimed, all);
}
