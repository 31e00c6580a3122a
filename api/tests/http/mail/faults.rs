//! A mail server that is down, slow or refuses mail: no mail is lost, and no response is delayed.

use std::time::Duration;

use password_auth_core::mail::Pacing;
use password_auth_model::{Clock as _, EmailKind, Purpose, User};
use password_auth_testing::{Fault, MailServer, free_port};
use tokio::net::TcpListener;

use super::{ADDRESS, PACING, address, person, queue_is_empty, token_for};
use crate::landing::FORM;
use crate::support::TestServer;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

/// Resets a user's password on the page; the user is told by mail.
async fn reset_password(server: &TestServer, alice: &User) {
    token_for(
        server,
        alice,
        "token",
        Purpose::ResetPassword(address(ADDRESS)),
    )
    .await;
    let form = "token=token&new_password=a+new+good+password";
    let client = server.client();
    let reply = client.post_text("/reset-password", FORM, form).await;
    reply.expect_ok();
}

async fn notice(server: &TestServer) {
    let alice = person(server, "alice", ADDRESS).await;
    server
        .mailer
        .send_later(
            None,
            address(ADDRESS),
            Some(alice.id),
            EmailKind::PasswordChanged,
        )
        .await
        .expect("kept");
}

#[tokio::test]
async fn a_server_that_is_down_gets_its_mail_once_it_is_back() {
    let port = free_port();
    let server = TestServer::builder().mail(port, PACING).start().await;
    let alice = person(&server, "alice", ADDRESS).await;
    reset_password(&server, &alice).await;
    let mut mails = MailServer::builder().port(port).start().await;
    assert_eq!(mails.taken().await.to, [ADDRESS]);
    queue_is_empty(&server).await;
}

#[tokio::test]
async fn a_server_that_says_nothing_delays_no_answer_and_gets_its_mail_later() {
    // The system takes connections for it; it never says a word.
    let port = free_port();
    let silent = TcpListener::bind(("127.0.0.1", port)).await.expect("bound");
    let impatient = Pacing {
        opening: Duration::from_millis(100),
        ..PACING
    };
    let server = TestServer::builder().mail(port, impatient).start().await;
    let alice = person(&server, "alice", ADDRESS).await;
    reset_password(&server, &alice).await;
    // Twice: it gave up once, and asked again.
    for _ in 0..2 {
        silent.accept().await.expect("a connection");
    }
    drop(silent);
    let mut mails = MailServer::builder().port(port).start().await;
    mails.taken().await;
}

#[tokio::test]
async fn an_answer_does_not_wait_for_a_mail_that_is_being_sent() {
    let mut mails = MailServer::builder().start().await;
    let server = TestServer::builder()
        .mail(mails.port(), PACING)
        .start()
        .await;
    mails.become_so(Fault::Stall).await;
    notice(&server).await;
    mails.stalled().await;
    // The sender is at it, and stays so until this is answered.
    let alice = server.user("alice").await;
    reset_password(&server, &alice).await;
    mails.become_so(Fault::None).await;
    // The one, and what that answer sent.
    mails.taken().await;
    mails.taken().await;
}

#[tokio::test]
async fn a_mail_that_is_refused_for_now_is_tried_again_after_a_minute() {
    let mut mails = MailServer::builder().start().await;
    let server = TestServer::builder()
        .mail(mails.port(), PACING)
        .start()
        .await;
    for fault in [
        Fault::Recipient("451 4.7.1 greylisted"),
        Fault::Mail("452 4.3.1 disk full"),
        // About us, and not about the address.
        Fault::Recipient("550 5.7.1 relaying denied"),
        Fault::Mail("554 5.7.1 looks like spam"),
    ] {
        mails.become_so(fault).await;
        if server.store.next_email_due().await.expect("read").is_none() {
            notice(&server).await;
        } else {
            server.clock.advance(10 * MINUTE);
        }
        mails.failed().await;
    }
    mails.become_so(Fault::None).await;
    server.clock.advance(10 * MINUTE);
    mails.taken().await;
    queue_is_empty(&server).await;
    server.stop().await;
    assert_eq!(mails.stop().await, 0, "it came once");
}

/// What only some mails ask of the server (a stranger's address decides) is not a failure of the server's.
#[tokio::test]
async fn a_mail_that_asks_for_what_the_server_refuses_keeps_no_other_waiting() {
    let mut mails = MailServer::builder().start().await;
    let hour = Duration::from_secs(3600);
    let patient = Pacing {
        first_rest: hour,
        longest_rest: hour,
        ..PACING
    };
    let server = TestServer::builder()
        .mail(mails.port(), patient)
        .start()
        .await;
    let cases = [
        (
            "SMTPUTF8",
            "550 5.6.7 no such addresses",
            "nikos",
            "用户@example.org",
        ),
        (
            "BODY=8BITMIME",
            "555 5.5.4 no such parameter",
            "Níkos",
            "nikos@example.org",
        ),
    ];
    for (number, (parameter, answer, name, email)) in cases.into_iter().enumerate() {
        mails.become_so(Fault::Parameter(parameter, answer)).await;
        let nikos = person(&server, name, email).await;
        let to = address(email);
        let mail = server
            .mailer
            .send_later(None, to, Some(nikos.id), EmailKind::PasswordChanged);
        mail.await.expect("kept");
        mails.failed().await;
        let reader = format!("reader{number}@example.org");
        let other = person(&server, &format!("reader{number}"), &reader).await;
        let to = address(&reader);
        let mail = server
            .mailer
            .send_later(None, to, Some(other.id), EmailKind::PasswordChanged);
        mail.await.expect("kept");
        // Otherwise it would wait for the hour.
        let taken = tokio::time::timeout(MINUTE, mails.taken()).await;
        assert_eq!(taken.expect("it is not kept waiting").to, [reader]);
    }
}

#[tokio::test]
async fn an_address_that_is_refused_for_good_is_not_tried_again() {
    let mut mails = MailServer::builder().start().await;
    let server = TestServer::builder()
        .mail(mails.port(), PACING)
        .start()
        .await;
    mails
        .become_so(Fault::Recipient("550 5.1.1 no such mailbox"))
        .await;
    notice(&server).await;
    mails.failed().await;
    queue_is_empty(&server).await;
}

#[tokio::test]
async fn a_connection_that_breaks_at_the_end_of_a_mail_loses_nothing() {
    let mut mails = MailServer::builder().start().await;
    let server = TestServer::builder()
        .mail(mails.port(), PACING)
        .start()
        .await;
    mails.become_so(Fault::Drop).await;
    notice(&server).await;
    mails.failed().await;
    mails.become_so(Fault::None).await;
    server.clock.advance(MINUTE);
    mails.taken().await;
    queue_is_empty(&server).await;
}

#[tokio::test]
async fn a_server_that_never_answers_to_a_mail_gets_it_again() {
    let mut mails = MailServer::builder().start().await;
    let impatient = Pacing {
        sending: Duration::from_millis(100),
        ..PACING
    };
    let server = TestServer::builder()
        .mail(mails.port(), impatient)
        .start()
        .await;
    mails.become_so(Fault::Stall).await;
    notice(&server).await;
    mails.stalled().await;
    // Until the sender lets go of it.
    let soon = server.clock.now().plus(PACING.longest_rest);
    while server.store.next_email_due().await.expect("read") > Some(soon) {
        tokio::task::yield_now().await;
    }
    mails.become_so(Fault::None).await;
    server.clock.advance(MINUTE);
    mails.taken().await;
    queue_is_empty(&server).await;
}

#[tokio::test]
async fn a_mail_whose_sender_died_is_sent_by_another() {
    let mut mails = MailServer::builder().start().await;
    let builder = TestServer::builder().mail(mails.port(), PACING);
    let mut server = builder.start().await;
    mails.become_so(Fault::Stall).await;
    notice(&server).await;
    mails.stalled().await;
    server.kill_sender().await;
    let claimed = server
        .store
        .next_email_due()
        .await
        .expect("read")
        .expect("kept");
    assert!(claimed > server.clock.now(), "nobody else takes it at once");
    server.clock.advance(PACING.claim);
    mails.become_so(Fault::None).await;
    server.start_mail_sender(PACING);
    mails.taken().await;
    queue_is_empty(&server).await;
}

#[tokio::test]
async fn mails_are_given_up_when_nobody_waits_for_them_any_more() {
    let port = free_port();
    let server = TestServer::builder().mail(port, PACING).start().await;
    notice(&server).await;
    let alice = server.user("alice").await;
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
    server.clock.advance(DAY + MINUTE);
    let mut mails = MailServer::builder().port(port).start().await;
    let taken = mails.taken().await;
    assert!(super::links(&taken).is_empty(), "the notice");
    queue_is_empty(&server).await;
    server.stop().await;
    assert_eq!(mails.stop().await, 0);
}
