//! Invitations that are mailed.

use password_auth_testing::MailServer;
use serde_json::json;

use super::{PACING, links, read};
use crate::support::person::{V1, text};
use crate::support::{PASSWORD, Person, TestServer};

#[tokio::test]
async fn an_invitation_is_mailed_with_a_link_of_its_own_and_either_link_works_once() {
    let mut mails = MailServer::builder().start().await;
    let server = TestServer::builder()
        .mail(mails.port(), PACING)
        .start()
        .await;
    let admin = Person::admin(&server, "root").await;
    // To confirm the admin's own address.
    mails.taken().await;
    let made = admin
        .post("/invites", &json!({"email": "alice@example.org"}))
        .await;
    let shown = text(&made.expect_status(201).json()["token"]);
    let taken = mails.taken().await;
    let mail = read(&taken);
    assert_eq!(mail.subject(), Some("You are invited"));
    let mailed = links(&taken);
    let mailed = mailed
        .iter()
        .find_map(|link| link.strip_prefix("/join?token="));
    let mailed = mailed.expect("a link").to_owned();
    assert_ne!(mailed, shown);
    let register = async |name: &str, token: &str| {
        let body = json!({"username": name, "password": PASSWORD, "invite": token});
        let path = format!("{V1}/auth/register");
        server.client().post(&path, &body).await.status
    };
    assert_eq!(register("alice", &mailed).await, 201);
    assert_eq!(register("bob", &shown).await, 403);
    assert_eq!(register("bob", &mailed).await, 403);
}
