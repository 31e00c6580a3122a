//! Mail: what arrives at a real mail server, and for whom.

mod counted;
mod faults;
mod invitation;
mod names;
mod process;
mod replies;

use std::time::Duration;

use mail_parser::{Message, MessageParser, MimeHeaders as _};
use password_auth_core::mail::Pacing;
use password_auth_model::{
    Clock as _, EmailAddress, EmailKind, OneTimeToken, Purpose, TokenHash, User, Username,
};
use password_auth_store::{ConfirmEmail, CreateUser};
use password_auth_testing::{Encryption, MailServer, MailServerBuilder, Taken};

use crate::support::TestServer;

pub const ADDRESS: &str = "alice@example.org";

/// Impatient where only the test waits.
pub const PACING: Pacing = Pacing {
    look: Duration::from_millis(20),
    first_rest: Duration::from_millis(20),
    longest_rest: Duration::from_millis(20),
    ..Pacing::DEFAULT
};

pub fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).expect("an address")
}

/// Puts a token into the store, as if it had been mailed.
pub async fn token_for(server: &TestServer, user: &User, token: &str, purpose: Purpose) {
    let token = OneTimeToken {
        hash: TokenHash::of(token),
        user: user.id,
        purpose,
        expires: server.clock.now().plus(Duration::from_secs(3600)),
    };
    assert!(server.store.add_one_time_token(token).await.expect("kept"));
}

/// Registers somebody who has verified that address.
pub async fn person(server: &TestServer, name: &str, text: &str) -> User {
    server.client().register(name).await.expect_ok();
    let user = server.user(name).await;
    token_for(server, &user, "setup", Purpose::ChangeEmail(address(text))).await;
    let confirmed = server
        .store
        .confirm_email(&TokenHash::of("setup"), server.clock.now())
        .await;
    let Ok(ConfirmEmail::Confirmed { after, .. }) = confirmed else {
        panic!("{confirmed:?}");
    };
    *after
}

/// Adds somebody who has given that address, and has not verified it.
async fn namesake(server: &TestServer, name: &str, is_active: bool) {
    server
        .client()
        .register(&format!("{name}-hash"))
        .await
        .expect_ok();
    let password = server.user(&format!("{name}-hash")).await.password;
    let username = Username::parse(name).expect("a name");
    let user = User {
        email: Some(address(ADDRESS)),
        is_active,
        ..User::new(username, password, server.clock.now())
    };
    // Their ids tell who came first.
    server.clock.advance(Duration::from_secs(1));
    let created = server.store.create_user(user).await.expect("kept");
    assert_eq!(created, CreateUser::Created);
}

fn read(taken: &Taken) -> Message<'_> {
    MessageParser::default()
        .parse(&taken.content)
        .expect("a mail")
}

fn plain(mail: &Message<'_>) -> String {
    mail.body_text(0).expect("a plain part").into_owned()
}

/// The paths and queries of the links in a mail.
pub fn links(taken: &Taken) -> Vec<String> {
    plain(&read(taken))
        .lines()
        .filter_map(|line| line.trim().strip_prefix("https://auth.example.org/"))
        .map(|rest| format!("/{rest}"))
        .collect()
}

/// Waits until nothing is in the queue.
pub async fn queue_is_empty(server: &TestServer) {
    while server.store.next_email_due().await.expect("read").is_some() {
        tokio::task::yield_now().await;
    }
}

async fn arrives_whole(mail_server: MailServerBuilder, smtp_tls: &str) -> Taken {
    let mut mails = mail_server.credentials("auth", "geheim").start().await;
    let server = TestServer::builder()
        .mail(mails.port(), PACING)
        .setting("SMTP_TLS", smtp_tls)
        .setting("SMTP_CA_FILE", mails.authority())
        .setting("SMTP_USERNAME", "auth")
        .setting("SMTP_PASSWORD", "geheim")
        .start()
        .await;
    let alice = person(&server, "Alice <b>&", ADDRESS).await;
    server
        .mailer
        .send_later(
            None,
            address(ADDRESS),
            Some(alice.id),
            EmailKind::ResetPassword,
        )
        .await
        .expect("kept");
    let taken = mails.taken().await;
    queue_is_empty(&server).await;
    server.stop().await;
    assert_eq!(mails.stop().await, 0, "it came once");
    taken
}

#[tokio::test]
async fn a_mail_arrives_whole_encrypted_and_by_a_signed_in_sender() {
    for (encryption, smtp_tls) in [(Encryption::StartTls, "starttls"), (Encryption::Tls, "tls")] {
        let taken = arrives_whole(MailServer::builder().encryption(encryption), smtp_tls).await;
        assert!(taken.encrypted && taken.authenticated, "{taken:?}");
        assert_eq!(taken.from, "auth@example.org");
        assert_eq!(taken.to, [ADDRESS]);
        let mail = read(&taken);
        let from = mail.from().and_then(|from| from.first()).expect("a sender");
        assert_eq!(from.name(), Some("Example"));
        assert_eq!(from.address(), Some("auth@example.org"));
        assert_eq!(mail.subject(), Some("Reset your password"));
        assert!(
            mail.message_id()
                .expect("an id")
                .ends_with("@auth.example.org")
        );
        assert!(mail.date().is_some());
        assert_eq!(
            mail.header_raw("Auto-Submitted").map(str::trim),
            Some("auto-generated")
        );
        assert!(mail.content_type().expect("a type").ctype() == "multipart");
        let html = mail.body_html(0).expect("an HTML part");
        assert!(plain(&mail).contains("\"Alice <b>&\""));
        assert!(html.contains("Alice &#60;b&#62;&#38;"), "{html}");
        let [link] = &links(&taken)[..] else {
            panic!("{taken:?}");
        };
        assert!(link.starts_with("/reset-password?token=") && html.contains(link));
        // On a line of its own also for who reads the mail as it came.
        let raw = String::from_utf8_lossy(&taken.content);
        assert!(raw.contains(&format!("\r\nhttps://auth.example.org{link}\r\n")));
    }
}

#[tokio::test]
async fn each_account_of_an_address_that_nobody_verified_gets_a_link_of_its_own() {
    let mut mails = MailServer::builder().start().await;
    let server = TestServer::builder()
        .mail(mails.port(), PACING)
        .start()
        .await;
    namesake(&server, "alice", true).await;
    namesake(&server, "alicia", true).await;
    namesake(&server, "gone", false).await;
    server
        .mailer
        .send_later(None, address(ADDRESS), None, EmailKind::ResetPassword)
        .await
        .expect("kept");
    let taken = mails.taken().await;
    let text = plain(&read(&taken));
    assert!(text.contains("\"alice\"") && text.contains("\"alicia\"") && !text.contains("gone"));
    let links = links(&taken);
    assert!(links.len() == 2 && links[0] != links[1], "{links:?}");
    for (link, name) in links.iter().zip(["alice", "alicia"]) {
        let (_, token) = link.split_once("token=").expect("a token");
        let found = server
            .store
            .one_time_token(&TokenHash::of(token), server.clock.now())
            .await;
        let (kept, user) = found.expect("read").expect("the token is good");
        assert_eq!(user.username.as_str(), name);
        assert_eq!(kept.purpose, Purpose::ResetPassword(address(ADDRESS)));
    }
}

#[tokio::test]
async fn what_has_nothing_to_say_any_more_goes_to_nobody() {
    let mails = MailServer::builder().start().await;
    let server = TestServer::builder()
        .mail(mails.port(), PACING)
        .start()
        .await;
    let alice = person(&server, "alice", ADDRESS).await;
    for (to, user, about) in [
        ("nobody@example.org", None, EmailKind::ResetPassword),
        // It is verified.
        (ADDRESS, Some(alice.id), EmailKind::VerifyEmail),
        // It is not hers.
        (
            "other@example.org",
            Some(alice.id),
            EmailKind::ResetPassword,
        ),
    ] {
        server
            .mailer
            .send_later(None, address(to), user, about)
            .await
            .expect("kept");
    }
    queue_is_empty(&server).await;
    server.stop().await;
    assert_eq!(mails.stop().await, 0);
}

#[tokio::test]
async fn word_goes_to_the_address_that_an_account_had() {
    let mut mails = MailServer::builder().start().await;
    let server = TestServer::builder()
        .mail(mails.port(), PACING)
        .start()
        .await;
    let alice = person(&server, "alice", ADDRESS).await;
    let old = address("old@example.org");
    server
        .mailer
        .send_later(None, old, Some(alice.id), EmailKind::EmailChanged)
        .await
        .expect("kept");
    let taken = mails.taken().await;
    assert_eq!(taken.to, ["old@example.org"]);
    assert!(links(&taken).is_empty());
}
