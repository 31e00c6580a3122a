//! Settings, through the binary.

use std::path::Path;
use std::process::{Command, Output};

use password_auth_testing::make_certificates;

use crate::support::ServerProcess;

fn check_config(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_password-auth"))
        .arg("check-config")
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs(environment.iter().copied())
        .output()
        .expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// The line of a setting: its value and where it comes from.
fn line<'a>(output: &'a str, setting: &str) -> Vec<&'a str> {
    output
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .find(|words| words.first() == Some(&setting))
        .expect("the setting's line")
}

#[test]
fn flags_win_over_the_environment_over_the_file_over_defaults() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(
        folder.path().join(".env"),
        "PORT=1001\nHOST=127.0.0.2\nISSUER=\"from the file\"\n",
    )
    .expect("written");
    let environment = [("PORT", "1002"), ("HOST", "127.0.0.3")];
    let output = check_config(folder.path(), &["--port", "1003"], &environment);
    assert!(output.status.success());
    let output = text(&output.stdout);
    assert_eq!(line(&output, "PORT"), ["PORT", "1003", "flag"]);
    assert_eq!(line(&output, "HOST"), ["HOST", "127.0.0.3", "environment"]);
    assert_eq!(
        line(&output, "ISSUER"),
        ["ISSUER", "from", "the", "file", ".env"]
    );
    assert_eq!(
        line(&output, "LOGIN_RATE"),
        ["LOGIN_RATE", "5/minute", "default"]
    );
}

#[test]
fn in_production_it_says_that_everybody_may_register_unless_that_is_changed() {
    let folder = tempfile::tempdir().expect("a folder");
    let says_so = |arguments: &[&str]| {
        let output = check_config(folder.path(), arguments, &[]);
        assert!(output.status.success());
        text(&output.stdout).contains("everybody who reaches this server may register")
    };
    assert!(says_so(&[]));
    assert!(!says_so(&["--dev"]));
    for mode in ["invite", "closed"] {
        assert!(!says_so(&["--registration", mode]), "{mode}");
    }
}

#[test]
fn secrets_are_hidden_and_every_mistake_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = "0123456789abcdef0123456789abcdef";
    let environment = [
        ("JWT_SECRET", secret),
        ("PORT", "eighty"),
        ("LOGIN_RATE", "off"),
        ("RUST_LOG", "a=b=c"),
        ("REFRESH_TOKEN_EXPIRE_DAYS", "18446744073709551615"),
        ("PUBLIC_URL", "https://user:geheim@auth.example.org"),
        ("DATABASE_URL", "mysql://user:geheim@db/x"),
    ];
    let output = check_config(folder.path(), &[], &environment);
    assert_eq!(output.status.code(), Some(1));
    let (shown, mistakes) = (text(&output.stdout), text(&output.stderr));
    assert!(shown.contains("(set, hidden)"));
    for hidden in [secret, "geheim"] {
        assert!(!shown.contains(hidden) && !mistakes.contains(hidden));
    }
    for setting in [
        "PORT",
        "LOGIN_RATE",
        "RUST_LOG",
        "REFRESH_TOKEN_EXPIRE_DAYS",
        "PUBLIC_URL",
        "DATABASE_URL",
    ] {
        assert!(mistakes.contains(setting), "{mistakes}");
    }
}

#[test]
fn a_value_that_is_no_text_is_a_mistake_and_not_ignored() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let output = Command::new(env!("CARGO_BIN_EXE_password-auth"))
        .arg("check-config")
        .current_dir(folder.path())
        .env_clear()
        .env("JWT_SECRET", std::ffi::OsStr::from_bytes(&[0xFF; 40]))
        .output()
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("JWT_SECRET"));
}

#[test]
fn a_secret_is_no_flag_since_others_see_a_process_s_arguments() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = check_config(folder.path(), &["--jwt-secret", "x"], &[]);
    assert_eq!(output.status.code(), Some(2));
    let output = check_config(folder.path(), &["--database-url", "x"], &[]);
    assert_eq!(output.status.code(), Some(2));
}

#[tokio::test]
async fn a_server_with_wrong_settings_does_not_start_and_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = ServerProcess::command(folder.path());
    command.env("ALLOWED_ORIGINS", "*");
    let message = ServerProcess::try_start(command)
        .await
        .err()
        .expect("refused");
    assert!(message.contains("ALLOWED_ORIGINS"), "{message}");
}

#[tokio::test]
async fn a_port_that_is_taken_is_said_so() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_password-auth"));
    command
        .args(["serve", "--port", &port.to_string()])
        .current_dir(folder.path())
        .env_clear();
    let message = ServerProcess::try_start(command)
        .await
        .err()
        .expect("refused");
    assert!(
        message.contains(&format!("cannot listen on 127.0.0.1:{port}")),
        "{message}"
    );
}

/// A `.env` with this text and mode; what check-config says of it.
fn with_file(text: &[u8], mode: u32, arguments: &[&str]) -> Output {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(".env");
    std::fs::write(&path, text).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("changed");
    check_config(folder.path(), arguments, &[])
}

#[test]
fn a_file_with_a_byte_order_mark_is_read() {
    let output = with_file("\u{FEFF}PORT=1001\r\nISSUER=x\r\n".as_bytes(), 0o644, &[]);
    assert!(output.status.success(), "{output:?}");
    let shown = text(&output.stdout);
    assert_eq!(line(&shown, "PORT"), ["PORT", "1001", ".env"]);
    assert_eq!(line(&shown, "ISSUER"), ["ISSUER", "x", ".env"]);
}

#[test]
fn a_bad_line_of_the_file_is_named_by_its_number_and_not_quoted() {
    for (content, number) in [
        (&b"PORT=1001\n\nJWT_SECRET geheim\n"[..], 3),
        (b"\xEF\xBB\xBFgeheim\n", 1),
        (b"PORT=1001\r\nJWT_SECRET='geheim\r\nHOST=::1\r\n", 2),
        (b"PORT=1001\nISSUER=a\nJWT_SECRET=geheim\xFF\n", 3),
    ] {
        let output = with_file(content, 0o600, &[]);
        assert_eq!(output.status.code(), Some(1));
        let said = text(&output.stderr);
        assert!(said.contains(&format!("line {number} ")), "{said}");
        assert!(!said.contains("geheim"), "{said}");
    }
}

#[test]
fn a_file_that_cannot_be_opened_is_told_by_the_system_s_words() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join(".env")).expect("made");
    let said = text(&check_config(folder.path(), &[], &[]).stderr);
    assert!(said.contains("Is a directory"), "{said}");
    std::fs::remove_dir(folder.path().join(".env")).expect("removed");
    std::os::unix::fs::symlink(".env", folder.path().join(".env")).expect("linked");
    let said = text(&check_config(folder.path(), &[], &[]).stderr);
    assert!(said.contains("symbolic links"), "{said}");
}

#[test]
fn in_production_a_secret_in_a_file_that_others_may_read_is_refused() {
    let secret = b"PORT=1001\nJWT_SECRET=0123456789abcdef0123456789abcdef\n";
    for mode in [0o644, 0o640, 0o604, 0o620] {
        let output = with_file(secret, mode, &[]);
        assert_eq!(output.status.code(), Some(1), "{mode:o}");
        let said = text(&output.stderr);
        assert!(said.contains("chmod 600 .env"), "{said}");
        assert!(
            said.contains("JWT_SECRET") && !said.contains("abcdef"),
            "{said}"
        );
        assert!(with_file(secret, mode, &["--dev"]).status.success());
    }
    assert!(with_file(secret, 0o600, &[]).status.success());
    assert!(
        with_file(b"PORT=1001\nJWT_SECRET=\n", 0o644, &[])
            .status
            .success()
    );
    let said = text(&with_file(b"SMTP_PASSWORD=geheim\n", 0o644, &[]).stderr);
    assert!(said.contains("chmod 600 .env"), "{said}");
}

#[test]
fn a_tilde_stands_for_no_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    for path in ["~", "~/data", "~alice/data"] {
        let output = check_config(folder.path(), &[], &[("DATA_DIR", path)]);
        assert_eq!(output.status.code(), Some(1), "{path}");
        let said = text(&output.stderr);
        assert!(said.contains("write the whole path"), "{said}");
    }
    let output = check_config(folder.path(), &["--data-dir", "./~"], &[]);
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn ports_that_cannot_be_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    for port in ["99999", "65536", "0", "abc", "-1", "80:80", "8o"] {
        for scheme in ["https", "http"] {
            let url = format!("{scheme}://auth.example.org:{port}");
            for setting in ["PUBLIC_URL", "ALLOWED_ORIGINS"] {
                let output = check_config(folder.path(), &[], &[(setting, &url)]);
                assert_eq!(output.status.code(), Some(1), "{setting}={url}");
                let said = text(&output.stderr);
                assert!(said.contains(setting), "{said}");
            }
        }
    }
    let output = check_config(
        folder.path(),
        &[],
        &[("PUBLIC_URL", "https://auth.example.org:65535")],
    );
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn what_nobody_sets_is_shown_as_it_is_in_force() {
    let folder = tempfile::tempdir().expect("a folder");
    let shown = |arguments: &[&str]| {
        let output = check_config(folder.path(), arguments, &[]);
        assert!(output.status.success());
        text(&output.stdout)
    };
    let own = "http://127.0.0.1:8000";
    for (arguments, setting, value) in [
        (&[][..], "PUBLIC_URL", own),
        (
            &["--port", "9000"][..],
            "PUBLIC_URL",
            "http://127.0.0.1:9000",
        ),
        (&[][..], "ALLOWED_ORIGINS", own),
        (&["--dev"][..], "ALLOWED_ORIGINS", "any"),
        (&[][..], "PASSWORD_MIN_SCORE", "2"),
        (&["--dev"][..], "PASSWORD_MIN_SCORE", "0"),
        (&[][..], "USER_DIRECTORY", "admins"),
        (&["--dev"][..], "USER_DIRECTORY", "members"),
        (&[][..], "TRUSTED_PROXIES", "none"),
    ] {
        let shown = shown(arguments);
        assert_eq!(line(&shown, setting), [setting, value, "default"]);
    }
    let listed = shown(&["--allowed-origins", "https://app.example.org"]);
    assert_eq!(
        line(&listed, "ALLOWED_ORIGINS"),
        ["ALLOWED_ORIGINS", "https://app.example.org,", own, "flag"]
    );
    for (arguments, sentence) in [
        (&[][..], "the key in ./data/keys.json"),
        (&[][..], "none: the embedded store"),
        (&[][..], "none: no mail is sent"),
        (&["--dev"][..], "none: mail goes to ./data/mail"),
    ] {
        let shown = shown(arguments);
        assert!(shown.contains(sentence), "{shown}");
        assert!(!shown.contains("(not set)"), "{shown}");
    }
    let smtp = shown(&[
        "--public-url",
        "https://auth.example.org",
        "--smtp-host",
        "smtp.example.org",
        "--smtp-from",
        "auth@example.org",
    ]);
    assert_eq!(line(&smtp, "SMTP_PORT"), ["SMTP_PORT", "587", "default"]);
}

#[test]
fn metrics_have_a_port_of_their_own() {
    let folder = tempfile::tempdir().expect("a folder");
    for wrong in [
        "9100",
        "localhost:9100",
        "127.0.0.1",
        "127.0.0.1:8000",
        "0.0.0.0:8000",
        "x",
    ] {
        let output = check_config(folder.path(), &["--metrics-addr", wrong], &[]);
        assert_eq!(output.status.code(), Some(1), "{wrong}");
        let said = text(&output.stderr);
        assert!(said.contains("METRICS_ADDR"), "{said}");
    }
    let output = check_config(folder.path(), &["--metrics-addr", "[::1]:9100"], &[]);
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn tls_needs_a_certificate_and_its_key() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let other = tempfile::tempdir().expect("a folder");
    let files = make_certificates(folder.path(), "localhost");
    let others = make_certificates(other.path(), "localhost");
    let path = |path: &Path| path.to_str().expect("a text").to_owned();
    let (certificate, key) = (path(&files.certificate), path(&files.key));
    let said = |certificate: &str, key: &str| {
        let arguments = ["--tls-cert", certificate, "--tls-key", key];
        let output = check_config(folder.path(), &arguments, &[]);
        (
            output.status.success(),
            text(&output.stdout),
            text(&output.stderr),
        )
    };
    let (is_right, shown, mistakes) = said(&certificate, &key);
    assert!(is_right, "{mistakes}");
    assert_eq!(
        line(&shown, "PUBLIC_URL"),
        ["PUBLIC_URL", "https://127.0.0.1:8000", "default"]
    );
    for (certificate, key, wrong) in [
        (&*certificate, "", "expected both or neither"),
        ("", &*key, "expected both or neither"),
        (&certificate, "/nowhere/key.pem", "TLS_KEY"),
        ("/nowhere/cert.pem", &key, "TLS_CERT"),
        (&certificate, &certificate, "TLS_KEY"),
        (&key, &key, "TLS_CERT"),
        (&certificate, &path(&others.key), "TLS_KEY"),
    ] {
        let (is_right, _, mistakes) = said(certificate, key);
        assert!(!is_right && mistakes.contains(wrong), "{wrong}: {mistakes}");
        assert!(!mistakes.contains("PRIVATE"), "{mistakes}");
    }
    std::fs::set_permissions(&files.key, std::fs::Permissions::from_mode(0o644)).expect("changed");
    let (is_right, _, mistakes) = said(&certificate, &key);
    assert!(!is_right && mistakes.contains("chmod 640"), "{mistakes}");
}

#[test]
fn production_refuses_what_would_be_safe_nowhere_and_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let https = ("PUBLIC_URL", "https://auth.example.org");
    for (settings, why) in [
        (&[("HOST", "0.0.0.0")][..], "HOST: passwords would cross"),
        (&[("HOST", "::")], "HOST: passwords would cross"),
        (&[("HOST", "192.0.2.1")], "HOST: passwords would cross"),
        (
            &[("PUBLIC_URL", "http://auth.example.org")],
            "PUBLIC_URL: must be https",
        ),
        (
            &[https, ("TRUSTED_PROXIES", "10.0.0.0/8, 0.0.0.0/0")],
            "TRUSTED_PROXIES: ",
        ),
        (&[https, ("TRUSTED_PROXIES", "::/0")], "TRUSTED_PROXIES: "),
        (
            &[("JWT_SECRET", "changechangechangechangechangechange")],
            "JWT_SECRET: is easy",
        ),
    ] {
        let output = check_config(folder.path(), &[], settings);
        assert_eq!(output.status.code(), Some(1), "{settings:?}");
        let said = text(&output.stderr);
        assert!(said.contains(why), "{settings:?}: {said}");
        let output = check_config(folder.path(), &["--dev"], settings);
        assert!(output.status.success(), "{settings:?}: {output:?}");
    }
    for settings in [
        &[("HOST", "0.0.0.0"), https][..],
        &[("HOST", "::1")],
        &[("PUBLIC_URL", "http://localhost:8000")],
        &[("PUBLIC_URL", "http://127.0.0.1:8000")],
        &[https, ("TRUSTED_PROXIES", "10.0.0.0/8, ::1")],
    ] {
        let output = check_config(folder.path(), &[], settings);
        assert!(output.status.success(), "{settings:?}: {output:?}");
    }
}

#[test]
fn secrets_may_be_files_of_the_service_manager_s() {
    let folder = tempfile::tempdir().expect("a folder");
    let credentials = tempfile::tempdir().expect("a folder");
    let secret = "0123456789abcdef0123456789abcdef";
    std::fs::write(credentials.path().join("JWT_SECRET"), format!("{secret}\n")).expect("written");
    std::fs::write(credentials.path().join("ISSUER"), "them").expect("written");
    std::fs::write(folder.path().join(".env"), "ISSUER=file\nPORT=1001\n").expect("written");
    let directory = credentials.path().to_str().expect("a text");
    let of_them = [("CREDENTIALS_DIRECTORY", directory)];
    let output = check_config(folder.path(), &[], &of_them);
    assert!(output.status.success(), "{output:?}");
    let shown = text(&output.stdout);
    assert_eq!(
        line(&shown, "JWT_SECRET"),
        ["JWT_SECRET", "(set,", "hidden)", "credentials"]
    );
    assert_eq!(line(&shown, "ISSUER"), ["ISSUER", "them", "credentials"]);
    assert_eq!(line(&shown, "PORT"), ["PORT", "1001", ".env"]);
    let both = [of_them[0], ("ISSUER", "the environment")];
    let shown = text(&check_config(folder.path(), &[], &both).stdout);
    assert_eq!(line(&shown, "ISSUER").last(), Some(&"environment"));
    std::fs::write(credentials.path().join("JWT_SECRET"), [0xFF; 40]).expect("written");
    let output = check_config(folder.path(), &[], &of_them);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("JWT_SECRET"));
}
