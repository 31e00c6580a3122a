//! How the server distinguishes two clients with the tokens of one session from a single client.

use std::time::Duration;

use password_auth_wire::ErrorCode;
use reqwest::Method;
use reqwest::header::USER_AGENT;
use serde_json::{Value, json};

use super::assert_moment;
use crate::support::person::V1;
use crate::support::{Engine, PASSWORD, Person, Reply, TestServer};

each_engine! {
    a_thief_in_step_on_another_device_is_seen_and_then_out,
    a_thief_in_step_with_the_owner_s_user_agent_is_seen_and_then_out,
    a_client_whose_answers_are_lost_while_its_network_changes_stays_signed_in,
    contexts_that_race_by_two_networks_stay_signed_in,
    the_demo_s_routes_find_out_as_much,
    the_thieves_in_step_that_security_md_names_are_not_found_out_and_no_change_of_password_spares_them,
}

const OWNER: Place = Place("192.0.2.7", "Firefox/145.0");
const ELSEWHERE: Place = Place("2001:db8::7", "Firefox/145.0");
const STRANGER: Place = Place("198.51.100.7", "curl/8.0");

/// A network, and what the client calls itself.
#[derive(Clone, Copy)]
struct Place(&'static str, &'static str);

async fn server(engine: Engine) -> TestServer {
    let builder = TestServer::builder().engine(engine);
    builder
        .setting("TRUSTED_PROXIES", "127.0.0.1")
        .start()
        .await
}

async fn refresh_at(place: Place, path: &str, person: &Person) -> Reply {
    let request = person
        .client
        .request(Method::POST, path)
        .header("x-forwarded-for", place.0)
        .header(USER_AGENT, place.1)
        .json(&json!({"refresh_token": person.refresh}));
    person.client.send(request).await
}

async fn refresh(place: Place, person: &Person) -> Reply {
    refresh_at(place, &format!("{V1}/auth/refresh"), person).await
}

/// The owner refreshes and uses what they get; whoever copied the token presents it a moment later.
async fn turn(server: &TestServer, owner: &Person, thief: Place) -> (Person, Reply) {
    server.advance(Duration::from_secs(900)).await;
    let next = owner.with(refresh(OWNER, owner).await);
    assert!(next.is_let_in().await);
    server.advance(Duration::from_secs(5)).await;
    (next, refresh(thief, owner).await)
}

async fn found_out(person: &Person) -> Vec<Value> {
    let events = person.get("/users/me/events").await.expect_ok().json();
    let events = events.as_array().expect("a list").clone();
    let is_replay = |event: &Value| event["what"] == "token_replayed_elsewhere";
    events.into_iter().filter(is_replay).collect()
}

async fn replayed_elsewhere(person: &Person) -> Value {
    let sessions = person.get("/auth/sessions").await.expect_ok().json();
    sessions[0]["replayed_elsewhere"].clone()
}

/// Nobody has the session any more, and its owner is told why.
async fn is_over(owner: &Person, second: &Reply) {
    second.expect_failure(401, ErrorCode::RefreshTokenReused);
    assert!(!owner.is_let_in().await);
    let told = refresh(OWNER, owner).await;
    told.expect_failure(401, ErrorCode::RefreshTokenReused);
}

async fn a_thief_in_step_on_another_device_is_seen_and_then_out(engine: Engine) {
    let server = server(engine).await;
    let owner = Person::sign_up(&server, "alice").await;
    let owner = owner.with(refresh(OWNER, &owner).await);
    assert_eq!(replayed_elsewhere(&owner).await, Value::Null);
    let (owner, first) = turn(&server, &owner, STRANGER).await;
    first.expect_ok();
    let events = found_out(&owner).await;
    assert_eq!(events.len(), 1);
    assert_eq!(
        (&events[0]["address"], &events[0]["device"]),
        (&json!(STRANGER.0), &json!(STRANGER.1))
    );
    assert_eq!(events[0]["session_id"], owner.session().await);
    assert_moment(&replayed_elsewhere(&owner).await);
    let (owner, second) = turn(&server, &owner, STRANGER).await;
    is_over(&owner, &second).await;
}

async fn a_thief_in_step_with_the_owner_s_user_agent_is_seen_and_then_out(engine: Engine) {
    let server = server(engine).await;
    let owner = Person::sign_up(&server, "alice").await;
    let (owner, first) = turn(&server, &owner, ELSEWHERE).await;
    let thief = owner.with(first);
    assert_eq!(found_out(&owner).await.len(), 1);
    assert!(thief.is_let_in().await);
    let (owner, second) = turn(&server, &owner, ELSEWHERE).await;
    is_over(&owner, &second).await;
}

async fn a_client_whose_answers_are_lost_while_its_network_changes_stays_signed_in(engine: Engine) {
    let server = server(engine).await;
    let mut alice = Person::sign_up(&server, "alice").await;
    for _ in 0..10 {
        server.advance(Duration::from_secs(900)).await;
        // By one network the answer is lost; by the other it comes, and the first is repeated, late.
        refresh(OWNER, &alice).await.expect_ok();
        let next = alice.with(refresh(ELSEWHERE, &alice).await);
        assert!(next.is_let_in().await);
        refresh(OWNER, &alice).await.expect_ok();
        assert!(next.is_let_in().await);
        alice = next;
    }
    assert!(!found_out(&alice).await.is_empty());
}

async fn contexts_that_race_by_two_networks_stay_signed_in(engine: Engine) {
    let server = server(engine).await;
    let mut alice = Person::sign_up(&server, "alice").await;
    for _ in 0..5 {
        server.advance(Duration::from_secs(900)).await;
        let (one, other) = tokio::join!(refresh(OWNER, &alice), refresh(ELSEWHERE, &alice));
        let one = alice.with(one);
        let other = alice.with(other);
        assert_eq!(one.refresh, other.refresh);
        assert!(one.is_let_in().await && other.is_let_in().await);
        alice = other;
    }
}

async fn the_demo_s_routes_find_out_as_much(engine: Engine) {
    let server = server(engine).await;
    let owner = Person::sign_up(&server, "alice").await;
    let (owner, first) = turn(&server, &owner, STRANGER).await;
    first.expect_ok();
    server.advance(Duration::from_secs(900)).await;
    refresh_at(OWNER, "/refresh", &owner).await.expect_ok();
    refresh_at(STRANGER, "/refresh", &owner)
        .await
        .expect_failure(400, ErrorCode::RefreshTokenReused);
}

/// Who does what in a turn: the thief has the owner's refresh token all along.
#[derive(Clone, Copy)]
enum Step {
    OwnerSends,
    OwnerUses,
    ThiefSends,
    ThiefUses,
}

/// What `SECURITY.md` says under "What is not": the thief's places, turn by turn, what they do, and whether the owner can
/// see it.
const NOT_FOUND_OUT: &[(&[Place], &[Step], bool)] = {
    use Step::{OwnerSends, OwnerUses, ThiefSends, ThiefUses};
    const BEHIND: &[Step] = &[OwnerSends, OwnerUses, ThiefSends, ThiefUses];
    const NETWORKS: &[Place] = &[
        Place("198.51.100.7", OWNER.1),
        Place("203.0.113.7", OWNER.1),
        Place("2001:db8:1::7", OWNER.1),
    ];
    const DEVICES: &[Place] = &[
        Place("198.51.100.7", "curl/8.0"),
        Place("198.51.100.7", "curl/8.1"),
        Place("198.51.100.7", "curl/8.2"),
    ];
    &[
        // From the owner's network and with their User-Agent.
        (&[OWNER], BEHIND, false),
        // Does not use the access token from such a response.
        (&[ELSEWHERE], &[OwnerSends, OwnerUses, ThiefSends], true),
        // Is there before the owner uses theirs.
        (
            &[ELSEWHERE],
            &[OwnerSends, ThiefSends, ThiefUses, OwnerUses],
            true,
        ),
        (
            &[ELSEWHERE],
            &[OwnerSends, ThiefSends, OwnerUses, ThiefUses],
            true,
        ),
        // Is first, and waits for the owner.
        (
            &[ELSEWHERE],
            &[ThiefSends, OwnerSends, ThiefUses, OwnerUses],
            true,
        ),
        (
            &[ELSEWHERE],
            &[ThiefSends, OwnerSends, OwnerUses, ThiefUses],
            true,
        ),
        // From a different network, or with a different User-Agent, each time.
        (NETWORKS, BEHIND, true),
        (DEVICES, BEHIND, true),
    ]
};

async fn the_thieves_in_step_that_security_md_names_are_not_found_out_and_no_change_of_password_spares_them(
    engine: Engine,
) {
    let server = server(engine).await;
    for (number, (places, steps, is_seen)) in NOT_FOUND_OUT.iter().enumerate() {
        let owner = Person::sign_up(&server, &format!("owner{number}")).await;
        let mut owner = owner.with(refresh(OWNER, &owner).await);
        let mut thief = owner.clone();
        for place in places.iter().cycle().take(3) {
            server.advance(Duration::from_secs(900)).await;
            let before = owner.clone();
            for step in *steps {
                server.advance(Duration::from_secs(1)).await;
                match step {
                    Step::OwnerSends => owner = before.with(refresh(OWNER, &before).await),
                    Step::ThiefSends => thief = before.with(refresh(*place, &before).await),
                    Step::OwnerUses => assert!(owner.is_let_in().await, "{number}"),
                    Step::ThiefUses => assert!(thief.is_let_in().await, "{number}"),
                }
            }
        }
        assert!(
            owner.is_let_in().await && thief.is_let_in().await,
            "{number}"
        );
        assert_eq!(!found_out(&owner).await.is_empty(), *is_seen, "{number}");
        let change =
            json!({"current_password": PASSWORD, "new_password": "staple of another kind"});
        let owner = owner.with(owner.post("/auth/password/change", &change).await);
        assert!(
            owner.is_let_in().await && !thief.is_let_in().await,
            "{number}"
        );
        refresh(ELSEWHERE, &thief).await.expect_status(401);
        assert!(owner.is_let_in().await, "{number}");
    }
}
