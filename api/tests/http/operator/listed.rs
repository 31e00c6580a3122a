//! Which user a command means, and lists of users.

use futures_util::future::join_all;
use password_auth_model::{Clock as _, EmailAddress, Role, SystemClock, User, Username};
use password_auth_store::CreateUser;
use serde_json::{Value, json};

use super::site::Site;
use crate::support::Engine;

each_engine! {
    everybody_is_listed_however_many_there_are,
    somebody_is_named_by_name_address_or_id,
}

/// More than are asked for at once, twice.
const MANY: usize = 1_100;

fn user(name: &str, role: Role) -> User {
    let password = serde_json::from_value(json!("$scrypt$of no password")).expect("a hash");
    let name = Username::parse(name).expect("a name");
    User {
        role,
        ..User::new(name, password, SystemClock.now())
    }
}

async fn add(site: &Site, users: impl IntoIterator<Item = User>) {
    let store = site.store().await;
    let added = users.into_iter().map(|user| store.create_user(user));
    // Not all at once: a queue has its bound.
    let mut added: Vec<_> = added.collect();
    while !added.is_empty() {
        let rest = added.split_off(added.len().min(64));
        for outcome in join_all(added).await {
            assert_eq!(outcome.expect("written"), CreateUser::Created);
        }
        added = rest;
    }
    store.close().await;
}

fn ids(people: &Value) -> Vec<&str> {
    let people = people.as_array().expect("an array").iter();
    people
        .map(|person| person["id"].as_str().expect("an id"))
        .collect()
}

async fn everybody_is_listed_however_many_there_are(engine: Engine) {
    let site = Site::new(engine).await;
    let users = (0..MANY).map(|number| {
        let role = [Role::User, Role::Guest][usize::from(number % 100 == 7)];
        user(&format!("user {number}"), role)
    });
    let users: Vec<_> = users.collect();
    let mut expected: Vec<_> = users.iter().map(|user| user.id.to_string()).collect();
    expected.sort();
    let guests = users.iter().filter(|user| user.role == Role::Guest);
    let mut guests: Vec<_> = guests.map(|user| user.id.to_string()).collect();
    guests.sort();
    add(&site, users).await;
    let server = site.serve().await;
    assert_eq!(ids(&site.run(&["list", "--json"]).await.json()), expected);
    let some = site.run(&["list", "--json", "--limit", "777"]).await.json();
    assert_eq!(ids(&some), expected[..777]);
    let none = site.run(&["list", "--json", "--limit", "0"]).await.json();
    assert_eq!(none, json!([]));
    let found = site.run(&["list", "--json", "--role", "guest"]).await;
    assert_eq!(ids(&found.json()), guests);
    let found = site.run(&["list", "--json", "--role", "admin"]).await;
    assert_eq!(found.json(), json!([]));
    let table = site.run(&["list"]).await.expect_success();
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), MANY + 1);
    assert!(lines[0].starts_with("name "), "{}", lines[0]);
    let place = lines[1].find(&expected[0]).expect("an id");
    assert!(
        lines[1..=500]
            .iter()
            .zip(&expected)
            .all(|(line, id)| line[place..] == **id)
    );
    assert!(server.terminate().await.success());
}

async fn somebody_is_named_by_name_address_or_id(engine: Engine) {
    let site = Site::new(engine).await;
    let address = |text| Some(EmailAddress::parse(text).expect("an address"));
    let alice = User {
        email: address("alice@example.org"),
        is_verified: true,
        ..user("Älice", Role::Admin)
    };
    let [bob, carol] = ["Bob", "Carol"].map(|name| User {
        email: address("both@example.org"),
        ..user(name, Role::User)
    });
    // A user with such a name is taken for nobody else.
    let liar = user(&alice.id.to_string(), Role::User);
    let [alice_id, bob_id, carol_id, liar_id] =
        [&alice, &bob, &carol, &liar].map(|user| user.id.to_string());
    add(&site, [alice, bob, carol, liar]).await;
    let found = async |who: &str| {
        let shown = site.run(&["show", who, "--json"]).await.json();
        shown["id"].as_str().expect("an id").to_owned()
    };
    for who in [
        "älice",
        " ÄLICE ",
        "Alice@Example.org",
        &alice_id,
        &alice_id.to_uppercase(),
    ] {
        assert_eq!(found(who).await, alice_id, "{who}");
    }
    assert_eq!(found(&liar_id).await, liar_id);
    let both = site.run(&["show", "both@example.org"]).await.failure();
    assert!(both.contains(&bob_id) && both.contains(&carol_id), "{both}");
    assert_eq!(found(&bob_id).await, bob_id);
    for nobody in ["nobody", "nobody@example.org", "", "\u{1b}[2J"] {
        let refused = site.run(&["show", nobody]).await.failure();
        assert_eq!(refused, format!("there is no user {nobody:?}"));
    }
    let known = site.run(&["show", "bob"]).await.expect_success();
    assert!(known.contains("both@example.org (not verified)"), "{known}");
}
