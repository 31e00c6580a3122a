//! Invitations.

use std::time::Duration;

use password_auth_model::{EmailAddress, Invite, InviteLifetime, Role, TokenHash, User};
use password_auth_store::{CreateInvited, CreateUser};

use crate::at_once::at_once;
use crate::engine::Engine;
use crate::person::{address, delete, with_email};

each_engine! {
    an_invitation_is_kept_listed_found_by_its_tokens_and_removed,
    an_invitation_creates_one_user_however_many_come_at_once,
    an_invitation_stays_if_no_user_is_created,
    expired_invitations_count_for_nothing_and_are_swept,
    a_further_token_is_added_to_the_newest_invitation_to_an_address,
    whoever_verified_an_address_takes_invitations_to_it_with_them,
}

fn made(engine: &Engine, email: Option<&str>) -> (TokenHash, Invite) {
    let email = email.map(address);
    let (token, invite) =
        Invite::new(email, Role::Guest, engine.now(), InviteLifetime::DEFAULT).expect("randomness");
    (TokenHash::of(token.expose()), invite)
}

pub async fn added(engine: &Engine, email: Option<&str>) -> (TokenHash, Invite) {
    let (token, invite) = made(engine, email);
    let added = engine.store().add_invite(invite.clone()).await;
    added.expect("an answer");
    (token, invite)
}

async fn found(engine: &Engine, token: &TokenHash) -> Option<Invite> {
    let store = engine.store();
    store.invite(token, engine.now()).await.expect("an answer")
}

async fn all(engine: &Engine) -> Vec<Invite> {
    engine.store().invites(None, 100).await.expect("an answer")
}

async fn join(engine: &Engine, user: User, token: &TokenHash) -> CreateInvited {
    let store = engine.store();
    let joined = store.create_invited_user(user, token, engine.now());
    joined.await.expect("an answer")
}

async fn an_invitation_is_kept_listed_found_by_its_tokens_and_removed(mut engine: Engine) {
    let mut invites = Vec::new();
    for email in [None, Some("alice@example.org"), Some("用户@例子.广告")] {
        let (token, invite) = added(&engine, email).await;
        assert_eq!(found(&engine, &token).await.as_ref(), Some(&invite));
        invites.push(invite);
    }
    engine.reopen().await;
    invites.sort_by_key(|invite| invite.id);
    assert_eq!(all(&engine).await, invites);
    let store = engine.store();
    let later = store.invites(Some(invites[0].id), 1).await;
    assert_eq!(later.expect("an answer"), invites[1..2]);
    for expected in [true, false] {
        let removed = engine.store().remove_invite(invites[1].id).await;
        assert_eq!(removed.expect("an answer"), expected);
    }
    assert_eq!(found(&engine, &invites[1].hashes[0]).await, None);
    assert_eq!(found(&engine, &TokenHash::of("invented")).await, None);
    assert_eq!(all(&engine).await.len(), 2);
}

async fn an_invitation_creates_one_user_however_many_come_at_once(engine: Engine) {
    let (token, _) = added(&engine, None).await;
    let now = engine.now();
    let users: Vec<User> = (0..8).map(|n| engine.user(&format!("user {n}"))).collect();
    let joined = at_once(&engine, 8, |n, store| {
        let user = users[n].clone();
        async move { store.create_invited_user(user, &token, now).await }
    });
    let mut created = 0;
    for joined in joined.await {
        match joined.expect("an answer") {
            CreateInvited::Invited(CreateUser::Created) => created += 1,
            joined => assert_eq!(joined, CreateInvited::Uninvited),
        }
    }
    assert_eq!(created, 1);
    assert_eq!(engine.store().count_users().await.expect("an answer"), 1);
    assert_eq!(all(&engine).await, []);
}

async fn an_invitation_stays_if_no_user_is_created(engine: Engine) {
    let (token, invite) = added(&engine, None).await;
    engine.register("alice").await;
    let taken = join(&engine, engine.user("ALICE"), &token).await;
    assert_eq!(taken, CreateInvited::Invited(CreateUser::NameTaken));
    assert_eq!(all(&engine).await, [invite]);
    let created = join(&engine, engine.user("bob"), &token).await;
    assert_eq!(created, CreateInvited::Invited(CreateUser::Created));
    assert!(engine.name_is_taken("bob").await);
    let again = join(&engine, engine.user("carol"), &token).await;
    assert_eq!(again, CreateInvited::Uninvited);
}

async fn expired_invitations_count_for_nothing_and_are_swept(engine: Engine) {
    let (token, invite) = added(&engine, Some("alice@example.org")).await;
    let left = invite.expires.since(engine.now());
    engine.advance(left - Duration::from_secs(60)).await;
    engine.sweep().await;
    assert_eq!(found(&engine, &token).await, Some(invite));
    engine.advance(Duration::from_secs(60)).await;
    assert_eq!(found(&engine, &token).await, None);
    let refused = join(&engine, engine.user("alice"), &token).await;
    assert_eq!(refused, CreateInvited::Uninvited);
    assert_eq!(engine.sweep().await, 1);
    assert_eq!(all(&engine).await, []);
}

async fn a_further_token_is_added_to_the_newest_invitation_to_an_address(engine: Engine) {
    let key = address("Alice@example.org").key();
    let add = async |token: TokenHash| {
        let store = engine.store();
        let added = store.add_invite_token(&key, token, engine.now()).await;
        added.expect("an answer").map(|invite| invite.id)
    };
    let further = TokenHash::of("further");
    assert_eq!(add(further).await, None);
    let (_, older) = added(&engine, Some("alice@example.org")).await;
    engine.advance(Duration::from_secs(1)).await;
    added(&engine, Some("bob@example.org")).await;
    engine.advance(Duration::from_secs(1)).await;
    let (token, newest) = added(&engine, Some("ALICE@example.org")).await;
    assert_eq!(add(further).await, Some(newest.id));
    let with_both = found(&engine, &further).await.expect("it counts");
    assert_eq!(found(&engine, &token).await.as_ref(), Some(&with_both));
    let created = join(&engine, engine.user("alice"), &further).await;
    assert_eq!(created, CreateInvited::Invited(CreateUser::Created));
    assert_eq!(found(&engine, &token).await, None);
    assert_eq!(add(further).await, Some(older.id));
}

async fn whoever_verified_an_address_takes_invitations_to_it_with_them(engine: Engine) {
    for is_verified in [false, true] {
        let user = User {
            is_verified,
            ..with_email(&engine, "alice", "alice@example.org")
        };
        let created = engine.store().create_user(user.clone()).await;
        assert_eq!(created.expect("an answer"), CreateUser::Created);
        added(&engine, Some("Alice@example.org")).await;
        added(&engine, Some("bob@example.org")).await;
        delete(&engine, &user).await;
        let to_her = |invite: &Invite| {
            let email = invite.email.as_ref().map(EmailAddress::key);
            email == Some(address("alice@example.org").key())
        };
        let left = all(&engine).await;
        assert_eq!(left.iter().any(to_her), !is_verified);
        assert!(left.iter().any(|invite| !to_her(invite)));
    }
}
