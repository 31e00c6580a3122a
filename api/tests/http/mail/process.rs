//! The binary and its mail: what survives a kill, and what the log says.

use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use password_auth_model::Purpose;
use password_auth_testing::{Encryption, MailServer, MailServerBuilder, free_port};
use tempfile::TempDir;
use tokio::process::Command;

use super::{ADDRESS, address, person, token_for};
use crate::landing::FORM;
use crate::support::{ServerProcess, TestServer};

/// A folder in which Alice has an address, and was mailed a token for a new password.
async fn folder_with_alice() -> TempDir {
    let server = TestServer::start().await;
    let alice = person(&server, "alice", ADDRESS).await;
    token_for(
        &server,
        &alice,
        "mailed-token",
        Purpose::ResetPassword(address(ADDRESS)),
    )
    .await;
    server.stop().await
}

/// Uses the token, which the person is told by mail.
async fn reset_password(server: &ServerProcess) {
    let form = "token=mailed-token&new_password=a+new+good+password";
    let client = server.client();
    let reply = client.post_text("/reset-password", FORM, form).await;
    reply.expect_ok();
}

fn command(folder: &TempDir, port: u16, settings: &[(&str, &str)]) -> Command {
    let mut command = ServerProcess::command(folder.path());
    command
        .env("PUBLIC_URL", "https://auth.example.org")
        .env("SMTP_HOST", "localhost")
        .env("SMTP_PORT", port.to_string())
        .env("SMTP_FROM", "auth@example.org")
        .envs(settings.iter().copied());
    command
}

fn signed_in() -> MailServerBuilder {
    MailServer::builder()
        .encryption(Encryption::StartTls)
        .credentials("auth", "geheim-geheim")
}

#[tokio::test]
async fn mails_survive_a_kill_and_come_once() {
    let port = free_port();
    let folder = folder_with_alice().await;
    let plain = [("SMTP_TLS", "off"), ("RUST_LOG", "info")];
    let server = ServerProcess::start(command(&folder, port, &plain)).await;
    reset_password(&server).await;
    server
        .logs("mail cannot be sent; it stays in the queue")
        .await;
    server.kill().await;
    let mut mails = MailServer::builder().port(port).start().await;
    let server = ServerProcess::start(command(&folder, port, &plain)).await;
    assert_eq!(mails.taken().await.to, [ADDRESS]);
    server.logs("a mail was sent").await;
    assert!(server.terminate().await.success());
    let server = ServerProcess::start(command(&folder, port, &plain)).await;
    server.logs("sending mail").await;
    assert!(server.terminate().await.success());
    assert_eq!(mails.stop().await, 0, "it came once");
}

/// What the log says of mail that does not go out.
async fn complaint(mails: &MailServer, settings: &[(&str, &str)]) -> String {
    let folder = folder_with_alice().await;
    let server = ServerProcess::start(command(&folder, mails.port(), settings)).await;
    reset_password(&server).await;
    server
        .logs("mail cannot be sent; it stays in the queue")
        .await;
    server.tell_to_stop().await;
    let log = server.ended().await.1;
    for secret in ["geheim", ADDRESS, "mailed-token"] {
        assert!(!log.contains(secret), "{secret} in:\n{log}");
    }
    log
}

#[tokio::test]
async fn a_wrong_password_is_said_clearly() {
    let mails = signed_in().start().await;
    let settings = [
        ("SMTP_CA_FILE", mails.authority()),
        ("SMTP_USERNAME", "auth"),
        ("SMTP_PASSWORD", "geheim"),
    ];
    let log = complaint(&mails, &settings).await;
    let expected = "it refused SMTP_USERNAME and SMTP_PASSWORD: 535";
    assert!(log.contains(expected), "{log}");
    assert_eq!(mails.stop().await, 0);
}

#[tokio::test]
async fn a_certificate_of_somebody_else_is_said_clearly() {
    // Of an authority that nobody trusts, and of one that is trusted, for another name.
    let strange = MailServer::builder()
        .encryption(Encryption::Tls)
        .start()
        .await;
    let log = complaint(&strange, &[("SMTP_TLS", "tls")]).await;
    assert!(log.contains("UnknownIssuer"), "{log}");
    assert_eq!(strange.stop().await, 0);
    let other = MailServer::builder()
        .encryption(Encryption::StartTls)
        .certificate_for("mail.example.org")
        .start()
        .await;
    let log = complaint(&other, &[("SMTP_CA_FILE", other.authority())]).await;
    assert!(log.contains("not valid for name"), "{log}");
    assert_eq!(other.stop().await, 0);
}

#[tokio::test]
async fn a_server_without_encryption_gets_neither_mail_nor_password() {
    let mails = MailServer::builder().start().await;
    let settings = [("SMTP_USERNAME", "auth"), ("SMTP_PASSWORD", "geheim")];
    let log = complaint(&mails, &settings).await;
    assert!(log.contains("STARTTLS is not supported"), "{log}");
    assert_eq!(mails.stop().await, 0);
}

#[tokio::test]
async fn mail_leaves_no_secret_in_the_log_at_any_level() {
    let mut mails = signed_in().start().await;
    let settings = [
        ("SMTP_CA_FILE", mails.authority().to_owned()),
        ("SMTP_USERNAME", "auth".to_owned()),
        ("SMTP_PASSWORD", "geheim-geheim".to_owned()),
        ("RUST_LOG", "trace".to_owned()),
    ];
    let settings = settings.each_ref().map(|(name, value)| (*name, &**value));
    let folder = folder_with_alice().await;
    let server = ServerProcess::start(command(&folder, mails.port(), &settings)).await;
    server
        .client()
        .get("/reset-password?token=mailed-token")
        .await;
    reset_password(&server).await;
    mails.taken().await;
    server.logs("a mail was sent").await;
    server.tell_to_stop().await;
    let log = server.ended().await.1;
    let sign_in = STANDARD.encode("\0auth\0geheim-geheim");
    for secret in ["geheim", &sign_in, ADDRESS, "mailed-token", "good password"] {
        assert!(!log.contains(secret), "{secret} in:\n{log}");
    }
    assert!(log.contains("/reset-password"), "the log was read");
}

#[tokio::test]
async fn in_development_mail_is_files_that_only_their_owner_reads() {
    let folder = folder_with_alice().await;
    let mut development = ServerProcess::command(folder.path());
    development.env("RUST_LOG", "info");
    let server = ServerProcess::start(development).await;
    reset_password(&server).await;
    server.logs("a mail was sent").await;
    let mail = folder.path().join("mail");
    let mode = |path: &std::path::Path| {
        let metadata = std::fs::metadata(path).expect("it is there");
        metadata.permissions().mode() & 0o777
    };
    assert_eq!(mode(&mail), 0o700);
    let files: Vec<_> = std::fs::read_dir(&mail)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    let [file] = &files[..] else {
        panic!("{files:?}");
    };
    assert!(file.extension().is_some_and(|extension| extension == "eml"));
    assert_eq!(mode(file), 0o600);
    let text = std::fs::read_to_string(file).expect("a text");
    assert!(text.contains(&format!("To: {ADDRESS}")), "{text}");
}

#[tokio::test]
async fn without_a_way_for_mail_the_server_says_so_and_keeps_none() {
    let folder = folder_with_alice().await;
    let mut production = Command::new(env!("CARGO_BIN_EXE_password-auth"));
    production
        .args(["serve", "--port", "0", "--data-dir"])
        .arg(folder.path())
        .current_dir(folder.path())
        .env_clear();
    let server = ServerProcess::start(production).await;
    server.logs("no SMTP_HOST").await;
    reset_password(&server).await;
    assert!(server.terminate().await.success());
    assert!(!folder.path().join("mail").exists());
}

#[tokio::test]
async fn certificates_that_are_none_stop_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, "no certificate").expect("written");
    let settings = [("SMTP_CA_FILE", file.to_str().expect("a text"))];
    let message = ServerProcess::try_start(command(&folder, 25, &settings))
        .await
        .err()
        .expect("refused");
    assert!(message.contains("SMTP_CA_FILE"), "{message}");
}
