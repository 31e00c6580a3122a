//! Helpers for tests of accounts: users with addresses, mails and events.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use password_auth_model::{
    EmailAddress, EmailKind, Event, EventId, EventKind, OneTimeToken, Purpose, QueuedEmail,
    QueuedEmailId, Role, Session, TokenHash, User, UserId,
};
use password_auth_store::{ChangeUser, ConfirmEmail, CreateUser, DeleteUser, UserChange};

use crate::engine::{Engine, hash};

/// How long a one-time token of these tests lasts.
pub const LIFE: Duration = Duration::from_secs(3600);

pub fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).expect("an address")
}

/// A user with an address that is not verified, not in the store yet.
pub fn with_email(engine: &Engine, name: &str, email: &str) -> User {
    User {
        email: Some(address(email)),
        ..engine.user(name)
    }
}

pub async fn create(engine: &Engine, user: &User) -> CreateUser {
    let created = engine.store().create_user(user.clone()).await;
    created.expect("an answer")
}

/// Adds a user whom nothing keeps out.
pub async fn added(engine: &Engine, user: User) -> User {
    assert_eq!(create(engine, &user).await, CreateUser::Created);
    user
}

pub async fn admin(engine: &Engine, name: &str) -> User {
    let user = User {
        role: Role::Admin,
        ..engine.user(name)
    };
    added(engine, user).await
}

/// As the store has them.
pub async fn now_of(engine: &Engine, id: UserId) -> Option<User> {
    engine.store().user(id).await.expect("an answer")
}

pub async fn users_with(engine: &Engine, email: &str) -> Vec<User> {
    let key = address(email).key();
    engine
        .store()
        .users_by_email(&key)
        .await
        .expect("an answer")
}

/// A token that nobody had before, not in the store yet.
pub fn token(engine: &Engine, user: &User, purpose: Purpose) -> OneTimeToken {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    OneTimeToken {
        hash: TokenHash::of(&format!("{} {number}", user.id)),
        user: user.id,
        purpose,
        expires: engine.now().plus(LIFE),
    }
}

pub async fn add_token(engine: &Engine, token: &OneTimeToken) -> bool {
    let added = engine.store().add_one_time_token(token.clone()).await;
    added.expect("an answer")
}

/// The hash of a token that is in the store.
pub async fn mailed(engine: &Engine, user: &User, purpose: Purpose) -> TokenHash {
    let token = token(engine, user, purpose);
    assert!(add_token(engine, &token).await);
    token.hash
}

pub async fn is_good(engine: &Engine, hash: &TokenHash) -> bool {
    let found = engine.store().one_time_token(hash, engine.now()).await;
    found.expect("an answer").is_some()
}

pub async fn confirm(engine: &Engine, hash: &TokenHash) -> ConfirmEmail {
    let confirmed = engine.store().confirm_email(hash, engine.now()).await;
    confirmed.expect("an answer")
}

/// Mails a token to the user's address, and confirms it; the user after it.
pub async fn verify(engine: &Engine, user: &User) -> User {
    let email = user.email.clone().expect("an address");
    let hash = mailed(engine, user, Purpose::VerifyEmail(email)).await;
    match confirm(engine, &hash).await {
        ConfirmEmail::Confirmed { after, .. } => *after,
        other => panic!("{other:?}"),
    }
}

pub async fn reset(engine: &Engine, hash: &TokenHash, new: &str) -> Option<User> {
    let now = engine.now();
    let reset = engine
        .store()
        .reset_password(hash, self::hash(new), now)
        .await;
    reset.expect("an answer")
}

pub async fn change(engine: &Engine, user: &User, change: UserChange) -> ChangeUser {
    let changed = engine.store().change_user(user.id, change).await;
    changed.expect("an answer")
}

pub async fn delete(engine: &Engine, user: &User) -> DeleteUser {
    engine
        .store()
        .delete_user(user.id)
        .await
        .expect("an answer")
}

pub async fn sessions_of(engine: &Engine, user: &User) -> Vec<Session> {
    engine
        .store()
        .sessions_of(user.id)
        .await
        .expect("an answer")
}

/// An event of now, in the store.
pub async fn happened(engine: &Engine, user: &User, what: EventKind) -> Event {
    let event = event(engine, user, what);
    let added = engine.store().add_event(event.clone()).await;
    added.expect("an answer");
    event
}

pub fn event(engine: &Engine, user: &User, what: EventKind) -> Event {
    Event {
        id: EventId::new(engine.now()),
        at: engine.now(),
        user: user.id,
        by: None,
        what,
        session: None,
        address: Some("192.0.2.1".to_owned()),
        device: Some("Firefox".to_owned()),
    }
}

pub async fn events(engine: &Engine, user: Option<&User>) -> Vec<Event> {
    let user = user.map(|user| user.id);
    let events = engine.store().events(user, None, 10_000).await;
    events.expect("an answer")
}

/// A mail that is due now, in the store.
pub async fn mail(engine: &Engine, to: &str, user: Option<&User>) -> QueuedEmail {
    let mail = QueuedEmail {
        id: QueuedEmailId::new(engine.now()),
        created: engine.now(),
        due: engine.now(),
        tries: 0,
        to: address(to),
        user: user.map(|user| user.id),
        kind: EmailKind::ResetPassword,
    };
    let added = engine.store().enqueue_email(mail.clone()).await;
    added.expect("an answer");
    mail
}

pub async fn claim(engine: &Engine) -> Option<QueuedEmail> {
    let now = engine.now();
    let claimed = engine.store().claim_email(now, now.plus(LIFE)).await;
    claimed.expect("an answer")
}
