//! What settings become, and what is refused.

use super::{Config, LogFormat, Sources};
use password_auth_core::accounts::Directory;
use password_auth_core::passwords::Policy;
use password_auth_model::Rate;

#[test]
fn nothing_set_is_a_safe_server_on_loopback() {
    let config = Config::load(&Sources::of([]), false).expect("valid");
    assert_eq!(config.listen.to_string(), "127.0.0.1:8000");
    assert_eq!(config.rates.login, "5/minute".parse().expect("a rate"));
    assert_eq!(config.lifetimes.access_token.as_secs(), 900);
    assert_eq!(config.lifetimes.session.as_secs(), 180 * 86_400);
    assert!(config.scrypt.meets_owasp());
    assert_eq!(config.password_policy, Policy::new(2));
    assert_eq!(config.rates.account, "60/minute".parse().expect("a rate"));
    assert_eq!(config.directory, Directory::Admins);
    assert!(config.allowed_origins.is_empty() && config.trusted_proxies.is_empty());
    assert_eq!(config.log_format, LogFormat::Text);
}

#[test]
fn every_mistake_is_named_at_once_and_no_secret_is_quoted() {
    let sources = Sources::of([
        ("PORT", "eighty"),
        ("JWT_SECRET", "hunter2"),
        (
            "ALLOWED_ORIGINS",
            "https://ok.example, *, https://x.example/path",
        ),
        ("TRUSTED_PROXIES", "10.0.0.0/99"),
        ("LOGIN_RATE", "5/fortnight"),
        ("SCRYPT_P", "0"),
        ("PASSWORD_MIN_SCORE", "5"),
        ("ACCOUNT_RATE", "0/minute"),
        ("USER_DIRECTORY", "everybody"),
        ("REGISTRATION", "sometimes"),
        ("SIGNING_ALG", "none"),
        ("DATABASE_URL", "mysql://user:geheim@db/x"),
        ("DATABASE_REQUIRE_STANDBY", "maybe"),
    ]);
    let problems = Config::load(&sources, false).expect_err("invalid");
    let text = problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n");
    for name in [
        "PORT",
        "JWT_SECRET",
        "ALLOWED_ORIGINS",
        "TRUSTED_PROXIES",
        "LOGIN_RATE",
        "SCRYPT",
        "PASSWORD_MIN_SCORE",
        "ACCOUNT_RATE",
        "USER_DIRECTORY",
        "REGISTRATION",
        "SIGNING_ALG",
        "DATABASE_URL",
        "DATABASE_REQUIRE_STANDBY",
    ] {
        assert!(text.contains(name), "{name} is missing in:\n{text}");
    }
    assert!(
        !text.contains("hunter2") && !text.contains("geheim"),
        "{text}"
    );
}

#[test]
fn limits_are_off_in_development_only() {
    let sources = Sources::of([
        ("LOGIN_RATE", "off"),
        ("ACCOUNT_RATE", "off"),
        ("SCRYPT_LOG_N", "4"),
        ("SCRYPT_P", "1"),
    ]);
    assert_eq!(
        Config::load(&sources, true).expect("valid").rates.login,
        Rate::OFF
    );
    assert_eq!(Config::load(&sources, false).expect_err("invalid").len(), 3);
}

#[test]
fn in_development_every_password_will_do_unless_a_floor_is_set() {
    let policy = |sources| {
        let config = Config::load(&sources, true).expect("valid");
        config.password_policy
    };
    assert_eq!(policy(Sources::of([])), Policy::NONE);
    let set = Sources::of([("PASSWORD_MIN_SCORE", "3")]);
    assert_eq!(policy(set), Policy::new(3));
}

#[test]
fn in_development_members_list_users_unless_a_setting_says_otherwise() {
    let directory = |sources, dev| Config::load(&sources, dev).expect("valid").directory;
    assert_eq!(directory(Sources::of([]), true), Directory::Members);
    for dev in [true, false] {
        for (text, expected) in [
            ("members", Directory::Members),
            ("admins", Directory::Admins),
        ] {
            let sources = Sources::of([("USER_DIRECTORY", text)]);
            assert_eq!(directory(sources, dev), expected);
        }
    }
}

#[test]
fn debug_shows_no_secret() {
    let sources = Sources::of([
        ("JWT_SECRET", "a secret of more than thirty-two bytes"),
        ("DATABASE_URL", "postgres://user:geheim@db/x"),
    ]);
    let config = Config::load(&sources, false).expect("valid");
    let shown = format!("{config:?}");
    assert!(
        !shown.contains("thirty") && !shown.contains("geheim"),
        "{shown}"
    );
}

#[test]
fn nodes_on_one_database_need_a_secret_that_they_share() {
    let sources = Sources::of([("DATABASE_URL", "postgres://user@db/x")]);
    let problems = Config::load(&sources, true).expect_err("invalid");
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].setting, "JWT_SECRET");
}

#[test]
fn the_log_filter_may_have_blanks_and_must_be_ascii() {
    let load = |filter| Config::load(&Sources::of([("RUST_LOG", filter)]), false);
    let config = load("warn, password_auth=debug").expect("valid");
    assert_eq!(config.log_filter, "warn,password_auth=debug");
    for twice in ["a=info,a=debug", "[a{b=x}]=info,[a{b=x}]=warn"] {
        assert_eq!(load(twice).expect("valid").log_filter, twice);
    }
    for filter in ["\u{e9}=info", "info, c::\u{e9}a[x", "warn,x=loud"] {
        let problems = load(filter).expect_err(filter);
        assert_eq!(problems[0].setting, "RUST_LOG", "{filter}");
    }
}

/// As a regular expression, this one would take minutes.
#[test]
fn a_value_in_the_log_filter_is_no_regular_expression() {
    let filter = format!("a[b{{c=x{}{}}}]", "*".repeat(30), ".".repeat(70));
    let load = Config::load(&Sources::of([("RUST_LOG", &*filter)]), false);
    assert_eq!(load.expect("valid").log_filter, filter);
}
