//! Reading and changing users, and that there is always an admin.

use password_auth_model::{FullName, Purpose, Role, User};
use password_auth_store::{
    ChangePassword, ChangeUser, DeleteUser, NewSession, UserChange, UserFilter,
};

use crate::engine::{Engine, hash};
use crate::person::{
    added, address, admin, change, delete, is_good, mailed, now_of, sessions_of, with_email,
};

each_engine! {
    everything_that_is_known_of_a_person_comes_back_and_after_closing_too,
    people_are_listed_in_the_order_in_which_they_came,
    who_is_listed_after_somebody_depends_on_nobody_who_went,
    whoever_has_another_role_is_listed_among_those_of_that_role_alone,
    a_change_changes_what_it_names_and_nothing_else,
    nobody_is_changed_who_is_not_there,
    whoever_is_deactivated_loses_their_sessions_and_tokens_for_good,
    the_last_active_admin_stays_one,
    a_change_that_makes_no_admin_makes_none,
    an_admin_who_is_not_active_does_not_count,
    a_changed_password_ends_all_sessions_but_one_and_voids_tokens,
    a_password_is_not_changed_by_whoever_knew_an_older_one,
    another_hash_of_one_password_is_no_change,
    a_password_that_was_changed_signs_nobody_in,
    a_password_is_not_changed_by_a_session_that_is_over,
    who_deactivated_themselves_is_let_in_again_and_nobody_else_is,
}

const MAIL: &str = "alice@example.org";

async fn everything_that_is_known_of_a_person_comes_back_and_after_closing_too(mut engine: Engine) {
    let alice = User {
        email: Some(address("Alice@Example.org")),
        is_verified: true,
        full_name: FullName::parse("Alice Liddell").expect("a name"),
        role: Role::Guest,
        is_active: false,
        password_version: 7,
        last_login: Some(engine.now()),
        ..engine.user("alice")
    };
    let alice = added(&engine, alice).await;
    for _ in 0..2 {
        assert_eq!(now_of(&engine, alice.id).await, Some(alice.clone()));
        assert_eq!(engine.user_named("alice").await, Some(alice.clone()));
        engine.reopen().await;
    }
    assert_eq!(now_of(&engine, engine.user("bob").id).await, None);
}

async fn people_are_listed_in_the_order_in_which_they_came(engine: Engine) {
    let mut all = Vec::new();
    for n in 0..7 {
        let role = if n % 3 == 0 { Role::Guest } else { Role::User };
        let user = User {
            role,
            ..engine.user(&n.to_string())
        };
        all.push(added(&engine, user).await);
        engine.advance(std::time::Duration::from_millis(1)).await;
    }
    let store = engine.store();
    for (skip, limit) in [(0, 3), (0, 7), (0, 100), (2, 3), (6, 3), (7, 3), (0, 0)] {
        let expected: Vec<_> = all
            .iter()
            .skip(skip as usize)
            .take(limit as usize)
            .collect();
        let found = store.users(UserFilter::default(), skip, limit).await;
        let found = found.expect("an answer");
        assert_eq!(found.iter().collect::<Vec<_>>(), expected);
        let role = Some(Role::Guest);
        let guests = all.iter().filter(|user| user.role == Role::Guest);
        let expected: Vec<_> = guests.skip(skip as usize).take(limit as usize).collect();
        let found = store
            .users(UserFilter { role, after: None }, skip, limit)
            .await;
        let found = found.expect("an answer");
        assert_eq!(found.iter().collect::<Vec<_>>(), expected);
    }
    assert_eq!(store.count_users().await.expect("an answer"), 7);
}

async fn who_is_listed_after_somebody_depends_on_nobody_who_went(engine: Engine) {
    let mut all = Vec::new();
    for n in 0..5 {
        all.push(added(&engine, engine.user(&n.to_string())).await);
        engine.advance(std::time::Duration::from_millis(1)).await;
    }
    let listed = async |role, after: &User, skip, limit| {
        let after = Some(after.id);
        let store = engine.store();
        let found = store.users(UserFilter { role, after }, skip, limit).await;
        found.expect("an answer")
    };
    assert_eq!(listed(None, &all[1], 0, 2).await, all[2..4]);
    assert_eq!(listed(None, &all[1], 1, 9).await, all[3..]);
    for gone in &all[..3] {
        assert_eq!(delete(&engine, gone).await, DeleteUser::Deleted);
    }
    // Also after a user who is gone.
    assert_eq!(listed(None, &all[1], 0, 9).await, all[3..]);
    assert_eq!(listed(Some(Role::User), &all[3], 0, 9).await, all[4..]);
    assert_eq!(listed(Some(Role::Guest), &all[3], 0, 9).await, []);
    assert_eq!(listed(None, &all[4], 0, 9).await, []);
}

async fn whoever_has_another_role_is_listed_among_those_of_that_role_alone(mut engine: Engine) {
    let alice = added(&engine, engine.user("alice")).await;
    let bob = added(&engine, engine.user("bob")).await;
    for role in [Role::Guest, Role::Admin, Role::User, Role::Guest] {
        let to = UserChange {
            role: Some(role),
            ..UserChange::default()
        };
        // So that there is always another admin.
        admin(
            &engine,
            &format!("root{role:?}{}", engine.now().as_millis()),
        )
        .await;
        change(&engine, &alice, to).await;
        engine.reopen().await;
        for listed in Role::ALL {
            let filter = UserFilter {
                role: Some(listed),
                after: None,
            };
            let found = engine
                .store()
                .users(filter, 0, 100)
                .await
                .expect("an answer");
            let is_there = found.iter().any(|user| user.id == alice.id);
            assert_eq!(is_there, listed == role, "{listed:?} while {role:?}");
            assert!(found.iter().all(|user| user.role == listed));
        }
        engine.advance(std::time::Duration::from_millis(1)).await;
    }
    delete(&engine, &alice).await;
    let filter = UserFilter {
        role: Some(Role::Guest),
        after: None,
    };
    let found = engine
        .store()
        .users(filter, 0, 100)
        .await
        .expect("an answer");
    assert_eq!(found, []);
    assert_eq!(now_of(&engine, bob.id).await, Some(bob));
}

async fn a_change_changes_what_it_names_and_nothing_else(engine: Engine) {
    let alice = added(&engine, with_email(&engine, "alice", MAIL)).await;
    let mut before = alice;
    for named in [
        UserChange {
            full_name: Some(FullName::parse("Alice").expect("a name")),
            ..UserChange::default()
        },
        UserChange {
            role: Some(Role::Admin),
            ..UserChange::default()
        },
        UserChange::default(),
        UserChange {
            full_name: Some(None),
            ..UserChange::default()
        },
    ] {
        let after = named.apply(&before);
        let expected = ChangeUser::Changed {
            before: Box::new(before),
            after: Box::new(after.clone()),
        };
        let user = after.clone();
        assert_eq!(change(&engine, &user, named).await, expected);
        assert_eq!(now_of(&engine, after.id).await, Some(after.clone()));
        before = after;
    }
}

async fn nobody_is_changed_who_is_not_there(engine: Engine) {
    let nobody = engine.user("nobody");
    let changed = change(&engine, &nobody, UserChange::default()).await;
    assert_eq!(changed, ChangeUser::Unknown);
    let store = engine.store();
    let changed = store.change_password(nobody.id, 0, hash("x"), None).await;
    assert_eq!(changed.expect("an answer"), ChangePassword::Outdated);
    assert_eq!(delete(&engine, &nobody).await, DeleteUser::Unknown);
}

async fn whoever_is_deactivated_loses_their_sessions_and_tokens_for_good(engine: Engine) {
    let alice = added(&engine, with_email(&engine, "alice", MAIL)).await;
    let session = engine.session_of(&alice);
    assert!(engine.keep(&session).await);
    let token = mailed(&engine, &alice, Purpose::ResetPassword(address(MAIL))).await;
    let (other, _) = engine.signed_in("bob").await;
    assert_eq!(engine.allow(&alice, false).await, Some(()));
    for active in [false, true] {
        assert_eq!(engine.allow(&alice, active).await, Some(()));
        assert_eq!(engine.session(session.id).await, None);
        assert_eq!(sessions_of(&engine, &alice).await, []);
        assert!(!is_good(&engine, &token).await);
    }
    assert!(engine.session(other.id).await.is_some());
}

async fn the_last_active_admin_stays_one(engine: Engine) {
    let alice = admin(&engine, "alice").await;
    let bob = admin(&engine, "bob").await;
    let demoted = UserChange {
        role: Some(Role::User),
        ..UserChange::default()
    };
    let deactivated = UserChange {
        is_active: Some(false),
        ..UserChange::default()
    };
    assert!(matches!(
        change(&engine, &bob, demoted.clone()).await,
        ChangeUser::Changed { .. }
    ));
    for refused in [demoted.clone(), deactivated] {
        let changed = change(&engine, &alice, refused).await;
        assert_eq!(changed, ChangeUser::LastAdmin);
    }
    assert_eq!(delete(&engine, &alice).await, DeleteUser::LastAdmin);
    assert_eq!(now_of(&engine, alice.id).await, Some(alice.clone()));
    // What leaves them an admin may change.
    let named = UserChange {
        full_name: Some(FullName::parse("Alice").expect("a name")),
        role: Some(Role::Admin),
        is_active: Some(true),
        ..UserChange::default()
    };
    assert!(matches!(
        change(&engine, &alice, named).await,
        ChangeUser::Changed { .. }
    ));
    admin(&engine, "carol").await;
    assert_eq!(delete(&engine, &alice).await, DeleteUser::Deleted);
}

async fn a_change_that_makes_no_admin_makes_none(engine: Engine) {
    let alice = added(&engine, engine.user("alice")).await;
    let bob = admin(&engine, "bob").await;
    admin(&engine, "carol").await;
    assert_eq!(engine.allow(&bob, false).await, Some(()));
    let change_to = |role, is_active| UserChange {
        role,
        is_active,
        full_name: Some(FullName::parse("Mallory").expect("a name")),
        makes_no_admin: true,
        ..UserChange::default()
    };
    for (user, role, is_active) in [
        (&alice, Some(Role::Admin), None),
        (&bob, None, Some(true)),
        (&bob, Some(Role::Admin), Some(true)),
    ] {
        let before = now_of(&engine, user.id).await;
        let refused = change(&engine, user, change_to(role, is_active)).await;
        assert_eq!(refused, ChangeUser::NewAdmin);
        assert_eq!(now_of(&engine, user.id).await, before);
    }
    // What makes no admin is made.
    for (user, role, is_active) in [
        (&alice, Some(Role::Guest), Some(true)),
        (&bob, Some(Role::User), Some(true)),
        (&bob, Some(Role::Admin), Some(false)),
    ] {
        let changed = change(&engine, user, change_to(role, is_active)).await;
        assert!(matches!(changed, ChangeUser::Changed { .. }));
    }
}

async fn an_admin_who_is_not_active_does_not_count(engine: Engine) {
    let alice = admin(&engine, "alice").await;
    let bob = admin(&engine, "bob").await;
    assert_eq!(engine.allow(&bob, false).await, Some(()));
    assert_eq!(delete(&engine, &alice).await, DeleteUser::LastAdmin);
    // Nor are they missed.
    assert_eq!(delete(&engine, &bob).await, DeleteUser::Deleted);
    assert_eq!(delete(&engine, &alice).await, DeleteUser::LastAdmin);
}

async fn a_changed_password_ends_all_sessions_but_one_and_voids_tokens(engine: Engine) {
    let alice = added(&engine, with_email(&engine, "alice", MAIL)).await;
    let sessions: Vec<_> = (0..3).map(|_| engine.session_of(&alice)).collect();
    for session in &sessions {
        assert!(engine.keep(session).await);
    }
    let token = mailed(&engine, &alice, Purpose::VerifyEmail(address(MAIL))).await;
    let (other, _) = engine.signed_in("bob").await;
    let keep = Some(sessions[1].id);
    let store = engine.store();
    let changed = store.change_password(alice.id, 0, hash("second"), keep);
    let renewed = sessions[1].renewed();
    assert_eq!(
        changed.await.expect("an answer"),
        ChangePassword::Changed(Some(renewed.clone()))
    );
    assert_eq!(sessions_of(&engine, &alice).await, [renewed]);
    assert_eq!(engine.session(sessions[0].id).await, None);
    assert!(!is_good(&engine, &token).await);
    let now = now_of(&engine, alice.id).await.expect("alice");
    assert!(now.password == hash("second") && now.password_version == 1);
    assert!(engine.session(other.id).await.is_some());
}

async fn a_password_is_not_changed_by_whoever_knew_an_older_one(engine: Engine) {
    let (session, alice) = engine.signed_in("alice").await;
    let store = engine.store();
    let changed = ChangePassword::Changed(Some(session.renewed()));
    for (version, new, expected) in [
        (1, "x", ChangePassword::Outdated),
        (0, "second", changed),
        (0, "x", ChangePassword::Outdated),
    ] {
        let answer = store.change_password(alice.id, version, hash(new), Some(session.id));
        assert_eq!(answer.await.expect("an answer"), expected);
    }
    let now = now_of(&engine, alice.id).await.expect("alice");
    assert!(now.password == hash("second") && now.password_version == 1);
}

async fn another_hash_of_one_password_is_no_change(engine: Engine) {
    let alice = engine.register("alice").await;
    let store = engine.store();
    let replaced = store.replace_password_hash(alice.id, &alice.password, hash("stronger"));
    assert!(replaced.await.expect("an answer"));
    assert!(engine.keep(&engine.session_of(&alice)).await);
    let now = now_of(&engine, alice.id).await.expect("alice");
    assert_eq!(now.password_version, 0);
}

async fn a_password_that_was_changed_signs_nobody_in(engine: Engine) {
    let alice = engine.register("alice").await;
    let store = engine.store();
    let changed = store.change_password(alice.id, 0, hash("second"), None);
    assert_eq!(
        changed.await.expect("an answer"),
        ChangePassword::Changed(None)
    );
    for (version, expected) in [
        (0, NewSession::PasswordChanged),
        (2, NewSession::PasswordChanged),
        (1, NewSession::Added),
    ] {
        let session = engine.session_of(&alice);
        let kept = store.create_session(session, version).await;
        assert_eq!(kept.expect("an answer"), expected);
    }
    assert_eq!(sessions_of(&engine, &alice).await.len(), 1);
}

async fn a_password_is_not_changed_by_a_session_that_is_over(engine: Engine) {
    let (session, alice) = engine.signed_in("alice").await;
    let (other, _) = engine.signed_in("bob").await;
    let second = engine.session_of(&alice);
    assert!(engine.keep(&second).await);
    engine.end(session.id).await;
    let before = now_of(&engine, alice.id).await;
    for keep in [session.id, other.id] {
        let store = engine.store();
        let changed = store.change_password(alice.id, 0, hash("second"), Some(keep));
        let changed = changed.await.expect("an answer");
        assert_eq!(changed, ChangePassword::SessionOver);
    }
    assert_eq!(now_of(&engine, alice.id).await, before);
    assert_eq!(sessions_of(&engine, &alice).await, [second]);
}

async fn who_deactivated_themselves_is_let_in_again_and_nobody_else_is(mut engine: Engine) {
    let alice = engine.register("alice").await;
    let set = |is_active, by_self| UserChange {
        is_active: Some(is_active),
        by_self,
        ..UserChange::default()
    };
    // Whoever is active stays it, and loses nothing.
    let session = engine.session_of(&alice);
    assert!(engine.keep(&session).await);
    let answer = engine.store().reactivate_user(alice.id, 0).await;
    assert!(matches!(answer, Ok(ChangeUser::Changed { .. })));
    assert!(engine.session(session.id).await.is_some());
    for (changes, is_let_in) in [
        (vec![set(false, true)], true),
        (vec![set(false, false)], false),
        (vec![set(false, false), set(false, true)], false),
        (vec![set(false, true), set(false, false)], false),
        (vec![set(false, true), UserChange::default()], true),
        (
            vec![set(false, false), set(true, false), set(false, true)],
            true,
        ),
    ] {
        assert_eq!(engine.allow(&alice, true).await, Some(()));
        for named in changes {
            change(&engine, &alice, named).await;
        }
        engine.reopen().await;
        let outdated = engine.store().reactivate_user(alice.id, 1).await;
        assert_eq!(outdated.expect("an answer"), ChangeUser::Unknown);
        let before = now_of(&engine, alice.id).await.expect("alice");
        let answer = engine.store().reactivate_user(alice.id, 0).await;
        let answer = answer.expect("an answer");
        let now = now_of(&engine, alice.id).await.expect("alice");
        assert_eq!(now.is_active, is_let_in);
        if is_let_in {
            assert!(!now.deactivated_by_self);
            let (before, after) = (Box::new(before), Box::new(now));
            assert_eq!(answer, ChangeUser::Changed { before, after });
        } else {
            assert_eq!((answer, now), (ChangeUser::Unknown, before));
        }
    }
}
