//! Creates and upgrades the schema. The first node that starts does it.
//!
//! A library for migrations is not needed for this: migrations run once, under a lock, and a schema that is newer than
//! the program is refused.

use password_auth_model::UsernameKey;
use tokio_postgres::Client;

use super::connect::Connection;
use super::error::describe;
use super::{OpenError, rekey};

/// In the order in which they run. Never change a released migration. The version of the schema is the number of
/// migrations that have run.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_users_and_sessions.sql"),
    include_str!("migrations/0002_accounts.sql"),
    include_str!("migrations/0003_bounds.sql"),
    include_str!("migrations/0004_addresses.sql"),
    include_str!("migrations/0005_trails.sql"),
    include_str!("migrations/0006_namesakes.sql"),
    include_str!("migrations/0007_rooms.sql"),
    include_str!("migrations/0008_factors.sql"),
    include_str!("migrations/0009_token_keys.sql"),
    include_str!("migrations/0010_invites.sql"),
    include_str!("migrations/0011_inviters.sql"),
];

/// After this migration, the keys of addresses are computed again.
const ADDRESSES: usize = 4;

/// PostgreSQL 12. Tests run on the version of the distribution.
const MINIMUM_SERVER: i32 = 120_000;

/// A number that no other program in the database is likely to use for an advisory lock.
const LOCK: i64 = 0x7061_7373_6175_7468;

/// Checks the server, then runs the missing migrations.
pub(super) async fn prepare(
    connection: &Connection,
    require_standby: bool,
) -> Result<(), OpenError> {
    check_server(&connection.client, require_standby).await?;
    migrate(&connection.client).await
}

async fn check_server(client: &Client, require_standby: bool) -> Result<(), OpenError> {
    let row = client
        .query_one(
            "SELECT current_setting('server_version_num')::int, current_setting('server_version'), \
                    current_setting('server_encoding'), current_setting('fsync'), \
                    current_setting('full_page_writes'), current_setting('synchronous_standby_names')",
            &[],
        )
        .await
        .map_err(database)?;
    let (number, version): (i32, String) = (row.get(0), row.get(1));
    let (encoding, fsync): (String, String) = (row.get(2), row.get(3));
    let (full_page_writes, standbys): (String, String) = (row.get(4), row.get(5));
    if number < MINIMUM_SERVER {
        return Err(OpenError::Server(format!(
            "it has version {version}, but this program needs 12 or newer"
        )));
    }
    if encoding != "UTF8" {
        return Err(OpenError::Server(format!(
            "the database's encoding is {encoding}: create it with ENCODING 'UTF8' TEMPLATE template0"
        )));
    }
    if fsync != "on" || full_page_writes != "on" {
        return Err(OpenError::Server(
            "fsync or full_page_writes is off, so acknowledged data could be lost in a power \
             failure: turn both on"
                .to_owned(),
        ));
    }
    if require_standby && standbys.trim().is_empty() {
        return Err(OpenError::Server(
            "DATABASE_REQUIRE_STANDBY is on, but the server does not wait for a standby: set its \
             synchronous_standby_names"
                .to_owned(),
        ));
    }
    Ok(())
}

async fn migrate(client: &Client) -> Result<(), OpenError> {
    // The lock ends with the transaction, or with the connection.
    client.batch_execute("BEGIN").await.map_err(database)?;
    client
        .execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK])
        .await
        .map_err(database)?;
    client
        .batch_execute(
            "CREATE TABLE IF NOT EXISTS password_auth_schema (
                 only_row         boolean PRIMARY KEY DEFAULT true CHECK (only_row),
                 version          integer NOT NULL,
                 username_version integer NOT NULL
             )",
        )
        .await
        .map_err(database)?;
    let found = client
        .query_opt(
            "SELECT version, username_version FROM password_auth_schema",
            &[],
        )
        .await
        .map_err(database)?;
    let ours = i32::from(UsernameKey::VERSION);
    let done = match &found {
        None => 0,
        Some(row) if row.get::<_, i32>(1) != ours => {
            return Err(OpenError::OtherVersion);
        }
        Some(row) => usize::try_from(row.get::<_, i32>(0)).unwrap_or(usize::MAX),
    };
    let missing = MIGRATIONS.get(done..).ok_or(OpenError::OtherVersion)?;
    for (migration, number) in missing.iter().zip(done + 1..) {
        let failed =
            |error| OpenError::Server(format!("migration {number} failed: {}", describe(&error)));
        client.batch_execute(migration).await.map_err(failed)?;
        if number == ADDRESSES {
            rekey::addresses(client).await.map_err(failed)?;
        }
        tracing::info!(migration = number, "the database schema was upgraded");
    }
    if !missing.is_empty() {
        let version = i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX);
        client
            .execute(
                "INSERT INTO password_auth_schema (version, username_version) VALUES ($1, $2) \
                 ON CONFLICT (only_row) DO UPDATE SET version = $1",
                &[&version, &ours],
            )
            .await
            .map_err(database)?;
    }
    client.batch_execute("COMMIT").await.map_err(database)
}

fn database(error: tokio_postgres::Error) -> OpenError {
    OpenError::Server(describe(&error))
}
