//! Which PostgreSQL servers and databases are accepted, and the messages for those that are refused.

use password_auth_model::EventKind;
use password_auth_store::postgres::PostgresStore;
use password_auth_testing::Cluster;
use tokio::task::JoinSet;

async fn connect(url: &str) -> Result<PostgresStore, String> {
    let url = url.parse().expect("a URL");
    let connected = PostgresStore::connect(&url, false).await;
    connected.map_err(|error| error.to_string())
}

async fn refusal(url: &str) -> String {
    connect(url).await.err().expect("refused")
}

fn database_of(url: &str) -> &str {
    url.rsplit_once('/').expect("a URL").1
}

#[tokio::test]
async fn nodes_that_start_at_once_make_the_schema_once() {
    let cluster = Cluster::shared().await;
    let url = cluster.create_database().await;
    let mut starting = JoinSet::new();
    for _ in 0..8 {
        let url = url.clone();
        starting.spawn(async move { connect(&url).await.map(|_| ()) });
    }
    for started in starting.join_all().await {
        started.expect("it starts");
    }
    let count = "SELECT count(*) FROM password_auth_schema";
    assert_eq!(cluster.sql_in(database_of(&url), count).await, [["1"]]);
}

#[tokio::test]
async fn a_schema_of_a_newer_program_is_refused_and_left_as_it_is() {
    let cluster = Cluster::shared().await;
    let url = cluster.create_database().await;
    connect(&url).await.expect("it starts");
    let newer = "UPDATE password_auth_schema SET version = version + 1 RETURNING version";
    let version = cluster.sql_in(database_of(&url), newer).await;
    let said = refusal(&url).await;
    assert!(said.contains("newer version of this program"), "{said}");
    let found = "SELECT version FROM password_auth_schema";
    assert_eq!(cluster.sql_in(database_of(&url), found).await, version);
}

/// As a program left it that knew three migrations, with these rows among its users.
const BEFORE_ADDRESSES: &str = "
    INSERT INTO users (id, username, username_key, password_hash, is_active, created_at, email, email_key, is_verified)
    SELECT id::uuid, name, name, '!', true, 0, email, key, verified FROM (VALUES
        ('00000000-0000-7000-8000-000000000001', 'first', 'alice@bücher.example', 'alice@bücher.example', true),
        ('00000000-0000-7000-8000-000000000002', 'second', 'alice@xn--bcher-kva.example', 'alice@xn--bcher-kva.example', true),
        ('00000000-0000-7000-8000-000000000003', 'nikos', 'nikos@κοσμος.example', 'nikos@κοσμοσ.example', true),
        ('00000000-0000-7000-8000-000000000004', 'stranger', 'Nikos@κοσμοϲ.example', 'nikos@κοσμοσ.example', false)
    ) AS old (id, name, email, key, verified);
    INSERT INTO letters VALUES ('00000000-0000-7000-8000-000000000005', 0, 0, 0,
        'nikos@κοσμος.example', 'nikos@κοσμοσ.example', null, '\"reset_password\"');
    DROP INDEX users_by_verified_email; DROP INDEX users_by_email;
    CREATE INDEX users_by_email ON users (email_key);
    CREATE UNIQUE INDEX users_by_verified_email ON users (email_key) WHERE is_verified;
    ALTER TABLE users DROP COLUMN deactivated_by_self; ALTER TABLE sessions DROP COLUMN trail;
    DROP INDEX users_by_unverified_password;
    DROP TABLE factors; DROP TABLE token_keys; DROP TABLE invites;
    UPDATE password_auth_schema SET version = 3";

#[tokio::test]
async fn addresses_are_compared_as_today_and_of_two_that_are_one_the_first_stays_verified() {
    let cluster = Cluster::shared().await;
    let url = cluster.create_database().await;
    connect(&url).await.expect("it starts");
    cluster.sql_in(database_of(&url), BEFORE_ADDRESSES).await;
    for _ in 0..2 {
        connect(&url).await.expect("it starts");
        let users = "SELECT username, email_key, is_verified FROM users ORDER BY id";
        let expected = [
            ["first", "alice@xn--bcher-kva.example", "t"],
            ["second", "alice@xn--bcher-kva.example", "f"],
            ["nikos", "nikos@xn--vxaeibpd.example", "t"],
            ["stranger", "nikos@xn--vxaeibsc.example", "f"],
        ];
        assert_eq!(cluster.sql_in(database_of(&url), users).await, expected);
        let mails = "SELECT recipient_key FROM letters";
        let expected = [["nikos@xn--vxaeibpd.example"]];
        assert_eq!(cluster.sql_in(database_of(&url), mails).await, expected);
        let index = "SELECT count(*) FROM pg_indexes WHERE indexname = 'users_by_verified_email'";
        assert_eq!(cluster.sql_in(database_of(&url), index).await, [["1"]]);
    }
}

/// As a program left it that knew six migrations: all routine events had one class.
const BEFORE_ROOMS: &str = "
    INSERT INTO events (id, at, user_id, what, class)
    SELECT gen_random_uuid(), 0, gen_random_uuid(), to_jsonb(what), class FROM (VALUES
        ('signed_in', 0), ('sign_in_failed', 0), ('signed_out', 0), ('signed_out_elsewhere', 0),
        ('profile_changed', 0), ('exported', 0), ('token_reused', 2)
    ) AS old (what, class);
    DROP TABLE factors; DROP TABLE token_keys; DROP TABLE invites;
    UPDATE password_auth_schema SET version = 6";

#[tokio::test]
async fn routine_events_of_an_earlier_program_have_the_class_of_their_kind() {
    let cluster = Cluster::shared().await;
    let url = cluster.create_database().await;
    connect(&url).await.expect("it starts");
    cluster.sql_in(database_of(&url), BEFORE_ROOMS).await;
    connect(&url).await.expect("it starts");
    let kinds = [
        EventKind::SignedIn,
        EventKind::TokenReused,
        EventKind::SignInFailed,
        EventKind::ProfileChanged,
        EventKind::Exported,
        EventKind::SignedOut,
        EventKind::SignedOutElsewhere,
    ];
    let expected = kinds.map(|kind| {
        let what = serde_json::to_string(&kind).expect("JSON");
        vec![what, kind.class().number().to_string()]
    });
    let found = "SELECT what, class FROM events ORDER BY class";
    assert_eq!(cluster.sql_in(database_of(&url), found).await, expected);
}

#[tokio::test]
async fn a_database_that_cannot_hold_every_name_is_refused() {
    let cluster = Cluster::shared().await;
    cluster
        .sql("CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0")
        .await;
    let said = refusal(&cluster.url("ascii")).await;
    assert!(said.contains("encoding is SQL_ASCII"), "{said}");
}

#[tokio::test]
async fn a_server_that_would_lose_what_was_acknowledged_is_refused() {
    let cluster = Cluster::start().await;
    let url = cluster.create_database().await;
    for setting in ["fsync", "full_page_writes"] {
        cluster
            .sql(&format!("ALTER SYSTEM SET {setting} = off"))
            .await;
        cluster.restart().await;
        let said = refusal(&url).await;
        assert!(said.contains("fsync or full_page_writes is off"), "{said}");
        cluster.sql(&format!("ALTER SYSTEM RESET {setting}")).await;
        cluster.restart().await;
    }
    connect(&url).await.expect("it starts");
}

#[tokio::test]
async fn a_server_that_waits_for_no_standby_is_refused_where_one_is_asked_for() {
    let url = Cluster::shared().await.create_database().await;
    let parsed = url.parse().expect("a URL");
    let refused = PostgresStore::connect(&parsed, true).await.err();
    let said = refused.expect("refused").to_string();
    assert!(said.contains("synchronous_standby_names"), "{said}");
}

#[tokio::test]
async fn encryption_that_is_asked_for_is_not_given_up() {
    let url = Cluster::shared().await.create_database().await;
    let said = refusal(&format!("{url}?sslmode=verify-full")).await;
    assert!(said.contains("does not support TLS"), "{said}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_and_the_password_is_not() {
    let cluster = Cluster::start().await;
    cluster.stop_fast().await;
    let port = cluster.port();
    let url = format!("postgres://postgres:hunter2@127.0.0.1:{port},localhost:{port}/auth");
    let said = refusal(&url).await;
    for expected in [
        &*format!("127.0.0.1:{port}"),
        &*format!("localhost:{port}"),
        "Connection refused",
        "Check DATABASE_URL",
    ] {
        assert!(said.contains(expected), "{said}");
    }
    assert!(!said.contains("hunter2"), "{said}");
}
