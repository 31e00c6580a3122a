//! Two at once: one of them comes first, and the other finds what he left.

use password_auth_model::Role;
use password_auth_wire::ErrorCode;
use reqwest::Method;
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::person::{V1, confirm_email, confirm_reset, login, request_reset, text};
use crate::support::{Engine, PASSWORD, Person, TestClient, TestServer, everyday_or_long};

each_engine! {
    of_two_who_confirm_one_address_at_once_one_has_it,
    a_token_that_many_use_at_once_is_used_once,
    of_a_reset_and_a_change_at_once_one_counts,
    who_signs_in_while_the_password_changes_does_not_stay,
    of_somebody_who_is_deleted_while_he_refreshes_nothing_is_left,
    of_two_admins_who_demote_each_other_one_stays,
}

const NEW: &str = "staple of another kind";
const OTHER: &str = "neither horse nor staple";

fn rounds() -> usize {
    everyday_or_long(6, 300)
}

async fn of_two_who_confirm_one_address_at_once_one_has_it(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    for round in 0..rounds() {
        let email = format!("shared{round}@example.org");
        let mut people = Vec::new();
        for who in ["alice", "bob"] {
            let person = Person::sign_up(&server, &format!("{who}{round}")).await;
            let body = json!({"password": PASSWORD, "new_email": email});
            let token = person.post("/auth/email/change", &body).await.dev_token();
            people.push((person, token));
        }
        let [(alice, to_alice), (bob, to_bob)] = &people[..] else {
            panic!("two");
        };
        let replies = tokio::join!(
            confirm_email(&client, to_alice),
            confirm_email(&client, to_bob)
        );
        let (winner, loser, refusal) = match (replies.0.status, replies.1.status) {
            (200, 409) => (alice, bob, replies.1),
            (409, 200) => (bob, alice, replies.0),
            _ => panic!("{replies:?}"),
        };
        refusal.expect_failure(409, ErrorCode::EmailExists);
        let me = winner.get("/users/me").await.json();
        assert_eq!(
            (&me["email"], &me["is_verified"]),
            (&json!(email), &json!(true))
        );
        let me = loser.get("/users/me").await.json();
        assert_eq!(
            (&me["email"], &me["is_verified"]),
            (&json!(loser.email()), &json!(false))
        );
    }
}

async fn a_token_that_many_use_at_once_is_used_once(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    for round in 0..rounds() {
        let client = server.client();
        let token = request_reset(&client, &alice.email()).await.dev_token();
        let mut tasks = JoinSet::new();
        for number in 0..8 {
            let (client, token) = (client.clone(), token.clone());
            let password = format!("password of round {round} number {number}");
            tasks.spawn(async move {
                let reply = confirm_reset(&client, &token, &password).await;
                (reply.status, password)
            });
        }
        let replies = tasks.join_all().await;
        let won: Vec<&String> = replies
            .iter()
            .filter(|r| r.0 == 200)
            .map(|r| &r.1)
            .collect();
        assert_eq!(won.len(), 1, "{replies:?}");
        assert!(
            replies.iter().all(|r| [200, 400].contains(&r.0)),
            "{replies:?}"
        );
        login(&client, "alice", won[0]).await.expect_ok();
    }
}

async fn of_a_reset_and_a_change_at_once_one_counts(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    for round in 0..rounds() {
        let alice = Person::sign_up(&server, &format!("alice{round}")).await;
        let token = request_reset(&client, &alice.email()).await.dev_token();
        let body = json!({"current_password": PASSWORD, "new_password": OTHER});
        let (reset, change) = tokio::join!(
            confirm_reset(&client, &token, NEW),
            alice.post("/auth/password/change", &body),
        );
        let password = match (reset.status, change.status) {
            // The change came later, with a session that was over, or a password that was.
            (200, 400 | 401) => NEW,
            (400, 200) => OTHER,
            _ => panic!("{reset:?} {change:?}"),
        };
        assert!(!alice.is_let_in().await);
        if password == OTHER {
            assert!(alice.with(change).is_let_in().await);
        }
        for tried in [PASSWORD, NEW, OTHER] {
            let status = login(&client, &alice.name, tried).await.status;
            assert_eq!(status == 200, tried == password, "{tried}: {status}");
        }
    }
}

async fn who_signs_in_while_the_password_changes_does_not_stay(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    for round in 0..rounds() {
        let alice = Person::sign_up(&server, &format!("alice{round}")).await;
        let sign_in = || login(&client, &alice.name, PASSWORD);
        let body = json!({"current_password": PASSWORD, "new_password": NEW});
        let (change, one, two, three) = tokio::join!(
            alice.post("/auth/password/change", &body),
            sign_in(),
            sign_in(),
            sign_in(),
        );
        change.expect_ok();
        for reply in [one, two, three] {
            if reply.status == 401 {
                continue;
            }
            let access = text(&reply.expect_ok().json()["access_token"]);
            client
                .get_as(&format!("{V1}/auth/me"), &access)
                .await
                .expect_failure(401, ErrorCode::InvalidToken);
        }
    }
}

async fn refresh_until_refused(client: TestClient, mut refresh_token: String) {
    for _ in 0..10_000 {
        let body = json!({"refresh_token": refresh_token});
        let reply = client.post(&format!("{V1}/auth/refresh"), &body).await;
        if reply.status != 200 {
            reply.expect_failure(401, ErrorCode::InvalidRefreshToken);
            return;
        }
        refresh_token = text(&reply.json()["refresh_token"]);
    }
    panic!("it is refreshed for ever");
}

async fn of_somebody_who_is_deleted_while_he_refreshes_nothing_is_left(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    for round in 0..rounds() {
        let alice = Person::sign_up(&server, &format!("alice{round}")).await;
        let mut tasks = JoinSet::new();
        for _ in 0..4 {
            let session = alice.once_more().await;
            tasks.spawn(refresh_until_refused(client.clone(), session.refresh));
        }
        let body = json!({"password": PASSWORD});
        let (left, signed_in) = tokio::join!(
            alice.tell(Method::DELETE, "/users/me", &body),
            login(&client, &alice.name, PASSWORD),
        );
        left.expect_status(204);
        assert!([200, 401, 403].contains(&signed_in.status), "{signed_in:?}");
        tasks.join_all().await;
        let id = alice.user_id();
        assert!(server.store.user(id).await.expect("an answer").is_none());
        assert_eq!(server.store.sessions_of(id).await.expect("an answer"), []);
        let events = server
            .store
            .events(Some(id), None, 10)
            .await
            .expect("an answer");
        assert_eq!(events.len(), 1, "only that he is gone: {events:?}");
    }
}

async fn of_two_admins_who_demote_each_other_one_stays(engine: Engine) {
    for _ in 0..rounds().div_ceil(3) {
        // In a store of their own they are the only two.
        let server = TestServer::start_on(engine).await;
        let one = Person::admin(&server, "one").await;
        let two = Person::admin(&server, "two").await;
        let (path_one, path_two) = (format!("/users/{}", one.id), format!("/users/{}", two.id));
        let (demote, deactivate) = (json!({"role": "user"}), json!({"is_active": false}));
        let replies = tokio::join!(
            one.tell(Method::PATCH, &path_two, &demote),
            two.tell(Method::PATCH, &path_one, &deactivate),
        );
        let mut statuses = [replies.0.status, replies.1.status];
        statuses.sort_unstable();
        // Who comes second is no admin any more, or signed out, or would have removed the last one.
        let allowed = [[200, 401], [200, 403], [200, 409]];
        assert!(allowed.contains(&statuses), "{replies:?}");
        let is_admin = async |name: &str| {
            let user = server.user(name).await;
            user.is_active && user.role == Role::Admin
        };
        assert_ne!(is_admin("one").await, is_admin("two").await);
    }
}
