//! Invitations.

use std::time::Duration;

use password_auth_model::{EmailAddress, Invite, InviteLifetime, Role, TokenHash, User, UserId};
use password_auth_store::{CreateInvited, CreateUser, DeleteUser, UserChange};

use crate::at_once::at_once;
use crate::engine::Engine;
use crate::person::{address, admin, delete, with_email};

each_engine! {
    an_invitation_is_kept_listed_found_by_its_tokens_and_removed,
    an_invitation_creates_one_user_however_many_come_at_once,
    an_invitation_stays_if_no_user_is_created,
    expired_invitations_count_for_nothing_and_are_swept,
    a_further_token_is_added_to_the_newest_invitation_to_an_address,
    whoever_verified_an_address_takes_invitations_to_it_with_them,
    an_admins_invitation_counts_while_they_are_an_active_admin,
    only_an_active_admin_and_the_operator_add_invitations,
    a_deleted_admin_leaves_no_invitation,
    whoever_is_demoted_while_their_invitation_is_used_lets_nobody_in_afterwards,
}

fn made(engine: &Engine, email: Option<&str>, by: Option<UserId>) -> (TokenHash, Invite) {
    let email = email.map(address);
    let (token, invite) = Invite::new(
        email,
        Role::Guest,
        by,
        engine.now(),
        InviteLifetime::DEFAULT,
    )
    .expect("randomness");
    (TokenHash::of(token.expose()), invite)
}

pub async fn added(engine: &Engine, email: Option<&str>) -> (TokenHash, Invite) {
    added_by(engine, email, None).await
}

pub async fn added_by(
    engine: &Engine,
    email: Option<&str>,
    by: Option<UserId>,
) -> (TokenHash, Invite) {
    let (token, invite) = made(engine, email, by);
    assert!(add(engine, &invite).await);
    (token, invite)
}

async fn add(engine: &Engine, invite: &Invite) -> bool {
    let added = engine.store().add_invite(invite.clone()).await;
    added.expect("an answer")
}

async fn found(engine: &Engine, token: &TokenHash) -> Option<Invite> {
    let store = engine.store();
    store.invite(token, engine.now()).await.expect("an answer")
}

async fn all(engine: &Engine) -> Vec<Invite> {
    engine
        .store()
        .invites(None, None, 100)
        .await
        .expect("an answer")
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
    let later = store.invites(None, Some(invites[0].id), 1).await;
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

async fn set(engine: &Engine, user: &User, role: Role, is_active: bool) {
    let change = UserChange {
        role: Some(role),
        is_active: Some(is_active),
        ..UserChange::default()
    };
    let changed = engine.store().change_user(user.id, change).await;
    changed.expect("an answer");
}

async fn an_admins_invitation_counts_while_they_are_an_active_admin(mut engine: Engine) {
    admin(&engine, "other").await;
    let root = admin(&engine, "root").await;
    let (token, invite) = added_by(&engine, Some("bob@example.org"), Some(root.id)).await;
    engine.reopen().await;
    let key = address("bob@example.org").key();
    for (role, is_active, counts) in [
        (Role::User, true, false),
        (Role::Admin, false, false),
        (Role::Guest, false, false),
        (Role::Admin, true, true),
    ] {
        set(&engine, &root, role, is_active).await;
        let expected = counts.then_some(&invite);
        assert_eq!(found(&engine, &token).await.as_ref(), expected);
        let store = engine.store();
        let added = store.add_invite_token(&key, TokenHash::of("further"), engine.now());
        assert_eq!(added.await.expect("an answer").is_some(), counts);
        let joined = join(&engine, engine.user("alice"), &token).await;
        let expected = match counts {
            true => CreateInvited::Invited(CreateUser::Created),
            false => CreateInvited::Uninvited,
        };
        assert_eq!(joined, expected);
        // It is still listed, for whoever takes it back.
        assert_eq!(all(&engine).await.is_empty(), counts);
    }
}

async fn only_an_active_admin_and_the_operator_add_invitations(engine: Engine) {
    let user = engine.register("alice").await;
    let nobody = engine.user("nobody").id;
    for by in [user.id, nobody] {
        let (token, invite) = made(&engine, None, Some(by));
        assert!(!add(&engine, &invite).await);
        assert_eq!(found(&engine, &token).await, None);
    }
    assert_eq!(all(&engine).await, []);
}

async fn a_deleted_admin_leaves_no_invitation(engine: Engine) {
    let other = admin(&engine, "other").await;
    let root = admin(&engine, "root").await;
    let mut tokens = Vec::new();
    // More than one step of a deletion removes.
    for n in 0..300 {
        let email = (n % 2 == 0).then(|| format!("user{n}@example.org"));
        tokens.push(added_by(&engine, email.as_deref(), Some(root.id)).await.0);
    }
    let (_, hers) = added_by(&engine, Some("user0@example.org"), Some(other.id)).await;
    let (_, operators) = added(&engine, None).await;
    let store = engine.store();
    let theirs = store.invites(Some(root.id), None, 1000).await;
    let theirs = theirs.expect("an answer");
    assert_eq!(theirs.len(), 300);
    let later = store.invites(Some(root.id), Some(theirs[7].id), 2).await;
    assert_eq!(later.expect("an answer"), theirs[8..10]);
    let deleted = store.delete_user(root.id).await.expect("an answer");
    assert_eq!(deleted, DeleteUser::Deleted);
    let mut left = vec![hers, operators];
    left.sort_by_key(|invite| invite.id);
    assert_eq!(all(&engine).await, left);
    assert_eq!(
        join(&engine, engine.user("alice"), &tokens[0]).await,
        CreateInvited::Uninvited
    );
}

async fn whoever_is_demoted_while_their_invitation_is_used_lets_nobody_in_afterwards(
    engine: Engine,
) {
    admin(&engine, "other").await;
    for round in 0..10 {
        let root = admin(&engine, &format!("root {round}")).await;
        let mut tokens = Vec::new();
        for _ in 0..7 {
            tokens.push(added_by(&engine, None, Some(root.id)).await.0);
        }
        let now = engine.now();
        let demoted = UserChange {
            role: Some(Role::User),
            ..UserChange::default()
        };
        let users: Vec<User> = (0..7)
            .map(|n| engine.user(&format!("user {round} {n}")))
            .collect();
        // One of them demotes the admin, or removes the account.
        let joined = at_once(&engine, 8, |n, store| {
            let (user, token) = (users.get(n).cloned(), tokens.get(n).copied());
            let (root, demoted) = (root.id, demoted.clone());
            async move {
                match user.zip(token) {
                    Some((user, token)) => {
                        store.create_invited_user(user, &token, now).await?;
                    }
                    None if round % 2 == 0 => {
                        store.change_user(root, demoted).await?;
                    }
                    None => {
                        store.delete_user(root).await?;
                    }
                }
                Ok::<_, password_auth_store::StoreError>(())
            }
        });
        for joined in joined.await {
            joined.expect("an answer");
        }
        for (n, token) in tokens.iter().enumerate() {
            let late = engine.user(&format!("late {round} {n}"));
            let late = join(&engine, late, token).await;
            assert_eq!(late, CreateInvited::Uninvited);
        }
    }
}
