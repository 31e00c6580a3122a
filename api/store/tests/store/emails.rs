//! E-mail addresses: who has them, and how users get them.

use password_auth_model::{Purpose, User};
use password_auth_store::{ConfirmEmail, CreateUser, DeleteUser, MAX_NAMESAKES};

use crate::engine::{Engine, hash};
use crate::person::{
    LIFE, added, address, confirm, create, delete, is_good, mailed, now_of, reset, users_with,
    verify, with_email,
};

each_engine! {
    an_address_that_nobody_verified_blocks_nobody,
    of_those_who_gave_an_address_the_first_and_the_last_are_known,
    of_any_number_who_gave_an_address_the_one_with_the_hash_is_found_while_nobody_verified_it,
    whoever_verifies_an_address_has_it_alone,
    a_verified_address_is_nobody_else_s_to_register,
    a_name_that_is_taken_is_said_before_an_address,
    an_address_is_found_however_it_is_spelt_and_no_other_is,
    a_token_of_another_purpose_confirms_nothing,
    a_token_confirms_an_address_once,
    a_token_for_an_address_that_the_person_gave_up_is_worthless,
    an_address_that_somebody_else_verified_meanwhile_stays_theirs,
    a_changed_address_lets_go_of_the_old_one,
    a_change_voids_the_other_tokens_and_a_verification_does_not,
    a_completed_reset_verifies_the_address,
    a_reset_does_not_take_an_address_from_whoever_has_verified_it,
    an_address_is_free_once_its_owner_is_gone,
}

const MAIL: &str = "alice@example.org";
const OTHER: &str = "alice@example.com";

async fn an_address_that_nobody_verified_blocks_nobody(engine: Engine) {
    let first = added(&engine, with_email(&engine, "first", MAIL)).await;
    let second = added(&engine, with_email(&engine, "second", "ALICE@example.org")).await;
    let mut expected = [first, second];
    expected.sort_by_key(|user| user.id);
    assert_eq!(users_with(&engine, MAIL).await, expected);
}

async fn of_those_who_gave_an_address_the_first_and_the_last_are_known(engine: Engine) {
    let mut all = Vec::new();
    for n in 0..MAX_NAMESAKES + 2 {
        all.push(added(&engine, with_email(&engine, &n.to_string(), MAIL)).await);
    }
    all.sort_by_key(|user| user.id);
    all.drain(MAX_NAMESAKES / 2..MAX_NAMESAKES / 2 + 2);
    let known = users_with(&engine, MAIL).await;
    assert!(known == all, "{} are known", known.len());
}

async fn of_any_number_who_gave_an_address_the_one_with_the_hash_is_found_while_nobody_verified_it(
    engine: Engine,
) {
    let with = |name: &str, password: &str| User {
        password: hash(password),
        ..with_email(&engine, name, MAIL)
    };
    let mut all = Vec::new();
    for n in 0..MAX_NAMESAKES + 20 {
        all.push(added(&engine, with(&n.to_string(), &format!("password {n}"))).await);
    }
    let found = async |email: &str, password: &str| {
        let found = engine
            .store()
            .user_by_email_and_hash(&address(email).key(), &hash(password))
            .await;
        found.expect("the store answers").map(|user| user.id)
    };
    for n in [0, 135, 140, 275] {
        let password = format!("password {n}");
        assert_eq!(found("ALICE@example.org", &password).await, Some(all[n].id));
        assert_eq!(found(OTHER, &password).await, None);
    }
    assert_eq!(found(MAIL, "password").await, None);
    // It is the hash that the account has now.
    assert!(reset_hash(&engine, &all[140], "another").await);
    assert_eq!(found(MAIL, "password 140").await, None);
    assert_eq!(found(MAIL, "another").await, Some(all[140].id));
    assert_eq!(delete(&engine, &all[135]).await, DeleteUser::Deleted);
    assert_eq!(found(MAIL, "password 135").await, None);
    verify(&engine, &all[275]).await;
    for password in ["password 0", "password 275"] {
        assert_eq!(found(MAIL, password).await, None);
    }
}

async fn reset_hash(engine: &Engine, user: &User, new: &str) -> bool {
    let replaced = engine
        .store()
        .replace_password_hash(user.id, &user.password, hash(new))
        .await;
    replaced.expect("the store answers")
}

async fn whoever_verifies_an_address_has_it_alone(engine: Engine) {
    let first = added(&engine, with_email(&engine, "first", MAIL)).await;
    let second = added(&engine, with_email(&engine, "second", MAIL)).await;
    let verified = verify(&engine, &second).await;
    let expected = User {
        is_verified: true,
        ..second
    };
    assert_eq!(verified, expected);
    assert_eq!(users_with(&engine, MAIL).await, [expected]);
    assert_eq!(now_of(&engine, first.id).await, Some(first));
}

async fn a_verified_address_is_nobody_else_s_to_register(engine: Engine) {
    let first = added(&engine, with_email(&engine, "first", MAIL)).await;
    verify(&engine, &first).await;
    for email in [MAIL, "ALICE@EXAMPLE.ORG"] {
        let second = with_email(&engine, "second", email);
        assert_eq!(create(&engine, &second).await, CreateUser::EmailTaken);
        assert_eq!(now_of(&engine, second.id).await, None);
        assert!(!engine.name_is_taken("second").await);
    }
    added(&engine, with_email(&engine, "second", OTHER)).await;
}

async fn a_name_that_is_taken_is_said_before_an_address(engine: Engine) {
    let first = added(&engine, with_email(&engine, "first", MAIL)).await;
    verify(&engine, &first).await;
    let again = with_email(&engine, "First", MAIL);
    assert_eq!(create(&engine, &again).await, CreateUser::NameTaken);
}

async fn an_address_is_found_however_it_is_spelt_and_no_other_is(engine: Engine) {
    let alice = added(&engine, with_email(&engine, "alice", "Alice@Example.org")).await;
    assert_eq!(users_with(&engine, "aLICE@example.ORG").await, [alice]);
    for other in [
        "lice@example.org",
        "alice@example.or",
        "alice@example.org.uk",
    ] {
        assert_eq!(users_with(&engine, other).await, []);
    }
}

async fn a_token_of_another_purpose_confirms_nothing(engine: Engine) {
    let alice = added(&engine, with_email(&engine, "alice", MAIL)).await;
    let for_reset = mailed(&engine, &alice, Purpose::ResetPassword(address(MAIL))).await;
    assert_eq!(confirm(&engine, &for_reset).await, ConfirmEmail::Invalid);
    for purpose in [
        Purpose::VerifyEmail(address(MAIL)),
        Purpose::ChangeEmail(address(OTHER)),
    ] {
        let for_mail = mailed(&engine, &alice, purpose).await;
        assert_eq!(reset(&engine, &for_mail, "second").await, None);
        assert!(is_good(&engine, &for_mail).await);
    }
    assert!(is_good(&engine, &for_reset).await);
    assert_eq!(now_of(&engine, alice.id).await, Some(alice));
}

async fn a_token_confirms_an_address_once(engine: Engine) {
    let alice = added(&engine, with_email(&engine, "alice", MAIL)).await;
    let hash = mailed(&engine, &alice, Purpose::VerifyEmail(address(MAIL))).await;
    let verified = User {
        is_verified: true,
        ..alice.clone()
    };
    let expected = ConfirmEmail::Confirmed {
        before: Box::new(alice),
        after: Box::new(verified.clone()),
    };
    assert_eq!(confirm(&engine, &hash).await, expected);
    // Whoever presses twice is told so, as long as it is true.
    let again = ConfirmEmail::AlreadyConfirmed(Box::new(verified.clone()));
    assert_eq!(confirm(&engine, &hash).await, again);
    assert_eq!(reset(&engine, &hash, "second").await, None);
    assert_eq!(now_of(&engine, verified.id).await, Some(verified.clone()));
    let change = mailed(&engine, &verified, Purpose::ChangeEmail(address(OTHER))).await;
    assert!(matches!(
        confirm(&engine, &change).await,
        ConfirmEmail::Confirmed { .. }
    ));
    assert!(matches!(
        confirm(&engine, &change).await,
        ConfirmEmail::AlreadyConfirmed(_)
    ));
    assert_eq!(confirm(&engine, &hash).await, ConfirmEmail::Invalid);
    engine.advance(LIFE).await;
    assert_eq!(confirm(&engine, &change).await, ConfirmEmail::Invalid);
}

async fn a_token_for_an_address_that_the_person_gave_up_is_worthless(engine: Engine) {
    let alice = added(&engine, with_email(&engine, "alice", MAIL)).await;
    let change = mailed(&engine, &alice, Purpose::ChangeEmail(address(OTHER))).await;
    assert!(matches!(
        confirm(&engine, &change).await,
        ConfirmEmail::Confirmed { .. }
    ));
    let now = now_of(&engine, alice.id).await;
    // As when it was mailed while the address was being changed.
    let verify = mailed(&engine, &alice, Purpose::VerifyEmail(address(MAIL))).await;
    assert_eq!(confirm(&engine, &verify).await, ConfirmEmail::Invalid);
    let for_reset = mailed(&engine, &alice, Purpose::ResetPassword(address(MAIL))).await;
    assert_eq!(reset(&engine, &for_reset, "second").await, None);
    assert_eq!(now_of(&engine, alice.id).await, now);
}

async fn an_address_that_somebody_else_verified_meanwhile_stays_theirs(engine: Engine) {
    let first = added(&engine, with_email(&engine, "first", MAIL)).await;
    let second = added(&engine, with_email(&engine, "second", MAIL)).await;
    let third = engine.register("third").await;
    let verifying = mailed(&engine, &second, Purpose::VerifyEmail(address(MAIL))).await;
    let changing = mailed(&engine, &third, Purpose::ChangeEmail(address(MAIL))).await;
    let first = verify(&engine, &first).await;
    for hash in [verifying, changing] {
        for _ in 0..2 {
            assert_eq!(confirm(&engine, &hash).await, ConfirmEmail::Taken);
        }
        assert!(is_good(&engine, &hash).await, "nothing happened to it");
    }
    assert_eq!(
        users_with(&engine, MAIL).await,
        std::slice::from_ref(&first)
    );
    assert_eq!(now_of(&engine, second.id).await, Some(second));
    assert_eq!(now_of(&engine, third.id).await, Some(third.clone()));
    // Once they are gone, others can have it.
    assert_eq!(delete(&engine, &first).await, DeleteUser::Deleted);
    assert!(matches!(
        confirm(&engine, &changing).await,
        ConfirmEmail::Confirmed { .. }
    ));
    assert_eq!(confirm(&engine, &verifying).await, ConfirmEmail::Taken);
    assert_eq!(users_with(&engine, MAIL).await.len(), 1);
}

async fn a_changed_address_lets_go_of_the_old_one(engine: Engine) {
    let alice = added(&engine, with_email(&engine, "alice", MAIL)).await;
    let alice = verify(&engine, &alice).await;
    let hash = mailed(&engine, &alice, Purpose::ChangeEmail(address(OTHER))).await;
    assert_eq!(
        users_with(&engine, OTHER).await,
        [],
        "not before it is confirmed"
    );
    let changed = User {
        email: Some(address(OTHER)),
        ..alice.clone()
    };
    let expected = ConfirmEmail::Confirmed {
        before: Box::new(alice),
        after: Box::new(changed.clone()),
    };
    assert_eq!(confirm(&engine, &hash).await, expected);
    assert_eq!(users_with(&engine, OTHER).await, [changed]);
    assert_eq!(users_with(&engine, MAIL).await, []);
    let bob = added(&engine, with_email(&engine, "bob", MAIL)).await;
    assert!(verify(&engine, &bob).await.is_verified);
}

async fn a_change_voids_the_other_tokens_and_a_verification_does_not(engine: Engine) {
    let alice = added(&engine, with_email(&engine, "alice", MAIL)).await;
    let bob = added(&engine, with_email(&engine, "bob", MAIL)).await;
    let of_bob = mailed(&engine, &bob, Purpose::ResetPassword(address(MAIL))).await;
    let for_reset = mailed(&engine, &alice, Purpose::ResetPassword(address(MAIL))).await;
    let changing = mailed(&engine, &alice, Purpose::ChangeEmail(address(OTHER))).await;
    verify(&engine, &alice).await;
    assert!(is_good(&engine, &for_reset).await && is_good(&engine, &changing).await);
    assert!(matches!(
        confirm(&engine, &changing).await,
        ConfirmEmail::Confirmed { .. }
    ));
    assert!(!is_good(&engine, &for_reset).await);
    // Remembered, and good for nothing.
    assert!(matches!(
        confirm(&engine, &changing).await,
        ConfirmEmail::AlreadyConfirmed(_)
    ));
    assert!(is_good(&engine, &of_bob).await);
}

async fn a_completed_reset_verifies_the_address(engine: Engine) {
    let alice = added(&engine, with_email(&engine, "alice", MAIL)).await;
    let for_reset = mailed(&engine, &alice, Purpose::ResetPassword(address(MAIL))).await;
    let expected = User {
        password: hash("second"),
        password_version: 1,
        is_verified: true,
        ..alice
    };
    let after = reset(&engine, &for_reset, "second").await;
    assert_eq!(after, Some(expected.clone()));
    assert_eq!(users_with(&engine, MAIL).await, [expected]);
    let bob = with_email(&engine, "bob", MAIL);
    assert_eq!(create(&engine, &bob).await, CreateUser::EmailTaken);
}

async fn a_reset_does_not_take_an_address_from_whoever_has_verified_it(engine: Engine) {
    let alice = added(&engine, with_email(&engine, "alice", MAIL)).await;
    let for_reset = mailed(&engine, &alice, Purpose::ResetPassword(address(MAIL))).await;
    let bob = added(&engine, with_email(&engine, "bob", MAIL)).await;
    let bob = verify(&engine, &bob).await;
    let after = reset(&engine, &for_reset, "second").await.expect("alice");
    assert!(after.password == hash("second") && !after.is_verified);
    assert_eq!(users_with(&engine, MAIL).await, [bob]);
}

async fn an_address_is_free_once_its_owner_is_gone(engine: Engine) {
    let alice = added(&engine, with_email(&engine, "alice", MAIL)).await;
    let alice = verify(&engine, &alice).await;
    assert_eq!(delete(&engine, &alice).await, DeleteUser::Deleted);
    assert_eq!(users_with(&engine, MAIL).await, []);
    let bob = added(&engine, with_email(&engine, "bob", MAIL)).await;
    assert!(verify(&engine, &bob).await.is_verified);
}
