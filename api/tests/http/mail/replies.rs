//! Replies of mail servers: only the code counts, and keywords are case-insensitive.

use password_auth_model::EmailKind;
use password_auth_testing::{Encryption, MailServer, MailServerBuilder, Wording};

use super::{ADDRESS, PACING, address, person, queue_is_empty};
use crate::support::TestServer;

/// A mail goes to that server, once.
async fn comes_once(builder: MailServerBuilder, smtp_tls: &str, to: &str) {
    let mut mails = builder.credentials("auth", "geheim").start().await;
    let server = TestServer::builder()
        .mail(mails.port(), PACING)
        .setting("SMTP_TLS", smtp_tls)
        .setting("SMTP_CA_FILE", mails.authority())
        .setting("SMTP_USERNAME", "auth")
        .setting("SMTP_PASSWORD", "geheim")
        .start()
        .await;
    let alice = person(&server, "alice", to).await;
    server
        .mailer
        .send_later(
            None,
            address(to),
            Some(alice.id),
            EmailKind::PasswordChanged,
        )
        .await
        .expect("kept");
    let taken = mails.taken().await;
    assert_eq!(taken.to, [to]);
    assert!(taken.encrypted && taken.authenticated, "{taken:?}");
    queue_is_empty(&server).await;
    server.stop().await;
    assert_eq!(mails.stop().await, 0, "it came once");
}

#[tokio::test]
async fn replies_of_a_number_alone_and_with_bytes_that_are_no_text_are_replies() {
    for wording in [Wording::Bare, Wording::Garbled] {
        for (encryption, smtp_tls) in [(Encryption::StartTls, "starttls"), (Encryption::Tls, "tls")]
        {
            let builder = MailServer::builder()
                .wording(wording)
                .encryption(encryption);
            comes_once(builder.clone(), smtp_tls, ADDRESS).await;
            comes_once(builder.by_login(), smtp_tls, ADDRESS).await;
        }
    }
}

#[tokio::test]
async fn what_a_server_promises_in_lower_case_is_seen() {
    let builder = MailServer::builder()
        .wording(Wording::Lower)
        .encryption(Encryption::StartTls);
    comes_once(builder.clone(), "starttls", ADDRESS).await;
    comes_once(builder.clone().by_login(), "starttls", ADDRESS).await;
    // It needs SMTPUTF8.
    comes_once(builder, "starttls", "用户@example.org").await;
}
