//! One-time tokens, events and queued mails.

use std::time::Duration;

use password_auth_model::{
    Attempt, EVENTS_KEPT, Event, EventKind, Purpose, QueuedEmail, QueuedEmailId, Rate, Role,
    SessionId, Verdict,
};

use crate::engine::Engine;
use crate::person::{
    LIFE, add_token, added, address, claim, event, events, happened, is_good, mail, mailed, token,
    with_email,
};

each_engine! {
    a_token_is_looked_at_as_often_as_one_likes_until_it_expires,
    only_somebody_who_is_there_and_active_gets_a_token,
    expired_tokens_are_swept_and_others_are_not,
    events_come_back_whole_the_latest_first,
    events_are_read_page_by_page,
    old_events_are_swept_and_others_are_not,
    of_somebody_who_is_gone_only_that_is_kept,
    of_too_many_events_of_a_kind_its_oldest_go_and_nothing_else,
    the_room_of_one_account_is_not_another_s,
    the_mail_that_has_been_due_longest_is_claimed_first,
    a_claimed_mail_is_due_again_later_with_one_try_more,
    a_mail_is_postponed_and_removed_and_it_is_no_error_if_it_is_gone,
    mails_are_there_again_after_the_store_was_closed,
    other_tries_are_counted_by_themselves,
}

const MAIL: &str = "alice@example.org";

async fn a_token_is_looked_at_as_often_as_one_likes_until_it_expires(engine: Engine) {
    let alice = added(&engine, with_email(&engine, "alice", MAIL)).await;
    let token = token(&engine, &alice, Purpose::ResetPassword(address(MAIL)));
    let store = engine.store();
    let look = || store.one_time_token(&token.hash, engine.now());
    assert_eq!(look().await.expect("an answer"), None);
    assert!(add_token(&engine, &token).await);
    let expected = Some((token.clone(), alice));
    for _ in 0..2 {
        assert_eq!(look().await.expect("an answer"), expected);
    }
    engine.advance(LIFE - Duration::from_millis(1)).await;
    assert_eq!(look().await.expect("an answer"), expected);
    engine.advance(Duration::from_millis(1)).await;
    assert_eq!(look().await.expect("an answer"), None);
    assert_eq!(crate::person::reset(&engine, &token.hash, "x").await, None);
}

async fn only_somebody_who_is_there_and_active_gets_a_token(engine: Engine) {
    let alice = with_email(&engine, "alice", MAIL);
    let token = token(&engine, &alice, Purpose::VerifyEmail(address(MAIL)));
    assert!(!add_token(&engine, &token).await);
    let alice = added(&engine, alice).await;
    engine.allow(&alice, false).await;
    assert!(!add_token(&engine, &token).await);
    engine.allow(&alice, true).await;
    assert!(!is_good(&engine, &token.hash).await);
    assert!(add_token(&engine, &token).await);
}

async fn expired_tokens_are_swept_and_others_are_not(engine: Engine) {
    let alice = added(&engine, with_email(&engine, "alice", MAIL)).await;
    let purpose = Purpose::VerifyEmail(address(MAIL));
    for _ in 0..3 {
        mailed(&engine, &alice, purpose.clone()).await;
    }
    engine.advance(Duration::from_secs(1)).await;
    let last = mailed(&engine, &alice, purpose).await;
    assert_eq!(engine.sweep().await, 0);
    engine.advance(LIFE - Duration::from_secs(1)).await;
    assert_eq!(engine.sweep().await, 3);
    assert!(is_good(&engine, &last).await);
    engine.advance(Duration::from_secs(1)).await;
    assert_eq!(engine.sweep().await, 1);
}

/// One of every shape, each a millisecond after the other.
async fn some_events(engine: &Engine) -> Vec<Event> {
    let (alice, bob) = (engine.register("alice").await, engine.register("bob").await);
    let mut all = Vec::new();
    for (user, what) in [
        (&alice, EventKind::Registered),
        (&bob, EventKind::SignedIn),
        (&alice, EventKind::RoleChanged(Role::Guest)),
        (&alice, EventKind::TokenReused),
        (&bob, EventKind::SignInFailed),
    ] {
        engine.advance(Duration::from_millis(1)).await;
        let mut event = event(engine, user, what);
        if what == EventKind::TokenReused {
            event.by = Some(bob.id);
            event.session = Some(SessionId::new(engine.now()));
            (event.address, event.device) = (None, None);
        }
        let added = engine.store().add_event(event.clone()).await;
        added.expect("an answer");
        all.push(event);
    }
    all.reverse();
    all
}

async fn events_come_back_whole_the_latest_first(mut engine: Engine) {
    let all = some_events(&engine).await;
    engine.reopen().await;
    assert_eq!(events(&engine, None).await, all);
    for name in ["alice", "bob"] {
        let user = engine.user_named(name).await.expect("a user");
        let expected: Vec<_> = all.iter().filter(|event| event.user == user.id).collect();
        let found = events(&engine, Some(&user)).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected);
    }
    let nobody = engine.user("nobody");
    assert_eq!(events(&engine, Some(&nobody)).await, []);
}

async fn events_are_read_page_by_page(engine: Engine) {
    let all = some_events(&engine).await;
    let alice = engine.user_named("alice").await.expect("alice");
    for user in [None, Some(alice.id)] {
        let expected = all
            .iter()
            .filter(|event| user.is_none_or(|user| event.user == user));
        let (mut read, mut before) = (Vec::new(), None);
        loop {
            let page = engine.store().events(user, before, 2).await;
            let page = page.expect("an answer");
            assert!(page.len() <= 2);
            let Some(last) = page.last() else { break };
            before = Some(last.id);
            read.extend(page);
        }
        assert_eq!(
            read.iter().collect::<Vec<_>>(),
            expected.collect::<Vec<_>>()
        );
    }
    let none = engine.store().events(None, None, 0).await;
    assert_eq!(none.expect("an answer"), []);
}

async fn old_events_are_swept_and_others_are_not(engine: Engine) {
    let alice = engine.register("alice").await;
    for _ in 0..100 {
        happened(&engine, &alice, EventKind::SignedIn).await;
    }
    engine.advance(Duration::from_millis(1)).await;
    let last = happened(&engine, &alice, EventKind::SignedOut).await;
    engine.advance(EVENTS_KEPT - Duration::from_millis(2)).await;
    assert_eq!(engine.sweep().await, 0);
    engine.advance(Duration::from_millis(1)).await;
    assert_eq!(engine.sweep().await, 100);
    for user in [None, Some(&alice)] {
        assert_eq!(events(&engine, user).await, std::slice::from_ref(&last));
    }
}

async fn of_too_many_events_of_a_kind_its_oldest_go_and_nothing_else(engine: Engine) {
    let alice = added(&engine, engine.user("alice")).await;
    let room = |what: EventKind| what.class().room();
    let mut others = Vec::new();
    for what in [
        EventKind::TokenReused,
        EventKind::PasswordChanged,
        EventKind::SignedIn,
        EventKind::SignedOut,
        EventKind::Exported,
    ] {
        others.push(happened(&engine, &alice, what).await);
    }
    // What strangers, and whoever has an access token alone, make at will.
    let floods = [
        EventKind::SignInFailed,
        EventKind::ProfileChanged,
        EventKind::SignedOutElsewhere,
    ];
    let mut kept_of_floods = Vec::new();
    for what in floods {
        let mut flood = Vec::new();
        for _ in 0..room(what) + 5 {
            engine.advance(Duration::from_millis(1)).await;
            flood.push(happened(&engine, &alice, what).await);
        }
        kept_of_floods.extend(flood.split_off(5));
    }
    let kept = events(&engine, Some(&alice)).await;
    let expected = kept_of_floods.iter().chain(&others);
    assert_eq!(kept.iter().collect::<Vec<_>>(), sorted(expected.collect()));
    assert_eq!(
        events(&engine, None).await,
        kept,
        "nor are they found elsewhere"
    );
    // What matters is bounded too, each kind by itself.
    for _ in 0..room(EventKind::PasswordChanged) {
        engine.advance(Duration::from_millis(1)).await;
        happened(&engine, &alice, EventKind::PasswordChanged).await;
    }
    let kept = events(&engine, Some(&alice)).await;
    assert!(kept.contains(&others[0]) && !kept.contains(&others[1]));
}

/// The latest first.
fn sorted(mut events: Vec<&Event>) -> Vec<&Event> {
    events.sort_unstable_by_key(|event| std::cmp::Reverse(*event.id.as_bytes()));
    events
}

async fn the_room_of_one_account_is_not_another_s(engine: Engine) {
    let alice = added(&engine, engine.user("alice")).await;
    let bob = added(&engine, engine.user("bob")).await;
    let of_bob = happened(&engine, &bob, EventKind::Deactivated).await;
    for _ in 0..=EventKind::Deactivated.class().room() {
        engine.advance(Duration::from_millis(1)).await;
        happened(&engine, &alice, EventKind::Deactivated).await;
    }
    assert_eq!(events(&engine, Some(&bob)).await, [of_bob]);
    let kept = events(&engine, Some(&alice)).await.len();
    assert_eq!(kept, EventKind::Deactivated.class().room());
}

async fn of_somebody_who_is_gone_only_that_is_kept(engine: Engine) {
    let alice = engine.register("alice").await;
    happened(&engine, &alice, EventKind::SignedIn).await;
    crate::person::delete(&engine, &alice).await;
    assert_eq!(events(&engine, None).await, []);
    happened(&engine, &alice, EventKind::SignedIn).await;
    let deleted = happened(&engine, &alice, EventKind::Deleted).await;
    mail(&engine, MAIL, Some(&alice)).await;
    assert_eq!(events(&engine, None).await, std::slice::from_ref(&deleted));
    assert_eq!(events(&engine, Some(&alice)).await, [deleted]);
    assert_eq!(claim(&engine).await, None);
}

async fn the_mail_that_has_been_due_longest_is_claimed_first(engine: Engine) {
    let alice = added(&engine, with_email(&engine, "alice", MAIL)).await;
    let first = mail(&engine, MAIL, None).await;
    engine.advance(Duration::from_secs(1)).await;
    let second = mail(&engine, MAIL, Some(&alice)).await;
    let store = engine.store();
    let next = store.next_email_due().await.expect("an answer");
    assert_eq!(next, Some(first.due));
    for mail in [first, second] {
        let expected = QueuedEmail {
            due: engine.now().plus(LIFE),
            tries: 1,
            ..mail
        };
        assert_eq!(claim(&engine).await, Some(expected));
    }
    assert_eq!(claim(&engine).await, None);
}

async fn a_claimed_mail_is_due_again_later_with_one_try_more(engine: Engine) {
    assert_eq!(claim(&engine).await, None);
    let mail = mail(&engine, MAIL, None).await;
    for tries in 1..4 {
        let claimed = claim(&engine).await.expect("a mail");
        assert_eq!((claimed.id, claimed.tries), (mail.id, tries));
        let next = engine.store().next_email_due().await;
        assert_eq!(next.expect("an answer"), Some(claimed.due));
        engine.advance(LIFE - Duration::from_millis(1)).await;
        assert_eq!(claim(&engine).await, None);
        engine.advance(Duration::from_millis(1)).await;
    }
}

async fn a_mail_is_postponed_and_removed_and_it_is_no_error_if_it_is_gone(engine: Engine) {
    let mail = mail(&engine, MAIL, None).await;
    let store = engine.store();
    let later = engine.now().plus(LIFE * 2);
    let unknown = QueuedEmailId::new(engine.now());
    for id in [mail.id, unknown] {
        store.postpone_email(id, later).await.expect("an answer");
    }
    let next = store.next_email_due().await.expect("an answer");
    assert_eq!(next, Some(later));
    assert_eq!(claim(&engine).await, None);
    let sooner = engine.now();
    let postponed = store.postpone_email(mail.id, sooner).await;
    postponed.expect("an answer");
    assert_eq!(claim(&engine).await.expect("a mail").tries, 1);
    for _ in 0..2 {
        store.remove_email(mail.id).await.expect("an answer");
        store
            .postpone_email(mail.id, later)
            .await
            .expect("an answer");
        assert_eq!(store.next_email_due().await.expect("an answer"), None);
    }
}

async fn mails_are_there_again_after_the_store_was_closed(mut engine: Engine) {
    let (first, second) = (
        mail(&engine, MAIL, None).await,
        mail(&engine, MAIL, None).await,
    );
    engine.store().remove_email(second.id).await.expect("gone");
    engine.reopen().await;
    assert_eq!(claim(&engine).await.expect("a mail").id, first.id);
    assert_eq!(claim(&engine).await, None);
}

async fn other_tries_are_counted_by_themselves(engine: Engine) {
    let rate: Rate = "2/hour".parse().expect("a rate");
    let store = engine.store();
    let count = |mail: &str| {
        let attempt = Attempt::mail_to(&address(mail).key());
        store.count(attempt, rate, engine.now())
    };
    for _ in 0..2 {
        assert_eq!(count(MAIL).await.expect("an answer"), Verdict::Allowed);
    }
    let half_an_hour = Verdict::Refused(Duration::from_secs(1800));
    assert_eq!(
        count("ALICE@example.org").await.expect("an answer"),
        half_an_hour
    );
    let other = count("bob@example.org").await;
    assert_eq!(other.expect("an answer"), Verdict::Allowed);
}
