//! User names in mails: none becomes a link, and none breaks the link.

use mail_parser::{Message, MimeHeaders as _, PartType};
use password_auth_testing::{MailServer, Taken, Wording};
use serde_json::json;

use super::{PACING, links, plain, read};
use crate::support::person::V1;
use crate::support::{PASSWORD, TestServer};

/// What somebody who registers with that name and another's address has sent there.
async fn sent(mails: &mut MailServer, names: &[&str]) -> Vec<Taken> {
    let server = TestServer::builder()
        .mail(mails.port(), PACING)
        .start()
        .await;
    let client = server.client();
    let mut sent = Vec::new();
    for (number, name) in names.iter().enumerate() {
        let email = format!("victim-{number}@example.org");
        let body = json!({"username": name, "email": email, "password": PASSWORD});
        let reply = client.post(&format!("{V1}/auth/register"), &body).await;
        assert_eq!(reply.status, 201, "{name}: {reply:?}");
        sent.push(mails.taken().await);
    }
    sent
}

fn html(mail: &Message<'_>) -> String {
    mail.body_html(0).expect("an HTML part").into_owned()
}

#[tokio::test]
async fn a_name_that_a_mail_program_would_link_is_none_in_a_mail() {
    let forms = [
        ("Prize! open http://evil.example/20", "http://evil.example"),
        ("HTTPS://evil.example", "://evil"),
        ("go to www.evil.example now", "www.evil"),
        ("evil.example", "evil.example"),
        ("evil。example", "evil。example"),
        ("evil｡two", "evil｡two"),
        ("evil．three", "evil．three"),
        ("evil․four", "evil․four"),
        ("mailto:eve", "mailto:eve"),
        ("tel:+15551234567", "tel:"),
        ("sms:15551234567", "1555123"),
        ("call 0800 123 4567", "0800 123 4567"),
        ("javascript:alert(1)", "javascript:"),
        ("ftp://10.0.0.1", "10.0.0.1"),
        ("\\\\evil\\share", "\\\\evil"),
        ("bücher.example", "bücher.example"),
    ];
    let mut mails = MailServer::builder().start().await;
    let names = forms.map(|(name, _)| name);
    for (taken, (name, link)) in sent(&mut mails, &names).await.iter().zip(forms) {
        let mail = read(taken);
        let subject = mail.subject().expect("a subject");
        for text in [plain(&mail), html(&mail), subject.to_owned()] {
            assert!(
                !text.contains(link) && !text.contains("evil.example"),
                "{name}: {text}"
            );
        }
        // Only the server's own.
        assert_eq!(html(&mail).matches("href=").count(), 2);
        assert_eq!(links(taken).len(), 1);
    }
}

#[tokio::test]
async fn a_link_stands_whole_on_its_line_whatever_the_name() {
    let long = "😀".repeat(64);
    let mut other = "né ".repeat(21);
    other.push('é');
    let names = ["alice", "Zoë", "王小明", "Ünï 😀", "مريم", &*long, &*other];
    let mut mails = MailServer::builder().start().await;
    for (taken, name) in sent(&mut mails, &names).await.iter().zip(names) {
        let mail = read(taken);
        let [link] = &links(taken)[..] else {
            panic!("{name}: {mail:?}");
        };
        assert!(plain(&mail).contains(&format!("\"{name}\"")), "{name}");
        // Also for a program that shows the mail as it came.
        let raw = String::from_utf8(taken.content.clone()).expect("UTF-8");
        let line = format!("\r\nhttps://auth.example.org{link}\r\n");
        assert!(raw.contains(&line), "{name}: {raw}");
        // What is in no header that says so is not sent.
        let encoding = mail.content_transfer_encoding().unwrap_or("7bit");
        assert_eq!(raw.is_ascii(), encoding == "7bit", "{name}: {raw}");
        assert!(raw.lines().all(|line| line.len() <= 998));
    }
}

#[tokio::test]
async fn a_server_that_takes_ascii_alone_gets_ascii_and_the_link_is_whole_once_decoded() {
    let mut mails = MailServer::builder()
        .wording(Wording::SevenBit)
        .start()
        .await;
    for taken in sent(&mut mails, &["Zoë", "王小明"]).await {
        assert!(taken.content.is_ascii(), "{taken:?}");
        assert_eq!(links(&taken).len(), 1);
        let mail = read(&taken);
        let part = mail.text_bodies().next().expect("a plain part");
        assert!(
            matches!(&part.body, PartType::Text(text) if text.contains("/verify-email?token="))
        );
    }
}
